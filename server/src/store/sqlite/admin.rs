use super::{
    SqliteStore,
    accounts::sessions_ended,
    audit::{is_admin, note},
    journal::record,
};
use crate::store::{
    Act, AdminStore, Change, InviteDraft, Outcome, Result, StoreError, UserChange,
    acts::Subject,
    rows::{AuditRow, DAY_MILLIS, InviteRow, UserRow, count, days, first_id_of_days},
    uploads::storage,
};
use async_trait::async_trait;
use natter::{
    AuditId, ChannelId, Timestamp, User, UserId,
    admin::{AuditAction, AuditEntry, ChannelStats, Invite, Registration, Stats},
};
use sqlx::SqliteConnection;
use uuid::Uuid;

const INVITE: &str = "SELECT i.*, u.username AS created_by_name FROM invites i JOIN users u ON u.id = i.created_by ";

/// Bytes of pictures, of videos, and of all other files.
const UPLOADED: &str = "SELECT
    coalesce(sum(bytes) FILTER (WHERE media_type LIKE 'image/%'), 0),
    coalesce(sum(bytes) FILTER (WHERE media_type LIKE 'video/%'), 0),
    coalesce(sum(bytes) FILTER (WHERE media_type NOT LIKE 'image/%' AND media_type NOT LIKE 'video/%'), 0)
    FROM (SELECT media_type, size + coalesce(thumbnail, 0) AS bytes FROM uploads) AS kept";

#[async_trait]
impl AdminStore for SqliteStore {
    async fn update_user(&self, id: UserId, change: UserChange, act: Act) -> Result<Outcome<User>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        let Some(before) = user(&mut tx, id).await? else { return Ok(Outcome::NotFound) };
        if change.unseats(&before) {
            let others: (i64,) =
                sqlx::query_as("SELECT count(*) FROM users WHERE role = 'admin' AND NOT suspended AND id <> ?")
                    .bind(id.0)
                    .fetch_one(&mut *tx)
                    .await?;
            if others.0 == 0 {
                return Ok(Outcome::LastAdmin);
            }
        }
        let mut after = before.clone();
        after.role = change.role.unwrap_or(before.role);
        after.suspended = change.suspended.unwrap_or(before.suspended);
        if after == before {
            return Ok(Outcome::done(before, []));
        }
        sqlx::query("UPDATE users SET role = ?, suspended = ? WHERE id = ?")
            .bind(after.role.as_str())
            .bind(after.suspended)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        for action in change.acts(&before) {
            note(&mut tx, &act, action, Subject { user: Some(id), ..Subject::default() }).await?;
        }
        let mut entries = Vec::new();
        if after.suspended {
            entries.extend(end_all(&mut tx, id, act.at).await?);
        }
        entries.push(record(&mut tx, Change::UserChanged { user_id: id }, act.at).await?);
        tx.commit().await?;
        Ok(Outcome::done(after, entries))
    }

    async fn end_sessions(&self, id: UserId, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        if user(&mut tx, id).await?.is_none() {
            return Ok(Outcome::NotFound);
        }
        note(&mut tx, &act, AuditAction::SessionsEnded, Subject { user: Some(id), ..Subject::default() }).await?;
        let ended = end_all(&mut tx, id, act.at).await?;
        tx.commit().await?;
        Ok(Outcome::done((), ended))
    }

    async fn registration(&self) -> Result<Registration> {
        registration(&mut *self.read.acquire().await?).await
    }

    async fn has_accounts(&self) -> Result<bool> {
        let (some,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(&self.read).await?;
        Ok(some)
    }

    async fn set_registration(&self, mode: Registration, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        if registration(&mut tx).await? != mode {
            sqlx::query(
                "INSERT INTO meta (key, value) VALUES ('registration', ?)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            )
            .bind(mode.as_str())
            .execute(&mut *tx)
            .await?;
            let subject = Subject { detail: Some(mode.as_str().into()), ..Subject::default() };
            note(&mut tx, &act, AuditAction::RegistrationChanged, subject).await?;
            tx.commit().await?;
        }
        Ok(Outcome::done((), []))
    }

    async fn create_invite(&self, draft: InviteDraft, act: Act) -> Result<Outcome<Invite>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        sqlx::query("INSERT INTO invites (code, created_by, created_at, expires_at, max_uses) VALUES (?, ?, ?, ?, ?)")
            .bind(&draft.code)
            .bind(act.actor.0)
            .bind(act.at.millis())
            .bind(draft.expires_at.millis())
            .bind(draft.max_uses)
            .execute(&mut *tx)
            .await?;
        let detail = format!("uses: {}, until {}", draft.max_uses, draft.expires_at);
        let subject = Subject { detail: Some(detail), ..Subject::default() };
        note(&mut tx, &act, AuditAction::InviteCreated, subject).await?;
        let row: InviteRow = sqlx::query_as(sqlx::AssertSqlSafe(format!("{INVITE} WHERE i.code = ?")))
            .bind(&draft.code)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Outcome::done(row.into(), []))
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>> {
        let good = "WHERE i.expires_at > ? AND i.uses < i.max_uses ORDER BY i.created_at DESC, i.code LIMIT 100";
        let rows: Vec<InviteRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{INVITE} {good}")))
            .bind(now.millis())
            .fetch_all(&self.read)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn invite_is_good(&self, code: &str, now: Timestamp) -> Result<bool> {
        let good: (bool,) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM invites WHERE code = ? AND expires_at > ? AND uses < max_uses)",
        )
        .bind(code)
        .bind(now.millis())
        .fetch_one(&self.read)
        .await?;
        Ok(good.0)
    }

    async fn revoke_invite(&self, code: &str, act: Act) -> Result<Outcome<()>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        let gone = sqlx::query("DELETE FROM invites WHERE code = ?").bind(code).execute(&mut *tx).await?;
        if gone.rows_affected() == 0 {
            return Ok(Outcome::NotFound);
        }
        note(&mut tx, &act, AuditAction::InviteRevoked, Subject::default()).await?;
        tx.commit().await?;
        Ok(Outcome::done((), []))
    }

    async fn audit(&self, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditEntry>> {
        let rows: Vec<AuditRow> = sqlx::query_as(
            "SELECT a.*, actor.username AS actor_name, u.username AS user_name FROM audit a
             JOIN users actor ON actor.id = a.actor_id LEFT JOIN users u ON u.id = a.user_id
             WHERE a.id < ? ORDER BY a.id DESC LIMIT ?",
        )
        .bind(before.map_or(Uuid::max(), |id| id.0))
        .bind(limit)
        .fetch_all(&self.read)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats> {
        let mut tx = self.read.begin().await?;
        let (users, suspended, channels, messages, bytes): (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM users WHERE suspended),
                (SELECT count(*) FROM channels WHERE kind = 'channel'), (SELECT count(*) FROM messages),
                (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size())",
        )
        .fetch_one(&mut *tx)
        .await?;
        let (pictures, videos, files): (i64, i64, i64) = sqlx::query_as(UPLOADED).fetch_one(&mut *tx).await?;
        let first = first_id_of_days(now);
        let found: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT created_at / ?2, count(*), count(DISTINCT sender_id) FROM messages WHERE id >= ?1 GROUP BY 1",
        )
        .bind(first)
        .bind(DAY_MILLIS)
        .fetch_all(&mut *tx)
        .await?;
        // CROSS JOIN: beginning with those messages, not with every channel's whole history.
        let busiest: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "SELECT c.id, c.name, count(*) FROM messages m CROSS JOIN channels c ON c.id = m.channel_id
             WHERE m.id >= ? AND c.kind = 'channel' GROUP BY c.id ORDER BY 3 DESC, c.name LIMIT 10",
        )
        .bind(first)
        .fetch_all(&mut *tx)
        .await?;
        let busy = |(id, name, messages)| ChannelStats { id: ChannelId(id), name, messages: count(messages) };
        Ok(Stats {
            users: count(users),
            suspended: count(suspended),
            channels: count(channels),
            messages: count(messages),
            storage_bytes: count(bytes),
            storage: storage(bytes, pictures, videos, files),
            days: days(now, &found),
            busiest: busiest.into_iter().map(busy).collect(),
        })
    }
}

async fn user(tx: &mut SqliteConnection, id: UserId) -> Result<Option<User>> {
    let row: Option<UserRow> = sqlx::query_as("SELECT * FROM users WHERE id = ?").bind(id.0).fetch_optional(tx).await?;
    row.map(TryInto::try_into).transpose()
}

async fn end_all(tx: &mut SqliteConnection, id: UserId, now: Timestamp) -> Result<Option<crate::store::Entry>> {
    let ended =
        sqlx::query_as("DELETE FROM sessions WHERE user_id = ? RETURNING id").bind(id.0).fetch_all(&mut *tx).await?;
    sessions_ended(tx, ended, now).await
}

/// Open unless an admin said otherwise.
pub(super) async fn registration(tx: &mut SqliteConnection) -> Result<Registration> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT value FROM meta WHERE key = 'registration'").fetch_optional(tx).await?;
    let corrupt = StoreError::Corrupt("meta.registration");
    row.map_or(Ok(Registration::Open), |(mode,)| Registration::from_name(&mode).ok_or(corrupt))
}
