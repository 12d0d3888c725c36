//! Storing a batch of messages: one transaction of a few statements, however many they are. Each
//! statement takes its rows as one JSON array, with identifiers in hexadecimal.

use super::SqliteStore;
use crate::store::{
    Appended, NewMessage, Result,
    posting::{Desk, PostingRow, fresh},
    rows::MessageRow,
};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

impl SqliteStore {
    pub(super) async fn append_batch(&self, batch: &[NewMessage]) -> Result<Vec<Appended>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let mut desk = read(&mut tx, batch).await?;
        let outcome = desk.decide_all(batch)?;
        let fresh = fresh(&outcome);
        if fresh.is_empty() {
            return Ok(outcome);
        }
        let moved = desk.moved().map(|(id, rev)| json!({ "id": hex(id.0), "rev": rev }));
        sqlx::query(
            "UPDATE channels SET rev = i.rev
             FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'rev' AS rev FROM json_each(?)) AS i
             WHERE channels.id = i.id",
        )
        .bind(array(moved))
        .execute(&mut *tx)
        .await?;
        let rows = fresh.into_iter().map(|message| {
            json!({
                "channel": hex(message.channel_id.0),
                "seq": message.seq,
                "id": hex(message.id.0),
                "sender": hex(message.sender.id.0),
                "ref": message.reference.map(|reference| hex(reference.0)),
                "text": message.text,
                "at": message.timestamp.millis(),
            })
        });
        sqlx::query(
            "INSERT INTO messages (channel_id, seq, rev, id, sender_id, ref, text, created_at)
             SELECT unhex(value ->> 'channel'), value ->> 'seq', value ->> 'seq', unhex(value ->> 'id'),
                unhex(value ->> 'sender'), unhex(value ->> 'ref'), value ->> 'text', value ->> 'at'
             FROM json_each(?)",
        )
        .bind(array(rows))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(outcome)
    }
}

async fn read(tx: &mut SqliteConnection, batch: &[NewMessage]) -> Result<Desk> {
    let pairs: BTreeSet<_> = batch.iter().map(|new| (new.channel_id.0, new.sender_id.0)).collect();
    let pairs = pairs.into_iter().map(|(channel, sender)| json!({ "channel": hex(channel), "sender": hex(sender) }));
    // CROSS JOIN: beginning with the batch, whatever the planner thinks of the tables' sizes.
    let posting: Vec<PostingRow> = sqlx::query_as(
        "SELECT c.id AS channel_id, u.id AS sender_id, c.rev, c.visibility, c.post_policy, u.role, u.username,
            m.user_id IS NOT NULL AS joined
         FROM json_each(?) AS i
         CROSS JOIN channels c ON c.id = unhex(i.value ->> 'channel')
         CROSS JOIN users u ON u.id = unhex(i.value ->> 'sender')
         LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = u.id",
    )
    .bind(array(pairs))
    .fetch_all(&mut *tx)
    .await?;
    let names = batch.iter().map(|new| {
        let reference = new.reference.map(|reference| hex(reference.0));
        json!({ "id": hex(new.id.0), "sender": hex(new.sender_id.0), "ref": reference })
    });
    let known: Vec<MessageRow> = sqlx::query_as(
        "WITH given AS (SELECT unhex(value ->> 'id') AS id, unhex(value ->> 'sender') AS sender_id,
                unhex(value ->> 'ref') AS ref FROM json_each(?)),
            stored AS (
                SELECT m.channel_id, m.seq FROM given g CROSS JOIN messages m ON m.id = g.id
                UNION
                SELECT m.channel_id, m.seq FROM given g CROSS JOIN messages m
                    ON m.sender_id = g.sender_id AND m.ref = g.ref)
         SELECT m.*, u.username AS sender_name FROM stored s
         CROSS JOIN messages m ON m.channel_id = s.channel_id AND m.seq = s.seq
         JOIN users u ON u.id = m.sender_id",
    )
    .bind(array(names))
    .fetch_all(&mut *tx)
    .await?;
    Ok(Desk::new(posting, known))
}

fn array(rows: impl Iterator<Item = Value>) -> String {
    Value::Array(rows.collect()).to_string()
}

fn hex(id: Uuid) -> String {
    id.simple().to_string()
}
