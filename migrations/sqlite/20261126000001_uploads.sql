-- Files, and which messages carry them. The bytes are in the object store, under the id.

-- `thumbnail` is its size in bytes; null where there is none. After `expires_at` it is nobody's and to be
-- removed; null while a message carries it.
CREATE TABLE uploads (
    id         BLOB PRIMARY KEY,
    owner_id   BLOB NOT NULL REFERENCES users (id),
    filename   TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    width      INTEGER,
    height     INTEGER,
    duration   INTEGER, -- milliseconds
    thumbnail  INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_owner ON uploads (owner_id, size, thumbnail);
CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE attachments (
    message_id BLOB NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    upload_id  BLOB NOT NULL UNIQUE REFERENCES uploads (id),
    PRIMARY KEY (message_id, position)
) STRICT, WITHOUT ROWID;

-- However a message goes, alone or with its channel, its files are nobody's from then on.
CREATE TRIGGER attachments_keep AFTER INSERT ON attachments BEGIN
    UPDATE uploads SET expires_at = NULL WHERE id = NEW.upload_id;
END;
CREATE TRIGGER attachments_discard AFTER DELETE ON attachments BEGIN
    UPDATE uploads SET expires_at = 0 WHERE id = OLD.upload_id;
END;
