use super::{PostgresStore, all, begin, commit, optional, row, run};
use crate::store::{
    FoundUpload, Kept, NewUpload, Result, UploadStore, Withdrawn,
    rows::{count, signed},
    uploads::{FoundRow, upload},
};
use async_trait::async_trait;
use natter::{Timestamp, UploadId, UserId};
use uuid::Uuid;

const USED: &str = "SELECT coalesce(sum(size + coalesce(thumbnail, 0)), 0)::bigint FROM uploads WHERE owner_id = $1";

#[async_trait]
impl UploadStore for PostgresStore {
    async fn keep_upload(&self, new: NewUpload, quota: u64) -> Result<Kept> {
        let mut tx = begin(&self.pool).await?;
        // Held, so that two at once don't fit where only one does.
        let owner = sqlx::query_as("SELECT suspended FROM users WHERE id = $1 FOR NO KEY UPDATE").bind(new.owner_id.0);
        if optional(&mut *tx, owner).await? != Some((false,)) {
            return Ok(Kept::NotAllowed);
        }
        let (used,): (i64,) = row(&mut *tx, sqlx::query_as(USED).bind(new.owner_id.0)).await?;
        if count(used).saturating_add(new.bytes()) > quota {
            return Ok(Kept::Full);
        }
        let insert = sqlx::query(
            "INSERT INTO uploads (id, owner_id, filename, media_type, size, width, height, duration, thumbnail,
                created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(new.id.0)
        .bind(new.owner_id.0)
        .bind(new.filename.clone())
        .bind(new.media_type.clone())
        .bind(signed(new.size))
        .bind(new.width.map(i64::from))
        .bind(new.height.map(i64::from))
        .bind(new.duration.map(signed))
        .bind(new.thumbnail.map(signed))
        .bind(new.created_at.millis())
        .bind(new.expires_at.millis());
        run(&mut *tx, insert).await?;
        commit(tx).await?;
        Ok(Kept::Kept(new.upload()))
    }

    async fn upload(&self, viewer: UserId, id: UploadId, now: Timestamp) -> Result<Option<FoundUpload>> {
        let found = sqlx::query_as(concat!(
            "SELECT ",
            upload!(),
            ", a.upload_id IS NOT NULL AS carried, c.kind, c.visibility, c.post_policy, s.user_id IS NOT NULL AS joined
             FROM uploads u LEFT JOIN attachments a ON a.upload_id = u.id
             LEFT JOIN messages m ON m.id = a.message_id LEFT JOIN channels c ON c.id = m.channel_id
             LEFT JOIN memberships s ON s.channel_id = c.id AND s.user_id = $1
             WHERE u.id = $2 AND (u.expires_at IS NULL OR u.expires_at > $3)"
        ));
        let found: Option<FoundRow> = optional(&self.pool, found.bind(viewer.0).bind(id.0).bind(now.millis())).await?;
        found.map_or(Ok(None), FoundRow::found)
    }

    async fn withdraw_upload(&self, owner: UserId, id: UploadId, now: Timestamp) -> Result<Withdrawn> {
        let mut tx = begin(&self.pool).await?;
        // Held, as it is by what puts it into a message; whether one has it is read after that.
        let lock = sqlx::query_as(
            "SELECT true FROM uploads WHERE id = $1 AND owner_id = $2 AND (expires_at IS NULL OR expires_at > $3)
             FOR UPDATE",
        );
        let found: Option<(bool,)> = optional(&mut *tx, lock.bind(id.0).bind(owner.0).bind(now.millis())).await?;
        if found.is_none() {
            return Ok(Withdrawn::NotFound);
        }
        let held = sqlx::query_as(
            "SELECT EXISTS (SELECT FROM attachments WHERE upload_id = $1)
                OR EXISTS (SELECT FROM scheduled_uploads WHERE upload_id = $1)",
        );
        let (held,): (bool,) = row(&mut *tx, held.bind(id.0)).await?;
        if held {
            return Ok(Withdrawn::Held);
        }
        run(&mut *tx, sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id.0)).await?;
        commit(tx).await?;
        Ok(Withdrawn::Gone)
    }

    async fn uploaded_bytes(&self, owner: UserId) -> Result<u64> {
        let (bytes,): (i64,) = row(&self.pool, sqlx::query_as(USED).bind(owner.0)).await?;
        Ok(count(bytes))
    }

    async fn discard_uploads(&self, now: Timestamp, limit: u32) -> Result<Vec<UploadId>> {
        // What another node is at, or a message is about to carry, is passed over.
        let gone = sqlx::query_as(
            "DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE expires_at <= $1 ORDER BY id LIMIT $2
                FOR UPDATE SKIP LOCKED) RETURNING id",
        );
        let gone: Vec<(Uuid,)> = all(&self.pool, gone.bind(now.millis()).bind(i64::from(limit))).await?;
        Ok(gone.into_iter().map(|(id,)| UploadId(id)).collect())
    }

    async fn known_uploads(&self, ids: &[UploadId]) -> Result<Vec<UploadId>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let known = sqlx::query_as("SELECT id FROM uploads WHERE id = ANY ($1)").bind(ids);
        let known: Vec<(Uuid,)> = all(&self.pool, known).await?;
        Ok(known.into_iter().map(|(id,)| UploadId(id)).collect())
    }

    async fn freed(&self) {
        self.freed.notified().await;
    }
}
