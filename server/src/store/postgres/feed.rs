use super::{
    ANSWER, PostgresStore, all, begin,
    channels::{as_seen, mentions, unread},
    commit,
    journal::record,
    messages::{message, other},
    run, within,
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
use uuid::Uuid;

/// What is unread of a channel `p` of the page by whom is bound to `$3`.
macro_rules! unread_of_page {
    ($rest:literal) => {
        concat!(
            "FROM messages x WHERE x.channel_id = p.id AND x.seq > p.read_seq AND x.sender_id <> $3 AND NOT x.deleted
                ORDER BY x.seq ",
            $rest
        )
    };
}

#[async_trait]
impl FeedStore for PostgresStore {
    async fn feed(&self, viewer: UserId, after: Option<Place>, limit: u32) -> Result<Vec<(Place, FeedItem)>> {
        // One snapshot for both: the messages are those that were counted.
        let snapshot = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        let mut tx = within(ANSWER, snapshot).await?;
        let waiting = sqlx::query_as(concat!(
            "SELECT s.*, (SELECT x.id FROM messages x WHERE x.channel_id = s.id ORDER BY x.seq DESC LIMIT 1) AS newest
             FROM (",
            as_seen!(
                "WHERE m.user_id IS NOT NULL AND EXISTS (SELECT FROM messages x WHERE x.channel_id = m.channel_id
                    AND x.seq > m.read_seq AND x.sender_id <> m.user_id AND NOT x.deleted)"
            ),
            ") s"
        ));
        let rows: Vec<UnreadRow> = all(&mut *tx, waiting.bind(viewer.0)).await?;
        let page = page(rows, after, limit)?;
        let (ids, marks): (Vec<Uuid>, Vec<i64>) =
            page.iter().map(|(_, channel)| (channel.id.0, signed(channel.read_seq))).unzip();
        let messages = sqlx::query_as(concat!(
            "SELECT ",
            message!(),
            " FROM unnest($1::uuid[], $2::bigint[]) AS p (id, read_seq) CROSS JOIN LATERAL (
                (SELECT * ",
            unread_of_page!("LIMIT $4"),
            ") UNION ALL (SELECT * ",
            unread_of_page!("DESC LIMIT $5"),
            ") UNION ALL (SELECT * FROM messages b WHERE b.channel_id = p.id AND NOT b.deleted AND b.seq < (SELECT x.seq ",
            unread_of_page!("LIMIT 1"),
            ") ORDER BY b.seq DESC LIMIT 1)
             ) m"
        ))
        .bind(ids)
        .bind(marks)
        .bind(viewer.0)
        .bind(signed(FEED_FIRST as u64))
        .bind(signed(FEED_LATEST as u64));
        let messages: Vec<MessageRow> = all(&mut *tx, messages).await?;
        commit(tx).await?;
        Ok(items(page, viewer, messages))
    }

    async fn set_muted(&self, id: ChannelId, user_id: UserId, muted: bool, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        let update =
            sqlx::query("UPDATE memberships SET muted = $3 WHERE channel_id = $1 AND user_id = $2 AND muted <> $3");
        if run(&mut *tx, update.bind(id.0).bind(user_id.0).bind(muted)).await? == 0 {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Muted { channel_id: id, user_id }, now).await?;
        commit(tx).await?;
        Ok(Some(entry))
    }
}
