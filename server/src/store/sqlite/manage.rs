//! What admins do to channels: each in one transaction that also notes it.

use super::{
    SqliteStore,
    audit::{is_admin, note},
    channels::{enter, exit},
    journal::record,
    search::{remember_removed, sweep_removed},
};
use crate::store::{
    Act, Change, ChannelChange, NewChannel, Outcome, Result, StoreError,
    acts::{Place, Subject},
    describe,
    rows::{post_policy, taken, visibility},
};
use natter::{ChannelId, PostPolicy, UserId, Visibility, admin::AuditAction};
use sqlx::SqliteConnection;

impl SqliteStore {
    pub(super) async fn create(&self, new: NewChannel, creator: UserId) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !is_admin(&mut tx, creator).await? {
            return Ok(Outcome::Forbidden);
        }
        sqlx::query(
            "INSERT INTO channels (id, kind, name, topic, visibility, post_policy, created_at)
             VALUES (?, 'channel', ?, ?, ?, ?, ?)",
        )
        .bind(new.id.0)
        .bind(&new.name)
        .bind(&new.topic)
        .bind(new.visibility.as_str())
        .bind(new.post_policy.as_str())
        .bind(new.created_at.millis())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)
        .map_err(taken("name"))?;
        enter(&mut tx, new.id, creator, new.created_at).await?;
        let act = Act { actor: creator, at: new.created_at, reason: None };
        let place = Place { id: new.id, name: new.name };
        note(&mut tx, &act, AuditAction::ChannelCreated, Subject { place: Some(place), ..Subject::default() }).await?;
        let entry = record(&mut tx, Change::ChannelCreated { channel_id: new.id, creator }, act.at).await?;
        tx.commit().await?;
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn update(&self, id: ChannelId, change: ChannelChange, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let place = match managed(&mut tx, id, act.actor).await? {
            Ok(place) => place,
            Err(refused) => return Ok(refused),
        };
        let before: (String, String, String, String) =
            sqlx::query_as("SELECT name, topic, visibility, post_policy FROM channels WHERE id = ?")
                .bind(id.0)
                .fetch_one(&mut *tx)
                .await?;
        let change = change.of_those(&before.0, &before.1, visibility(&before.2)?, post_policy(&before.3)?);
        if change == ChannelChange::default() {
            return Ok(Outcome::done((), []));
        }
        sqlx::query(
            "UPDATE channels SET name = coalesce(?2, name), topic = coalesce(?3, topic),
                visibility = coalesce(?4, visibility), post_policy = coalesce(?5, post_policy) WHERE id = ?1",
        )
        .bind(id.0)
        .bind(change.name.as_deref())
        .bind(change.topic.as_deref())
        .bind(change.visibility.map(Visibility::as_str))
        .bind(change.post_policy.map(PostPolicy::as_str))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)
        .map_err(taken("name"))?;
        let subject = Subject { place: Some(place), detail: Some(describe(&change)), ..Subject::default() };
        note(&mut tx, &act, AuditAction::ChannelUpdated, subject).await?;
        let hidden = change.visibility == Some(Visibility::Private);
        let entry = record(&mut tx, Change::ChannelChanged { channel_id: id, hidden }, act.at).await?;
        tx.commit().await?;
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn remove(&self, id: ChannelId, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let place = match managed(&mut tx, id, act.actor).await? {
            Ok(place) => place,
            Err(refused) => return Ok(refused),
        };
        remember_removed(&mut tx, id).await?;
        let (name,): (String,) = sqlx::query_as("DELETE FROM channels WHERE id = ? RETURNING visibility")
            .bind(id.0)
            .fetch_one(&mut *tx)
            .await?;
        let visibility = visibility(&name)?;
        note(&mut tx, &act, AuditAction::ChannelDeleted, Subject { place: Some(place), ..Subject::default() }).await?;
        let entry = record(&mut tx, Change::ChannelRemoved { channel_id: id, visibility }, act.at).await?;
        tx.commit().await?;
        self.freed.notify_one();
        self.erasable.notify_one();
        sweep_removed(self.write.clone(), self.erasable.clone());
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn let_in(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let place = match managed(&mut tx, id, act.actor).await? {
            Ok(place) => Some(place),
            Err(refused) => return Ok(refused),
        };
        let known: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM users WHERE id = ?").bind(user_id.0).fetch_optional(&mut *tx).await?;
        if known.is_none() {
            return Ok(Outcome::NotFound);
        }
        if !enter(&mut tx, id, user_id, act.at).await? {
            return Ok(Outcome::done((), []));
        }
        let subject = Subject { user: Some(user_id), place, ..Subject::default() };
        note(&mut tx, &act, AuditAction::MemberAdded, subject).await?;
        let entry = record(&mut tx, Change::Joined { channel_id: id, user_id }, act.at).await?;
        tx.commit().await?;
        Ok(Outcome::done((), [entry]))
    }

    pub(super) async fn put_out(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let place = match managed(&mut tx, id, act.actor).await? {
            Ok(place) => Some(place),
            Err(refused) => return Ok(refused),
        };
        if !exit(&mut tx, id, user_id).await? {
            return Ok(Outcome::done((), []));
        }
        let subject = Subject { user: Some(user_id), place, ..Subject::default() };
        note(&mut tx, &act, AuditAction::MemberRemoved, subject).await?;
        let entry = record(&mut tx, Change::Left { channel_id: id, user_id }, act.at).await?;
        tx.commit().await?;
        Ok(Outcome::done((), [entry]))
    }
}

/// The channel, if there is one and the actor may run it.
async fn managed(
    tx: &mut SqliteConnection,
    id: ChannelId,
    actor: UserId,
) -> Result<std::result::Result<Place, Outcome<()>>> {
    if !is_admin(tx, actor).await? {
        return Ok(Err(Outcome::Forbidden));
    }
    let name: Option<(String,)> = sqlx::query_as("SELECT name FROM channels WHERE id = ? AND kind = 'channel'")
        .bind(id.0)
        .fetch_optional(tx)
        .await?;
    Ok(name.map(|(name,)| Place { id, name }).ok_or(Outcome::NotFound))
}
