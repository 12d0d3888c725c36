//! The search index of the embedded engine: FTS5 over pieces of words, newest first. Messages are put into it
//! some time after they were stored, many at once: that costs a fraction of putting them in one by one, and
//! nothing of it stands between a message and its `ack`. Those that aren't in it yet are read one by one.

use super::{SqliteStore, append::message};
use crate::store::{
    Found, Result, Search, SearchStore,
    rows::{MessageRow, PlaceRow},
    searching::{Glimpse, Pieces, VERSION, glimpse, in_channel},
};
use async_trait::async_trait;
use natter::{
    ChannelId, Message, UserId,
    search::{Place, pieces::version},
};
use serde_json::json;
use sqlx::{FromRow, Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// The first number of a message; those from before there was an index count down from it.
const FIRST_DOC: i64 = 1 << 40;
/// Somebody in more channels than this is found what they may read by looking at more than that.
const CHANNELS: usize = 100;
/// Candidates looked at in one step, and in one search: it says then how to go on.
const STEP: u32 = 1_000;
const MOST: usize = 10_000;
/// Messages put into the index, or taken out of it, in one transaction: whoever posts waits for it.
const BACKLOG: u32 = 250;

/// The newest number that is in the index: what has a larger one isn't yet.
macro_rules! indexed {
    () => {
        "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'search_indexed')"
    };
}

/// The number that the next message gets, less one. None comes again that was in the index.
macro_rules! last_doc {
    () => {
        "max((SELECT coalesce(max(doc), 0) FROM messages),
             (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'search_indexed'))"
    };
}
pub(super) use last_doc;

/// Pieces as one text for the index.
fn joined(pieces: &Pieces) -> String {
    pieces.iter().collect::<Vec<_>>().join(" ")
}

/// What a message was found by goes, and what it is found by now comes.
pub(super) async fn reindex(tx: &mut SqliteConnection, before: &Message, after: &Message) -> Result<()> {
    let doc: Option<(i64,)> = sqlx::query_as(concat!("SELECT doc FROM messages WHERE id = ? AND doc <= ", indexed!()))
        .bind(before.id.0)
        .fetch_optional(&mut *tx)
        .await?;
    // Else it comes into the index later, as it is then.
    let Some((doc,)) = doc else { return Ok(()) };
    sqlx::query("INSERT INTO search_index (search_index, rowid, pieces) VALUES ('delete', ?, ?)")
        .bind(doc)
        .bind(joined(&Pieces::of(before)))
        .execute(&mut *tx)
        .await?;
    add(tx, [(doc, after)]).await
}

/// Puts messages into the index, by their numbers: a deleted one is found by nothing.
async fn add<'a>(tx: &mut SqliteConnection, messages: impl IntoIterator<Item = (i64, &'a Message)>) -> Result<()> {
    let messages = messages.into_iter().filter(|(_, message)| !message.deleted);
    let rows = messages.map(|(doc, message)| json!({ "doc": doc, "pieces": joined(&Pieces::of(message)) }));
    sqlx::query(
        "INSERT INTO search_index (rowid, pieces) SELECT value ->> 'doc', value ->> 'pieces' FROM json_each(?)",
    )
    .bind(rows.collect::<serde_json::Value>().to_string())
    .execute(tx)
    .await?;
    Ok(())
}

/// An index that was made in another way is emptied, and all is put into it again. It can't be taken out of
/// it one by one: FTS5 has to be told exactly what was put in.
pub(super) async fn renew(write: &SqlitePool) -> Result<()> {
    let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
    let made: Option<(String,)> =
        sqlx::query_as("SELECT value FROM meta WHERE key = ?").bind(VERSION).fetch_optional(&mut *tx).await?;
    if made.is_some_and(|(made,)| made == version()) {
        return Ok(());
    }
    sqlx::raw_sql(
        "INSERT INTO search_index (search_index) VALUES ('delete-all');
         DELETE FROM search_removed;
         UPDATE meta SET value = coalesce((SELECT min(doc) - 1 FROM messages), value) WHERE key = 'search_indexed'",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
        .bind(VERSION)
        .bind(version())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

#[derive(FromRow)]
struct Numbered {
    doc: i64,
    #[sqlx(flatten)]
    message: MessageRow,
}

/// Puts messages into the index that have come since, the oldest first; false when there are none.
async fn index_new(write: &SqlitePool) -> Result<bool> {
    let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
    let rows: Vec<Numbered> = sqlx::query_as(concat!(
        "SELECT ",
        message!(),
        " FROM messages m JOIN users u ON u.id = m.sender_id WHERE m.doc > ",
        indexed!(),
        " ORDER BY m.doc LIMIT ?"
    ))
    .bind(BACKLOG)
    .fetch_all(&mut *tx)
    .await?;
    let messages: Vec<(i64, Message)> = rows.into_iter().map(|row| (row.doc, row.message.into())).collect();
    let Some((last, _)) = messages.last() else { return Ok(false) };
    add(&mut tx, messages.iter().map(|(doc, message)| (*doc, message))).await?;
    sqlx::query("UPDATE meta SET value = ? WHERE key = 'search_indexed'")
        .bind(last.to_string())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// Notes which messages have to be taken out of the index when their channel is gone.
pub(super) async fn remember_removed(tx: &mut SqliteConnection, id: ChannelId) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO search_removed (doc, channel_id, sender_id, text, media)
         SELECT m.doc, m.channel_id, m.sender_id, m.text,
            (SELECT json_group_array(f.media_type) FROM attachments a JOIN uploads f ON f.id = a.upload_id
                WHERE a.message_id = m.id)
         FROM messages m WHERE m.channel_id = ? AND NOT m.deleted AND m.doc <= ",
        indexed!()
    ))
    .bind(id.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes what removed channels have left out of the index; false when nothing is left.
async fn sweep(write: &SqlitePool) -> Result<bool> {
    let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
    let removed: Vec<(i64, Uuid, Uuid, String, String)> =
        sqlx::query_as("SELECT doc, channel_id, sender_id, text, media FROM search_removed ORDER BY doc LIMIT ?")
            .bind(BACKLOG)
            .fetch_all(&mut *tx)
            .await?;
    let Some((last, ..)) = removed.last() else { return Ok(false) };
    let rows = removed.iter().map(|(doc, channel, sender, text, media)| {
        // Exactly those that were put in: the index counts them.
        let media: Vec<String> = serde_json::from_str(media).unwrap_or_default();
        let pieces = Pieces::of_parts(ChannelId(*channel), UserId(*sender), text, &media);
        json!({ "doc": doc, "pieces": joined(&pieces) })
    });
    sqlx::query(
        "INSERT INTO search_index (search_index, rowid, pieces)
         SELECT 'delete', value ->> 'doc', value ->> 'pieces' FROM json_each(?1);
         DELETE FROM search_removed WHERE doc <= ?2",
    )
    .bind(rows.collect::<serde_json::Value>().to_string())
    .bind(last)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Begins to take what a removed channel has left out of the index: a large one takes a while. What doesn't
/// get done now is done when the index is tidied.
pub(super) fn sweep_removed(write: SqlitePool, erasable: Arc<Notify>) {
    tokio::spawn(async move {
        loop {
            match sweep(&write).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return erasable.notify_one(),
                Err(error) => return tracing::warn!(%error, "a removed channel's words are left for later"),
            }
        }
    });
}

/// Puts messages from before there was an index into it, the newest first; false when all are.
async fn catch_up(write: &SqlitePool) -> Result<bool> {
    let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
    let backlog: Option<(Option<Vec<u8>>,)> =
        sqlx::query_as("SELECT unhex(value) FROM meta WHERE key = 'search_backlog'").fetch_optional(&mut *tx).await?;
    let Some((before,)) = backlog else { return Ok(false) };
    let rows: Vec<MessageRow> = sqlx::query_as(concat!(
        "SELECT ",
        message!(),
        " FROM messages m JOIN users u ON u.id = m.sender_id WHERE m.id < ? AND m.doc IS NULL ORDER BY m.id DESC LIMIT ?"
    ))
    .bind(before)
    .bind(BACKLOG)
    .fetch_all(&mut *tx)
    .await?;
    let (mut doc,): (i64,) =
        sqlx::query_as("SELECT coalesce(min(doc), ?) FROM messages").bind(FIRST_DOC).fetch_one(&mut *tx).await?;
    let messages: Vec<Message> = rows.into_iter().map(Into::into).collect();
    let Some(last) = messages.last().map(|message| message.id) else {
        sqlx::query("DELETE FROM meta WHERE key = 'search_backlog'").execute(&mut *tx).await?;
        tx.commit().await?;
        return Ok(false);
    };
    for message in messages {
        doc -= 1;
        sqlx::query("UPDATE messages SET doc = ? WHERE id = ?").bind(doc).bind(message.id.0).execute(&mut *tx).await?;
        add(&mut tx, [(doc, &message)]).await?;
    }
    sqlx::query("UPDATE meta SET value = ? WHERE key = 'search_backlog'")
        .bind(last.0.simple().to_string())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// Of what a query finds by `?5`, that from number `?1` on and before `?2`, the newest first, at most `?3`;
/// with what `?4` may read of it.
macro_rules! candidates {
    ($found:literal) => {
        concat!(
            "SELECT d.doc, s.user_id IS NOT NULL AS readable, ",
            glimpse!(),
            " FROM (",
            $found,
            " AND doc >= ?1 AND doc < ?2 ORDER BY doc DESC LIMIT ?3) AS d
             LEFT JOIN messages m ON m.doc = d.doc
             LEFT JOIN memberships s ON s.channel_id = m.channel_id AND s.user_id = ?4 ORDER BY d.doc DESC"
        )
    };
}

/// The stretch of messages to look at, from `from` on and before `to`, by their numbers.
struct Stretch {
    from: i64,
    to: i64,
    /// The newest that is in the index.
    indexed: i64,
    /// What the index is asked; None where it can't help.
    pieces: Option<String>,
}

impl Stretch {
    /// None where the reader is in no channel.
    async fn of(tx: &mut SqliteConnection, search: &Search) -> Result<Option<Self>> {
        let (from, to, indexed) = sqlx::query_as(concat!(
            // What comes at the same moment has its ids in another order than its numbers: a cursor is found
            // by its own number, if it is still there.
            "SELECT iif(?1 IS NULL, 0,
                    coalesce((SELECT doc FROM messages WHERE id >= ?1 AND doc IS NOT NULL ORDER BY id LIMIT 1), ?4)),
                min(iif(?2 IS NULL, ?4,
                    coalesce((SELECT doc + 1 FROM messages WHERE id < ?2 AND doc IS NOT NULL ORDER BY id DESC LIMIT 1), 0)),
                iif(?3 IS NULL, ?4, coalesce((SELECT doc FROM messages WHERE id = ?3),
                    (SELECT doc + 1 FROM messages WHERE id < ?3 AND doc IS NOT NULL ORDER BY id DESC LIMIT 1), 0))), ",
            indexed!()
        ))
        .bind(search.lower())
        .bind(search.upper())
        .bind(search.cursor.map(|id| id.0))
        .bind(i64::MAX)
        .fetch_one(&mut *tx)
        .await?;
        let mut groups: Vec<String> = search.pieces().iter().map(|piece| format!("\"{piece}\"")).collect();
        if search.channels.is_empty() {
            let joined: Vec<(Uuid,)> = sqlx::query_as("SELECT channel_id FROM memberships WHERE user_id = ? LIMIT ?")
                .bind(search.reader.0)
                .bind(i64::try_from(CHANNELS).unwrap_or_default() + 1)
                .fetch_all(tx)
                .await?;
            if joined.is_empty() {
                return Ok(None);
            }
            if joined.len() <= CHANNELS {
                let any = joined.into_iter().map(|(id,)| format!("\"{}\"", in_channel(ChannelId(id))));
                groups.push(format!("({})", any.collect::<Vec<_>>().join(" OR ")));
            }
        }
        Ok(Some(Self { from, to, indexed, pieces: (!groups.is_empty()).then(|| groups.join(" AND ")) }))
    }

    /// The next candidates, newest first.
    async fn step(&mut self, tx: &mut SqliteConnection, reader: UserId, most: u32) -> Result<Vec<Candidate>> {
        // What the index doesn't have is read, all of it.
        let from = if self.pieces.is_some() { self.from.max(self.indexed + 1) } else { self.from };
        let mut candidates: Vec<Candidate> = sqlx::query_as(candidates!("SELECT doc FROM messages WHERE ?5 IS NULL"))
            .bind(from)
            .bind(self.to)
            .bind(most)
            .bind(reader.0)
            .bind(None::<String>)
            .fetch_all(&mut *tx)
            .await?;
        let left = most.saturating_sub(u32::try_from(candidates.len()).unwrap_or(most));
        if let Some(pieces) = self.pieces.as_ref().filter(|_| left > 0) {
            let indexed =
                sqlx::query_as(candidates!("SELECT rowid AS doc FROM search_index WHERE search_index MATCH ?5"))
                    .bind(self.from)
                    .bind(self.to)
                    .bind(left)
                    .bind(reader.0)
                    .bind(pieces)
                    .fetch_all(tx)
                    .await?;
            candidates.extend(indexed);
        }
        self.to = candidates.last().map_or(self.to, |last| last.doc);
        Ok(candidates)
    }
}

/// What may be looked for.
struct Candidate {
    doc: i64,
    /// None of what the reader may not read.
    seen: Option<Glimpse>,
}

impl<'r> FromRow<'r, SqliteRow> for Candidate {
    fn from_row(row: &'r SqliteRow) -> sqlx::Result<Self> {
        let readable: bool = row.try_get("readable")?;
        Ok(Self { doc: row.try_get("doc")?, seen: readable.then(|| Glimpse::from_row(row)).transpose()? })
    }
}

/// Messages by their ids, in that order.
async fn whole(tx: &mut SqliteConnection, ids: &[Uuid]) -> Result<Vec<Message>> {
    let ids: Vec<_> = ids.iter().map(|id| id.simple().to_string()).collect();
    let rows: Vec<MessageRow> = sqlx::query_as(concat!(
        "SELECT ",
        message!(),
        " FROM json_each(?) AS i CROSS JOIN messages m ON m.id = unhex(i.value)
         CROSS JOIN users u ON u.id = m.sender_id ORDER BY i.key"
    ))
    .bind(json!(ids).to_string())
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The oldest of the candidates that is still there.
async fn oldest(tx: &mut SqliteConnection, candidates: &[Candidate]) -> Result<Option<Uuid>> {
    let docs: Vec<_> = candidates.iter().map(|candidate| candidate.doc).collect();
    let id: Option<(Uuid,)> = sqlx::query_as(
        "SELECT m.id FROM json_each(?) AS d CROSS JOIN messages m ON m.doc = d.value ORDER BY m.doc LIMIT 1",
    )
    .bind(json!(docs).to_string())
    .fetch_optional(tx)
    .await?;
    Ok(id.map(|(id,)| id))
}

#[async_trait]
impl SearchStore for SqliteStore {
    async fn search(&self, search: &Search) -> Result<Found> {
        let mut tx = self.read.begin().await?;
        let mut found = Found::default();
        let Some(mut stretch) = Stretch::of(&mut tx, search).await? else { return Ok(found) };
        let page = search.limit as usize + 1;
        let (mut seen, mut most) = (0, search.limit + 1);
        loop {
            let candidates = stretch.step(&mut tx, search.reader, most).await?;
            let likely = search.likely(candidates.iter().filter_map(|candidate| candidate.seen.as_ref()));
            for ids in likely.chunks(page) {
                if found.take(search, whole(&mut tx, ids).await?) {
                    return Ok(found);
                }
            }
            if candidates.len() < most as usize {
                return Ok(found);
            }
            seen += candidates.len();
            if seen >= MOST
                && let Some(id) = oldest(&mut tx, &candidates).await?
            {
                found.go_on_from(id);
                return Ok(found);
            }
            most = STEP;
        }
    }

    async fn readable_places(&self, reader: UserId, ids: &[ChannelId]) -> Result<Vec<Place>> {
        let places: Vec<PlaceRow> = sqlx::query_as(
            "SELECT c.id, c.kind, c.name, p.id AS peer_id, p.username AS peer_name
             FROM json_each(?2) AS i CROSS JOIN channels c ON c.id = unhex(i.value)
             JOIN memberships s ON s.channel_id = c.id AND s.user_id = ?1
             LEFT JOIN users p ON p.id = iif(c.direct_low = ?1, c.direct_high, c.direct_low)",
        )
        .bind(reader.0)
        .bind(json!(ids.iter().map(|id| id.0.simple().to_string()).collect::<Vec<_>>()).to_string())
        .fetch_all(&self.read)
        .await?;
        places.into_iter().map(TryInto::try_into).collect()
    }

    async fn readable_channel(&self, reader: UserId, name: &str) -> Result<Option<ChannelId>> {
        let channel: Option<(Uuid,)> = sqlx::query_as(
            "SELECT c.id FROM channels c JOIN memberships s ON s.channel_id = c.id AND s.user_id = ? WHERE c.name = ?",
        )
        .bind(reader.0)
        .bind(name)
        .fetch_optional(&self.read)
        .await?;
        Ok(channel.map(|(id,)| ChannelId(id)))
    }

    async fn tidy_index(&self) -> Result<bool> {
        if sweep(&self.write).await? {
            self.erasable.notify_one();
            return Ok(true);
        }
        Ok(index_new(&self.write).await? || catch_up(&self.write).await?)
    }

    async fn unindexed(&self) {
        self.unindexed.notified().await;
    }
}
