-- Private conversations, replies, reactions, mentions, and what admins do.

-- The two people of a direct, the smaller id first; the same twice for notes to oneself.
ALTER TABLE channels ADD COLUMN direct_low BLOB REFERENCES users (id);
ALTER TABLE channels ADD COLUMN direct_high BLOB REFERENCES users (id);
CREATE UNIQUE INDEX channels_by_pair ON channels (direct_low, direct_high) WHERE direct_low IS NOT NULL;

ALTER TABLE messages ADD COLUMN reply_to BLOB;
ALTER TABLE messages ADD COLUMN mentions_channel INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_to_channel ON messages (channel_id, seq) WHERE mentions_channel;

-- `rev` is the revision of the channel that it made, which orders them.
CREATE TABLE reactions (
    message_id BLOB NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji      TEXT NOT NULL,
    user_id    BLOB NOT NULL REFERENCES users (id),
    rev        INTEGER NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
) STRICT, WITHOUT ROWID;

-- Whom messages name, for counting those past a read mark.
CREATE TABLE mentions (
    channel_id BLOB NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL REFERENCES users (id),
    seq        INTEGER NOT NULL,
    PRIMARY KEY (channel_id, user_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_by_message ON mentions (channel_id, seq);

CREATE TABLE invites (
    code       TEXT PRIMARY KEY,
    created_by BLOB NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    max_uses   INTEGER NOT NULL,
    uses       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What admins did. Channels and messages may be gone: no foreign keys.
CREATE TABLE audit (
    id           BLOB PRIMARY KEY, -- UUIDv7: in the order of time
    at           INTEGER NOT NULL,
    actor_id     BLOB NOT NULL REFERENCES users (id),
    action       TEXT NOT NULL,
    user_id      BLOB REFERENCES users (id),
    channel_id   BLOB,
    channel_name TEXT,
    message_id   BLOB,
    detail       TEXT,
    reason       TEXT
) STRICT, WITHOUT ROWID;
