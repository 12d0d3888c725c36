-- The refs of messages that went with their channel: the same ref by the same sender never makes a second
-- message, also then.
CREATE TABLE spent_refs (
    sender_id uuid NOT NULL,
    ref       uuid NOT NULL,
    PRIMARY KEY (sender_id, ref)
);
