//! The search index of the shared engine: GIN over pieces of words. It finds the rare ones at once, but
//! in no order, so first the newest messages are looked at one by one: whatever is said often is found
//! there, without gathering all that was ever said of it. Messages are put into it some time after they
//! were stored, many at once, by whichever node has posted; those that wait for it are read as they are.

use super::{
    PostgresStore, all, begin, commit,
    messages::{message, other},
    optional, run,
};
use crate::store::{
    Found, Result, Search, SearchStore,
    rows::{MessageRow, PlaceRow},
    searching::{Glimpse, Pieces, VERSION, glimpse, in_channel},
};
use async_trait::async_trait;
use natter::{
    ChannelId, Message, UserId,
    search::{
        Place,
        pieces::{number, version},
    },
};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Somebody in more channels than this is found what they may read by looking at more than that.
const CHANNELS: usize = 100;
/// The newest messages that are looked at one by one before the index is asked, and at once where it
/// can't help.
const WALK: u32 = 2_000;
/// Where fewer of these have all pieces, they are rare enough for the index.
const RARE: usize = 10;
/// Messages looked at in one search: it says then how to go on.
const MOST: u32 = 10_000;
/// Of those, at once.
const STEP: u32 = 1_000;
/// Of those that wait for the index.
const WAITING: u32 = 4_000;
/// Messages looked at, and put into the index, in one transaction.
const BACKLOG: u32 = 500;
/// Nodes of the version before may be writing for so long after the first of this one has started.
const UPGRADE_MILLIS: u64 = 60 * 60 * 1000;

/// How far this node has got through the messages that may not be in the index.
#[derive(Clone, Copy, Debug)]
pub(super) enum Backlog {
    Unknown,
    /// Those before `before`, down to `from`, are to be looked at.
    Before {
        began: Uuid,
        before: Uuid,
        from: Uuid,
    },
    Done,
}

/// Those of the candidates `w` that `$1` may read, from `$3` on and before `$4`, newest first: at most `$2`.
macro_rules! readable {
    ($candidates:expr) => {
        concat!(
            "SELECT w.id FROM ",
            $candidates,
            " JOIN memberships s ON s.channel_id = w.channel_id AND s.user_id = $1
             WHERE w.id >= $3 AND w.id < $4 ORDER BY w.id DESC LIMIT $2"
        )
    };
}

/// Of a stretch of messages, from `$3` on and before `$4`, those that have all pieces `$5`. The OFFSET keeps the planner
/// from asking the index of pieces.
macro_rules! walk {
    ($which:expr) => {
        concat!(
            "SELECT ",
            glimpse!(),
            " FROM (",
            readable!(concat!(
                "(SELECT id, channel_id FROM (SELECT id, channel_id, pieces FROM search_index
                    WHERE id >= $3 AND id < $4",
                $which,
                " ORDER BY id DESC OFFSET 0) w WHERE pieces @> $5) w"
            )),
            ") w JOIN messages m ON m.id = w.id ORDER BY m.id DESC"
        )
    };
}

/// Of all messages, those that have all pieces `$5`. What is asked of their ids comes afterwards, so that
/// it isn't their index that is used.
macro_rules! index {
    ($which:expr) => {
        concat!(
            "WITH w AS MATERIALIZED (SELECT id, channel_id FROM search_index WHERE pieces @> $5",
            $which,
            ") ",
            readable!("w")
        )
    };
}

/// A message's pieces as numbers.
fn numbers(message: &Message) -> Vec<i32> {
    Pieces::of(message).iter().map(number).collect()
}

/// An array in PostgreSQL's own writing: arrays of arrays would all have to be of one length.
fn literal(numbers: &[i32]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}

/// A message is found by what it is now, and by nothing once it is deleted.
pub(super) async fn reindex(tx: &mut PgConnection, message: &Message) -> Result<()> {
    if message.deleted {
        run(tx, sqlx::query("DELETE FROM search_index WHERE id = $1").bind(message.id.0)).await?;
        return Ok(());
    }
    let update = sqlx::query(
        "INSERT INTO search_index (id, channel_id, pieces) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET pieces = excluded.pieces",
    );
    run(tx, update.bind(message.id.0).bind(message.channel_id.0).bind(numbers(message))).await?;
    Ok(())
}

/// What one search needs besides what it looks for.
struct Asked<'a> {
    search: &'a Search,
    pieces: Vec<i32>,
    /// Of the channels that the reader is in, if those are few enough.
    channels: Option<Vec<i32>>,
    from: Uuid,
    to: Uuid,
    /// What is likely of what isn't in the index yet, newest first.
    waiting: Vec<Uuid>,
}

impl PostgresStore {
    async fn ask<'a>(&self, search: &'a Search) -> Result<Asked<'a>> {
        let pieces = search.pieces().iter().map(|piece| number(piece)).collect();
        let mut channels = None;
        if search.channels.is_empty() {
            let joined = sqlx::query_as("SELECT channel_id FROM memberships WHERE user_id = $1 LIMIT $2");
            let most = i64::try_from(CHANNELS).unwrap_or_default() + 1;
            let joined: Vec<(Uuid,)> = all(&self.pool, joined.bind(search.reader.0).bind(most)).await?;
            let joined = joined.into_iter().map(|(id,)| number(&in_channel(ChannelId(id))));
            channels = Some(joined.collect::<Vec<_>>()).filter(|channels| channels.len() <= CHANNELS);
        }
        let to = search.upper().into_iter().chain(search.cursor.map(|id| id.0)).min();
        let (from, to) = (search.lower().unwrap_or_default(), to.unwrap_or(Uuid::max()));
        Ok(Asked { search, pieces, channels, from, to, waiting: Vec::new() })
    }

    /// Where the next stretch of the newest messages ends; None where there is no more.
    async fn stretch(&self, asked: &Asked<'_>) -> Result<Option<Uuid>> {
        let within = "SELECT id FROM search_index WHERE id >= $1 AND id < $2 AND channel_id = $4
            ORDER BY id DESC OFFSET $3 LIMIT 1";
        let anywhere = "SELECT id FROM search_index WHERE id >= $1 AND id < $2 ORDER BY id DESC OFFSET $3 LIMIT 1";
        let channel = asked.search.channels.first();
        let end = sqlx::query_as(if channel.is_some() { within } else { anywhere });
        let mut end = end.bind(asked.from).bind(asked.to).bind(i64::from(WALK) - 1);
        if let Some(channel) = channel {
            end = end.bind(channel.0);
        }
        Ok(optional::<(Uuid,)>(&self.pool, end).await?.map(|(id,)| id))
    }

    /// Of a stretch down to `end`, or to where nothing more is to be looked at, the newest candidates.
    async fn walk(&self, asked: &Asked<'_>, end: Option<Uuid>, most: u32) -> Result<Vec<Glimpse>> {
        let channel = asked.search.channels.first();
        let page = sqlx::query_as(if channel.is_some() { walk!(" AND channel_id = $6") } else { walk!("") });
        let from = end.unwrap_or(asked.from);
        let page = page.bind(asked.search.reader.0).bind(i64::from(most)).bind(from).bind(asked.to);
        let mut page = page.bind(&asked.pieces);
        if let Some(channel) = channel {
            page = page.bind(channel.0);
        }
        all(&self.pool, page).await
    }

    async fn index(&self, asked: &Asked<'_>) -> Result<Vec<Uuid>> {
        let few = asked.channels.as_ref();
        let page = sqlx::query_as(if few.is_some() { index!(" AND pieces && $6") } else { index!("") });
        let page = page.bind(asked.search.reader.0).bind(i64::from(MOST)).bind(asked.from).bind(asked.to);
        let mut page = page.bind(&asked.pieces);
        if let Some(few) = few {
            page = page.bind(few);
        }
        let ids: Vec<(Uuid,)> = all(&self.pool, page).await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    /// How far back those that wait for the index are looked at; None if that is all of them.
    async fn oldest_waiting(&self, asked: &Asked<'_>) -> Result<Option<Uuid>> {
        let bound = sqlx::query_as(
            "SELECT id FROM search_waiting WHERE id >= $1 AND id < $2 ORDER BY id DESC OFFSET $3 LIMIT 1",
        );
        let bound = bound.bind(asked.from).bind(asked.to).bind(i64::from(WAITING) - 1);
        Ok(optional::<(Uuid,)>(&self.pool, bound).await?.map(|(id,)| id))
    }

    /// Of those that wait for the index, what is likely to be looked for, newest first.
    async fn waiting(&self, asked: &Asked<'_>) -> Result<Vec<Uuid>> {
        let waiting = sqlx::query_as(concat!(
            "SELECT ",
            glimpse!(),
            " FROM (SELECT id FROM search_waiting WHERE id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4) w
             JOIN messages m ON m.id = w.id
             JOIN memberships s ON s.channel_id = m.channel_id AND s.user_id = $1 ORDER BY m.id DESC"
        ));
        let waiting = waiting.bind(asked.search.reader.0).bind(asked.from).bind(asked.to).bind(i64::from(WAITING));
        Ok(asked.search.likely(&all(&self.pool, waiting).await?))
    }

    async fn glimpses(&self, ids: &[Uuid]) -> Result<Vec<Glimpse>> {
        let glimpses =
            sqlx::query_as(concat!("SELECT ", glimpse!(), " FROM messages m WHERE m.id = ANY ($1) ORDER BY m.id DESC"));
        all(&self.pool, glimpses.bind(ids)).await
    }

    /// Those of the messages that may still be read, newest first.
    async fn whole(&self, reader: UserId, ids: &[Uuid]) -> Result<Vec<Message>> {
        let whole = sqlx::query_as(concat!(
            "SELECT ",
            message!(),
            " FROM messages m JOIN memberships s ON s.channel_id = m.channel_id AND s.user_id = $1
             WHERE m.id = ANY ($2) ORDER BY m.id DESC"
        ));
        Ok(messages(all(&self.pool, whole.bind(reader.0).bind(ids)).await?))
    }

    /// Takes what fits of the candidates, all from `down_to` on, and of those that wait; answers whether
    /// that is a page.
    async fn take(
        &self,
        found: &mut Found,
        asked: &mut Asked<'_>,
        candidates: &[Glimpse],
        down_to: Uuid,
    ) -> Result<bool> {
        let search = asked.search;
        let mut ids = search.likely(candidates);
        let waiting = asked.waiting.partition_point(|id| *id >= down_to);
        ids.extend(asked.waiting.drain(..waiting));
        // One that has got into the index meanwhile is in both.
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids.dedup();
        for page in ids.chunks(search.limit as usize + 1) {
            if found.take(search, self.whole(search.reader, page).await?) {
                return Ok(true);
            }
        }
        asked.to = down_to;
        Ok(false)
    }

    /// Puts a stretch of messages into the index, also those that are in it: by an older version beside this
    /// one, perhaps, which makes it in another way. Answers where the next one begins, if there is one.
    async fn catch_up(&self, before: Uuid, from: Uuid) -> Result<Option<Uuid>> {
        let stretch =
            sqlx::query_as("SELECT id, deleted FROM messages WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3");
        let mut tx = begin(&self.pool).await?;
        let stretch = stretch.bind(before).bind(from).bind(i64::from(BACKLOG));
        let stretch: Vec<(Uuid, bool)> = all(&mut *tx, stretch).await?;
        put(&mut tx, stretch.iter().filter(|(_, deleted)| !deleted).map(|(id, _)| *id).collect()).await?;
        commit(tx).await?;
        Ok(stretch.last().map(|(id, _)| *id))
    }

    /// Puts messages into the index that wait for it, the oldest first; false when none do. Several nodes
    /// may be at it at once, each at others.
    async fn index_waiting(&self) -> Result<bool> {
        let mut tx = begin(&self.pool).await?;
        let take = sqlx::query_as(
            "DELETE FROM search_waiting WHERE id IN (
                SELECT id FROM search_waiting ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id",
        );
        let ids: Vec<(Uuid,)> = all(&mut *tx, take.bind(i64::from(BACKLOG))).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        put(&mut tx, ids.into_iter().map(|(id,)| id).collect()).await?;
        commit(tx).await?;
        // Here nobody waits for it, as everyone would for whoever happened to add the last bit to a full list.
        let sort = sqlx::query("SELECT gin_clean_pending_list('search_by_piece')");
        run(&self.pool, sort).await?;
        Ok(true)
    }

    /// Where this node has to begin: at the newest message, down to those that were there when a node last
    /// finished.
    async fn begin_backlog(&self) -> Result<Backlog> {
        let known = sqlx::query_as("SELECT key, value FROM meta WHERE key IN ('search_indexed', $1)").bind(VERSION);
        let known: HashMap<String, String> = all(&self.pool, known).await?.into_iter().collect();
        let same = known.get(VERSION).is_some_and(|made| *made == version());
        let from = known.get("search_indexed").filter(|_| same).and_then(|id| id.parse().ok()).unwrap_or_default();
        let began = Uuid::now_v7();
        Ok(Backlog::Before { began, before: began, from })
    }

    async fn end_backlog(&self, began: Uuid) -> Result<()> {
        let millis = u64::try_from(began.as_u128() >> 80).unwrap_or(0).saturating_sub(UPGRADE_MILLIS);
        let indexed = Uuid::from_u128(u128::from(millis) << 80);
        let note = sqlx::query(
            "INSERT INTO meta (key, value) VALUES ('search_indexed', $1)
             ON CONFLICT (key) DO UPDATE SET value = greatest(meta.value, excluded.value)",
        );
        run(&self.pool, note.bind(indexed.to_string())).await?;
        let note = sqlx::query(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        );
        run(&self.pool, note.bind(VERSION).bind(version())).await?;
        Ok(())
    }
}

/// Puts messages into the index as they are now.
async fn put(tx: &mut PgConnection, ids: Vec<Uuid>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let read =
        sqlx::query_as(concat!("SELECT ", message!(), " FROM messages m WHERE m.id = ANY ($1) AND NOT m.deleted"));
    let read = messages(all(&mut *tx, read.bind(ids)).await?);
    // Shared, so that nobody changes one while it is put into the index, and for no longer than that: whoever
    // wants to change one keeps its channel waiting. What was edited since it was read is in the index already.
    let insert = sqlx::query(
        "INSERT INTO search_index (id, channel_id, pieces)
         SELECT m.id, m.channel_id, i.pieces::integer[]
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS i (id, text, pieces)
         JOIN messages m ON m.id = i.id AND m.text = i.text AND NOT m.deleted
         WHERE EXISTS (SELECT FROM channels c WHERE c.id = m.channel_id) ORDER BY m.id FOR SHARE OF m
         ON CONFLICT (id) DO UPDATE SET pieces = excluded.pieces
         WHERE NOT (search_index.pieces @> excluded.pieces AND search_index.pieces <@ excluded.pieces)",
    )
    .bind(read.iter().map(|message| message.id.0).collect::<Vec<_>>())
    .bind(read.iter().map(|message| message.text.as_str()).collect::<Vec<_>>())
    .bind(read.iter().map(|message| literal(&numbers(message))).collect::<Vec<_>>());
    run(&mut *tx, insert).await?;
    Ok(())
}

/// What was found where not all was looked at.
fn bounded(mut found: Found, bound: Option<Uuid>) -> Found {
    if let Some(bound) = bound {
        found.go_on_from(bound);
    }
    found
}

fn messages(rows: Vec<MessageRow>) -> Vec<Message> {
    rows.into_iter().map(Into::into).collect()
}

#[async_trait]
impl SearchStore for PostgresStore {
    async fn search(&self, search: &Search) -> Result<Found> {
        let mut asked = self.ask(search).await?;
        let mut found = Found::default();
        if asked.channels.as_ref().is_some_and(Vec::is_empty) {
            return Ok(found);
        }
        // They are read before the index: what gets into it meanwhile is found there.
        let bound = self.oldest_waiting(&asked).await?;
        asked.from = bound.unwrap_or(asked.from);
        asked.waiting = self.waiting(&asked).await?;

        let mut walked = 0;
        loop {
            let end = self.stretch(&asked).await?;
            let (mut candidates, mut most) = (0, search.limit + 1);
            loop {
                let seen = self.walk(&asked, end, most).await?;
                candidates += seen.len();
                let last = seen.last().map(|seen| seen.id).filter(|_| seen.len() == most as usize);
                let down_to = last.or(end).unwrap_or(asked.from);
                if self.take(&mut found, &mut asked, &seen, down_to).await? {
                    return Ok(found);
                }
                if last.is_none() {
                    break;
                }
                most = STEP;
            }
            if end.is_none() {
                return Ok(bounded(found, bound));
            }
            walked += WALK;
            if candidates < RARE && !asked.pieces.is_empty() {
                break;
            }
            if walked >= MOST {
                found.go_on_from(asked.to);
                return Ok(found);
            }
        }

        let ids = self.index(&asked).await?;
        for ids in ids.chunks(STEP as usize) {
            let down_to = ids.last().copied().unwrap_or_default();
            let seen = self.glimpses(ids).await?;
            if self.take(&mut found, &mut asked, &seen, down_to).await? {
                return Ok(found);
            }
        }
        if ids.len() == MOST as usize {
            found.go_on_from(asked.to);
            return Ok(found);
        }
        let from = asked.from;
        if self.take(&mut found, &mut asked, &[], from).await? {
            return Ok(found);
        }
        Ok(bounded(found, bound))
    }

    async fn readable_places(&self, reader: UserId, ids: &[ChannelId]) -> Result<Vec<Place>> {
        let places = sqlx::query_as(concat!(
            "SELECT c.id, c.kind, c.name, p.id AS peer_id, p.username AS peer_name
             FROM channels c JOIN memberships s ON s.channel_id = c.id AND s.user_id = $1
             LEFT JOIN users p ON p.id = ",
            other!("$1"),
            " WHERE c.id = ANY ($2)"
        ));
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let places: Vec<PlaceRow> = all(&self.pool, places.bind(reader.0).bind(ids)).await?;
        places.into_iter().map(TryInto::try_into).collect()
    }

    async fn readable_channel(&self, reader: UserId, name: &str) -> Result<Option<ChannelId>> {
        // No channel is called so, and PostgreSQL takes no such text.
        if name.contains('\0') {
            return Ok(None);
        }
        let channel = sqlx::query_as(
            "SELECT c.id FROM channels c JOIN memberships s ON s.channel_id = c.id AND s.user_id = $1 WHERE c.name = $2",
        );
        let channel: Option<(Uuid,)> = optional(&self.pool, channel.bind(reader.0).bind(name)).await?;
        Ok(channel.map(|(id,)| ChannelId(id)))
    }

    async fn tidy_index(&self) -> Result<bool> {
        if self.index_waiting().await? {
            return Ok(true);
        }
        let mut backlog = self.backlog.lock().await;
        let (began, before, from) = match *backlog {
            Backlog::Done => return Ok(false),
            Backlog::Unknown => {
                *backlog = self.begin_backlog().await?;
                return Ok(true);
            }
            Backlog::Before { began, before, from } => (began, before, from),
        };
        *backlog = if let Some(before) = self.catch_up(before, from).await? {
            Backlog::Before { began, before, from }
        } else {
            self.end_backlog(began).await?;
            Backlog::Done
        };
        Ok(!matches!(*backlog, Backlog::Done))
    }

    async fn unindexed(&self) {
        self.unindexed.notified().await;
    }
}
