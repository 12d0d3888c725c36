-- Private conversations, replies, reactions, mentions, and what admins do.

-- The two people of a direct, the smaller id first; the same twice for notes to oneself.
ALTER TABLE channels ADD COLUMN direct_low uuid REFERENCES users (id);
ALTER TABLE channels ADD COLUMN direct_high uuid REFERENCES users (id);
CREATE UNIQUE INDEX channels_by_pair ON channels (direct_low, direct_high) WHERE direct_low IS NOT NULL;

ALTER TABLE messages ADD COLUMN reply_to uuid;
ALTER TABLE messages ADD COLUMN mentions_channel boolean NOT NULL DEFAULT false;
CREATE INDEX messages_to_channel ON messages (channel_id, seq) WHERE mentions_channel;

-- `rev` is the revision of the channel that it made, which orders them.
CREATE TABLE reactions (
    message_id uuid NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji      text COLLATE "C" NOT NULL,
    user_id    uuid NOT NULL REFERENCES users (id),
    rev        bigint NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
);

-- Whom messages name, for counting those past a read mark. They go when the messages do: see `messages`.
CREATE TABLE mentions (
    channel_id uuid NOT NULL,
    user_id    uuid NOT NULL REFERENCES users (id),
    seq        bigint NOT NULL,
    PRIMARY KEY (channel_id, user_id, seq)
);
CREATE INDEX mentions_by_message ON mentions (channel_id, seq);

CREATE TABLE invites (
    code       text COLLATE "C" PRIMARY KEY,
    created_by uuid NOT NULL REFERENCES users (id),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    max_uses   bigint NOT NULL,
    uses       bigint NOT NULL DEFAULT 0
);

-- What admins did. Channels and messages may be gone: no foreign keys.
CREATE TABLE audit (
    id           uuid PRIMARY KEY, -- UUIDv7: in the order of time
    at           bigint NOT NULL,
    actor_id     uuid NOT NULL REFERENCES users (id),
    action       text NOT NULL,
    user_id      uuid REFERENCES users (id),
    channel_id   uuid,
    channel_name text,
    message_id   uuid,
    detail       text,
    reason       text
);

-- There from the start, so that those who register can hold it: whoever changes it waits for them.
INSERT INTO meta (key, value) VALUES ('registration', 'open') ON CONFLICT DO NOTHING;
