#!/usr/bin/env python3
"""Fills the database of a server that isn't running, faster than people could: for measuring at sizes that
would take hours to post.

    fill.py history DATABASE CHANNEL COUNT   that many messages in a channel, all of them read
    fill.py channels DATABASE COUNT MEMBERS  that many channels more, each with so many of those who are there
"""

import os
import sqlite3
import sys
import time


def uuid7(millis, n):
    """RFC 9562, in the order of n."""
    value = (millis << 80) | (7 << 76) | ((n & 0xFFF) << 64) | (2 << 62) | (int.from_bytes(os.urandom(8)) >> 2)
    return value.to_bytes(16)


def history(db, channel, count):
    (place,) = db.execute("SELECT id FROM channels WHERE name = ?", (channel,)).fetchone()
    senders = [row[0] for row in db.execute("SELECT user_id FROM memberships WHERE channel_id = ?", (place,))]
    (there,) = db.execute("SELECT coalesce(max(seq), 0) FROM messages WHERE channel_id = ?", (place,)).fetchone()
    began = int(time.time() * 1000) - count
    rows = (
        (place, n, n, uuid7(began + n, n), senders[n % len(senders)], os.urandom(16), f"message {n} " + "x" * 48, began + n)
        for n in range(there + 1, count + 1)
    )
    db.executemany(
        "INSERT INTO messages (channel_id, seq, rev, id, sender_id, ref, text, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    db.execute("UPDATE channels SET rev = ? WHERE id = ?", (count, place))
    db.execute("UPDATE memberships SET read_seq = ? WHERE channel_id = ?", (count, place))


def channels(db, count, members):
    people = [row[0] for row in db.execute("SELECT id FROM users WHERE username LIKE 'load-%' ORDER BY id")]
    now = int(time.time() * 1000)
    places = [(uuid7(now, n), f"wide-{n}", now) for n in range(count)]
    db.executemany(
        "INSERT INTO channels (id, kind, name, visibility, post_policy, created_at)"
        " VALUES (?, 'channel', ?, 'public', 'everyone', ?)",
        places,
    )
    rows = (
        (place[0], people[(n * members + m) % len(people)], now) for n, place in enumerate(places) for m in range(members)
    )
    db.executemany("INSERT INTO memberships (channel_id, user_id, read_seq, joined_at) VALUES (?, ?, 0, ?)", rows)


def main():
    what, file, *rest = sys.argv[1:]
    db = sqlite3.connect(file)
    db.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN")
    if what == "history":
        history(db, rest[0], int(rest[1]))
    else:
        channels(db, int(rest[0]), int(rest[1]))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


main()
