use super::{ANSWER, PostgresStore, all, optional, row, run, within};
use crate::store::{
    Anchor, Appended, MessageStore, NewMessage, Result, Revised, Revision, StoreError,
    rows::{self, MessageRow, count, signed},
};
use async_trait::async_trait;
use natter::{ChannelId, Message, MessageId, MessagePage, message::Changes};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use tokio::time::timeout;
use uuid::Uuid;

/// Whom somebody talks to in the direct `c`; nobody in other channels.
macro_rules! other {
    ($me:literal) => {
        concat!("CASE WHEN c.direct_low = ", $me, " THEN c.direct_high ELSE c.direct_low END")
    };
}
pub(super) use other;

/// The columns of a message `m`. What belongs to it by a look-up each: with a join whose size isn't
/// known beforehand, the planner may read all users.
macro_rules! message {
    () => {
        concat!(
            "m.id, m.channel_id, m.seq, m.rev, m.sender_id, m.ref, m.text, m.created_at, m.edited_at, m.deleted,
             m.reply_to, m.mentions_channel,
             (SELECT u.username FROM users u WHERE u.id = m.sender_id) AS sender_name, (SELECT ",
            other!("m.sender_id"),
            " FROM channels c WHERE c.id = m.channel_id) AS receiver_id,
             (SELECT json_agg(json_build_array(r.emoji, r.user_id) ORDER BY r.rev)::text
                FROM reactions r WHERE r.message_id = m.id) AS reactions,
             (SELECT json_agg(json_build_array(f.id, f.filename, f.media_type, f.size, f.width, f.height, f.duration,
                    f.thumbnail IS NOT NULL) ORDER BY a.position)::text
                FROM attachments a JOIN uploads f ON f.id = a.upload_id WHERE a.message_id = m.id) AS attachments"
        )
    };
}
pub(super) use message;

/// What stands with a channel: its `rev`, and one message or, in a single row, none. One statement, so
/// one snapshot: the `rev` belongs to exactly these messages.
struct Line {
    rev: i64,
    message: Option<MessageRow>,
}

impl<'r> FromRow<'r, PgRow> for Line {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let some = row.try_get::<Option<Uuid>, _>("id")?.is_some();
        let message = some.then(|| MessageRow::from_row(row)).transpose()?;
        Ok(Self { rev: row.try_get("channel_rev")?, message })
    }
}

/// The channel's `rev` (0 if there is none) and the messages.
fn read(lines: Vec<Line>) -> (u64, Vec<Message>) {
    let rev = lines.first().map_or(0, |line| count(line.rev));
    (rev, lines.into_iter().filter_map(|line| line.message).map(Into::into).collect())
}

#[async_trait]
impl MessageStore for PostgresStore {
    async fn append(&self, batch: &[NewMessage]) -> Result<Vec<Appended>> {
        self.append_batch(batch).await
    }

    async fn revise(&self, revision: Revision) -> Result<Revised> {
        self.revise_one(revision).await
    }

    async fn message(&self, id: MessageId) -> Result<Option<Message>> {
        let message = sqlx::query_as(concat!(
            "SELECT ",
            message!(),
            " FROM messages m WHERE m.id = $1 AND EXISTS (SELECT FROM channels c WHERE c.id = m.channel_id)"
        ));
        Ok(optional::<MessageRow>(&self.pool, message.bind(id.0)).await?.map(Into::into))
    }

    async fn page(&self, id: ChannelId, anchor: Anchor, limit: u32) -> Result<MessagePage> {
        let limit = limit as usize;
        // Where to start, and how many to read before it and from it on. One more than asked for tells
        // whether there is more; what comes after the middle is cut once it is known what is before.
        let (middle, before, after) = match anchor {
            Anchor::Newest => (u64::MAX, limit + 1, 0),
            Anchor::Before(seq) => (seq, limit + 1, 0),
            Anchor::After(seq) => (seq.saturating_add(1), 0, limit + 1),
            Anchor::Around(seq) => (seq, limit / 2 + 1, limit),
        };
        let page = sqlx::query_as(concat!(
            "SELECT c.rev AS channel_rev, ",
            message!(),
            " FROM channels c LEFT JOIN LATERAL (
                (SELECT * FROM messages WHERE channel_id = c.id AND seq < $2 ORDER BY seq DESC LIMIT $3)
                UNION ALL
                (SELECT * FROM messages WHERE channel_id = c.id AND seq >= $2 ORDER BY seq LIMIT $4)
             ) m ON true WHERE c.id = $1"
        ))
        .bind(id.0)
        .bind(signed(middle))
        .bind(signed(before as u64))
        .bind(signed(after as u64));
        let (rev, mut items) = read(all(&self.pool, page).await?);
        items.sort_unstable_by_key(|message| message.seq);
        let older = items.partition_point(|message| message.seq < middle);
        let mut next = None;
        if older > 0 && older == before {
            let left_out = items.remove(0).seq;
            // With nothing else before the middle, history goes on right before that.
            next = Some(if older > 1 { items[0].seq } else { left_out + 1 });
        }
        if items.len() > limit {
            items.truncate(limit);
            next = next.or(items.last().filter(|_| before == 0).map(|message| message.seq));
        }
        Ok(MessagePage { items, next, rev, epoch: self.epoch.clone() })
    }

    async fn changes(&self, id: ChannelId, since: u64, limit: u32) -> Result<Changes> {
        let changes = sqlx::query_as(concat!(
            "SELECT c.rev AS channel_rev, ",
            message!(),
            " FROM channels c LEFT JOIN LATERAL (
                SELECT * FROM messages WHERE channel_id = c.id AND rev > $2 ORDER BY rev LIMIT $3
             ) m ON true WHERE c.id = $1"
        ))
        .bind(id.0)
        .bind(signed(since))
        .bind(i64::from(limit) + 1);
        let (rev, mut items) = read(all(&self.pool, changes).await?);
        items.sort_unstable_by_key(|message| message.rev);
        Ok(rows::changes(items, limit, rev, &self.epoch))
    }

    async fn forget_epoch(&self) -> Result<()> {
        run(&self.pool, sqlx::query("DELETE FROM meta WHERE key = 'epoch'")).await?;
        Ok(())
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    /// `PostgreSQL` reuses the room of what was deleted by itself (autovacuum), and its log as it goes round.
    async fn erase(&self) -> Result<()> {
        std::future::pending().await
    }

    async fn check(&self) -> Result<()> {
        // A standby, or a server told to take no writes, answers readings all the same.
        let refuses = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
        match row(&self.pool, sqlx::query_as(refuses)).await? {
            (true,) => Err(StoreError::Unsupported("the database takes no writes".into())),
            (false,) => Ok(()),
        }
    }

    async fn close(&self) {
        // The pool first: from then on nobody begins anything on the others.
        let _ = timeout(ANSWER, self.pool.close()).await;
        for own in [&self.writer, &self.follower] {
            if let Some(conn) = own.lock().await.take() {
                let _ = within(ANSWER, sqlx::Connection::close(conn)).await;
            }
        }
    }
}
