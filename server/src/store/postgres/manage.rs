//! What admins do to channels.

use super::{
    PostgresStore, all,
    audit::{is_admin, note},
    begin,
    channels::{enter, exit},
    commit,
    journal::record,
    optional, row, run,
};
use crate::store::{
    Act, Change, ChannelChange, NewChannel, Outcome, Result, StoreError,
    acts::{Place, Subject},
    describe,
    rows::{post_policy, taken, visibility},
};
use natter::{ChannelId, PostPolicy, UserId, Visibility, admin::AuditAction};
use sqlx::{FromRow, PgConnection, PgPool};
use tokio::sync::Notify;

/// Messages deleted in one transaction after their channel has gone.
const SWEEP: u16 = 5_000;

/// A channel that is held, by an admin.
#[derive(FromRow)]
struct Managed {
    name: String,
    topic: String,
    visibility: String,
    post_policy: String,
    rev: i64,
}

/// Holds the channel as posting does, so that nothing falls between, then the actor's right to run it.
async fn managed(
    tx: &mut PgConnection,
    id: ChannelId,
    actor: UserId,
) -> Result<std::result::Result<Managed, Outcome<()>>> {
    let lock = sqlx::query_as(
        "SELECT name, topic, visibility, post_policy, rev FROM channels
         WHERE id = $1 AND kind = 'channel' FOR NO KEY UPDATE",
    );
    let channel = optional(&mut *tx, lock.bind(id.0)).await?;
    if !is_admin(tx, actor).await? {
        return Ok(Err(Outcome::Forbidden));
    }
    Ok(channel.ok_or(Outcome::NotFound))
}

impl PostgresStore {
    pub(super) async fn create(&self, new: NewChannel, creator: UserId) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        // The channel comes before the actor, as everywhere: it may wait for another of that name.
        let channel = sqlx::query(
            "INSERT INTO channels (id, kind, name, topic, visibility, post_policy, created_at)
             VALUES ($1, 'channel', $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(new.id.0)
        .bind(&new.name)
        .bind(&new.topic)
        .bind(new.visibility.as_str())
        .bind(new.post_policy.as_str())
        .bind(new.created_at.millis());
        let made = run(&mut *tx, channel).await? > 0;
        if !is_admin(&mut tx, creator).await? {
            return Ok(Outcome::Forbidden);
        }
        if !made {
            return Err(StoreError::Taken("name"));
        }
        enter(&mut tx, new.id, &[creator], new.created_at).await?;
        let act = Act { actor: creator, at: new.created_at, reason: None };
        let place = Place { id: new.id, name: new.name };
        note(&mut tx, &act, AuditAction::ChannelCreated, Subject { place: Some(place), ..Subject::default() }).await?;
        let entry = record(&mut tx, Change::ChannelCreated { channel_id: new.id, creator }, act.at).await?;
        commit(tx).await?;
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn update(&self, id: ChannelId, change: ChannelChange, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        let before = match managed(&mut tx, id, act.actor).await? {
            Ok(channel) => channel,
            Err(refused) => return Ok(refused),
        };
        let (seen_by, said_by) = (visibility(&before.visibility)?, post_policy(&before.post_policy)?);
        let change = change.of_those(&before.name, &before.topic, seen_by, said_by);
        if change == ChannelChange::default() {
            return Ok(Outcome::done((), []));
        }
        let update = sqlx::query(
            "UPDATE channels SET name = coalesce($2, name), topic = coalesce($3, topic),
                visibility = coalesce($4, visibility), post_policy = coalesce($5, post_policy) WHERE id = $1",
        )
        .bind(id.0)
        .bind(change.name.as_deref())
        .bind(change.topic.as_deref())
        .bind(change.visibility.map(Visibility::as_str))
        .bind(change.post_policy.map(PostPolicy::as_str));
        run(&mut *tx, update).await.map_err(taken("name"))?;
        let place = Some(Place { id, name: before.name });
        let subject = Subject { place, detail: Some(describe(&change)), ..Subject::default() };
        note(&mut tx, &act, AuditAction::ChannelUpdated, subject).await?;
        let hidden = change.visibility == Some(Visibility::Private);
        let entry = record(&mut tx, Change::ChannelChanged { channel_id: id, hidden }, act.at).await?;
        commit(tx).await?;
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn remove(&self, id: ChannelId, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        let before = match managed(&mut tx, id, act.actor).await? {
            Ok(channel) => channel,
            Err(refused) => return Ok(refused),
        };
        run(&mut *tx, sqlx::query("DELETE FROM channels WHERE id = $1").bind(id.0)).await?;
        let removed = sqlx::query("INSERT INTO removed_channels (id, rev) VALUES ($1, $2)");
        run(&mut *tx, removed.bind(id.0).bind(before.rev)).await?;
        let visibility = visibility(&before.visibility)?;
        let place = Some(Place { id, name: before.name });
        note(&mut tx, &act, AuditAction::ChannelDeleted, Subject { place, ..Subject::default() }).await?;
        let entry = record(&mut tx, Change::ChannelRemoved { channel_id: id, visibility }, act.at).await?;
        commit(tx).await?;
        // Out of sight already. What doesn't get done now is done when the journal is trimmed.
        let (pool, freed) = (self.pool.clone(), self.freed.clone());
        tokio::spawn(async move {
            if let Err(error) = sweep(&pool, &freed).await {
                tracing::warn!(%error, "messages of a removed channel are left for later");
            }
        });
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn let_in(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        let channel = match managed(&mut tx, id, act.actor).await? {
            Ok(channel) => channel,
            Err(refused) => return Ok(refused),
        };
        let known = sqlx::query_as("SELECT EXISTS (SELECT FROM users WHERE id = $1)").bind(user_id.0);
        if !row::<(bool,)>(&mut *tx, known).await?.0 {
            return Ok(Outcome::NotFound);
        }
        if !enter(&mut tx, id, &[user_id], act.at).await? {
            return Ok(Outcome::done((), []));
        }
        let place = Some(Place { id, name: channel.name });
        let subject = Subject { user: Some(user_id), place, ..Subject::default() };
        note(&mut tx, &act, AuditAction::MemberAdded, subject).await?;
        let entry = record(&mut tx, Change::Joined { channel_id: id, user_id }, act.at).await?;
        commit(tx).await?;
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn put_out(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        let channel = match managed(&mut tx, id, act.actor).await? {
            Ok(channel) => channel,
            Err(refused) => return Ok(refused),
        };
        if !exit(&mut tx, id, user_id).await? {
            return Ok(Outcome::done((), []));
        }
        let place = Some(Place { id, name: channel.name });
        let subject = Subject { user: Some(user_id), place, ..Subject::default() };
        note(&mut tx, &act, AuditAction::MemberRemoved, subject).await?;
        let entry = record(&mut tx, Change::Left { channel_id: id, user_id }, act.at).await?;
        commit(tx).await?;
        Ok(Outcome::done((), [entry]))
    }
}

/// By the rows' own addresses, in the order of their index: a stretch of it that was deleted is walked again.
const INDEXED: &str = "DELETE FROM search_index WHERE id IN (
    SELECT id FROM search_index WHERE channel_id = $1 ORDER BY id LIMIT $2)";

/// Deletes what messages removed channels have left, a stretch at a time; their reactions go with them, and
/// their files are nobody's then.
pub(super) async fn sweep(pool: &PgPool, freed: &Notify) -> Result<()> {
    let removed = sqlx::query_as("SELECT id, rev FROM removed_channels");
    let channels: Vec<(uuid::Uuid, i64)> = all(pool, removed).await?;
    for (id, rev) in channels {
        for from in (0..=rev).step_by(SWEEP.into()) {
            let to = from + i64::from(SWEEP) - 1;
            let messages = sqlx::query("DELETE FROM messages WHERE channel_id = $1 AND seq BETWEEN $2 AND $3");
            run(pool, messages.bind(id).bind(from).bind(to)).await?;
            let mentions = sqlx::query("DELETE FROM mentions WHERE channel_id = $1 AND seq BETWEEN $2 AND $3");
            run(pool, mentions.bind(id).bind(from).bind(to)).await?;
        }
        while run(pool, sqlx::query(INDEXED).bind(id).bind(i64::from(SWEEP))).await? > 0 {}
        run(pool, sqlx::query("DELETE FROM removed_channels WHERE id = $1").bind(id)).await?;
        freed.notify_one();
    }
    Ok(())
}
