use super::{SqliteStore, append::message};
use crate::store::{
    Anchor, Appended, MessageStore, NewMessage, Result, Revised, Revision,
    rows::{self, MessageRow, count, signed},
};
use async_trait::async_trait;
use natter::{ChannelId, Message, MessageId, MessagePage, message::Changes};
use std::time::Duration;
use tokio::time::sleep;

/// What is deleted in this time is overwritten at once.
const ERASE_GATHERS: Duration = Duration::from_secs(2);
/// Between two tries, at first and at most.
const ERASE_PAUSE: Duration = Duration::from_secs(1);
const ERASE_PAUSE_MAX: Duration = Duration::from_mins(1);

macro_rules! messages {
    ($rest:literal) => {
        concat!("SELECT ", message!(), " FROM messages m JOIN users u ON u.id = m.sender_id ", $rest)
    };
}

fn messages(rows: Vec<MessageRow>) -> Vec<Message> {
    rows.into_iter().map(Into::into).collect()
}

#[async_trait]
impl MessageStore for SqliteStore {
    async fn append(&self, batch: &[NewMessage]) -> Result<Vec<Appended>> {
        self.append_batch(batch).await
    }

    async fn revise(&self, revision: Revision) -> Result<Revised> {
        self.revise_one(revision).await
    }

    async fn message(&self, id: MessageId) -> Result<Option<Message>> {
        let row: Option<MessageRow> =
            sqlx::query_as(messages!("WHERE m.id = ?")).bind(id.0).fetch_optional(&self.read).await?;
        Ok(row.map(Into::into))
    }

    async fn page(&self, id: ChannelId, anchor: Anchor, limit: u32) -> Result<MessagePage> {
        // One read transaction, so that `rev` belongs to exactly these messages.
        let mut tx = self.read.begin().await?;
        let rev: Option<(i64,)> =
            sqlx::query_as("SELECT rev FROM channels WHERE id = ?").bind(id.0).fetch_optional(&mut *tx).await?;
        let before = messages!("WHERE m.channel_id = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?");
        let after = messages!("WHERE m.channel_id = ? AND m.seq > ? ORDER BY m.seq LIMIT ?");
        // One more than asked for tells whether there is more.
        let (sql, from, ask, backwards) = match anchor {
            Anchor::Newest => (before, u64::MAX, limit + 1, true),
            Anchor::Before(seq) => (before, seq, limit + 1, true),
            Anchor::After(seq) => (after, seq, limit + 1, false),
            Anchor::Around(seq) => (before, seq, limit / 2 + 1, true),
        };
        let rows: Vec<MessageRow> =
            sqlx::query_as(sql).bind(id.0).bind(signed(from)).bind(ask).fetch_all(&mut *tx).await?;
        let mut items = messages(rows);
        let more = items.len() == ask as usize;
        let first_left_out = if more { items.pop().map(|message| message.seq) } else { None };
        if backwards {
            items.reverse();
        }
        let end = if backwards { items.first() } else { items.last() };
        let mut next = end.map(|message| message.seq).filter(|_| more);
        if let Anchor::Around(seq) = anchor {
            let rest = limit - u32::try_from(items.len()).unwrap_or(limit);
            let rows: Vec<MessageRow> =
                sqlx::query_as(after).bind(id.0).bind(signed(seq) - 1).bind(rest).fetch_all(&mut *tx).await?;
            items.extend(messages(rows));
            // Nothing before the middle was taken: history goes on right before it.
            next = next.or(first_left_out.map(|seq| seq + 1));
        }
        tx.commit().await?;
        let rev = rev.map_or(0, |(rev,)| count(rev));
        Ok(MessagePage { items, next, rev, epoch: self.epoch.clone() })
    }

    async fn changes(&self, id: ChannelId, since: u64, limit: u32) -> Result<Changes> {
        let mut tx = self.read.begin().await?;
        let rev: Option<(i64,)> =
            sqlx::query_as("SELECT rev FROM channels WHERE id = ?").bind(id.0).fetch_optional(&mut *tx).await?;
        let rows: Vec<MessageRow> =
            sqlx::query_as(messages!("WHERE m.channel_id = ? AND m.rev > ? ORDER BY m.rev LIMIT ?"))
                .bind(id.0)
                .bind(signed(since))
                .bind(limit + 1)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        let rev = rev.map_or(0, |(rev,)| count(rev));
        Ok(rows::changes(messages(rows), limit, rev, &self.epoch))
    }

    async fn forget_epoch(&self) -> Result<()> {
        sqlx::query("DELETE FROM meta WHERE key = 'epoch'").execute(&self.write).await?;
        Ok(())
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn erase(&self) -> Result<()> {
        self.erasable.notified().await;
        sleep(ERASE_GATHERS).await;
        let mut pause = ERASE_PAUSE;
        loop {
            match self.empty_log().await {
                Ok(true) => return Ok(()),
                // Somebody reads what was there before, or writes: later.
                Ok(false) => sleep(pause).await,
                Err(error) => {
                    self.erasable.notify_one();
                    return Err(error);
                }
            }
            pause = (pause * 2).min(ERASE_PAUSE_MAX);
        }
    }

    async fn check(&self) -> Result<()> {
        // Taking the write lock proves more than reading and, rolled back, costs no fsync.
        self.write.begin_with("BEGIN IMMEDIATE").await?.rollback().await?;
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }

    async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}
