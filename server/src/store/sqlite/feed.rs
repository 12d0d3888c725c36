use super::{
    SqliteStore,
    append::message,
    channels::{as_seen, mentions, unread},
    journal::record,
};
use crate::store::{
    Change, Entry, FeedStore, Result,
    feed::{UnreadRow, items, page},
    rows::{MessageRow, signed},
};
use async_trait::async_trait;
use natter::{
    ChannelId, FeedItem, Timestamp, UserId,
    feed::{FEED_FIRST, FEED_LATEST, Place},
};
use serde_json::{Value, json};

/// What is unread of a channel `p` of the page by whom is bound to `?2`.
macro_rules! unread_of_page {
    ($rest:literal) => {
        concat!(
            "SELECT x.seq FROM messages x WHERE x.channel_id = unhex(p.value ->> 'id') AND x.seq > p.value ->> 'read'
                AND x.sender_id <> ?2 AND NOT x.deleted ORDER BY x.seq ",
            $rest
        )
    };
}

#[async_trait]
impl FeedStore for SqliteStore {
    async fn feed(&self, viewer: UserId, after: Option<Place>, limit: u32) -> Result<Vec<(Place, FeedItem)>> {
        let mut tx = self.read.begin().await?;
        let rows: Vec<UnreadRow> = sqlx::query_as(concat!(
            "SELECT s.*, (SELECT x.id FROM messages x WHERE x.channel_id = s.id ORDER BY x.seq DESC LIMIT 1) AS newest
             FROM (",
            as_seen!(
                "WHERE m.user_id IS NOT NULL AND EXISTS (SELECT 1 FROM messages x WHERE x.channel_id = c.id
                    AND x.seq > m.read_seq AND x.sender_id <> m.user_id AND NOT x.deleted)"
            ),
            ") s"
        ))
        .bind(viewer.0)
        .fetch_all(&mut *tx)
        .await?;
        let page = page(rows, after, limit)?;
        let channels = page.iter().map(|(_, channel)| {
            let id = channel.id.0.simple().to_string();
            json!({ "id": id, "read": signed(channel.read_seq) })
        });
        let messages: Vec<MessageRow> = sqlx::query_as(concat!(
            "SELECT ",
            message!(),
            " FROM json_each(?1) p CROSS JOIN messages m ON m.channel_id = unhex(p.value ->> 'id') AND m.seq IN (
                SELECT seq FROM (",
            unread_of_page!("LIMIT ?3"),
            ") UNION ALL SELECT seq FROM (",
            unread_of_page!("DESC LIMIT ?4"),
            ") UNION ALL SELECT seq FROM (SELECT b.seq FROM messages b WHERE b.channel_id = unhex(p.value ->> 'id')
                AND NOT b.deleted AND b.seq < (",
            unread_of_page!("LIMIT 1"),
            ") ORDER BY b.seq DESC LIMIT 1)
             ) JOIN users u ON u.id = m.sender_id"
        ))
        .bind(Value::Array(channels.collect()).to_string())
        .bind(viewer.0)
        .bind(signed(FEED_FIRST as u64))
        .bind(signed(FEED_LATEST as u64))
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(items(page, viewer, messages))
    }

    async fn set_muted(&self, id: ChannelId, user_id: UserId, muted: bool, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let done =
            sqlx::query("UPDATE memberships SET muted = ?3 WHERE channel_id = ?1 AND user_id = ?2 AND muted <> ?3")
                .bind(id.0)
                .bind(user_id.0)
                .bind(muted)
                .execute(&mut *tx)
                .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Muted { channel_id: id, user_id }, now).await?;
        tx.commit().await?;
        Ok(Some(entry))
    }
}
