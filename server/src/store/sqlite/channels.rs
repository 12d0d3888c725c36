use super::{SqliteStore, journal::record};
use crate::store::{
    Act, Change, ChannelChange, ChannelStore, Entry, MarkMove, MarkStanding, NewChannel, Outcome, ReadMark, Result,
    StoreError,
    rows::{AccessRow, ChannelRow, MemberRow, UserRow, count, signed},
};
use async_trait::async_trait;
use futures::future::join_all;
use natter::{Channel, ChannelId, Timestamp, User, UserId, channel::Access};
use sqlx::SqliteConnection;

/// Messages of others past the read mark of the member `m` of channel `c`, who is bound as named; counted to
/// [`natter::channel::UNREAD_MAX`], so that nobody's neglected channel makes counting slow.
macro_rules! unread {
    ($me:literal) => {
        concat!(
            "(SELECT count(*) FROM (SELECT 1 FROM messages x WHERE x.channel_id = c.id AND x.seq > m.read_seq
                AND x.sender_id <> ",
            $me,
            " AND NOT x.deleted LIMIT 10000))"
        )
    };
}

/// Those among them that name that person or, where it isn't muted, everyone. The index by name: `SQLite` would rather
/// read every unread message.
macro_rules! mentions {
    ($me:literal) => {
        concat!(
            "(SELECT count(*) FROM (SELECT x.seq FROM mentions x
                WHERE x.channel_id = c.id AND x.seq > m.read_seq AND x.user_id = ",
            $me,
            " UNION SELECT x.seq FROM messages x INDEXED BY messages_to_channel
                WHERE x.channel_id = c.id AND x.seq > m.read_seq AND x.mentions_channel AND NOT m.muted
                    AND x.sender_id <> ",
            $me,
            "))"
        )
    };
}

/// A channel as the person bound to `?1` stands to it; each use adds its own WHERE.
macro_rules! as_seen {
    ($rest:literal) => {
        concat!(
            "SELECT c.*, m.user_id IS NOT NULL AS joined, coalesce(m.read_seq, 0) AS read_seq,
                coalesce(m.muted, 0) AS muted,
                p.id AS peer_id, p.username AS peer_name,
                (SELECT count(*) FROM memberships a WHERE a.channel_id = c.id) AS members,
                (SELECT x.created_at FROM messages x WHERE x.channel_id = c.id ORDER BY x.seq DESC LIMIT 1)
                    AS active_at,
                CASE WHEN m.user_id IS NULL THEN 0 ELSE ",
            unread!("?1"),
            " END AS unread, CASE WHEN m.user_id IS NULL THEN 0 ELSE ",
            mentions!("?1"),
            " END AS mentions
            FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = ?1
            LEFT JOIN users p ON p.id = iif(c.direct_low = ?1, c.direct_high, c.direct_low) ",
            $rest
        )
    };
}

pub(super) use {as_seen, mentions, unread};

fn all(rows: Vec<ChannelRow>) -> Result<Vec<Channel>> {
    rows.into_iter().map(TryInto::try_into).collect()
}

#[async_trait]
impl ChannelStore for SqliteStore {
    async fn create_channel(&self, new: NewChannel, creator: UserId) -> Result<Outcome<()>> {
        self.create(new, creator).await
    }

    async fn channels(&self, viewer: UserId, query: &str) -> Result<Vec<Channel>> {
        let rows = sqlx::query_as(as_seen!(
            "WHERE c.kind = 'channel' AND (instr(c.name, ?2) OR instr(lower(c.topic), ?2)) ORDER BY c.name"
        ))
        .bind(viewer.0)
        .bind(query.trim().to_lowercase())
        .fetch_all(&self.read)
        .await?;
        all(rows)
    }

    async fn joined_channels(&self, viewer: UserId) -> Result<Vec<Channel>> {
        all(sqlx::query_as(as_seen!("WHERE m.user_id IS NOT NULL ORDER BY c.kind, c.name, c.id"))
            .bind(viewer.0)
            .fetch_all(&self.read)
            .await?)
    }

    async fn channel(&self, viewer: UserId, id: ChannelId) -> Result<Option<Channel>> {
        let row: Option<ChannelRow> =
            sqlx::query_as(as_seen!("WHERE c.id = ?2")).bind(viewer.0).bind(id.0).fetch_optional(&self.read).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn channel_of(&self, id: ChannelId, members: &[UserId]) -> Result<Vec<(UserId, Channel)>> {
        let members: serde_json::Value = members.iter().map(|id| id.0.simple().to_string()).collect();
        // What is the same for all is looked up once: these don't depend on the row.
        let rows: Vec<MemberRow> = sqlx::query_as(concat!(
            "SELECT m.user_id AS viewer, c.*, true AS joined, m.read_seq, m.muted, p.id AS peer_id, p.username AS peer_name,
                (SELECT count(*) FROM memberships a WHERE a.channel_id = ?1) AS members,
                (SELECT x.created_at FROM messages x WHERE x.channel_id = ?1 ORDER BY x.seq DESC LIMIT 1) AS active_at, ",
            unread!("m.user_id"),
            " AS unread, ",
            mentions!("m.user_id"),
            " AS mentions
            FROM json_each(?2) AS i
            CROSS JOIN memberships m ON m.channel_id = ?1 AND m.user_id = unhex(i.value)
            JOIN channels c ON c.id = m.channel_id
            LEFT JOIN users p ON p.id = iif(c.direct_low = m.user_id, c.direct_high, c.direct_low)"
        ))
        .bind(id.0)
        .bind(members.to_string())
        .fetch_all(&self.read)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn access(&self, viewer: UserId, id: ChannelId) -> Result<Option<Access>> {
        let row: Option<AccessRow> = sqlx::query_as(
            "SELECT c.kind, c.visibility, c.post_policy, m.user_id IS NOT NULL AS joined
             FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = ? WHERE c.id = ?",
        )
        .bind(viewer.0)
        .bind(id.0)
        .fetch_optional(&self.read)
        .await?;
        row.as_ref().map(TryInto::try_into).transpose()
    }

    async fn channel_by_name(&self, viewer: UserId, name: &str) -> Result<Option<Channel>> {
        let row: Option<ChannelRow> =
            sqlx::query_as(as_seen!("WHERE c.name = ?2")).bind(viewer.0).bind(name).fetch_optional(&self.read).await?;
        row.map(TryInto::try_into).transpose()
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
        let (low, high) = (one.min(other), one.max(other));
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let made = sqlx::query(
            "INSERT INTO channels (id, kind, visibility, post_policy, created_at, direct_low, direct_high)
             VALUES (?, 'direct', 'private', 'everyone', ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(fresh.0)
        .bind(now.millis())
        .bind(low.0)
        .bind(high.0)
        .execute(&mut *tx)
        .await?;
        if made.rows_affected() == 0 {
            tx.rollback().await?;
            let known = self.direct(one, other).await?.ok_or(StoreError::Corrupt("channels.direct_low"))?;
            return Ok((known, None));
        }
        enter(&mut tx, fresh, low, now).await?;
        enter(&mut tx, fresh, high, now).await?;
        let mut users = vec![low, high];
        users.dedup();
        let entry = record(&mut tx, Change::DirectOpened { channel_id: fresh, users }, now).await?;
        tx.commit().await?;
        Ok((fresh, Some(entry)))
    }

    async fn direct(&self, one: UserId, other: UserId) -> Result<Option<ChannelId>> {
        let row: Option<(uuid::Uuid,)> =
            sqlx::query_as("SELECT id FROM channels WHERE direct_low = ? AND direct_high = ?")
                .bind(one.min(other).0)
                .bind(one.max(other).0)
                .fetch_optional(&self.read)
                .await?;
        Ok(row.map(|(id,)| ChannelId(id)))
    }

    async fn join(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        // It may have become private since the right was checked.
        let public: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM channels WHERE id = ? AND kind = 'channel' AND visibility = 'public'")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
        if public.is_none() || !enter(&mut tx, id, user_id, now).await? {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Joined { channel_id: id, user_id }, now).await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    async fn leave(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !exit(&mut tx, id, user_id).await? {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Left { channel_id: id, user_id }, now).await?;
        tx.commit().await?;
        Ok(Some(entry))
    }

    async fn members(&self, id: ChannelId) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = sqlx::query_as(
            "SELECT u.* FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.channel_id = ?
             ORDER BY u.username_key",
        )
        .bind(id.0)
        .fetch_all(&self.read)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn mark_standing(&self, wanted: &MarkMove) -> Result<Option<MarkStanding>> {
        let known: Option<(i64, i64)> = sqlx::query_as(
            "SELECT m.read_seq, c.rev FROM memberships m JOIN channels c ON c.id = m.channel_id
             WHERE m.channel_id = ? AND m.user_id = ?",
        )
        .bind(wanted.channel_id.0)
        .bind(wanted.user_id.0)
        .fetch_optional(&self.read)
        .await?;
        let Some((read_seq, rev)) = known else { return Ok(None) };
        let to = signed(wanted.seq).min(rev);
        if if wanted.back { to < read_seq } else { to > read_seq } {
            return Ok(Some(MarkStanding::Elsewhere));
        }
        Ok(self.mark(wanted, false).await?.map(MarkStanding::There))
    }

    async fn move_marks(&self, wanted: &[MarkMove]) -> Result<Vec<Result<Option<ReadMark>>>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        for one in wanted {
            sqlx::query(
                "UPDATE memberships SET read_seq = iif(?4, min(read_seq, ?3, c.rev), max(read_seq, min(?3, c.rev)))
                 FROM channels c WHERE channel_id = ?1 AND user_id = ?2 AND c.id = channel_id",
            )
            .bind(one.channel_id.0)
            .bind(one.user_id.0)
            .bind(signed(one.seq))
            .bind(one.back)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        // Counted where nobody who writes waits for it.
        Ok(join_all(wanted.iter().map(|one| self.mark(one, true))).await)
    }
}

impl SqliteStore {
    async fn mark(&self, of: &MarkMove, moved: bool) -> Result<Option<ReadMark>> {
        let now: Option<(i64, i64, i64, i64)> = sqlx::query_as(concat!(
            "SELECT m.read_seq, c.rev, ",
            unread!("?2"),
            ", ",
            mentions!("?2"),
            " FROM memberships m JOIN channels c ON c.id = m.channel_id WHERE m.channel_id = ?1 AND m.user_id = ?2"
        ))
        .bind(of.channel_id.0)
        .bind(of.user_id.0)
        .fetch_optional(&self.read)
        .await?;
        let mark = |(seq, rev, unread, mentions)| ReadMark {
            seq: count(seq),
            moved,
            unread: count(unread),
            mentions: count(mentions),
            rev: count(rev),
        };
        Ok(now.map(mark))
    }
}

/// Lets somebody in; false if they were in. What was said before isn't news to them.
pub(super) async fn enter(tx: &mut SqliteConnection, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO memberships (channel_id, user_id, read_seq, joined_at)
         SELECT id, ?, rev, ? FROM channels WHERE id = ? ON CONFLICT DO NOTHING",
    )
    .bind(user_id.0)
    .bind(now.millis())
    .bind(id.0)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Puts somebody out; false if they weren't in.
pub(super) async fn exit(tx: &mut SqliteConnection, id: ChannelId, user_id: UserId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM memberships WHERE channel_id = ? AND user_id = ?")
        .bind(id.0)
        .bind(user_id.0)
        .execute(tx)
        .await?;
    Ok(done.rows_affected() > 0)
}
