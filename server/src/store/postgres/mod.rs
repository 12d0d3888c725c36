//! The engine that several nodes share. Isolation is READ COMMITTED; what has to be decided on the
//! newest state is read by a statement that begins after the locks are held.
//!
//! Locks are taken in one order everywhere: channels by id, then rows of other tables, then the
//! journal's head, which everybody shares and which is therefore held for the commit alone. `audit.rs`
//! says how roles are held.

mod accounts;
mod admin;
mod append;
mod audit;
mod channels;
mod feed;
mod journal;
mod manage;
mod messages;
mod revise;
mod scheduled;
mod search;
mod secret;
mod uploads;

use super::{Result, StoreError};
use sqlx::{
    Connection as _, Executor, FromRow, PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgArguments, PgConnectOptions, PgDatabaseError, PgPoolOptions, PgRow, PgSeverity},
    query::{Query, QueryAs},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, Notify},
    time::timeout,
};

/// Connections a node holds besides the message writer's and the journal's.
const CONNECTIONS: u32 = 10;
/// For getting a connection, new or from the pool.
const CONNECT: Duration = Duration::from_secs(3);
/// Waiting in line is no news: a crowd that reconnects fills the log with it.
const QUEUEING: Duration = Duration::from_mins(1);
/// For the answer to one statement: longer than the server itself gives a statement, so this is only
/// reached when nothing comes back at all.
const ANSWER: Duration = Duration::from_secs(12);
/// `xid8`, `pg_current_xact_id()` and what the migrations use are there, and it is still maintained.
const OLDEST: i32 = 150_000;

pub struct PostgresStore {
    pool: PgPool,
    /// The message writer's own connection, so that readers can't starve it. None before its first
    /// use and after anything went wrong on it.
    writer: Mutex<Option<PgConnection>>,
    /// The same for the journal: who may no longer see what doesn't wait behind a crowd that connects.
    follower: Mutex<Option<PgConnection>>,
    options: PgConnectOptions,
    /// How much of what was said before there was a search index has been put into it.
    backlog: Mutex<search::Backlog>,
    /// Told when there is something for the search index.
    unindexed: Notify,
    epoch: String,
    /// Files have become nobody's.
    freed: Arc<Notify>,
}

impl PostgresStore {
    /// Connects to the database of that URL and migrates it as needed. Several nodes may do so at once:
    /// one migrates, the others wait for it. Fails within seconds if nothing answers.
    pub async fn open(url: &str) -> Result<Self> {
        let plain = url.parse::<PgConnectOptions>()?.application_name("natter");
        // A migration may take its time, so none of the limits below apply to it.
        let mut conn = connect(&plain).await?;
        refuse_unfit(&mut conn).await?;
        sqlx::migrate!("../migrations/postgres").run(&mut conn).await?;
        let epoch = begin_life(&mut conn).await?;
        let _ = conn.close().await;

        let options = plain.options([
            // A default of the server, the database or the role must not weaken what an answer promises,
            ("synchronous_commit", "on"),
            // nor take one snapshot for statements that rely on a fresh one.
            ("default_transaction_isolation", "read committed"),
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "3s"),
            // Every query is a few look-ups by index. A plan that reads whole tables, made while they are
            // small, would be kept as they grow; and compiling one costs more than any of them takes.
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .acquire_slow_threshold(QUEUEING)
            .test_before_acquire(true)
            // The pool's own test on return waits for ever, and with it the connection's place.
            .after_release(|conn, _| Box::pin(async move { within(CONNECT, conn.ping()).await.map(|()| true) }))
            .connect_lazy_with(options.clone());
        let backlog = Mutex::new(search::Backlog::Unknown);
        let (writer, follower) = (Mutex::new(None), Mutex::new(None));
        let (unindexed, freed) = (Notify::new(), Arc::default());
        Ok(Self { pool, writer, follower, options, backlog, unindexed, epoch, freed })
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    Ok(within(CONNECT, PgConnection::connect_with(options)).await?)
}

fn refuse_old(version: &str, number: i32) -> Result<()> {
    if number < OLDEST {
        return Err(StoreError::Unsupported(format!("PostgreSQL {version} is too old; Natter needs 15 or later")));
    }
    Ok(())
}

async fn refuse_unfit(conn: &mut PgConnection) -> Result<()> {
    let facts = "SELECT current_setting('server_version'), current_setting('server_version_num')::int,
        current_setting('server_encoding'), current_setting('fsync')::boolean";
    let (version, number, encoding, fsync): (String, i32, String, bool) = row(conn, sqlx::query_as(facts)).await?;
    refuse_old(&version, number)?;
    if encoding != "UTF8" {
        return Err(StoreError::Unsupported(format!("The database's encoding is {encoding}; Natter needs UTF8")));
    }
    if !fsync {
        tracing::warn!("PostgreSQL runs with fsync=off: a power cut takes back messages that were acknowledged");
    }
    Ok(())
}

/// Makes sure the database has an epoch, and answers it.
async fn begin_life(conn: &mut PgConnection) -> Result<String> {
    let epoch = sqlx::query("INSERT INTO meta (key, value) VALUES ('epoch', $1) ON CONFLICT DO NOTHING")
        .bind(uuid::Uuid::now_v7().to_string());
    run(&mut *conn, epoch).await?;
    // No visible row can be of a transaction yet to come, unless it was restored from another server.
    let foreign = "UPDATE channels SET changed_xid = pg_current_xact_id()
        WHERE changed_xid >= pg_snapshot_xmax(pg_current_snapshot())";
    run(&mut *conn, sqlx::query(foreign)).await?;
    let (epoch,) = row(conn, sqlx::query_as("SELECT value FROM meta WHERE key = 'epoch'")).await?;
    Ok(epoch)
}

/// Bounds a wait: a network that swallows everything says nothing for a quarter of an hour.
async fn within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let late = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    timeout(limit, work).await.unwrap_or_else(late)
}

type Rows<'q, T> = QueryAs<'q, Postgres, T, PgArguments>;

/// What a query's rows become.
trait Row: for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

async fn all<'e, T: Row>(on: impl Executor<'e, Database = Postgres>, query: Rows<'_, T>) -> Result<Vec<T>> {
    Ok(within(ANSWER, query.fetch_all(on)).await?)
}

async fn optional<'e, T: Row>(on: impl Executor<'e, Database = Postgres>, query: Rows<'_, T>) -> Result<Option<T>> {
    Ok(within(ANSWER, query.fetch_optional(on)).await?)
}

async fn row<'e, T: Row>(on: impl Executor<'e, Database = Postgres>, query: Rows<'_, T>) -> Result<T> {
    Ok(within(ANSWER, query.fetch_one(on)).await?)
}

/// Answers how many rows it touched.
async fn run<'e>(on: impl Executor<'e, Database = Postgres>, query: Query<'_, Postgres, PgArguments>) -> Result<u64> {
    Ok(within(ANSWER, query.execute(on)).await?.rows_affected())
}

async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>> {
    Ok(within(ANSWER, pool.begin()).await?)
}

/// [`StoreError::Unsure`] where the server didn't say itself that it gave the transaction up.
async fn commit(tx: Transaction<'_, Postgres>) -> Result<()> {
    within(ANSWER, tx.commit()).await.map_err(|error| {
        // Worse than ERROR ends the connection, perhaps after the commit: as a server does that shuts
        // down while its standby hasn't confirmed yet.
        let refused = postgres(&error).is_some_and(|cause| cause.severity() == PgSeverity::Error);
        if refused { StoreError::Database(error) } else { StoreError::Unsure(error) }
    })
}

fn postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|cause| cause.try_downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_is_the_oldest_that_is_taken() {
        for (version, number) in [("15.0", 150_000), ("15.14", 150_014), ("18.1", 180_001)] {
            assert!(refuse_old(version, number).is_ok(), "{version}");
        }
        for (version, number) in [("14.19", 140_019), ("9.6.24", 90_624)] {
            let refusal = refuse_old(version, number).expect_err("it is too old").to_string();
            assert!(refusal.contains(version) && refusal.contains("15 or later"), "{refusal}");
        }
    }
}
