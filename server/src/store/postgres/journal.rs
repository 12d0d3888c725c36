use super::{PostgresStore, all, channels::marks_since, connect, manage::sweep, row, run, scheduled};
use crate::store::{
    Change, Entry, JournalStore, MovedMark, Positions, Result, SharedStore, StoreError,
    rows::{count, entry, signed, written},
};
use async_trait::async_trait;
use natter::{ChannelId, Scheduled, Timestamp, UserId};
use sqlx::PgConnection;
use tokio::sync::MutexGuard;
use uuid::Uuid;

/// Writes a change down in the transaction that makes it: its last statement before the commit, since
/// it holds a row that every other change waits for.
pub(super) async fn record(tx: &mut PgConnection, change: Change, now: Timestamp) -> Result<Entry> {
    let text = written(&change)?;
    let entry = sqlx::query_as(
        "WITH head AS (UPDATE journal_head SET pos = pos + 1 RETURNING pos)
         INSERT INTO journal (pos, at, change) SELECT pos, $1, $2 FROM head RETURNING pos",
    );
    let (pos,): (i64,) = row(tx, entry.bind(now.millis()).bind(text)).await?;
    Ok(Entry { pos: count(pos), change })
}

/// The connection that the journal is read by, taken out for one reading: put back only when it is known
/// to be in order.
struct Own<'a> {
    place: MutexGuard<'a, Option<PgConnection>>,
    conn: PgConnection,
}

impl Own<'_> {
    fn keep(mut self) {
        *self.place = Some(self.conn);
    }
}

impl PostgresStore {
    async fn follower(&self) -> Result<Own<'_>> {
        let mut place = self.follower.lock().await;
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        let conn = match place.take() {
            Some(conn) => conn,
            None => connect(&self.options).await?,
        };
        Ok(Own { place, conn })
    }
}

#[async_trait]
impl JournalStore for PostgresStore {
    async fn journal(&self, after: u64, limit: u32) -> Result<Vec<Entry>> {
        let newer = sqlx::query_as("SELECT pos, change FROM journal WHERE pos > $1 ORDER BY pos LIMIT $2");
        let mut own = self.follower().await?;
        let rows: Vec<(i64, String)> = all(&mut own.conn, newer.bind(signed(after)).bind(i64::from(limit))).await?;
        own.keep();
        rows.into_iter().map(entry).collect()
    }

    async fn journal_head(&self) -> Result<u64> {
        let mut own = self.follower().await?;
        let (pos,): (i64,) = row(&mut own.conn, sqlx::query_as("SELECT pos FROM journal_head")).await?;
        own.keep();
        Ok(count(pos))
    }

    async fn trim_journal(&self, before: Timestamp) -> Result<()> {
        // Nodes' clocks differ: an old time behind a newer one stays, or it would leave a hole.
        let old = sqlx::query(
            "DELETE FROM journal WHERE pos < (SELECT pos FROM journal_head)
                AND pos < coalesce((SELECT min(pos) FROM journal WHERE at >= $1), (SELECT pos FROM journal_head))",
        );
        run(&self.pool, old.bind(before.millis())).await?;
        sweep(&self.pool, &self.freed).await
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }
}

#[async_trait]
impl SharedStore for PostgresStore {
    /// The mark is the oldest transaction that was still under way in the snapshot (`xmin`). What the
    /// snapshot shows was committed before it; what it doesn't show is of that transaction or a later
    /// one, since "all transaction IDs less than xmin are either committed and visible, or rolled back
    /// and dead" (<https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>).
    /// So asking for `changed_xid >= mark` next time brings every change that this answer lacks, in
    /// whatever order transactions got their numbers, their locks and their commits. The price: while a
    /// long transaction keeps `xmin` back, what changed since comes again.
    async fn changed_since(&self, mark: u64) -> Result<Positions> {
        // One statement is one snapshot, in which `pg_current_snapshot` is the statement's own. A mark
        // from the future is of a server whose latest transactions were lost in a fail-over.
        let positions = sqlx::query_as(
            "SELECT since.next, c.id, c.rev
             FROM (SELECT pg_snapshot_xmin(s)::text::bigint AS next,
                    CASE WHEN $1::text::xid8 > pg_snapshot_xmax(s) THEN 0 ELSE $1 END AS mark
                FROM pg_current_snapshot() s) since
             LEFT JOIN channels c ON c.changed_block >= since.mark / 1024 AND c.changed_xid >= since.mark::text::xid8",
        );
        let rows: Vec<(i64, Option<Uuid>, Option<i64>)> = all(&self.pool, positions.bind(signed(mark))).await?;
        let &(next, ..) = rows.first().ok_or(StoreError::Corrupt("pg_current_snapshot"))?;
        let channels = rows.into_iter().filter_map(|(_, id, rev)| Some((ChannelId(id?), count(rev?)))).collect();
        Ok(Positions { channels, mark: count(next) })
    }
    async fn marks_since(&self, mark: u64, users: &[UserId]) -> Result<Vec<MovedMark>> {
        marks_since(&self.pool, mark, users).await
    }

    async fn scheduled_since(&self, mark: u64, owners: &[UserId]) -> Result<Vec<(UserId, Scheduled)>> {
        scheduled::changed_since(&self.pool, mark, owners).await
    }
}
