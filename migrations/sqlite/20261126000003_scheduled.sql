-- Messages to be sent later. Channels may be gone by then: no foreign key.
CREATE TABLE scheduled (
    id         BLOB PRIMARY KEY,
    owner_id   BLOB NOT NULL REFERENCES users (id),
    channel_id BLOB NOT NULL,
    ref        BLOB NOT NULL, -- the author's own id for it, else its id; the message's own in the end
    text       TEXT NOT NULL, -- empty once sent: what was said stands in the message alone
    reply_to   BLOB,
    send_at    INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'cancelled')),
    version    INTEGER NOT NULL DEFAULT 0, -- counts the changes: what is sent is what was read
    failure    TEXT,
    message_id BLOB,
    settled_at INTEGER
) STRICT, WITHOUT ROWID;
-- The same ref by the same author never makes a second one.
CREATE UNIQUE INDEX scheduled_by_ref ON scheduled (owner_id, ref);
CREATE INDEX scheduled_by_owner ON scheduled (owner_id, state, settled_at);
CREATE INDEX scheduled_due ON scheduled (send_at) WHERE state = 'pending';
CREATE INDEX scheduled_settled ON scheduled (settled_at) WHERE settled_at IS NOT NULL;

-- The files of those that wait or failed; those of others stand with their messages.
CREATE TABLE scheduled_uploads (
    scheduled_id BLOB NOT NULL REFERENCES scheduled (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    upload_id    BLOB NOT NULL,
    PRIMARY KEY (scheduled_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX scheduled_by_upload ON scheduled_uploads (upload_id);
