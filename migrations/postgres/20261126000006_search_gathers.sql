-- Messages are put into the search index some time after they were stored, many at once: these wait for it.
-- Rows come and go all the time, so the place of those that went is taken again soon.
CREATE TABLE search_waiting (
    id uuid PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER INDEX search_by_piece SET (gin_pending_list_limit = 1024);
