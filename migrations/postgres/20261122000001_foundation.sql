-- Times are milliseconds since the Unix epoch, UTC. Identifiers are UUIDv7. Text sorts by its bytes,
-- whatever the database's own collation.

-- `epoch` names this database's life; it changes on restore from a backup.
CREATE TABLE meta (
    key   text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    username      text COLLATE "C" NOT NULL,
    username_key  text COLLATE "C" NOT NULL UNIQUE, -- in lower case: names differ in more than case
    display_name  text COLLATE "C" NOT NULL,
    role          text NOT NULL CHECK (role IN ('admin', 'member')),
    suspended     boolean NOT NULL DEFAULT false,
    avatar_url    text,
    password_hash text NOT NULL,
    created_at    bigint NOT NULL
);

-- Each use of a session updates its row in place, if its page has room.
CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent   text NOT NULL,
    created_at   bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at   bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- SHA-256 of every refresh token a session has had: a superseded one that comes back was stolen.
CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    superseded boolean NOT NULL DEFAULT false
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- `changed_xid` is the transaction that last set `rev`. Every post updates its channel, and an index on
-- a column that changes each time would make each update write into all indexes. So the index is on
-- blocks of 1,024 transactions: within one, updates stay in the page ("HOT"), for which it keeps room.
CREATE TABLE channels (
    id            uuid PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('channel', 'direct')),
    name          text COLLATE "C" UNIQUE,
    topic         text COLLATE "C" NOT NULL DEFAULT '',
    visibility    text NOT NULL CHECK (visibility IN ('public', 'private')),
    post_policy   text NOT NULL CHECK (post_policy IN ('everyone', 'admins')),
    rev           bigint NOT NULL DEFAULT 0,
    created_at    bigint NOT NULL,
    changed_xid   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    changed_block bigint NOT NULL GENERATED ALWAYS AS (changed_xid::text::bigint / 1024) STORED
) WITH (fillfactor = 50);
CREATE INDEX channels_by_change ON channels (changed_block);

CREATE TABLE memberships (
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    read_seq   bigint NOT NULL,
    joined_at  bigint NOT NULL,
    PRIMARY KEY (channel_id, user_id)
) WITH (fillfactor = 80);
CREATE INDEX memberships_by_user ON memberships (user_id);

-- `channel_id` is no foreign key: millions of messages can't be deleted in the transaction that removes
-- their channel without others waiting for it. They go afterwards, see `removed_channels`.
CREATE TABLE messages (
    channel_id uuid NOT NULL,
    seq        bigint NOT NULL,
    rev        bigint NOT NULL,
    id         uuid NOT NULL UNIQUE,
    sender_id  uuid NOT NULL REFERENCES users (id),
    ref        uuid,
    text       text NOT NULL,
    created_at bigint NOT NULL,
    edited_at  bigint,
    deleted    boolean NOT NULL DEFAULT false,
    -- What counting unread messages looks at is in the index.
    PRIMARY KEY (channel_id, seq) INCLUDE (sender_id, deleted)
);
CREATE UNIQUE INDEX messages_by_rev ON messages (channel_id, rev);
-- The same ref by the same sender never makes a second message.
CREATE UNIQUE INDEX messages_by_ref ON messages (sender_id, ref) WHERE ref IS NOT NULL;

-- Channels that are gone but whose messages, up to `rev`, may not be all deleted yet.
CREATE TABLE removed_channels (
    id  uuid PRIMARY KEY,
    rev bigint NOT NULL
);

-- Every change of who may see what, in the order of the commits; trimmed after a while.
CREATE TABLE journal (
    pos    bigint PRIMARY KEY,
    at     bigint NOT NULL,
    change text NOT NULL -- JSON
);

-- The newest position. Whoever writes an entry holds this row until the commit: so positions have no
-- gaps and come in the order of the commits, which a sequence wouldn't give.
CREATE TABLE journal_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    pos bigint NOT NULL
);
INSERT INTO journal_head (pos) VALUES (0);
