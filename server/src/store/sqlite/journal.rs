use super::SqliteStore;
use crate::store::{
    Change, Entry, JournalStore, Result,
    rows::{count, entry, signed, written},
};
use async_trait::async_trait;
use natter::Timestamp;
use sqlx::SqliteConnection;

/// Writes a change down in the transaction that makes it.
pub(super) async fn record(tx: &mut SqliteConnection, change: Change, now: Timestamp) -> Result<Entry> {
    let text = written(&change)?;
    let (pos,): (i64,) = sqlx::query_as("INSERT INTO journal (at, change) VALUES (?, ?) RETURNING pos")
        .bind(now.millis())
        .bind(text)
        .fetch_one(tx)
        .await?;
    Ok(Entry { pos: count(pos), change })
}

#[async_trait]
impl JournalStore for SqliteStore {
    async fn journal(&self, after: u64, limit: u32) -> Result<Vec<Entry>> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT pos, change FROM journal WHERE pos > ? ORDER BY pos LIMIT ?")
                .bind(signed(after))
                .bind(limit)
                .fetch_all(&self.read)
                .await?;
        rows.into_iter().map(entry).collect()
    }

    async fn journal_head(&self) -> Result<u64> {
        let (pos,): (i64,) = sqlx::query_as("SELECT coalesce(max(pos), 0) FROM journal").fetch_one(&self.read).await?;
        Ok(count(pos))
    }

    async fn trim_journal(&self, before: Timestamp) -> Result<()> {
        // What stays has no hole, whatever the clock did.
        sqlx::query(
            "DELETE FROM journal WHERE pos < coalesce((SELECT min(pos) FROM journal WHERE at >= ?),
                (SELECT max(pos) FROM journal))",
        )
        .bind(before.millis())
        .execute(&self.write)
        .await?;
        Ok(())
    }
}
