use super::{SqliteStore, journal::record};
use crate::store::{
    Change, ChannelStore, Entry, NewChannel, ReadMark, Result, StoreError,
    rows::{AccessRow, ChannelRow, UserRow, count, signed, taken, visibility},
};
use async_trait::async_trait;
use natter::{Channel, ChannelId, Timestamp, User, UserId, channel::Access};

/// A channel as the person bound to `?1` stands to it; each use adds its own WHERE.
macro_rules! as_seen {
    ($rest:literal) => {
        concat!(
            "SELECT c.*, m.user_id IS NOT NULL AS joined, coalesce(m.read_seq, 0) AS read_seq,
                (SELECT count(*) FROM memberships a WHERE a.channel_id = c.id) AS members,
                CASE WHEN m.user_id IS NULL THEN 0 ELSE
                    (SELECT count(*) FROM messages x WHERE x.channel_id = c.id AND x.seq > m.read_seq
                        AND x.sender_id <> ?1 AND NOT x.deleted) END AS unread
            FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = ?1 ",
            $rest
        )
    };
}

fn all(rows: Vec<ChannelRow>) -> Result<Vec<Channel>> {
    rows.into_iter().map(TryInto::try_into).collect()
}

#[async_trait]
impl ChannelStore for SqliteStore {
    async fn create_channel(&self, new: NewChannel, creator: UserId) -> Result<Entry> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO channels (id, kind, name, topic, visibility, post_policy, created_at)
             VALUES (?, 'channel', ?, ?, ?, ?, ?)",
        )
        .bind(new.id.0)
        .bind(&new.name)
        .bind(&new.topic)
        .bind(new.visibility.as_str())
        .bind(new.post_policy.as_str())
        .bind(new.created_at.millis())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)
        .map_err(taken("name"))?;
        sqlx::query("INSERT INTO memberships (channel_id, user_id, read_seq, joined_at) VALUES (?, ?, 0, ?)")
            .bind(new.id.0)
            .bind(creator.0)
            .bind(new.created_at.millis())
            .execute(&mut *tx)
            .await?;
        let created = Change::ChannelCreated { channel_id: new.id, creator };
        let entry = record(&mut tx, created, new.created_at).await?;
        tx.commit().await?;
        Ok(entry)
    }

    async fn channels(&self, viewer: UserId, query: &str) -> Result<Vec<Channel>> {
        let rows = sqlx::query_as(as_seen!(
            "WHERE c.kind = 'channel' AND (instr(c.name, ?2) OR instr(lower(c.topic), ?2)) ORDER BY c.name"
        ))
        .bind(viewer.0)
        .bind(query.trim().to_lowercase())
        .fetch_all(&self.read)
        .await?;
        all(rows)
    }

    async fn joined_channels(&self, viewer: UserId) -> Result<Vec<Channel>> {
        all(sqlx::query_as(as_seen!("WHERE m.user_id IS NOT NULL ORDER BY c.name"))
            .bind(viewer.0)
            .fetch_all(&self.read)
            .await?)
    }

    async fn channel(&self, viewer: UserId, id: ChannelId) -> Result<Option<Channel>> {
        let row: Option<ChannelRow> =
            sqlx::query_as(as_seen!("WHERE c.id = ?2")).bind(viewer.0).bind(id.0).fetch_optional(&self.read).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn access(&self, viewer: UserId, id: ChannelId) -> Result<Option<Access>> {
        let row: Option<AccessRow> = sqlx::query_as(
            "SELECT c.visibility, c.post_policy, m.user_id IS NOT NULL AS joined
             FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = ? WHERE c.id = ?",
        )
        .bind(viewer.0)
        .bind(id.0)
        .fetch_optional(&self.read)
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn channel_by_name(&self, viewer: UserId, name: &str) -> Result<Option<Channel>> {
        let row: Option<ChannelRow> =
            sqlx::query_as(as_seen!("WHERE c.name = ?2")).bind(viewer.0).bind(name).fetch_optional(&self.read).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn delete_channel(&self, id: ChannelId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let gone: Option<(String,)> = sqlx::query_as("DELETE FROM channels WHERE id = ? RETURNING visibility")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?;
        let Some((name,)) = gone else { return Ok(None) };
        let visibility = visibility(&name)?;
        let entry = record(&mut tx, Change::ChannelRemoved { channel_id: id, visibility }, now).await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    async fn join(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        // What was said before somebody came isn't news to them.
        let done = sqlx::query(
            "INSERT INTO memberships (channel_id, user_id, read_seq, joined_at)
             SELECT id, ?, rev, ? FROM channels WHERE id = ? ON CONFLICT DO NOTHING",
        )
        .bind(user_id.0)
        .bind(now.millis())
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Joined { channel_id: id, user_id }, now).await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    async fn leave(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query("DELETE FROM memberships WHERE channel_id = ? AND user_id = ?")
            .bind(id.0)
            .bind(user_id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Left { channel_id: id, user_id }, now).await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    async fn members(&self, id: ChannelId) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = sqlx::query_as(
            "SELECT u.* FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.channel_id = ?
             ORDER BY u.username_key",
        )
        .bind(id.0)
        .fetch_all(&self.read)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn mark_read(&self, id: ChannelId, user_id: UserId, seq: u64) -> Result<Option<ReadMark>> {
        // Most calls move nothing: they cost no write.
        let known: Option<(i64, i64)> = sqlx::query_as(
            "SELECT m.read_seq, c.rev FROM memberships m JOIN channels c ON c.id = m.channel_id
             WHERE m.channel_id = ? AND m.user_id = ?",
        )
        .bind(id.0)
        .bind(user_id.0)
        .fetch_optional(&self.read)
        .await?;
        let Some((read_seq, rev)) = known else { return Ok(None) };
        let to = signed(seq).min(rev);
        let moved = to > read_seq;
        if moved {
            sqlx::query("UPDATE memberships SET read_seq = max(read_seq, ?3) WHERE channel_id = ?1 AND user_id = ?2")
                .bind(id.0)
                .bind(user_id.0)
                .bind(to)
                .execute(&self.write)
                .await?;
        }
        let now: Option<(i64, i64)> = sqlx::query_as(
            "SELECT m.read_seq, (SELECT count(*) FROM messages x WHERE x.channel_id = ?1 AND x.seq > m.read_seq
                AND x.sender_id <> ?2 AND NOT x.deleted)
             FROM memberships m WHERE m.channel_id = ?1 AND m.user_id = ?2",
        )
        .bind(id.0)
        .bind(user_id.0)
        .fetch_optional(&self.read)
        .await?;
        let mark = |(seq, unread)| ReadMark { seq: count(seq), moved, unread: count(unread), mentions: 0 };
        Ok(now.map(mark))
    }
}
