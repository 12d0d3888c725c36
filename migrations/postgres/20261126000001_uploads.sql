-- Files, and which messages carry them. The bytes are in the object store, under the id.

-- `thumbnail` is its size in bytes; null where there is none. After `expires_at` it is nobody's and to be
-- removed; null while a message carries it.
CREATE TABLE uploads (
    id         uuid PRIMARY KEY,
    owner_id   uuid NOT NULL REFERENCES users (id),
    filename   text COLLATE "C" NOT NULL,
    media_type text COLLATE "C" NOT NULL,
    size       bigint NOT NULL,
    width      bigint,
    height     bigint,
    duration   bigint, -- milliseconds
    thumbnail  bigint,
    created_at bigint NOT NULL,
    expires_at bigint
);
CREATE INDEX uploads_by_owner ON uploads (owner_id) INCLUDE (size, thumbnail);
CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE attachments (
    message_id uuid NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position   bigint NOT NULL,
    upload_id  uuid NOT NULL UNIQUE REFERENCES uploads (id),
    PRIMARY KEY (message_id, position)
);

-- However a message goes, alone or with its channel, its files are nobody's from then on.
CREATE FUNCTION attachments_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE uploads SET expires_at = NULL WHERE id = NEW.upload_id;
    ELSE
        UPDATE uploads SET expires_at = 0 WHERE id = OLD.upload_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER attachments_changed AFTER INSERT OR DELETE ON attachments
    FOR EACH ROW EXECUTE FUNCTION attachments_changed();
