//! Storing a batch of messages: one transaction of six round trips, however many they are, and one more
//! each where they answer or name somebody; three where they carry files.

use super::{
    CONNECT, PostgresStore, all, commit, connect,
    messages::{message, other},
    postgres, run, within,
};
use crate::store::{
    Appended, NewMessage, Result, StoreError,
    posting::{Desk, PostingRow, fresh, named, named_uploads},
    rows::{MessageRow, signed},
    uploads::{OfferedRow, upload},
};
use natter::{Message, ScheduledId};
use sqlx::{Connection as _, PgConnection, postgres::PgSeverity};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How often a batch is tried that collides with what other nodes store at the same moment.
const TRIES: u32 = 5;

/// Messages stored already under an id of the batch (`$1`) or by a sender's ref (`$2`, `$3`).
macro_rules! stored {
    () => {
        "(SELECT id FROM messages WHERE id = ANY ($1)
          UNION SELECT x.id FROM unnest($2, $3) AS i (sender_id, ref)
          JOIN messages x ON x.sender_id = i.sender_id AND x.ref = i.ref) AS stored"
    };
}

/// Those of the senders and refs bound as named whose message went with its channel.
macro_rules! spent {
    ($senders:literal, $refs:literal) => {
        concat!(
            "(SELECT s.sender_id, s.ref FROM unnest(",
            $senders,
            "::uuid[], ",
            $refs,
            "::uuid[]) AS i (sender_id, ref) JOIN spent_refs s ON s.sender_id = i.sender_id AND s.ref = i.ref
              UNION ALL SELECT x.sender_id, x.ref FROM unnest(",
            $senders,
            "::uuid[], ",
            $refs,
            "::uuid[]) AS i (sender_id, ref) JOIN messages x ON x.sender_id = i.sender_id AND x.ref = i.ref
              WHERE NOT EXISTS (SELECT FROM channels c WHERE c.id = x.channel_id)) AS spent"
        )
    };
}

impl PostgresStore {
    /// The connection is put back only when it is known to be in order, so a caller that stops waiting
    /// leaves none behind in the middle of a transaction.
    pub(super) async fn append_batch(&self, batch: &[NewMessage]) -> Result<Vec<Appended>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = self.writer.lock().await;
        let mut tries = 1;
        loop {
            if self.pool.is_closed() {
                return Err(sqlx::Error::PoolClosed.into());
            }
            let (mut conn, used) = match writer.take() {
                Some(conn) => (conn, true),
                None => (connect(&self.options).await?, false),
            };
            let error = match store(&mut conn, batch).await {
                Ok(outcome) => {
                    *writer = Some(conn);
                    self.unindexed.notify_one();
                    return Ok(outcome);
                }
                Err(StoreError::Database(error)) => error,
                Err(error) => return Err(error),
            };
            // Nothing is stored, and trying again is worth it in two cases:
            match postgres(&error).filter(|cause| cause.severity() == PgSeverity::Error) {
                // other nodes were at the same refs,
                Some(cause) if tries < TRIES && matches!(cause.code(), "23505" | "40001" | "40P01") => {
                    tries += 1;
                    *writer = Some(conn);
                }
                // or the connection had gone while it wasn't used.
                None if used => {}
                _ => return Err(error.into()),
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct Found {
    #[sqlx(flatten)]
    posting: PostingRow,
    /// Whether any ref of the batch is; the same in each row.
    some_spent: bool,
}

async fn store(conn: &mut PgConnection, batch: &[NewMessage]) -> Result<Vec<Appended>> {
    let mut tx = within(CONNECT, conn.begin()).await?;
    let outcome = append_in(&mut tx, batch, &[]).await?;
    if fresh(&outcome).is_empty() {
        // Dropping it would send the rollback with the next batch only, and hold the locks until then.
        within(CONNECT, tx.rollback()).await?;
    } else {
        commit(tx).await?;
    }
    Ok(outcome)
}

/// The same as a part of a transaction that holds nothing yet but channels. `holders`: messages for later
/// whose files these may carry.
pub(super) async fn append_in(
    tx: &mut PgConnection,
    batch: &[NewMessage],
    holders: &[ScheduledId],
) -> Result<Vec<Appended>> {
    let channels: BTreeSet<Uuid> = batch.iter().map(|new| new.channel_id.0).collect();
    let lock = sqlx::query("SELECT FROM channels WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE");
    run(&mut *tx, lock.bind(Vec::from_iter(channels))).await?;

    let mut desk = read(tx, batch, holders).await?;
    let outcome = desk.decide_all(batch)?;
    let fresh = fresh(&outcome);
    if fresh.is_empty() {
        return Ok(outcome);
    }
    let insert = sqlx::query(
        "WITH moved AS (
            UPDATE channels c SET rev = i.rev, changed_xid = pg_current_xact_id()
            FROM unnest($1::uuid[], $2::bigint[]) AS i (id, rev) WHERE c.id = i.id),
         waiting AS (INSERT INTO search_waiting (id) SELECT * FROM unnest($5::uuid[]) ON CONFLICT DO NOTHING)
         INSERT INTO messages (channel_id, seq, rev, id, sender_id, ref, text, created_at, reply_to, mentions_channel)
         SELECT channel_id, seq, seq, id, sender_id, ref, text, created_at, reply_to, mentions_channel
         FROM unnest($3::uuid[], $4::bigint[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::bigint[],
                $10::uuid[], $11::boolean[])
            AS i (channel_id, seq, id, sender_id, ref, text, created_at, reply_to, mentions_channel)",
    )
    .bind(desk.moved().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(desk.moved().map(|(_, rev)| signed(rev)).collect::<Vec<_>>())
    .bind(column(&fresh, |message| message.channel_id.0))
    .bind(column(&fresh, |message| signed(message.seq)))
    .bind(column(&fresh, |message| message.id.0))
    .bind(column(&fresh, |message| message.sender.id.0))
    .bind(column(&fresh, |message| message.reference.map(|reference| reference.0)))
    .bind(column(&fresh, |message| message.text.as_str()))
    .bind(column(&fresh, |message| message.timestamp.millis()))
    .bind(column(&fresh, |message| message.reply_to.map(|id| id.0)))
    .bind(column(&fresh, |message| message.mentions_channel));
    run(&mut *tx, insert).await?;
    attach(tx, &fresh).await?;
    mention(tx, named(batch, &outcome)).await?;
    Ok(outcome)
}

/// Hands messages their files.
async fn attach(tx: &mut PgConnection, fresh: &[&Message]) -> Result<()> {
    let files = fresh.iter().flat_map(|message| message.attachments.iter().zip(0..).map(|file| (message.id.0, file)));
    let rows: Vec<(Uuid, i64, Uuid)> = files.map(|(id, (file, position))| (id, position, file.id.0)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let insert = sqlx::query(
        "INSERT INTO attachments (message_id, position, upload_id)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[])",
    )
    .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>());
    run(tx, insert).await?;
    Ok(())
}

/// Notes whom messages name, of those who are in their channels; nobody names themselves.
pub(super) async fn mention(tx: &mut PgConnection, named: impl Iterator<Item = (&Message, &str)>) -> Result<()> {
    let (messages, names): (Vec<_>, Vec<_>) = named.unzip();
    if names.is_empty() {
        return Ok(());
    }
    let insert = sqlx::query(
        "INSERT INTO mentions (channel_id, user_id, seq)
         SELECT s.channel_id, u.id, i.seq
         FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[]) AS i (channel_id, seq, sender_id, name)
         JOIN users u ON u.username_key = i.name
         JOIN memberships s ON s.channel_id = i.channel_id AND s.user_id = u.id
         WHERE u.id <> i.sender_id ON CONFLICT DO NOTHING",
    )
    .bind(column(&messages, |message| message.channel_id.0))
    .bind(column(&messages, |message| signed(message.seq)))
    .bind(column(&messages, |message| message.sender.id.0))
    .bind(names);
    run(tx, insert).await?;
    Ok(())
}

fn column<'a, T>(messages: &[&'a Message], value: impl Fn(&'a Message) -> T) -> Vec<T> {
    messages.iter().copied().map(value).collect()
}

/// Ids, senders and refs, as [`stored!`] takes them.
fn names(batch: &[NewMessage]) -> (Vec<Uuid>, Vec<Uuid>, Vec<Uuid>) {
    let ids = batch.iter().map(|new| new.id.0).collect();
    let refs = batch.iter().filter_map(|new| Some((new.sender_id.0, new.reference?.0)));
    let (senders, refs) = refs.unzip();
    (ids, senders, refs)
}

/// Senders and refs of a batch's messages that were stored and went with their channel, though they may not
/// all be deleted yet.
async fn spent(tx: &mut PgConnection, batch: &[NewMessage]) -> Result<Vec<(Uuid, Uuid)>> {
    let (_, senders, refs) = names(batch);
    all(tx, sqlx::query_as(concat!("SELECT sender_id, ref FROM ", spent!("$1", "$2"))).bind(senders).bind(refs)).await
}

/// In statements of their own after the lock: one that waited for it still reads what was before.
async fn read(tx: &mut PgConnection, batch: &[NewMessage], holders: &[ScheduledId]) -> Result<Desk> {
    let (ids, senders, refs) = names(batch);
    // Of a channel that is gone, so are its messages, though they may not all be deleted yet. Before it is
    // asked which refs are spent: what goes in between is among those.
    let known = concat!(
        "SELECT ",
        message!(),
        " FROM messages m JOIN ",
        stored!(),
        " ON m.id = stored.id WHERE EXISTS (SELECT FROM channels c WHERE c.id = m.channel_id)"
    );
    let known = sqlx::query_as(known).bind(ids).bind(senders.clone()).bind(refs.clone());
    let known: Vec<MessageRow> = all(&mut *tx, known).await?;
    let pairs: BTreeSet<_> = batch.iter().map(|new| (new.channel_id.0, new.sender_id.0)).collect();
    let (channels, posters): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let posting = sqlx::query_as(concat!(
        "SELECT c.id AS channel_id, u.id AS sender_id, c.rev, c.kind, c.visibility, c.post_policy, u.role,
            u.suspended, u.username, m.user_id IS NOT NULL AS joined, ",
        other!("u.id"),
        " AS receiver_id, EXISTS (SELECT FROM ",
        spent!("$3", "$4"),
        ") AS some_spent
         FROM unnest($1::uuid[], $2::uuid[]) AS i (channel_id, sender_id)
         JOIN channels c ON c.id = i.channel_id JOIN users u ON u.id = i.sender_id
         LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = u.id"
    ));
    let posting = posting.bind(channels).bind(posters).bind(senders).bind(refs);
    let posting: Vec<Found> = all(&mut *tx, posting).await?;
    // Nearly always none is.
    let spent = if posting.iter().any(|found| found.some_spent) { spent(tx, batch).await? } else { Vec::new() };
    let posting = posting.into_iter().map(|found| found.posting).collect();
    let answered: BTreeSet<Uuid> = batch.iter().filter_map(|new| new.reply_to).map(|id| id.0).collect();
    let answered = if answered.is_empty() {
        Vec::new()
    } else {
        let exist = sqlx::query_as("SELECT channel_id, id FROM messages WHERE id = ANY ($1)");
        all(&mut *tx, exist.bind(Vec::from_iter(answered))).await?
    };
    let offered = offered(tx, named_uploads(batch), holders).await?;
    Ok(Desk::new(posting, known, spent, answered, offered))
}

/// Held first, in the order of their ids, and then read: so nobody else gets them meanwhile. `holders`:
/// messages for later that may have them; any other that does stands in the way.
pub(super) async fn offered(tx: &mut PgConnection, ids: Vec<Uuid>, holders: &[ScheduledId]) -> Result<Vec<OfferedRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let lock = sqlx::query("SELECT FROM uploads WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE").bind(ids.clone());
    run(&mut *tx, lock).await?;
    let offered = concat!(
        "SELECT ",
        upload!(),
        ", EXISTS (SELECT FROM attachments a WHERE a.upload_id = u.id)
            OR EXISTS (SELECT FROM scheduled_uploads s WHERE s.upload_id = u.id AND s.scheduled_id <> ALL ($2)) AS carried
         FROM uploads u WHERE u.id = ANY ($1)"
    );
    let holders: Vec<Uuid> = holders.iter().map(|id| id.0).collect();
    all(tx, sqlx::query_as(offered).bind(ids).bind(holders)).await
}
