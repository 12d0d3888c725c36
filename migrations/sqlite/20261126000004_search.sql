-- Search: which pieces of words each message has. `doc` numbers messages in the order they came, for
-- the index to name them by; none means that the message isn't in the index yet.
ALTER TABLE messages ADD COLUMN doc INTEGER;
CREATE UNIQUE INDEX messages_by_doc ON messages (doc);

-- The pieces are computed in Rust, see `server/src/store/searching.rs`; the text itself isn't kept twice.
-- What a query finds is looked at again, so positions aren't kept either. With secure-delete, pieces of
-- what was deleted are removed at once, not only hidden until the index is tidied.
CREATE VIRTUAL TABLE search_index USING fts5(pieces, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1);

-- Messages of channels that are gone, to be taken out of the index afterwards, a few at a time.
CREATE TABLE search_removed (
    doc        INTEGER PRIMARY KEY,
    channel_id BLOB NOT NULL,
    sender_id  BLOB NOT NULL,
    text       TEXT NOT NULL,
    media      TEXT NOT NULL -- JSON: the types of its files
) STRICT;

-- Messages whose id comes before this one are from before there was an index, and still to be put into it.
INSERT INTO meta (key, value) VALUES ('search_backlog', 'ffffffffffffffffffffffffffffffff');
