-- Messages are put into the search index some time after they were stored, many at once: this is the
-- largest `doc` that is in it. All that have one are, so far.
INSERT INTO meta (key, value)
SELECT 'search_indexed', max(1099511627776, coalesce((SELECT max(doc) FROM messages), 0),
    coalesce((SELECT max(doc) FROM search_removed), 0));
