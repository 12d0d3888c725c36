//! The search index of the embedded engine: FTS5 over pieces of words, newest first.

use super::{SqliteStore, append::message};
use crate::store::{
    Found, Result, Search, SearchStore,
    rows::{MessageRow, PlaceRow},
    searching::{in_channel, pieces_of, pieces_of_all},
};
use async_trait::async_trait;
use natter::{ChannelId, Message, MessageId, UserId, search::Place};
use serde_json::json;
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

/// The first number of a message; those from before there was an index count down from it.
pub(super) const FIRST_DOC: i64 = 1 << 40;
/// Somebody in more channels than this is found what they may read by looking at more than that.
const CHANNELS: usize = 100;
/// Candidates looked at in one step, and in one search: it says then how to go on.
const STEP: u32 = 1_000;
const MOST: usize = 10_000;
/// Messages put into the index, or taken out of it, in one transaction.
const BACKLOG: u32 = 200;

/// The number that the next message gets, less one.
macro_rules! last_doc {
    () => {
        "max((SELECT coalesce(max(doc), 1099511627776) FROM messages),
             (SELECT coalesce(max(doc), 1099511627776) FROM search_removed))"
    };
}
pub(super) use last_doc;

/// A message's pieces as one text for the index.
pub(super) fn indexed(message: &Message) -> String {
    joined(pieces_of(message))
}

fn joined(pieces: impl IntoIterator<Item = String>) -> String {
    pieces.into_iter().collect::<Vec<_>>().join(" ")
}

/// What a message was found by goes, and what it is found by now comes.
pub(super) async fn reindex(tx: &mut SqliteConnection, before: &Message, after: &Message) -> Result<()> {
    let doc: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT doc FROM messages WHERE id = ?").bind(before.id.0).fetch_optional(&mut *tx).await?;
    // Else it comes into the index later, as it is then.
    let Some((Some(doc),)) = doc else { return Ok(()) };
    sqlx::query("INSERT INTO search_index (search_index, rowid, pieces) VALUES ('delete', ?, ?)")
        .bind(doc)
        .bind(indexed(before))
        .execute(&mut *tx)
        .await?;
    if !after.deleted {
        add(tx, doc, after).await?;
    }
    Ok(())
}

async fn add(tx: &mut SqliteConnection, doc: i64, message: &Message) -> Result<()> {
    sqlx::query("INSERT INTO search_index (rowid, pieces) VALUES (?, ?)")
        .bind(doc)
        .bind(indexed(message))
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes which messages have to be taken out of the index when their channel is gone.
pub(super) async fn remember_removed(tx: &mut SqliteConnection, id: ChannelId) -> Result<()> {
    sqlx::query(
        "INSERT INTO search_removed (doc, channel_id, sender_id, text, media)
         SELECT m.doc, m.channel_id, m.sender_id, m.text,
            (SELECT json_group_array(f.media_type) FROM attachments a JOIN uploads f ON f.id = a.upload_id
                WHERE a.message_id = m.id)
         FROM messages m WHERE m.channel_id = ? AND m.doc IS NOT NULL AND NOT m.deleted",
    )
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
        let pieces = pieces_of_all(ChannelId(*channel), UserId(*sender), text, &media);
        json!({ "doc": doc, "pieces": joined(pieces) })
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
pub(super) fn sweep_removed(write: SqlitePool) {
    tokio::spawn(async move {
        loop {
            match sweep(&write).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
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
        if !message.deleted {
            add(&mut tx, doc, &message).await?;
        }
    }
    sqlx::query("UPDATE meta SET value = ? WHERE key = 'search_backlog'")
        .bind(last.0.simple().to_string())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// The stretch of messages to look at, from `from` on and before `to`, by their numbers.
struct Stretch {
    from: i64,
    to: i64,
    /// What the index is asked; None where it can't help.
    pieces: Option<String>,
}

impl Stretch {
    async fn of(tx: &mut SqliteConnection, search: &Search) -> Result<Self> {
        let (from, to) = sqlx::query_as(
            // What comes at the same moment has its ids in another order than its numbers: a cursor is found
            // by its own number, if it is still there.
            "SELECT iif(?1 IS NULL, 0,
                    coalesce((SELECT doc FROM messages WHERE id >= ?1 AND doc IS NOT NULL ORDER BY id LIMIT 1), ?4)),
                min(iif(?2 IS NULL, ?4,
                    coalesce((SELECT doc + 1 FROM messages WHERE id < ?2 AND doc IS NOT NULL ORDER BY id DESC LIMIT 1), 0)),
                iif(?3 IS NULL, ?4, coalesce((SELECT doc FROM messages WHERE id = ?3),
                    (SELECT doc + 1 FROM messages WHERE id < ?3 AND doc IS NOT NULL ORDER BY id DESC LIMIT 1), 0)))",
        )
        .bind(search.lower())
        .bind(search.upper())
        .bind(search.cursor.map(|id| id.0))
        .bind(i64::MAX)
        .fetch_one(&mut *tx)
        .await?;
        let mut groups: Vec<String> = search.pieces().into_iter().map(|piece| format!("\"{piece}\"")).collect();
        if search.channels.is_empty() {
            let joined: Vec<(Uuid,)> = sqlx::query_as("SELECT channel_id FROM memberships WHERE user_id = ? LIMIT ?")
                .bind(search.reader.0)
                .bind(i64::try_from(CHANNELS).unwrap_or_default() + 1)
                .fetch_all(tx)
                .await?;
            if !joined.is_empty() && joined.len() <= CHANNELS {
                let any = joined.into_iter().map(|(id,)| format!("\"{}\"", in_channel(ChannelId(id))));
                groups.push(format!("({})", any.collect::<Vec<_>>().join(" OR ")));
            }
        }
        Ok(Self { from, to, pieces: (!groups.is_empty()).then(|| groups.join(" AND ")) })
    }

    /// The next candidates, newest first.
    async fn step(&mut self, tx: &mut SqliteConnection, most: u32) -> Result<Vec<i64>> {
        let query = match &self.pieces {
            Some(pieces) => sqlx::query_as(
                "SELECT rowid FROM search_index WHERE search_index MATCH ? AND rowid >= ? AND rowid < ?
                 ORDER BY rowid DESC LIMIT ?",
            )
            .bind(pieces),
            None => sqlx::query_as(
                "SELECT doc FROM messages WHERE ?1 IS NULL AND doc >= ?2 AND doc < ?3 ORDER BY doc DESC LIMIT ?4",
            )
            .bind(None::<String>),
        };
        let docs: Vec<(i64,)> = query.bind(self.from).bind(self.to).bind(most).fetch_all(tx).await?;
        let docs: Vec<i64> = docs.into_iter().map(|(doc,)| doc).collect();
        if let Some(last) = docs.last() {
            self.to = *last;
        }
        Ok(docs)
    }
}

/// Those of the candidates that may be read, newest first.
async fn readable(tx: &mut SqliteConnection, search: &Search, docs: &[i64]) -> Result<Vec<Message>> {
    // CROSS JOIN: beginning with the candidates.
    let rows: Vec<MessageRow> = sqlx::query_as(concat!(
        "SELECT ",
        message!(),
        " FROM json_each(?) AS d CROSS JOIN messages m ON m.doc = d.value
         CROSS JOIN memberships s ON s.channel_id = m.channel_id AND s.user_id = ?
         CROSS JOIN users u ON u.id = m.sender_id ORDER BY m.doc DESC"
    ))
    .bind(json!(docs).to_string())
    .bind(search.reader.0)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The oldest of the candidates that is still there.
async fn oldest(tx: &mut SqliteConnection, docs: &[i64]) -> Result<Option<MessageId>> {
    let id: Option<(Uuid,)> = sqlx::query_as(
        "SELECT m.id FROM json_each(?) AS d CROSS JOIN messages m ON m.doc = d.value ORDER BY m.doc LIMIT 1",
    )
    .bind(json!(docs).to_string())
    .fetch_optional(tx)
    .await?;
    Ok(id.map(|(id,)| MessageId(id)))
}

#[async_trait]
impl SearchStore for SqliteStore {
    async fn search(&self, search: &Search) -> Result<Found> {
        let mut tx = self.read.begin().await?;
        let mut stretch = Stretch::of(&mut tx, search).await?;
        let limit = search.limit as usize;
        let mut found = Found::default();
        let (mut seen, mut most) = (0, search.limit + 1);
        loop {
            let docs = stretch.step(&mut tx, most).await?;
            let messages = readable(&mut tx, search, &docs).await?;
            found.items.extend(messages.into_iter().filter(|message| search.fits(message)));
            if found.items.len() > limit {
                found.items.truncate(limit);
                found.next = found.items.last().map(|message| message.id);
                break;
            }
            if docs.len() < most as usize {
                break;
            }
            seen += docs.len();
            if seen >= MOST {
                found.next = oldest(&mut tx, &docs).await?;
                if found.next.is_some() {
                    break;
                }
            }
            most = STEP;
        }
        tx.commit().await?;
        Ok(found)
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
        Ok(sweep(&self.write).await? || catch_up(&self.write).await?)
    }
}
