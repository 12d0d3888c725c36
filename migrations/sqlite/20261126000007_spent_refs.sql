-- The refs of messages that went with their channel: the same ref by the same sender never makes a second
-- message, also then. Nothing else deletes rows of `messages`.
CREATE TABLE spent_refs (
    sender_id BLOB NOT NULL,
    ref       BLOB NOT NULL,
    PRIMARY KEY (sender_id, ref)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER messages_spend_refs AFTER DELETE ON messages WHEN old.ref IS NOT NULL BEGIN
    INSERT INTO spent_refs (sender_id, ref) VALUES (old.sender_id, old.ref) ON CONFLICT DO NOTHING;
END;
