use super::{
    PostgresStore, all,
    append::{append_in, offered},
    begin, commit, optional, row, run,
};
use crate::store::{
    Appended, NewMessage, Result,
    rows::{count, signed, time},
    scheduled::{
        Delivered, Delivery, Due, Edited, Made, NewScheduled, ScheduledEdit, ScheduledRow, ScheduledStore, Settlement,
        Standing, delivered, in_order, may_hold, settlements,
    },
};
use async_trait::async_trait;
use natter::{
    Scheduled, ScheduledId, Timestamp, UploadId, UserId,
    scheduled::{PENDING_MAX, SETTLED_MAX, ScheduledCounts, ScheduledFailure, ScheduledState},
};
use sqlx::{PgConnection, PgPool};
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// Settled ones that are forgotten in one transaction.
const FORGOTTEN: i64 = 5_000;

/// Messages for later `s`. What one that was sent says stands in its message alone.
macro_rules! scheduled {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.owner_id, s.channel_id, s.ref, s.reply_to, s.send_at, s.state, s.version, s.failure,
                s.message_id, s.settled_at,
                CASE WHEN s.state = 'sent' THEN coalesce((SELECT m.text FROM messages m WHERE m.id = s.message_id
                    AND EXISTS (SELECT FROM channels c WHERE c.id = m.channel_id)), '') ELSE s.text END AS text,
                CASE WHEN s.state = 'sent' THEN
                    (SELECT json_agg(json_build_array(f.id, f.filename, f.media_type, f.size, f.width, f.height,
                        f.duration, f.thumbnail IS NOT NULL) ORDER BY a.position)::text
                    FROM attachments a JOIN uploads f ON f.id = a.upload_id JOIN messages m ON m.id = a.message_id
                    WHERE a.message_id = s.message_id AND EXISTS (SELECT FROM channels c WHERE c.id = m.channel_id))
                ELSE
                    (SELECT json_agg(json_build_array(f.id, f.filename, f.media_type, f.size, f.width, f.height,
                        f.duration, f.thumbnail IS NOT NULL) ORDER BY a.position)::text
                    FROM scheduled_uploads a JOIN uploads f ON f.id = a.upload_id WHERE a.scheduled_id = s.id)
                END AS files
             FROM scheduled s ",
            $rest
        )
    };
}

async fn one(tx: &mut PgConnection, owner: UserId, id: ScheduledId) -> Result<Option<ScheduledRow>> {
    let one = sqlx::query_as(scheduled!("WHERE s.id = $1 AND s.owner_id = $2"));
    optional(tx, one.bind(id.0).bind(owner.0)).await
}

/// The same while nobody else can change it. What is read comes after the lock.
async fn held(tx: &mut PgConnection, owner: UserId, id: ScheduledId) -> Result<Option<ScheduledRow>> {
    let lock = sqlx::query("SELECT FROM scheduled WHERE id = $1 AND owner_id = $2 FOR UPDATE");
    run(&mut *tx, lock.bind(id.0).bind(owner.0)).await?;
    one(tx, owner, id).await
}

/// Whether that owner may hold these files in it. They are held until the transaction ends.
async fn may_have(
    tx: &mut PgConnection,
    id: ScheduledId,
    owner: UserId,
    files: &[UploadId],
    now: Timestamp,
) -> Result<bool> {
    let ids: Vec<Uuid> = files.iter().map(|file| file.0).collect();
    let offered = offered(tx, ids, &[id]).await?;
    Ok(may_hold(files, &offered, owner, now))
}

async fn put_files(tx: &mut PgConnection, id: ScheduledId, files: &[UploadId]) -> Result<()> {
    run(&mut *tx, sqlx::query("DELETE FROM scheduled_uploads WHERE scheduled_id = $1").bind(id.0)).await?;
    if !files.is_empty() {
        let insert = sqlx::query(
            "INSERT INTO scheduled_uploads (scheduled_id, position, upload_id)
             SELECT $1, i.position - 1, i.id FROM unnest($2::uuid[]) WITH ORDINALITY AS i (id, position)",
        );
        run(tx, insert.bind(id.0).bind(files.iter().map(|file| file.0).collect::<Vec<_>>())).await?;
    }
    Ok(())
}

/// What these people have for later, of what was changed by that transaction or a later one.
pub(super) async fn changed_since(pool: &PgPool, mark: u64, owners: &[UserId]) -> Result<Vec<(UserId, Scheduled)>> {
    let rows = sqlx::query_as(scheduled!(
        "WHERE s.owner_id = ANY ($1) AND s.changed_xid >= $2::text::xid8
            AND s.changed_xid < pg_snapshot_xmax(pg_current_snapshot())"
    ));
    let owners: Vec<Uuid> = owners.iter().map(|id| id.0).collect();
    let rows: Vec<ScheduledRow> = all(pool, rows.bind(owners).bind(signed(mark))).await?;
    rows.into_iter().map(|row| Ok((row.owner(), row.try_into()?))).collect()
}

#[async_trait]
impl ScheduledStore for PostgresStore {
    async fn schedule(&self, new: NewScheduled) -> Result<Made> {
        let mut tx = begin(&self.pool).await?;
        // One after the other of the same person, so that the count holds.
        run(&mut *tx, sqlx::query("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE").bind(new.owner_id.0)).await?;
        let known = sqlx::query_as(scheduled!("WHERE s.owner_id = $1 AND s.ref = $2"));
        let known: Option<ScheduledRow> = optional(&mut *tx, known.bind(new.owner_id.0).bind(new.reference.0)).await?;
        if let Some(known) = known {
            return Ok(Made::Known(known.try_into()?));
        }
        let pending = sqlx::query_as("SELECT count(*) FROM scheduled WHERE owner_id = $1 AND state = 'pending'");
        let (pending,): (i64,) = row(&mut *tx, pending.bind(new.owner_id.0)).await?;
        if count(pending) >= PENDING_MAX.into() {
            return Ok(Made::Full);
        }
        if !may_have(&mut tx, new.id, new.owner_id, &new.attachments, new.now).await? {
            return Ok(Made::NoSuchUpload);
        }
        let forget = sqlx::query(
            "DELETE FROM scheduled WHERE id IN (SELECT id FROM scheduled WHERE owner_id = $1 AND state <> 'pending'
                ORDER BY settled_at DESC OFFSET $2)",
        );
        run(&mut *tx, forget.bind(new.owner_id.0).bind(i64::from(SETTLED_MAX))).await?;
        let insert = sqlx::query(
            "INSERT INTO scheduled (id, owner_id, channel_id, ref, text, reply_to, send_at, state, changed_xid)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', pg_current_xact_id())",
        )
        .bind(new.id.0)
        .bind(new.owner_id.0)
        .bind(new.channel_id.0)
        .bind(new.reference.0)
        .bind(&new.text)
        .bind(new.reply_to.map(|id| id.0))
        .bind(new.send_at.millis());
        run(&mut *tx, insert).await?;
        put_files(&mut tx, new.id, &new.attachments).await?;
        let made = one(&mut tx, new.owner_id, new.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        commit(tx).await?;
        Ok(Made::New(made.try_into()?))
    }

    async fn scheduled(&self, owner: UserId, id: ScheduledId) -> Result<Option<Scheduled>> {
        let mut conn = self.pool.acquire().await?;
        one(&mut conn, owner, id).await?.map(TryInto::try_into).transpose()
    }

    async fn scheduled_of(&self, owner: UserId) -> Result<Vec<Scheduled>> {
        let rows = sqlx::query_as(scheduled!(
            "WHERE s.id IN (SELECT id FROM scheduled WHERE owner_id = $1 AND state = 'pending'
                UNION ALL (SELECT id FROM scheduled WHERE owner_id = $1 AND state <> 'pending'
                    ORDER BY settled_at DESC LIMIT $2))"
        ));
        in_order(all(&self.pool, rows.bind(owner.0).bind(i64::from(SETTLED_MAX))).await?)
    }

    async fn scheduled_counts(&self, owner: UserId) -> Result<ScheduledCounts> {
        let counts = sqlx::query_as(
            "SELECT (SELECT count(*) FROM scheduled WHERE owner_id = $1 AND state = 'pending'),
                (SELECT count(*) FROM scheduled WHERE owner_id = $1 AND state = 'failed')",
        );
        let (pending, failed): (i64, i64) = row(&self.pool, counts.bind(owner.0)).await?;
        Ok(ScheduledCounts { pending: count(pending), failed: count(failed) })
    }

    async fn reschedule(&self, owner: UserId, id: ScheduledId, edit: ScheduledEdit, now: Timestamp) -> Result<Edited> {
        let mut tx = begin(&self.pool).await?;
        let Some(row) = held(&mut tx, owner, id).await? else { return Ok(Edited::NotFound) };
        match row.state()? {
            ScheduledState::Pending if row.would_be_empty(&edit) => return Ok(Edited::Empty),
            ScheduledState::Pending => {}
            settled => return Ok(Edited::Settled(settled)),
        }
        if let Some(files) = &edit.attachments
            && !may_have(&mut tx, id, owner, files, now).await?
        {
            return Ok(Edited::NoSuchUpload);
        }
        let update = sqlx::query(
            "UPDATE scheduled SET text = coalesce($2, text), send_at = coalesce($3, send_at), version = version + 1,
                changed_xid = pg_current_xact_id() WHERE id = $1",
        )
        .bind(id.0)
        .bind(edit.text.as_deref())
        .bind(edit.send_at.map(Timestamp::millis));
        run(&mut *tx, update).await?;
        if let Some(files) = &edit.attachments {
            put_files(&mut tx, id, files).await?;
        }
        let changed = one(&mut tx, owner, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        commit(tx).await?;
        Ok(Edited::Changed(changed.try_into()?))
    }

    async fn unschedule(
        &self,
        owner: UserId,
        id: ScheduledId,
        keep_files: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Edited> {
        let mut tx = begin(&self.pool).await?;
        let Some(row) = held(&mut tx, owner, id).await? else { return Ok(Edited::NotFound) };
        match row.state()? {
            ScheduledState::Pending | ScheduledState::Failed => {}
            settled => return Ok(Edited::Settled(settled)),
        }
        let update = sqlx::query(
            "UPDATE scheduled SET state = 'cancelled', text = '', settled_at = $2, changed_xid = pg_current_xact_id()
             WHERE id = $1",
        );
        run(&mut *tx, update.bind(id.0).bind(now.millis())).await?;
        put_files(&mut tx, id, &[]).await?;
        if let Some(until) = keep_files {
            let files: Vec<Uuid> = row.files().into_iter().map(|file| file.id.0).collect();
            // What a message has by now is its.
            let keep = sqlx::query("UPDATE uploads SET expires_at = $1 WHERE id = ANY ($2) AND expires_at = 0");
            run(&mut *tx, keep.bind(until.millis()).bind(files)).await?;
        }
        let changed = one(&mut tx, owner, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        commit(tx).await?;
        self.freed.notify_one();
        Ok(Edited::Changed(changed.try_into()?))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let first = sqlx::query_as("SELECT min(send_at) FROM scheduled WHERE state = 'pending'");
        let (first,): (Option<i64>,) = row(&self.pool, first).await?;
        Ok(first.map(time))
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
        let due = sqlx::query_as(scheduled!(
            "WHERE s.state = 'pending' AND s.send_at <= $1 ORDER BY s.send_at, s.id LIMIT $2"
        ));
        let rows: Vec<ScheduledRow> = all(&self.pool, due.bind(now.millis()).bind(i64::from(limit))).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn waiting(&self, owner: UserId, id: ScheduledId) -> Result<Option<Due>> {
        let mut conn = self.pool.acquire().await?;
        let row = one(&mut conn, owner, id).await?;
        Ok(row.filter(|row| matches!(row.state(), Ok(ScheduledState::Pending))).map(Into::into))
    }

    async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Delivered>> {
        let messages = |waiting: &HashSet<Uuid>| -> Vec<NewMessage> {
            batch.iter().filter(|one| waiting.contains(&one.id.0)).map(|one| one.message.clone()).collect()
        };
        let mut tx = begin(&self.pool).await?;
        // Channels before anything else, as everywhere.
        let channels: BTreeSet<Uuid> = batch.iter().map(|one| one.message.channel_id.0).collect();
        let lock = sqlx::query("SELECT FROM channels WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE");
        run(&mut *tx, lock.bind(Vec::from_iter(channels))).await?;
        let waiting = waiting(&mut tx, batch).await?;
        let messages = messages(&waiting);
        let holders: Vec<_> = batch.iter().map(|one| one.id).collect();
        let appended = append_in(&mut tx, &messages, &holders).await?;
        let outcome = outcome(&mut tx, batch, &waiting, appended).await?;
        let settled = settlements(batch, &outcome);
        if !settled.is_empty() {
            settle(&mut tx, &settled).await?;
            commit(tx).await?;
            self.unindexed.notify_one();
        }
        Ok(outcome)
    }

    async fn forget_settled(&self, before: Timestamp) -> Result<()> {
        let forget = sqlx::query(
            "DELETE FROM scheduled WHERE id IN (SELECT id FROM scheduled WHERE settled_at < $1
                ORDER BY settled_at LIMIT $2)",
        );
        run(&self.pool, forget.bind(before.millis()).bind(FORGOTTEN)).await?;
        Ok(())
    }
}

/// Which of them wait as they were read, and stay so until the transaction ends.
async fn waiting(tx: &mut PgConnection, batch: &[Delivery]) -> Result<HashSet<Uuid>> {
    let waiting = sqlx::query_as(
        "SELECT s.id FROM unnest($1::uuid[], $2::bigint[]) AS i (id, version)
         JOIN scheduled s ON s.id = i.id AND s.version = i.version
         WHERE s.state = 'pending' ORDER BY s.id FOR UPDATE OF s",
    )
    .bind(batch.iter().map(|one| one.id.0).collect::<Vec<_>>())
    .bind(batch.iter().map(|one| signed(one.version)).collect::<Vec<_>>());
    let waiting: Vec<(Uuid,)> = all(tx, waiting).await?;
    Ok(waiting.into_iter().map(|(id,)| id).collect())
}

async fn outcome(
    tx: &mut PgConnection,
    batch: &[Delivery],
    waiting: &HashSet<Uuid>,
    appended: Vec<Appended>,
) -> Result<Vec<Delivered>> {
    let mut appended = appended.into_iter();
    let mut outcome = Vec::with_capacity(batch.len());
    for one in batch {
        let next = if waiting.contains(&one.id.0) { appended.next() } else { None };
        outcome.push(match next.map(delivered) {
            None => Delivered::Passed,
            Some(Some(delivered)) => delivered,
            Some(None) => Delivered::Failed(why(&mut *tx, one).await?),
        });
    }
    Ok(outcome)
}

/// Why one may not be posted.
async fn why(tx: &mut PgConnection, delivery: &Delivery) -> Result<ScheduledFailure> {
    let standing = sqlx::query_as(
        "SELECT u.suspended, EXISTS (SELECT FROM channels c WHERE c.id = $1) AS \"exists\",
            EXISTS (SELECT FROM memberships m WHERE m.channel_id = $1 AND m.user_id = u.id) AS joined
         FROM users u WHERE u.id = $2",
    );
    let standing = standing.bind(delivery.message.channel_id.0).bind(delivery.message.sender_id.0);
    Ok(row::<Standing>(tx, standing).await?.failure())
}

async fn settle(tx: &mut PgConnection, settled: &[Settlement]) -> Result<()> {
    fn column<T>(settled: &[Settlement], value: impl Fn(&Settlement) -> T) -> Vec<T> {
        settled.iter().map(value).collect()
    }
    let update = sqlx::query(
        "UPDATE scheduled s SET state = i.state, message_id = i.message_id, failure = i.failure, settled_at = i.at,
            text = CASE WHEN i.state = 'sent' THEN '' ELSE s.text END, changed_xid = pg_current_xact_id()
         FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
            AS i (id, state, message_id, failure, at) WHERE s.id = i.id",
    )
    .bind(column(settled, |one| one.id.0))
    .bind(column(settled, |one| one.state.as_str()))
    .bind(column(settled, |one| one.message_id.map(|id| id.0)))
    .bind(column(settled, |one| one.failure.map(ScheduledFailure::as_str)))
    .bind(column(settled, |one| one.at.millis()));
    run(&mut *tx, update).await?;
    let sent = settled.iter().filter(|one| one.state == ScheduledState::Sent).map(|one| one.id.0);
    let forget = sqlx::query("DELETE FROM scheduled_uploads WHERE scheduled_id = ANY ($1)");
    run(tx, forget.bind(sent.collect::<Vec<_>>())).await?;
    Ok(())
}
