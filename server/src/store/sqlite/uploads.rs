use super::SqliteStore;
use crate::store::{
    FoundUpload, Kept, NewUpload, Result, UploadStore, Withdrawn,
    rows::{count, signed},
    uploads::{FoundRow, upload},
};
use async_trait::async_trait;
use natter::{Timestamp, UploadId, UserId};
use serde_json::json;
use uuid::Uuid;

#[async_trait]
impl UploadStore for SqliteStore {
    async fn keep_upload(&self, new: NewUpload, quota: u64) -> Result<Kept> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let owner: Option<(bool, i64)> = sqlx::query_as(
            "SELECT suspended, (SELECT coalesce(sum(size + coalesce(thumbnail, 0)), 0) FROM uploads WHERE owner_id = ?1)
             FROM users WHERE id = ?1",
        )
        .bind(new.owner_id.0)
        .fetch_optional(&mut *tx)
        .await?;
        match owner {
            Some((false, used)) if count(used).saturating_add(new.bytes()) <= quota => {}
            Some((false, _)) => return Ok(Kept::Full),
            Some((true, _)) | None => return Ok(Kept::NotAllowed),
        }
        sqlx::query(
            "INSERT INTO uploads (id, owner_id, filename, media_type, size, width, height, duration, thumbnail,
                created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.id.0)
        .bind(new.owner_id.0)
        .bind(&new.filename)
        .bind(&new.media_type)
        .bind(signed(new.size))
        .bind(new.width)
        .bind(new.height)
        .bind(new.duration.map(signed))
        .bind(new.thumbnail.map(signed))
        .bind(new.created_at.millis())
        .bind(new.expires_at.millis())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Kept::Kept(new.upload()))
    }

    async fn upload(&self, viewer: UserId, id: UploadId, now: Timestamp) -> Result<Option<FoundUpload>> {
        let row: Option<FoundRow> = sqlx::query_as(concat!(
            "SELECT ",
            upload!(),
            ", a.upload_id IS NOT NULL AS carried, c.kind, c.visibility, c.post_policy, s.user_id IS NOT NULL AS joined
             FROM uploads u LEFT JOIN attachments a ON a.upload_id = u.id
             LEFT JOIN messages m ON m.id = a.message_id LEFT JOIN channels c ON c.id = m.channel_id
             LEFT JOIN memberships s ON s.channel_id = c.id AND s.user_id = ?
             WHERE u.id = ? AND (u.expires_at IS NULL OR u.expires_at > ?)"
        ))
        .bind(viewer.0)
        .bind(id.0)
        .bind(now.millis())
        .fetch_optional(&self.read)
        .await?;
        row.map_or(Ok(None), FoundRow::found)
    }

    async fn withdraw_upload(&self, owner: UserId, id: UploadId, now: Timestamp) -> Result<Withdrawn> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let held: Option<(bool,)> = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM attachments WHERE upload_id = u.id)
                OR EXISTS (SELECT 1 FROM scheduled_uploads WHERE upload_id = u.id)
             FROM uploads u WHERE u.id = ? AND u.owner_id = ? AND (u.expires_at IS NULL OR u.expires_at > ?)",
        )
        .bind(id.0)
        .bind(owner.0)
        .bind(now.millis())
        .fetch_optional(&mut *tx)
        .await?;
        match held {
            None => return Ok(Withdrawn::NotFound),
            Some((true,)) => return Ok(Withdrawn::Held),
            Some((false,)) => {}
        }
        sqlx::query("DELETE FROM uploads WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Withdrawn::Gone)
    }

    async fn uploaded_bytes(&self, owner: UserId) -> Result<u64> {
        let (bytes,): (i64,) =
            sqlx::query_as("SELECT coalesce(sum(size + coalesce(thumbnail, 0)), 0) FROM uploads WHERE owner_id = ?")
                .bind(owner.0)
                .fetch_one(&self.read)
                .await?;
        Ok(count(bytes))
    }

    async fn discard_uploads(&self, now: Timestamp, limit: u32) -> Result<Vec<UploadId>> {
        let gone: Vec<(Uuid,)> = sqlx::query_as(
            "DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE expires_at <= ? LIMIT ?) RETURNING id",
        )
        .bind(now.millis())
        .bind(limit)
        .fetch_all(&self.write)
        .await?;
        Ok(gone.into_iter().map(|(id,)| UploadId(id)).collect())
    }

    async fn known_uploads(&self, ids: &[UploadId]) -> Result<Vec<UploadId>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0.simple().to_string()).collect();
        let known: Vec<(Uuid,)> =
            sqlx::query_as("SELECT u.id FROM json_each(?) AS i CROSS JOIN uploads u ON u.id = unhex(i.value)")
                .bind(json!(ids).to_string())
                .fetch_all(&self.read)
                .await?;
        Ok(known.into_iter().map(|(id,)| UploadId(id)).collect())
    }

    async fn freed(&self) {
        self.freed.notified().await;
    }
}
