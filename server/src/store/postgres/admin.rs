use super::{
    PostgresStore,
    accounts::{end_all, sessions_ended, user},
    all,
    audit::{hold_standing, is_admin, note},
    begin, commit,
    journal::record,
    optional, row, run,
};
use crate::store::{
    Act, AdminStore, Change, InviteDraft, Outcome, Result, StoreError, UserChange,
    acts::Subject,
    rows::{AuditRow, DAY_MILLIS, InviteRow, UserRow, count, days, first_id_of_days},
    uploads::storage,
};
use async_trait::async_trait;
use natter::{
    AuditId, ChannelId, Role, Timestamp, User, UserId,
    admin::{AuditAction, AuditEntry, ChannelStats, Invite, Registration, Stats},
};
use sqlx::PgConnection;
use uuid::Uuid;

macro_rules! invite {
    ($from:literal) => {
        concat!(
            "SELECT i.code, i.created_by, i.created_at, i.expires_at, i.max_uses, i.uses,
                u.username AS created_by_name FROM ",
            $from,
            " i JOIN users u ON u.id = i.created_by "
        )
    };
}

/// Bytes of pictures, of videos, and of all other files.
const UPLOADED: &str = "SELECT
    coalesce(sum(bytes) FILTER (WHERE media_type LIKE 'image/%'), 0)::bigint,
    coalesce(sum(bytes) FILTER (WHERE media_type LIKE 'video/%'), 0)::bigint,
    coalesce(sum(bytes) FILTER (WHERE media_type NOT LIKE 'image/%' AND media_type NOT LIKE 'video/%'), 0)::bigint
    FROM (SELECT media_type, size + coalesce(thumbnail, 0) AS bytes FROM uploads) AS kept";

#[async_trait]
impl AdminStore for PostgresStore {
    async fn update_user(&self, id: UserId, change: UserChange, act: Act) -> Result<Outcome<User>> {
        let mut tx = begin(&self.pool).await?;
        hold_standing(&mut tx).await?;
        let actor = find(&mut tx, act.actor).await?;
        if !actor.is_some_and(|actor| actor.role == Role::Admin && !actor.suspended) {
            return Ok(Outcome::Forbidden);
        }
        let Some(before) = find(&mut tx, id).await? else { return Ok(Outcome::NotFound) };
        if change.unseats(&before) {
            let others = "SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND NOT suspended AND id <> $1)";
            let (others,): (bool,) = row(&mut *tx, sqlx::query_as(others).bind(id.0)).await?;
            if !others {
                return Ok(Outcome::LastAdmin);
            }
        }
        let actions: Vec<_> = change.acts(&before).collect();
        if actions.is_empty() {
            return Ok(Outcome::done(before, []));
        }
        let update = sqlx::query_as(concat!(
            "UPDATE users u SET role = coalesce($2, u.role), suspended = coalesce($3, u.suspended)
             WHERE u.id = $1 RETURNING ",
            user!()
        ))
        .bind(id.0)
        .bind(change.role.map(Role::as_str))
        .bind(change.suspended);
        let after = User::try_from(row::<UserRow>(&mut *tx, update).await?)?;
        for action in actions {
            note(&mut tx, &act, action, Subject { user: Some(id), ..Subject::default() }).await?;
        }
        let ended = if after.suspended { end_all(&mut tx, id, None).await? } else { Vec::new() };
        let mut entries = Vec::new();
        entries.extend(sessions_ended(&mut tx, ended, act.at).await?);
        entries.push(record(&mut tx, Change::UserChanged { user_id: id }, act.at).await?);
        commit(tx).await?;
        Ok(Outcome::done(after, entries))
    }

    async fn end_sessions(&self, id: UserId, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        if find(&mut tx, id).await?.is_none() {
            return Ok(Outcome::NotFound);
        }
        note(&mut tx, &act, AuditAction::SessionsEnded, Subject { user: Some(id), ..Subject::default() }).await?;
        let ended = end_all(&mut tx, id, None).await?;
        let entry = sessions_ended(&mut tx, ended, act.at).await?;
        commit(tx).await?;
        Ok(Outcome::done((), entry))
    }

    async fn registration(&self) -> Result<Registration> {
        let stored = sqlx::query_as("SELECT value FROM meta WHERE key = 'registration'");
        mode(optional(&self.pool, stored).await?)
    }

    async fn has_accounts(&self) -> Result<bool> {
        let (some,): (bool,) = row(&self.pool, sqlx::query_as("SELECT EXISTS (SELECT FROM users)")).await?;
        Ok(some)
    }

    async fn set_registration(&self, mode: Registration, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        // Of two who set the same at once, the second waits here and then changes nothing.
        let set = sqlx::query(
            "INSERT INTO meta (key, value) VALUES ('registration', $1)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value",
        );
        if run(&mut *tx, set.bind(mode.as_str())).await? > 0 {
            let subject = Subject { detail: Some(mode.as_str().into()), ..Subject::default() };
            note(&mut tx, &act, AuditAction::RegistrationChanged, subject).await?;
            commit(tx).await?;
        }
        Ok(Outcome::done((), []))
    }

    async fn create_invite(&self, draft: InviteDraft, act: Act) -> Result<Outcome<Invite>> {
        let mut tx = begin(&self.pool).await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        let insert = sqlx::query_as(concat!(
            "WITH made AS (
                INSERT INTO invites (code, created_by, created_at, expires_at, max_uses)
                VALUES ($1, $2, $3, $4, $5) RETURNING *) ",
            invite!("made")
        ))
        .bind(&draft.code)
        .bind(act.actor.0)
        .bind(act.at.millis())
        .bind(draft.expires_at.millis())
        .bind(i64::from(draft.max_uses));
        let made: InviteRow = row(&mut *tx, insert).await?;
        let detail = format!("uses: {}, until {}", draft.max_uses, draft.expires_at);
        let subject = Subject { detail: Some(detail), ..Subject::default() };
        note(&mut tx, &act, AuditAction::InviteCreated, subject).await?;
        commit(tx).await?;
        Ok(Outcome::done(made.into(), []))
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>> {
        let good = sqlx::query_as(concat!(
            invite!("invites"),
            "WHERE i.expires_at > $1 AND i.uses < i.max_uses ORDER BY i.created_at DESC, i.code LIMIT 100"
        ));
        let rows: Vec<InviteRow> = all(&self.pool, good.bind(now.millis())).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn invite_is_good(&self, code: &str, now: Timestamp) -> Result<bool> {
        // Nobody could have been given it: PostgreSQL's text can't hold it.
        if code.contains('\0') {
            return Ok(false);
        }
        let good = "SELECT EXISTS (SELECT FROM invites WHERE code = $1 AND expires_at > $2 AND uses < max_uses)";
        let (good,) = row(&self.pool, sqlx::query_as(good).bind(code).bind(now.millis())).await?;
        Ok(good)
    }

    async fn revoke_invite(&self, code: &str, act: Act) -> Result<Outcome<()>> {
        let mut tx = begin(&self.pool).await?;
        if !is_admin(&mut tx, act.actor).await? {
            return Ok(Outcome::Forbidden);
        }
        if code.contains('\0') {
            return Ok(Outcome::NotFound);
        }
        if run(&mut *tx, sqlx::query("DELETE FROM invites WHERE code = $1").bind(code)).await? == 0 {
            return Ok(Outcome::NotFound);
        }
        note(&mut tx, &act, AuditAction::InviteRevoked, Subject::default()).await?;
        commit(tx).await?;
        Ok(Outcome::done((), []))
    }

    async fn audit(&self, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditEntry>> {
        let page = sqlx::query_as(
            "SELECT a.id, a.at, a.actor_id, a.action, a.user_id, a.channel_id, a.channel_name, a.message_id,
                a.detail, a.reason, (SELECT u.username FROM users u WHERE u.id = a.actor_id) AS actor_name,
                (SELECT u.username FROM users u WHERE u.id = a.user_id) AS user_name
             FROM audit a WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2",
        )
        .bind(before.map_or(Uuid::max(), |id| id.0))
        .bind(i64::from(limit));
        let rows: Vec<AuditRow> = all(&self.pool, page).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// How many messages there are is exact up to 100,000, and beyond that about what the database itself
    /// reckons: counting them all takes longer the more they are.
    async fn stats(&self, now: Timestamp) -> Result<Stats> {
        let totals = sqlx::query_as(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM users WHERE suspended),
                (SELECT count(*) FROM channels WHERE kind = 'channel'),
                CASE WHEN counted.n <= 100000 THEN counted.n ELSE greatest(counted.n,
                    (SELECT reltuples::bigint FROM pg_class WHERE oid = 'messages'::regclass)) END,
                pg_database_size(current_database())
             FROM (SELECT count(*) AS n FROM (SELECT FROM messages LIMIT 100001) AS first) AS counted",
        );
        let (users, suspended, channels, messages, bytes): (i64, i64, i64, i64, i64) = row(&self.pool, totals).await?;
        let (pictures, videos, files): (i64, i64, i64) = row(&self.pool, sqlx::query_as(UPLOADED)).await?;
        let first = first_id_of_days(now);
        let by_day = sqlx::query_as(
            "SELECT created_at / $2, count(*), count(DISTINCT sender_id) FROM messages WHERE id >= $1 GROUP BY 1",
        );
        let found: Vec<(i64, i64, i64)> = all(&self.pool, by_day.bind(first).bind(DAY_MILLIS)).await?;
        let by_channel = sqlx::query_as(
            "SELECT c.id, c.name, m.n FROM (SELECT channel_id, count(*) AS n FROM messages WHERE id >= $1 GROUP BY 1) m
             JOIN channels c ON c.id = m.channel_id WHERE c.kind = 'channel' ORDER BY m.n DESC, c.name LIMIT 10",
        );
        let busiest: Vec<(Uuid, String, i64)> = all(&self.pool, by_channel.bind(first)).await?;
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

async fn find(tx: &mut PgConnection, id: UserId) -> Result<Option<User>> {
    let user = sqlx::query_as(concat!("SELECT ", user!(), " FROM users u WHERE u.id = $1")).bind(id.0);
    optional::<UserRow>(tx, user).await?.map(TryInto::try_into).transpose()
}

/// Open unless an admin said otherwise.
pub(super) fn mode(stored: Option<(String,)>) -> Result<Registration> {
    let corrupt = StoreError::Corrupt("meta.registration");
    stored.map_or(Ok(Registration::Open), |(mode,)| Registration::from_name(&mode).ok_or(corrupt))
}

/// Takes one use of an invitation, if it is good.
pub(super) async fn invited(tx: &mut PgConnection, code: Option<&str>, now: Timestamp) -> Result<bool> {
    let Some(code) = code.filter(|code| !code.contains('\0')) else { return Ok(false) };
    let used =
        sqlx::query("UPDATE invites SET uses = uses + 1 WHERE code = $1 AND expires_at > $2 AND uses < max_uses");
    Ok(run(tx, used.bind(code).bind(now.millis())).await? > 0)
}
