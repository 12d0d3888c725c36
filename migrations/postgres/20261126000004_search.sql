-- Search: which pieces of words each message has, as numbers computed in Rust: see
-- `server/src/store/searching.rs`. They stand in a table of their own, because every change to a row is a
-- new row to an index: reactions must not index their message again. `id` is the message's; it sorts by
-- time. Messages go without these rows being deleted one by one: see `sweep`.
CREATE TABLE search_index (
    id         uuid PRIMARY KEY,
    channel_id uuid NOT NULL,
    pieces     integer[] NOT NULL
);
CREATE INDEX search_by_channel ON search_index (channel_id, id);
-- What is added waits in a list that every search reads through: it is kept short.
CREATE INDEX search_by_piece ON search_index USING gin (pieces) WITH (gin_pending_list_limit = 256);
