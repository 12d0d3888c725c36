//! Storing a batch of messages: one transaction of a few statements, however many they are. Each
//! statement takes its rows as one JSON array, with identifiers in hexadecimal. `SQLite` has a thread of
//! its own, so each call costs two switches between threads: there are no more of them than it takes.

use super::{SqliteStore, search::last_doc};
use crate::store::{
    Appended, NewMessage, Result,
    posting::{Desk, PostingRow, fresh, named, named_uploads},
    rows::MessageRow,
    uploads::{OfferedRow, upload},
};
use natter::{Message, ScheduledId};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The columns of a message `m` with its sender `u`.
macro_rules! message {
    () => {
        "m.*, u.username AS sender_name,
         (SELECT CASE WHEN d.direct_low = m.sender_id THEN d.direct_high ELSE d.direct_low END
            FROM channels d WHERE d.id = m.channel_id) AS receiver_id,
         (SELECT json_group_array(json_array(r.emoji, hex(r.user_id)) ORDER BY r.rev)
            FROM reactions r WHERE r.message_id = m.id) AS reactions,
         (SELECT json_group_array(json_array(hex(f.id), f.filename, f.media_type, f.size, f.width, f.height,
                f.duration, f.thumbnail IS NOT NULL) ORDER BY a.position)
            FROM attachments a JOIN uploads f ON f.id = a.upload_id WHERE a.message_id = m.id) AS attachments"
    };
}
pub(super) use message;

impl SqliteStore {
    pub(super) async fn append_batch(&self, batch: &[NewMessage]) -> Result<Vec<Appended>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let outcome = Self::append_in(&mut tx, batch, &[]).await?;
        if !fresh(&outcome).is_empty() {
            tx.commit().await?;
            self.unindexed.notify_one();
        }
        Ok(outcome)
    }

    /// The same as a part of a transaction. `holders`: messages for later whose files these may carry.
    pub(super) async fn append_in(
        tx: &mut SqliteConnection,
        batch: &[NewMessage],
        holders: &[ScheduledId],
    ) -> Result<Vec<Appended>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (mut desk, last_doc) = read(tx, batch, holders).await?;
        let outcome = desk.decide_all(batch)?;
        let fresh = fresh(&outcome);
        if fresh.is_empty() {
            return Ok(outcome);
        }
        let moved = desk.moved().map(|(id, rev)| json!({ "id": hex(id.0), "rev": rev }));
        let rows = (last_doc + 1..).zip(&fresh).map(|(doc, message)| {
            json!({
                "doc": doc,
                "channel": hex(message.channel_id.0),
                "seq": message.seq,
                "id": hex(message.id.0),
                "sender": hex(message.sender.id.0),
                "ref": message.reference.map(|reference| hex(reference.0)),
                "text": message.text,
                "reply_to": message.reply_to.map(|id| hex(id.0)),
                "mentions_channel": message.mentions_channel,
                "at": message.timestamp.millis(),
            })
        });
        sqlx::query(
            "UPDATE channels SET rev = i.rev
             FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'rev' AS rev FROM json_each(?)) AS i
             WHERE channels.id = i.id;
             INSERT INTO messages (channel_id, seq, rev, id, sender_id, ref, text, created_at, reply_to,
                mentions_channel, doc)
             SELECT unhex(value ->> 'channel'), value ->> 'seq', value ->> 'seq', unhex(value ->> 'id'),
                unhex(value ->> 'sender'), unhex(value ->> 'ref'), value ->> 'text', value ->> 'at',
                unhex(value ->> 'reply_to'), value ->> 'mentions_channel', value ->> 'doc'
             FROM json_each(?)",
        )
        .bind(array(moved))
        .bind(array(rows))
        .execute(&mut *tx)
        .await?;
        attach(tx, &fresh).await?;
        mention(tx, named(batch, &outcome)).await?;
        Ok(outcome)
    }
}

/// Hands messages their files.
async fn attach(tx: &mut SqliteConnection, fresh: &[&Message]) -> Result<()> {
    let files = fresh.iter().flat_map(|message| message.attachments.iter().zip(0..).map(|file| (message.id, file)));
    let rows: Vec<_> = files
        .map(|(id, (file, position))| json!({ "message": hex(id.0), "position": position, "upload": hex(file.id.0) }))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO attachments (message_id, position, upload_id)
         SELECT unhex(value ->> 'message'), value ->> 'position', unhex(value ->> 'upload') FROM json_each(?)",
    )
    .bind(array(rows.into_iter()))
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes whom messages name, of those who are in their channels; nobody names themselves.
pub(super) async fn mention(tx: &mut SqliteConnection, named: impl Iterator<Item = (&Message, &str)>) -> Result<()> {
    let rows: Vec<_> = named
        .map(|(message, name)| {
            json!({
                "channel": hex(message.channel_id.0),
                "seq": message.seq,
                "sender": hex(message.sender.id.0),
                "name": name,
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO mentions (channel_id, user_id, seq)
         SELECT s.channel_id, u.id, i.value ->> 'seq' FROM json_each(?) AS i
         CROSS JOIN users u ON u.username_key = i.value ->> 'name'
         CROSS JOIN memberships s ON s.channel_id = unhex(i.value ->> 'channel') AND s.user_id = u.id
         WHERE u.id <> unhex(i.value ->> 'sender') ON CONFLICT DO NOTHING",
    )
    .bind(array(rows.into_iter()))
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Found {
    #[sqlx(flatten)]
    posting: PostingRow,
    /// How many of the batch are stored already; the same in each row.
    known: i64,
    /// The number of the newest message; the same in each row.
    last_doc: i64,
}

async fn read(tx: &mut SqliteConnection, batch: &[NewMessage], holders: &[ScheduledId]) -> Result<(Desk, i64)> {
    let pairs: BTreeSet<_> = batch.iter().map(|new| (new.channel_id.0, new.sender_id.0)).collect();
    let pairs = pairs.into_iter().map(|(channel, sender)| json!({ "channel": hex(channel), "sender": hex(sender) }));
    let names = batch.iter().map(|new| {
        let reference = new.reference.map(|reference| hex(reference.0));
        json!({ "id": hex(new.id.0), "sender": hex(new.sender_id.0), "ref": reference })
    });
    let names = array(names);
    // CROSS JOIN: beginning with the batch, whatever the planner thinks of the tables' sizes.
    let found: Vec<Found> = sqlx::query_as(concat!(
        "SELECT c.id AS channel_id, u.id AS sender_id, c.rev, c.kind, c.visibility, c.post_policy, u.role,
            u.suspended, u.username, m.user_id IS NOT NULL AS joined,
            CASE WHEN c.direct_low = u.id THEN c.direct_high ELSE c.direct_low END AS receiver_id,
            (SELECT count(*) FROM json_each(?) AS g
                WHERE EXISTS (SELECT 1 FROM messages k WHERE k.id = unhex(g.value ->> 'id'))
                OR EXISTS (SELECT 1 FROM messages k
                    WHERE k.sender_id = unhex(g.value ->> 'sender') AND k.ref = unhex(g.value ->> 'ref'))
                OR EXISTS (SELECT 1 FROM spent_refs k
                    WHERE k.sender_id = unhex(g.value ->> 'sender') AND k.ref = unhex(g.value ->> 'ref'))) AS known, ",
        last_doc!(),
        " AS last_doc
         FROM json_each(?) AS i
         CROSS JOIN channels c ON c.id = unhex(i.value ->> 'channel')
         CROSS JOIN users u ON u.id = unhex(i.value ->> 'sender')
         LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = u.id"
    ))
    .bind(&names)
    .bind(array(pairs))
    .fetch_all(&mut *tx)
    .await?;
    // Nearly always none is.
    let (known, spent) = if found.first().is_none_or(|found| found.known > 0) {
        (known(tx, &names).await?, spent(tx, &names).await?)
    } else {
        Default::default()
    };

    let answered: BTreeSet<_> = batch.iter().filter_map(|new| new.reply_to).collect();
    let answered = if answered.is_empty() {
        Vec::new()
    } else {
        sqlx::query_as(
            "SELECT m.channel_id, m.id FROM json_each(?) AS i CROSS JOIN messages m ON m.id = unhex(i.value)",
        )
        .bind(array(answered.into_iter().map(|id| json!(hex(id.0)))))
        .fetch_all(&mut *tx)
        .await?
    };
    let offered = offered(tx, named_uploads(batch), holders).await?;
    let last_doc = found.first().map_or(0, |found| found.last_doc);
    let desk = Desk::new(found.into_iter().map(|found| found.posting).collect(), known, spent, answered, offered);
    Ok((desk, last_doc))
}

/// `holders`: messages for later that may have them; any other that does stands in the way.
pub(super) async fn offered(
    tx: &mut SqliteConnection,
    ids: Vec<Uuid>,
    holders: &[ScheduledId],
) -> Result<Vec<OfferedRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let offered = sqlx::query_as(concat!(
        "SELECT ",
        upload!(),
        ", EXISTS (SELECT 1 FROM attachments a WHERE a.upload_id = u.id)
            OR EXISTS (SELECT 1 FROM scheduled_uploads s WHERE s.upload_id = u.id
                AND hex(s.scheduled_id) NOT IN (SELECT upper(value) FROM json_each(?))) AS carried
         FROM json_each(?) AS i CROSS JOIN uploads u ON u.id = unhex(i.value)"
    ))
    .bind(array(holders.iter().map(|id| json!(hex(id.0)))))
    .bind(array(ids.into_iter().map(|id| json!(hex(id)))))
    .fetch_all(tx)
    .await?;
    Ok(offered)
}

/// Senders and refs of a batch's messages that were stored and went with their channel.
async fn spent(tx: &mut SqliteConnection, names: &str) -> Result<Vec<(Uuid, Uuid)>> {
    let spent = sqlx::query_as(
        "SELECT s.sender_id, s.ref FROM json_each(?) AS g
         CROSS JOIN spent_refs s ON s.sender_id = unhex(g.value ->> 'sender') AND s.ref = unhex(g.value ->> 'ref')",
    );
    Ok(spent.bind(names).fetch_all(tx).await?)
}

/// Those of a batch that are stored already, by their ids or their senders' own.
async fn known(tx: &mut SqliteConnection, names: &str) -> Result<Vec<MessageRow>> {
    let known = sqlx::query_as(concat!(
        "WITH given AS (SELECT unhex(value ->> 'id') AS id, unhex(value ->> 'sender') AS sender_id,
                unhex(value ->> 'ref') AS ref FROM json_each(?)),
            stored AS (
                SELECT m.channel_id, m.seq FROM given g CROSS JOIN messages m ON m.id = g.id
                UNION
                SELECT m.channel_id, m.seq FROM given g CROSS JOIN messages m
                    ON m.sender_id = g.sender_id AND m.ref = g.ref)
         SELECT ",
        message!(),
        " FROM stored s
         CROSS JOIN messages m ON m.channel_id = s.channel_id AND m.seq = s.seq
         JOIN users u ON u.id = m.sender_id"
    ))
    .bind(names)
    .fetch_all(tx)
    .await?;
    Ok(known)
}

fn array(rows: impl Iterator<Item = Value>) -> String {
    Value::Array(rows.collect()).to_string()
}

fn hex(id: Uuid) -> String {
    id.simple().to_string()
}
