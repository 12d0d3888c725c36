use super::SqliteStore;
use crate::store::{
    Change, Entry, Result, StoreError,
    rows::{count, signed},
};
use natter::Timestamp;
use sqlx::SqliteConnection;

/// Writes a change down in the transaction that makes it.
pub(super) async fn record(tx: &mut SqliteConnection, change: Change, now: Timestamp) -> Result<Entry> {
    let text = serde_json::to_string(&change).map_err(|_| StoreError::Corrupt("journal.change"))?;
    let (pos,): (i64,) = sqlx::query_as("INSERT INTO journal (at, change) VALUES (?, ?) RETURNING pos")
        .bind(now.millis())
        .bind(text)
        .fetch_one(tx)
        .await?;
    Ok(Entry { pos: count(pos), change })
}

pub(super) async fn entries(store: &SqliteStore, after: u64, limit: u32) -> Result<Vec<Entry>> {
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT pos, change FROM journal WHERE pos > ? ORDER BY pos LIMIT ?")
        .bind(signed(after))
        .bind(limit)
        .fetch_all(&store.read)
        .await?;
    let entry = |(pos, change): (i64, String)| {
        let change = serde_json::from_str(&change).map_err(|_| StoreError::Corrupt("journal.change"))?;
        Ok(Entry { pos: count(pos), change })
    };
    rows.into_iter().map(entry).collect()
}

pub(super) async fn head(store: &SqliteStore) -> Result<u64> {
    let (pos,): (i64,) = sqlx::query_as("SELECT coalesce(max(pos), 0) FROM journal").fetch_one(&store.read).await?;
    Ok(count(pos))
}

pub(super) async fn trim(store: &SqliteStore, before: Timestamp) -> Result<()> {
    // What stays has no hole, whatever the clock did.
    sqlx::query(
        "DELETE FROM journal WHERE pos < coalesce((SELECT min(pos) FROM journal WHERE at >= ?),
            (SELECT max(pos) FROM journal))",
    )
    .bind(before.millis())
    .execute(&store.write)
    .await?;
    Ok(())
}
