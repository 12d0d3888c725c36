//! The embedded engine: one file, one writer, several readers.

mod accounts;
mod admin;
mod append;
mod audit;
mod backup;
mod channels;
mod feed;
mod journal;
mod manage;
mod messages;
mod revise;
mod scheduled;
mod search;
mod uploads;

use super::{Result, StoreError};
use sqlx::{
    Connection as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Below this version a WAL reset can corrupt the database (<https://sqlite.org/wal.html#walresetbug>).
const OLDEST_SAFE: (u32, u32, u32) = (3, 51, 3);

/// Waiting in line is no news: a crowd that reconnects fills the log with it.
const QUEUEING: Duration = Duration::from_mins(1);

pub struct SqliteStore {
    /// One connection: `SQLite` has one writer, and waiting here beats being refused there.
    write: SqlitePool,
    read: SqlitePool,
    /// Told when there is something for the search index.
    unindexed: Notify,
    epoch: String,
    /// Files have become nobody's.
    freed: Notify,
    /// Words are gone from the database, and may be in its log still.
    erasable: Arc<Notify>,
    options: SqliteConnectOptions,
}

impl SqliteStore {
    /// Opens the database file, making and migrating it as needed.
    pub async fn open(file: &Path) -> Result<Self> {
        make_private_file(file).map_err(|error| StoreError::Database(error.into()))?;
        let options = options(file).journal_mode(SqliteJournalMode::Wal);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_slow_threshold(QUEUEING)
            // There is no network in between that could have gone away.
            .test_before_acquire(false)
            // When the disk is full SQLite ends the transaction itself. The driver doesn't notice, and
            // would refuse every later one: such a connection is replaced.
            .after_release(|conn, _| {
                Box::pin(async move {
                    if conn.is_in_transaction() {
                        // It may be about to be rolled back.
                        conn.ping().await?;
                    }
                    Ok(!conn.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
        refuse_unsafe_version(&write).await?;
        sqlx::migrate!("../migrations/sqlite").run(&write).await?;
        search::renew(&write).await?;
        sqlx::query("INSERT INTO meta (key, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING")
            .bind(uuid::Uuid::now_v7().to_string())
            .execute(&write)
            .await?;
        let (epoch,) = sqlx::query_as("SELECT value FROM meta WHERE key = 'epoch'").fetch_one(&write).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_slow_threshold(QUEUEING)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone().read_only(true));
        let (unindexed, freed, erasable) = (Notify::new(), Notify::new(), Arc::new(Notify::new()));
        // It may have ended before it came to that.
        erasable.notify_one();
        Ok(Self { write, read, unindexed, epoch, freed, erasable, options })
    }

    /// Moves what is in the write-ahead log to where it belongs, overwriting what was there, and empties the
    /// log; false where others stand in the way. Nobody waits for it for long: it has a connection of its own.
    async fn empty_log(&self) -> Result<bool> {
        let options = self.options.clone().busy_timeout(Duration::from_millis(100));
        let mut conn = SqliteConnection::connect_with(&options).await?;
        let (busy,): (i64,) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut conn).await?;
        conn.close().await?;
        Ok(busy == 0)
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        // With NORMAL a power cut takes back commits that were already acknowledged.
        .synchronous(SqliteSynchronous::Full)
        // What somebody deleted is overwritten, not just out of sight.
        .pragma("secure_delete", "ON")
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
}

/// Its owner's alone; `SQLite` gives the files beside it the same mode.
fn make_private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

async fn refuse_unsafe_version(pool: &SqlitePool) -> Result<()> {
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(pool).await?;
    refuse_unsafe(&version)
}

fn refuse_unsafe(version: &str) -> Result<()> {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SAFE {
        return Err(StoreError::Unsupported(format!(
            "SQLite {version} can corrupt its write-ahead log; Natter needs 3.51.3 or later"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_corrupt_its_log_is_refused() {
        for version in ["3.51.3", "3.51.10", "3.52.0", "4.0.0"] {
            assert!(refuse_unsafe(version).is_ok(), "{version}");
        }
        for version in ["3.51.2", "3.51", "3.46.1", "2.99.99", "", "unknown"] {
            let refusal = refuse_unsafe(version).expect_err("it isn't safe").to_string();
            assert!(refusal.contains("3.51.3 or later"), "{refusal}");
        }
    }
}
