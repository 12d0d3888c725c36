use super::{PostgresStore, accounts::user, all, begin, commit, journal::record, messages::other, optional, run};
use crate::store::{
    Act, Change, ChannelChange, ChannelStore, Entry, MarkMove, MarkStanding, MovedMark, NewChannel, Outcome, ReadMark,
    Result, StoreError,
    rows::{AccessRow, ChannelRow, MemberRow, UserRow, count, signed},
};
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use natter::{Channel, ChannelId, Timestamp, User, UserId, channel::Access};
use sqlx::{PgConnection, PgPool, Postgres, postgres::PgArguments, query::QueryAs};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// Read marks whose rows others hold: how many are waited for at once, and for how long in all, since later
/// marks wait as well.
const STRAGGLERS: usize = 4;
const STRAGGLE: Duration = Duration::from_secs(5);

/// Messages of others past the read mark of the membership `m`; counted to [`natter::channel::UNREAD_MAX`], so
/// that nobody's neglected channel makes counting slow.
macro_rules! unread {
    () => {
        "(SELECT count(*) FROM (SELECT FROM messages x WHERE x.channel_id = m.channel_id AND x.seq > m.read_seq
            AND x.sender_id <> m.user_id AND NOT x.deleted LIMIT 10000) AS past)"
    };
}

/// Those among them that name its person or, where it isn't muted, everyone.
macro_rules! mentions {
    () => {
        "(SELECT count(*) FROM (
            SELECT x.seq FROM mentions x
                WHERE x.channel_id = m.channel_id AND x.user_id = m.user_id AND x.seq > m.read_seq
            UNION SELECT x.seq FROM messages x
                WHERE x.channel_id = m.channel_id AND x.seq > m.read_seq AND x.mentions_channel
                    AND NOT m.muted AND x.sender_id <> m.user_id) AS named)"
    };
}

/// A channel as the person bound to `$1` stands to it; each use adds its own WHERE.
macro_rules! as_seen {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.kind, c.name, c.topic, c.visibility, c.post_policy, c.rev, c.created_at,
                m.user_id IS NOT NULL AS joined, coalesce(m.read_seq, 0) AS read_seq,
                coalesce(m.muted, false) AS muted,
                (SELECT count(*) FROM memberships a WHERE a.channel_id = c.id) AS members,
                (SELECT x.created_at FROM messages x WHERE x.channel_id = c.id ORDER BY x.seq DESC LIMIT 1)
                    AS active_at, ",
            other!("$1"),
            " AS peer_id, (SELECT p.username FROM users p WHERE p.id = ",
            other!("$1"),
            ") AS peer_name, CASE WHEN m.user_id IS NULL THEN 0 ELSE ",
            unread!(),
            " END AS unread, CASE WHEN m.user_id IS NULL THEN 0 ELSE ",
            mentions!(),
            " END AS mentions
            FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = $1 ",
            $rest
        )
    };
}

pub(super) use {as_seen, mentions, unread};

fn seen(rows: Vec<ChannelRow>) -> Result<Vec<Channel>> {
    rows.into_iter().map(TryInto::try_into).collect()
}

#[async_trait]
impl ChannelStore for PostgresStore {
    async fn create_channel(&self, channel: NewChannel, creator: UserId) -> Result<Outcome<()>> {
        self.create(channel, creator).await
    }

    async fn channels(&self, viewer: UserId, query: &str) -> Result<Vec<Channel>> {
        // Nothing stored contains it, and PostgreSQL's text can't.
        if query.contains('\0') {
            return Ok(Vec::new());
        }
        let found = sqlx::query_as(as_seen!(
            "WHERE c.kind = 'channel' AND (strpos(c.name, $2) > 0 OR strpos(lower(c.topic), $2) > 0) ORDER BY c.name"
        ));
        seen(all(&self.pool, found.bind(viewer.0).bind(query.trim().to_lowercase())).await?)
    }

    async fn joined_channels(&self, viewer: UserId) -> Result<Vec<Channel>> {
        let joined = sqlx::query_as(as_seen!("WHERE m.user_id IS NOT NULL ORDER BY c.kind, c.name, c.id"));
        seen(all(&self.pool, joined.bind(viewer.0)).await?)
    }

    async fn channel(&self, viewer: UserId, id: ChannelId) -> Result<Option<Channel>> {
        let channel = sqlx::query_as(as_seen!("WHERE c.id = $2")).bind(viewer.0).bind(id.0);
        optional::<ChannelRow>(&self.pool, channel).await?.map(TryInto::try_into).transpose()
    }

    async fn channel_of(&self, id: ChannelId, members: &[UserId]) -> Result<Vec<(UserId, Channel)>> {
        // What is the same for all is looked up once: these don't depend on the row.
        let members: Vec<Uuid> = members.iter().map(|id| id.0).collect();
        let seen = sqlx::query_as(concat!(
            "SELECT m.user_id AS viewer, c.id, c.kind, c.name, c.topic, c.visibility, c.post_policy, c.rev, c.created_at,
                true AS joined, m.read_seq, m.muted,
                (SELECT count(*) FROM memberships a WHERE a.channel_id = $1) AS members,
                (SELECT x.created_at FROM messages x WHERE x.channel_id = $1 ORDER BY x.seq DESC LIMIT 1) AS active_at, ",
            other!("m.user_id"),
            " AS peer_id, (SELECT p.username FROM users p WHERE p.id = ",
            other!("m.user_id"),
            ") AS peer_name, ",
            unread!(),
            " AS unread, ",
            mentions!(),
            " AS mentions
            FROM memberships m JOIN channels c ON c.id = m.channel_id WHERE m.channel_id = $1 AND m.user_id = ANY ($2)"
        ));
        let rows: Vec<MemberRow> = all(&self.pool, seen.bind(id.0).bind(members)).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn access(&self, viewer: UserId, id: ChannelId) -> Result<Option<Access>> {
        let access = sqlx::query_as(
            "SELECT c.kind, c.visibility, c.post_policy, m.user_id IS NOT NULL AS joined
             FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = $1 WHERE c.id = $2",
        );
        let row: Option<AccessRow> = optional(&self.pool, access.bind(viewer.0).bind(id.0)).await?;
        row.as_ref().map(TryInto::try_into).transpose()
    }

    async fn channel_by_name(&self, viewer: UserId, name: &str) -> Result<Option<Channel>> {
        if name.contains('\0') {
            return Ok(None);
        }
        let channel = sqlx::query_as(as_seen!("WHERE c.name = $2")).bind(viewer.0).bind(name);
        optional::<ChannelRow>(&self.pool, channel).await?.map(TryInto::try_into).transpose()
    }

    async fn update_channel(&self, id: ChannelId, change: ChannelChange, act: Act) -> Result<Outcome<()>> {
        self.update(id, change, act).await
    }

    async fn delete_channel(&self, id: ChannelId, act: Act) -> Result<Outcome<()>> {
        self.remove(id, act).await
    }

    async fn admit(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>> {
        self.let_in(id, user_id, act).await
    }

    async fn expel(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>> {
        self.put_out(id, user_id, act).await
    }

    async fn open_direct(
        &self,
        fresh: ChannelId,
        one: UserId,
        other: UserId,
        now: Timestamp,
    ) -> Result<(ChannelId, Option<Entry>)> {
        // Nearly always there is one: then it costs no write.
        if let Some(known) = self.direct(one, other).await? {
            return Ok((known, None));
        }
        let mut users = vec![one.min(other), one.max(other)];
        let mut tx = begin(&self.pool).await?;
        // Of two who open it at once, the second waits here.
        let insert = sqlx::query(
            "INSERT INTO channels (id, kind, visibility, post_policy, created_at, direct_low, direct_high)
             VALUES ($1, 'direct', 'private', 'everyone', $2, $3, $4) ON CONFLICT DO NOTHING",
        );
        let insert = insert.bind(fresh.0).bind(now.millis()).bind(users[0].0).bind(users[1].0);
        if run(&mut *tx, insert).await? == 0 {
            drop(tx);
            let known = self.direct(one, other).await?.ok_or(StoreError::Corrupt("channels.direct_low"))?;
            return Ok((known, None));
        }
        users.dedup();
        enter(&mut tx, fresh, &users, now).await?;
        let entry = record(&mut tx, Change::DirectOpened { channel_id: fresh, users }, now).await?;
        commit(tx).await?;
        Ok((fresh, Some(entry)))
    }

    async fn direct(&self, one: UserId, other: UserId) -> Result<Option<ChannelId>> {
        let pair = sqlx::query_as("SELECT id FROM channels WHERE direct_low = $1 AND direct_high = $2")
            .bind(one.min(other).0)
            .bind(one.max(other).0);
        Ok(optional(&self.pool, pair).await?.map(|(id,)| ChannelId(id)))
    }

    async fn join(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        // Held as posting holds it, so that nothing falls between. It may have become private since the
        // right was checked.
        let lock = sqlx::query(
            "SELECT FROM channels WHERE id = $1 AND kind = 'channel' AND visibility = 'public' FOR NO KEY UPDATE",
        );
        if run(&mut *tx, lock.bind(id.0)).await? == 0 || !enter(&mut tx, id, &[user_id], now).await? {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Joined { channel_id: id, user_id }, now).await?;
        commit(tx).await?;
        Ok(Some(entry))
    }

    async fn leave(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        run(&mut *tx, sqlx::query("SELECT FROM channels WHERE id = $1 FOR NO KEY UPDATE").bind(id.0)).await?;
        if !exit(&mut tx, id, user_id).await? {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Left { channel_id: id, user_id }, now).await?;
        commit(tx).await?;
        Ok(Some(entry))
    }

    async fn members(&self, id: ChannelId) -> Result<Vec<User>> {
        let members = sqlx::query_as(concat!(
            "SELECT ",
            user!(),
            " FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.channel_id = $1 ORDER BY u.username_key"
        ));
        let rows: Vec<UserRow> = all(&self.pool, members.bind(id.0)).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn mark_standing(&self, wanted: &MarkMove) -> Result<Option<MarkStanding>> {
        let known = sqlx::query_as(concat!(
            "SELECT m.read_seq, c.rev, CASE WHEN wanted.stays THEN ",
            unread!(),
            " END, CASE WHEN wanted.stays THEN ",
            mentions!(),
            " END FROM memberships m JOIN channels c ON c.id = m.channel_id
             CROSS JOIN LATERAL (SELECT CASE WHEN $4 THEN least($3, c.rev) >= m.read_seq
                ELSE least($3, c.rev) <= m.read_seq END AS stays) AS wanted
             WHERE m.channel_id = $1 AND m.user_id = $2"
        ));
        let known: Option<(i64, i64, Option<i64>, Option<i64>)> = optional(&self.pool, bound(known, wanted)).await?;
        Ok(known.map(|(read_seq, rev, unread, mentions)| match unread.zip(mentions) {
            Some((unread, mentions)) => MarkStanding::There(mark((read_seq, rev, unread, mentions), false)),
            None => MarkStanding::Elsewhere,
        }))
    }

    /// Marks that somebody else holds aren't waited for while others are held: no two can wait for each
    /// other so. They are moved afterwards, each by itself.
    async fn move_marks(&self, wanted: &[MarkMove]) -> Result<Vec<Result<Option<ReadMark>>>> {
        let all_free = sqlx::query_as(concat!(
            "WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[])
                WITH ORDINALITY AS i (channel_id, user_id, seq, back, n)),
            free AS (SELECT i.* FROM wanted i JOIN memberships m USING (channel_id, user_id)
                FOR NO KEY UPDATE OF m SKIP LOCKED),
            moved AS (UPDATE memberships m
                SET read_seq = CASE WHEN i.back THEN least(m.read_seq, i.seq, c.rev)
                        ELSE greatest(m.read_seq, least(i.seq, c.rev)) END,
                    marked_back = i.back, marked_xid = pg_current_xact_id()
                FROM free i JOIN channels c ON c.id = i.channel_id
                WHERE m.channel_id = i.channel_id AND m.user_id = i.user_id
                RETURNING i.n, m.channel_id, m.user_id, m.read_seq, m.muted, c.rev)
            SELECT m.n, m.read_seq, m.rev, ",
            unread!(),
            ", ",
            mentions!(),
            " FROM moved m"
        ));
        let all_free = all_free
            .bind(wanted.iter().map(|one| one.channel_id.0).collect::<Vec<_>>())
            .bind(wanted.iter().map(|one| one.user_id.0).collect::<Vec<_>>())
            .bind(wanted.iter().map(|one| signed(one.seq)).collect::<Vec<_>>())
            .bind(wanted.iter().map(|one| one.back).collect::<Vec<_>>());
        let rows: Vec<(i64, i64, i64, i64, i64)> = all(&self.pool, all_free).await?;
        let mut moved = vec![None; wanted.len()];
        for (n, read_seq, rev, unread, mentions) in rows {
            let place = usize::try_from(n - 1).ok().and_then(|n| moved.get_mut(n));
            *place.ok_or(StoreError::Corrupt("memberships"))? = Some(mark((read_seq, rev, unread, mentions), true));
        }
        let until = Instant::now() + STRAGGLE;
        let late = |()| Err(StoreError::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
        let marks = wanted.iter().copied().zip(moved).map(|(one, moved)| async move {
            match moved {
                Some(mark) => Ok(Some(mark)),
                // Not even begun: a connection that is taken and let go at once is lost.
                None if Instant::now() >= until => late(()),
                None => timeout_at(until, self.move_mark(&one)).await.unwrap_or_else(|_| late(())),
            }
        });
        Ok(stream::iter(marks).buffered(STRAGGLERS).collect().await)
    }
}

impl PostgresStore {
    async fn move_mark(&self, wanted: &MarkMove) -> Result<Option<ReadMark>> {
        let update = sqlx::query_as(concat!(
            "UPDATE memberships m
             SET read_seq = CASE WHEN $4 THEN least(m.read_seq, $3, c.rev)
                    ELSE greatest(m.read_seq, least($3, c.rev)) END,
                marked_back = $4, marked_xid = pg_current_xact_id()
             FROM channels c WHERE m.channel_id = $1 AND m.user_id = $2 AND c.id = m.channel_id
             RETURNING m.read_seq, c.rev, ",
            unread!(),
            ", ",
            mentions!()
        ));
        Ok(optional(&self.pool, bound(update, wanted)).await?.map(|now| mark(now, true)))
    }
}

type MarkQuery<'q, T> = QueryAs<'q, Postgres, T, PgArguments>;

fn bound<'q, T>(query: MarkQuery<'q, T>, wanted: &MarkMove) -> MarkQuery<'q, T> {
    query.bind(wanted.channel_id.0).bind(wanted.user_id.0).bind(signed(wanted.seq)).bind(wanted.back)
}

fn mark((seq, rev, unread, mentions): (i64, i64, i64, i64), moved: bool) -> ReadMark {
    ReadMark { seq: count(seq), moved, unread: count(unread), mentions: count(mentions), rev: count(rev) }
}

/// The marks of these people that were moved by that transaction or a later one. Numbers from the future are
/// of the cluster that this database was dumped from.
pub(super) async fn marks_since(pool: &PgPool, since: u64, users: &[UserId]) -> Result<Vec<MovedMark>> {
    let moved = sqlx::query_as(concat!(
        "SELECT m.user_id, m.channel_id, m.marked_back, m.read_seq, c.rev, ",
        unread!(),
        ", ",
        mentions!(),
        " FROM memberships m JOIN channels c ON c.id = m.channel_id
         WHERE m.user_id = ANY ($1) AND m.marked_xid >= $2::text::xid8
            AND m.marked_xid < pg_snapshot_xmax(pg_current_snapshot())"
    ));
    let users: Vec<Uuid> = users.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, Uuid, bool, i64, i64, i64, i64)> = all(pool, moved.bind(users).bind(signed(since))).await?;
    let moved = |(user_id, channel_id, back, seq, rev, unread, mentions)| MovedMark {
        user_id: UserId(user_id),
        channel_id: ChannelId(channel_id),
        mark: mark((seq, rev, unread, mentions), true),
        back,
    };
    Ok(rows.into_iter().map(moved).collect())
}

/// Lets people into a channel that is held; false if they all were in. What was said before isn't news to them.
pub(super) async fn enter(tx: &mut PgConnection, id: ChannelId, users: &[UserId], now: Timestamp) -> Result<bool> {
    let insert = sqlx::query(
        "INSERT INTO memberships (channel_id, user_id, read_seq, joined_at)
         SELECT c.id, i.user_id, c.rev, $3 FROM channels c CROSS JOIN unnest($2::uuid[]) AS i (user_id)
         WHERE c.id = $1 ON CONFLICT DO NOTHING",
    );
    let users: Vec<Uuid> = users.iter().map(|id| id.0).collect();
    Ok(run(tx, insert.bind(id.0).bind(users).bind(now.millis())).await? > 0)
}

/// Puts somebody out of a channel that is held; false if they weren't in.
pub(super) async fn exit(tx: &mut PgConnection, id: ChannelId, user_id: UserId) -> Result<bool> {
    let delete = sqlx::query("DELETE FROM memberships WHERE channel_id = $1 AND user_id = $2");
    Ok(run(tx, delete.bind(id.0).bind(user_id.0)).await? > 0)
}
