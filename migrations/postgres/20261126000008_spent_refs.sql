-- The refs of messages that went with their channel: the same ref by the same sender never makes a second
-- message, also then.
CREATE TABLE spent_refs (
    sender_id uuid NOT NULL,
    ref       uuid NOT NULL,
    PRIMARY KEY (sender_id, ref)
);

-- By the database, so that nodes of a version before do it as well. Nothing else deletes rows of `messages`.
CREATE FUNCTION spend_refs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO spent_refs (sender_id, ref) SELECT sender_id, ref FROM gone WHERE ref IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER messages_spend_refs AFTER DELETE ON messages
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION spend_refs();
