-- Every change of who may see what, in the order of the commits; trimmed after a while. Positions
-- have no gaps: there is one writer, and AUTOINCREMENT never uses a number again.
CREATE TABLE journal (
    pos    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL, -- milliseconds since the Unix epoch
    change TEXT NOT NULL     -- JSON
) STRICT;
