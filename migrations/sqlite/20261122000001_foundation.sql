-- Times are milliseconds since the Unix epoch, UTC. Identifiers are 16-byte UUIDv7.

-- `epoch` names this database's life; it changes on restore from a backup.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id            BLOB PRIMARY KEY,
    username      TEXT NOT NULL,
    username_key  TEXT NOT NULL UNIQUE, -- in lower case: names differ in more than case
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    suspended     INTEGER NOT NULL DEFAULT 0,
    avatar_url    TEXT,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id           BLOB PRIMARY KEY,
    user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- SHA-256 of every refresh token a session has had: a superseded one that comes back was stolen.
CREATE TABLE refresh_tokens (
    hash       BLOB PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    superseded INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

CREATE TABLE channels (
    id          BLOB PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('channel', 'direct')),
    name        TEXT UNIQUE,
    topic       TEXT NOT NULL DEFAULT '',
    visibility  TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
    post_policy TEXT NOT NULL CHECK (post_policy IN ('everyone', 'admins')),
    rev         INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
    channel_id BLOB NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    read_seq   INTEGER NOT NULL,
    joined_at  INTEGER NOT NULL,
    PRIMARY KEY (channel_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);

-- Clustered by place in history, so a page is one range of one tree.
CREATE TABLE messages (
    channel_id BLOB NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    rev        INTEGER NOT NULL,
    id         BLOB NOT NULL UNIQUE,
    sender_id  BLOB NOT NULL REFERENCES users (id),
    ref        BLOB,
    text       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at  INTEGER,
    deleted    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_rev ON messages (channel_id, rev);
-- The same ref by the same sender never makes a second message.
CREATE UNIQUE INDEX messages_by_ref ON messages (sender_id, ref) WHERE ref IS NOT NULL;
