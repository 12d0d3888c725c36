use super::{PostgresStore, accounts::user, all, begin, commit, journal::record, optional, run};
use crate::store::{
    Change, ChannelStore, Entry, NewChannel, ReadMark, Result,
    rows::{AccessRow, ChannelRow, UserRow, count, signed, taken, visibility},
};
use async_trait::async_trait;
use natter::{Channel, ChannelId, Timestamp, User, UserId, channel::Access};
use sqlx::{PgConnection, PgPool};

/// Messages deleted in one transaction after their channel has gone.
const SWEEP: u16 = 5_000;

/// A channel as the person bound to `$1` stands to it; each use adds its own WHERE.
macro_rules! as_seen {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.kind, c.name, c.topic, c.visibility, c.post_policy, c.rev, c.created_at,
                m.user_id IS NOT NULL AS joined, coalesce(m.read_seq, 0) AS read_seq,
                (SELECT count(*) FROM memberships a WHERE a.channel_id = c.id) AS members,
                CASE WHEN m.user_id IS NULL THEN 0 ELSE
                    (SELECT count(*) FROM messages x WHERE x.channel_id = c.id AND x.seq > m.read_seq
                        AND x.sender_id <> $1 AND NOT x.deleted) END AS unread
            FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = $1 ",
            $rest
        )
    };
}

fn seen(rows: Vec<ChannelRow>) -> Result<Vec<Channel>> {
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Holds the channel as posting does, so that no post falls between; answers its `rev` if it exists.
async fn lock(tx: &mut PgConnection, id: ChannelId) -> Result<Option<i64>> {
    let lock = sqlx::query_as("SELECT rev FROM channels WHERE id = $1 FOR NO KEY UPDATE").bind(id.0);
    Ok(optional(tx, lock).await?.map(|(rev,)| rev))
}

/// Deletes what messages removed channels have left, a stretch at a time.
pub(super) async fn sweep(pool: &PgPool) -> Result<()> {
    let removed = sqlx::query_as("SELECT id, rev FROM removed_channels");
    let channels: Vec<(uuid::Uuid, i64)> = all(pool, removed).await?;
    for (id, rev) in channels {
        for from in (0..=rev).step_by(SWEEP.into()) {
            let stretch = sqlx::query("DELETE FROM messages WHERE channel_id = $1 AND seq BETWEEN $2 AND $3");
            run(pool, stretch.bind(id).bind(from).bind(from + i64::from(SWEEP) - 1)).await?;
        }
        run(pool, sqlx::query("DELETE FROM removed_channels WHERE id = $1").bind(id)).await?;
    }
    Ok(())
}

#[async_trait]
impl ChannelStore for PostgresStore {
    async fn create_channel(&self, new: NewChannel, creator: UserId) -> Result<Entry> {
        let mut tx = begin(&self.pool).await?;
        let channel = sqlx::query(
            "INSERT INTO channels (id, kind, name, topic, visibility, post_policy, created_at)
             VALUES ($1, 'channel', $2, $3, $4, $5, $6)",
        )
        .bind(new.id.0)
        .bind(&new.name)
        .bind(&new.topic)
        .bind(new.visibility.as_str())
        .bind(new.post_policy.as_str())
        .bind(new.created_at.millis());
        run(&mut *tx, channel).await.map_err(taken("name"))?;
        let membership =
            sqlx::query("INSERT INTO memberships (channel_id, user_id, read_seq, joined_at) VALUES ($1, $2, 0, $3)");
        run(&mut *tx, membership.bind(new.id.0).bind(creator.0).bind(new.created_at.millis())).await?;
        let created = Change::ChannelCreated { channel_id: new.id, creator };
        let entry = record(&mut tx, created, new.created_at).await?;
        commit(tx).await?;
        Ok(entry)
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
        let joined = sqlx::query_as(as_seen!("WHERE m.user_id IS NOT NULL ORDER BY c.name NULLS FIRST"));
        seen(all(&self.pool, joined.bind(viewer.0)).await?)
    }

    async fn channel(&self, viewer: UserId, id: ChannelId) -> Result<Option<Channel>> {
        let channel = sqlx::query_as(as_seen!("WHERE c.id = $2")).bind(viewer.0).bind(id.0);
        optional::<ChannelRow>(&self.pool, channel).await?.map(TryInto::try_into).transpose()
    }

    async fn access(&self, viewer: UserId, id: ChannelId) -> Result<Option<Access>> {
        let access = sqlx::query_as(
            "SELECT c.visibility, c.post_policy, m.user_id IS NOT NULL AS joined
             FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id AND m.user_id = $1 WHERE c.id = $2",
        );
        let row: Option<AccessRow> = optional(&self.pool, access.bind(viewer.0).bind(id.0)).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn channel_by_name(&self, viewer: UserId, name: &str) -> Result<Option<Channel>> {
        if name.contains('\0') {
            return Ok(None);
        }
        let channel = sqlx::query_as(as_seen!("WHERE c.name = $2")).bind(viewer.0).bind(name);
        optional::<ChannelRow>(&self.pool, channel).await?.map(TryInto::try_into).transpose()
    }

    async fn delete_channel(&self, id: ChannelId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        let gone = sqlx::query_as("DELETE FROM channels WHERE id = $1 RETURNING visibility, rev").bind(id.0);
        let Some((stored, rev)) = optional::<(String, i64)>(&mut *tx, gone).await? else { return Ok(None) };
        let visibility = visibility(&stored)?;
        let removed = sqlx::query("INSERT INTO removed_channels (id, rev) VALUES ($1, $2)");
        run(&mut *tx, removed.bind(id.0).bind(rev)).await?;
        let entry = record(&mut tx, Change::ChannelRemoved { channel_id: id, visibility }, now).await?;
        commit(tx).await?;
        // Out of sight already. What doesn't get done now is done when the journal is trimmed.
        let pool = self.pool.clone();
        tokio::spawn(async move {
            if let Err(error) = sweep(&pool).await {
                tracing::warn!(%error, "messages of a removed channel are left for later");
            }
        });
        Ok(Some(entry))
    }

    async fn join(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        let Some(rev) = lock(&mut tx, id).await? else { return Ok(None) };
        // What was said before somebody came isn't news to them.
        let membership = sqlx::query(
            "INSERT INTO memberships (channel_id, user_id, read_seq, joined_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        );
        if run(&mut *tx, membership.bind(id.0).bind(user_id.0).bind(rev).bind(now.millis())).await? == 0 {
            return Ok(None);
        }
        let entry = record(&mut tx, Change::Joined { channel_id: id, user_id }, now).await?;
        commit(tx).await?;
        Ok(Some(entry))
    }

    async fn leave(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        lock(&mut tx, id).await?;
        let membership = sqlx::query("DELETE FROM memberships WHERE channel_id = $1 AND user_id = $2");
        if run(&mut *tx, membership.bind(id.0).bind(user_id.0)).await? == 0 {
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

    async fn mark_read(&self, id: ChannelId, user_id: UserId, seq: u64) -> Result<Option<ReadMark>> {
        macro_rules! unread {
            () => {
                "(SELECT count(*) FROM messages x WHERE x.channel_id = m.channel_id AND x.seq > m.read_seq
                    AND x.sender_id <> m.user_id AND NOT x.deleted)"
            };
        }
        // Most calls move nothing: they cost one reading.
        let known = sqlx::query_as(concat!(
            "SELECT m.read_seq, c.rev, CASE WHEN m.read_seq >= least($3, c.rev) THEN ",
            unread!(),
            " END FROM memberships m JOIN channels c ON c.id = m.channel_id
             WHERE m.channel_id = $1 AND m.user_id = $2"
        ));
        let known: Option<(i64, i64, Option<i64>)> =
            optional(&self.pool, known.bind(id.0).bind(user_id.0).bind(signed(seq))).await?;
        let Some((read_seq, rev, unread)) = known else { return Ok(None) };
        let mark = |(seq, unread), moved| ReadMark { seq: count(seq), moved, unread: count(unread), mentions: 0 };
        if let Some(unread) = unread {
            return Ok(Some(mark((read_seq, unread), false)));
        }
        let forward = sqlx::query_as(concat!(
            "UPDATE memberships m SET read_seq = greatest(m.read_seq, $3)
             WHERE m.channel_id = $1 AND m.user_id = $2 RETURNING m.read_seq, ",
            unread!()
        ));
        let now = optional(&self.pool, forward.bind(id.0).bind(user_id.0).bind(signed(seq).min(rev))).await?;
        Ok(now.map(|now| mark(now, true)))
    }
}
