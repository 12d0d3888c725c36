use super::{SqliteStore, append::offered};
use crate::store::{
    Result,
    rows::{count, signed, time},
    scheduled::{
        Delivered, Delivery, Due, Edited, Made, NewScheduled, ScheduledEdit, ScheduledRow, ScheduledStore, Standing,
        delivered, in_order, may_hold, settlements,
    },
};
use async_trait::async_trait;
use natter::{
    Scheduled, ScheduledId, Timestamp, UploadId, UserId,
    scheduled::{PENDING_MAX, SETTLED_MAX, ScheduledCounts, ScheduledFailure, ScheduledState},
};
use serde_json::json;
use sqlx::SqliteConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// Messages for later `s`. What one that was sent says stands in its message alone.
macro_rules! scheduled {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.owner_id, s.channel_id, s.ref, s.reply_to, s.send_at, s.state, s.version, s.failure,
                s.message_id, s.settled_at,
                CASE WHEN s.state = 'sent' THEN coalesce((SELECT m.text FROM messages m WHERE m.id = s.message_id), '')
                    ELSE s.text END AS text,
                CASE WHEN s.state = 'sent' THEN
                    (SELECT json_group_array(json_array(hex(f.id), f.filename, f.media_type, f.size, f.width, f.height,
                        f.duration, f.thumbnail IS NOT NULL) ORDER BY a.position)
                    FROM attachments a JOIN uploads f ON f.id = a.upload_id WHERE a.message_id = s.message_id)
                ELSE
                    (SELECT json_group_array(json_array(hex(f.id), f.filename, f.media_type, f.size, f.width, f.height,
                        f.duration, f.thumbnail IS NOT NULL) ORDER BY a.position)
                    FROM scheduled_uploads a JOIN uploads f ON f.id = a.upload_id WHERE a.scheduled_id = s.id)
                END AS files
             FROM scheduled s ",
            $rest
        )
    };
}

async fn one(tx: &mut SqliteConnection, owner: UserId, id: ScheduledId) -> Result<Option<ScheduledRow>> {
    let row = sqlx::query_as(scheduled!("WHERE s.id = ? AND s.owner_id = ?")).bind(id.0).bind(owner.0);
    Ok(row.fetch_optional(tx).await?)
}

/// Whether that owner may hold these files in it.
async fn may_have(
    tx: &mut SqliteConnection,
    id: ScheduledId,
    owner: UserId,
    files: &[UploadId],
    now: Timestamp,
) -> Result<bool> {
    let offered = offered(tx, files.iter().map(|file| file.0).collect(), &[id]).await?;
    Ok(may_hold(files, &offered, owner, now))
}

async fn put_files(tx: &mut SqliteConnection, id: ScheduledId, files: &[UploadId]) -> Result<()> {
    sqlx::query("DELETE FROM scheduled_uploads WHERE scheduled_id = ?").bind(id.0).execute(&mut *tx).await?;
    for (position, file) in files.iter().enumerate() {
        sqlx::query("INSERT INTO scheduled_uploads (scheduled_id, position, upload_id) VALUES (?, ?, ?)")
            .bind(id.0)
            .bind(signed(position as u64))
            .bind(file.0)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

#[async_trait]
impl ScheduledStore for SqliteStore {
    async fn schedule(&self, new: NewScheduled) -> Result<Made> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let known: Option<ScheduledRow> = sqlx::query_as(scheduled!("WHERE s.owner_id = ? AND s.ref = ?"))
            .bind(new.owner_id.0)
            .bind(new.reference.0)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(known) = known {
            return Ok(Made::Known(known.try_into()?));
        }
        let (pending,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM scheduled WHERE owner_id = ? AND state = 'pending'")
                .bind(new.owner_id.0)
                .fetch_one(&mut *tx)
                .await?;
        if count(pending) >= PENDING_MAX.into() {
            return Ok(Made::Full);
        }
        if !may_have(&mut tx, new.id, new.owner_id, &new.attachments, new.now).await? {
            return Ok(Made::NoSuchUpload);
        }
        sqlx::query(
            "DELETE FROM scheduled WHERE id IN (SELECT id FROM scheduled WHERE owner_id = ? AND state <> 'pending'
                ORDER BY settled_at DESC LIMIT -1 OFFSET ?)",
        )
        .bind(new.owner_id.0)
        .bind(SETTLED_MAX)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO scheduled (id, owner_id, channel_id, ref, text, reply_to, send_at, state)
             VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')",
        )
        .bind(new.id.0)
        .bind(new.owner_id.0)
        .bind(new.channel_id.0)
        .bind(new.reference.0)
        .bind(&new.text)
        .bind(new.reply_to.map(|id| id.0))
        .bind(new.send_at.millis())
        .execute(&mut *tx)
        .await?;
        put_files(&mut tx, new.id, &new.attachments).await?;
        let made = one(&mut tx, new.owner_id, new.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        tx.commit().await?;
        Ok(Made::New(made.try_into()?))
    }

    async fn scheduled(&self, owner: UserId, id: ScheduledId) -> Result<Option<Scheduled>> {
        let mut conn = self.read.acquire().await?;
        one(&mut conn, owner, id).await?.map(TryInto::try_into).transpose()
    }

    async fn scheduled_of(&self, owner: UserId) -> Result<Vec<Scheduled>> {
        let rows = sqlx::query_as(scheduled!(
            "WHERE s.owner_id = ?1 AND (s.state = 'pending' OR s.id IN (SELECT id FROM scheduled
                WHERE owner_id = ?1 AND state <> 'pending' ORDER BY settled_at DESC LIMIT ?2))"
        ));
        in_order(rows.bind(owner.0).bind(SETTLED_MAX).fetch_all(&self.read).await?)
    }

    async fn scheduled_counts(&self, owner: UserId) -> Result<ScheduledCounts> {
        let (pending, failed): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM scheduled WHERE owner_id = ?1 AND state = 'pending'),
                (SELECT count(*) FROM scheduled WHERE owner_id = ?1 AND state = 'failed')",
        )
        .bind(owner.0)
        .fetch_one(&self.read)
        .await?;
        Ok(ScheduledCounts { pending: count(pending), failed: count(failed) })
    }

    async fn reschedule(&self, owner: UserId, id: ScheduledId, edit: ScheduledEdit, now: Timestamp) -> Result<Edited> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let Some(row) = one(&mut tx, owner, id).await? else { return Ok(Edited::NotFound) };
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
        sqlx::query(
            "UPDATE scheduled SET text = coalesce(?2, text), send_at = coalesce(?3, send_at), version = version + 1
             WHERE id = ?1",
        )
        .bind(id.0)
        .bind(edit.text.as_deref())
        .bind(edit.send_at.map(Timestamp::millis))
        .execute(&mut *tx)
        .await?;
        if let Some(files) = &edit.attachments {
            put_files(&mut tx, id, files).await?;
        }
        let changed = one(&mut tx, owner, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        tx.commit().await?;
        self.erasable.notify_one();
        Ok(Edited::Changed(changed.try_into()?))
    }

    async fn unschedule(
        &self,
        owner: UserId,
        id: ScheduledId,
        keep_files: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Edited> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let Some(row) = one(&mut tx, owner, id).await? else { return Ok(Edited::NotFound) };
        match row.state()? {
            ScheduledState::Pending | ScheduledState::Failed => {}
            settled => return Ok(Edited::Settled(settled)),
        }
        sqlx::query("UPDATE scheduled SET state = 'cancelled', text = '', settled_at = ?2 WHERE id = ?1")
            .bind(id.0)
            .bind(now.millis())
            .execute(&mut *tx)
            .await?;
        put_files(&mut tx, id, &[]).await?;
        if let Some(until) = keep_files {
            for file in row.files() {
                // What a message has by now is its.
                sqlx::query("UPDATE uploads SET expires_at = ? WHERE id = ? AND expires_at = 0")
                    .bind(until.millis())
                    .bind(file.id.0)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        let changed = one(&mut tx, owner, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        tx.commit().await?;
        self.erasable.notify_one();
        self.freed.notify_one();
        Ok(Edited::Changed(changed.try_into()?))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let (first,): (Option<i64>,) =
            sqlx::query_as("SELECT min(send_at) FROM scheduled WHERE state = 'pending'").fetch_one(&self.read).await?;
        Ok(first.map(time))
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
        let rows: Vec<ScheduledRow> =
            sqlx::query_as(scheduled!("WHERE s.state = 'pending' AND s.send_at <= ? ORDER BY s.send_at, s.id LIMIT ?"))
                .bind(now.millis())
                .bind(limit)
                .fetch_all(&self.read)
                .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn waiting(&self, owner: UserId, id: ScheduledId) -> Result<Option<Due>> {
        let mut conn = self.read.acquire().await?;
        let row = one(&mut conn, owner, id).await?;
        Ok(row.filter(|row| matches!(row.state(), Ok(ScheduledState::Pending))).map(Into::into))
    }

    async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Delivered>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let waiting = waiting(&mut tx, batch).await?;
        let messages: Vec<_> =
            batch.iter().filter(|one| waiting.contains(&one.id.0)).map(|one| one.message.clone()).collect();
        let holders: Vec<_> = batch.iter().map(|one| one.id).collect();
        let mut appended = Self::append_in(&mut tx, &messages, &holders).await?.into_iter();
        let mut outcome = Vec::with_capacity(batch.len());
        for one in batch {
            let next = if waiting.contains(&one.id.0) { appended.next() } else { None };
            outcome.push(match next.map(delivered) {
                None => Delivered::Passed,
                Some(Some(delivered)) => delivered,
                Some(None) => Delivered::Failed(why(&mut tx, one).await?),
            });
        }
        let settled = settlements(batch, &outcome);
        if settled.is_empty() {
            return Ok(outcome);
        }
        let rows: Vec<_> = settled
            .iter()
            .map(|one| {
                json!({
                    "id": one.id.0.simple().to_string(),
                    "state": one.state.as_str(),
                    "message": one.message_id.map(|id| id.0.simple().to_string()),
                    "failure": one.failure.map(ScheduledFailure::as_str),
                    "at": one.at.millis(),
                })
            })
            .collect();
        sqlx::query(
            "UPDATE scheduled SET state = i.state, message_id = i.message_id, failure = i.failure, settled_at = i.at,
                text = CASE WHEN i.state = 'sent' THEN '' ELSE text END
             FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'state' AS state, unhex(value ->> 'message') AS message_id,
                value ->> 'failure' AS failure, value ->> 'at' AS at FROM json_each(?)) AS i
             WHERE scheduled.id = i.id",
        )
        .bind(json!(rows).to_string())
        .execute(&mut *tx)
        .await?;
        for sent in settled.iter().filter(|one| one.state == ScheduledState::Sent) {
            put_files(&mut tx, sent.id, &[]).await?;
        }
        tx.commit().await?;
        self.erasable.notify_one();
        self.unindexed.notify_one();
        Ok(outcome)
    }

    async fn forget_settled(&self, before: Timestamp) -> Result<()> {
        sqlx::query("DELETE FROM scheduled WHERE settled_at < ?").bind(before.millis()).execute(&self.write).await?;
        self.erasable.notify_one();
        Ok(())
    }
}

/// Which of them wait as they were read.
async fn waiting(tx: &mut SqliteConnection, batch: &[Delivery]) -> Result<HashSet<Uuid>> {
    let read: Vec<_> =
        batch.iter().map(|one| json!({ "id": one.id.0.simple().to_string(), "version": one.version })).collect();
    let waiting: Vec<(Uuid,)> = sqlx::query_as(
        "SELECT s.id FROM json_each(?) AS i CROSS JOIN scheduled s ON s.id = unhex(i.value ->> 'id')
         WHERE s.state = 'pending' AND s.version = i.value ->> 'version'",
    )
    .bind(json!(read).to_string())
    .fetch_all(tx)
    .await?;
    Ok(waiting.into_iter().map(|(id,)| id).collect())
}

/// Why one may not be posted.
async fn why(tx: &mut SqliteConnection, delivery: &Delivery) -> Result<ScheduledFailure> {
    let standing: Standing = sqlx::query_as(
        "SELECT u.suspended, EXISTS (SELECT 1 FROM channels c WHERE c.id = ?1) AS \"exists\",
            EXISTS (SELECT 1 FROM memberships m WHERE m.channel_id = ?1 AND m.user_id = u.id) AS joined
         FROM users u WHERE u.id = ?2",
    )
    .bind(delivery.message.channel_id.0)
    .bind(delivery.message.sender_id.0)
    .fetch_one(tx)
    .await?;
    Ok(standing.failure())
}
