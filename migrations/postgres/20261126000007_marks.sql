-- For nodes that missed each other's hints: the transaction that last moved a read mark, and whether
-- back; the one that last changed a message for later. No index: marks move all the time, and only
-- those of people are asked for who are connected. `0` is older than any transaction.
ALTER TABLE memberships
    ADD COLUMN marked_xid xid8 NOT NULL DEFAULT '0',
    ADD COLUMN marked_back boolean NOT NULL DEFAULT false;
ALTER TABLE scheduled ADD COLUMN changed_xid xid8 NOT NULL DEFAULT '0';
