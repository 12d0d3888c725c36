use super::{
    PostgresStore,
    admin::{invited, mode},
    all, begin, commit,
    journal::record,
    optional, row, run,
};
use crate::store::{
    AccountStore, Admission, Change, Entry, NewSession, NewUser, Result, Rotation, Session,
    rows::{CredentialRow, SessionRow, SessionUserRow, UserRow, count, taken},
};
use async_trait::async_trait;
use natter::{Role, SessionId, Timestamp, User, UserId, admin::Registration};
use sqlx::PgConnection;
use uuid::Uuid;

/// Names the lock under which the first account is made.
const FIRST_ACCOUNT: i64 = 0x6e61_7474_6572;

/// Columns by name: one that a newer node's migration adds would make a prepared `*` fail.
macro_rules! user {
    () => {
        "u.id, u.username, u.display_name, u.role, u.suspended, u.avatar_url, u.created_at"
    };
}
pub(super) use user;

const BY_REFRESH: &str = concat!(
    "SELECT s.id AS session_id, t.superseded, ",
    user!(),
    " FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
      WHERE t.hash = $1 AND s.expires_at > $2"
);

#[async_trait]
impl AccountStore for PostgresStore {
    async fn create_user(&self, new: NewUser, invite: Option<&str>) -> Result<Admission> {
        let mut tx = begin(&self.pool).await?;
        let somebody = "SELECT EXISTS (SELECT FROM users)";
        let (mut others,): (bool,) = row(&mut *tx, sqlx::query_as(somebody)).await?;
        if !others {
            // Until somebody is there they come one at a time; looking again sees who came before.
            let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(FIRST_ACCOUNT);
            run(&mut *tx, lock).await?;
            (others,) = row(&mut *tx, sqlx::query_as(somebody)).await?;
        }
        if others {
            // Shared: who closes the place waits for those that are entering, and nobody enters after that.
            let stored = sqlx::query_as("SELECT value FROM meta WHERE key = 'registration' FOR SHARE");
            match mode(optional(&mut *tx, stored).await?)? {
                Registration::Open => {}
                Registration::Closed => return Ok(Admission::Closed),
                Registration::Invite if invited(&mut tx, invite, new.created_at).await? => {}
                Registration::Invite => return Ok(Admission::NotInvited),
            }
        }
        let user = User {
            id: new.id,
            display_name: new.username.clone(),
            role: Role::for_new_account(others.into()),
            suspended: false,
            avatar_url: None,
            created_at: new.created_at,
            username: new.username,
        };
        let insert = sqlx::query(
            "INSERT INTO users (id, username, username_key, display_name, role, password_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(user.id.0)
        .bind(&user.username)
        .bind(user.username.to_lowercase())
        .bind(&user.display_name)
        .bind(user.role.as_str())
        .bind(&new.password_hash)
        .bind(user.created_at.millis());
        run(&mut *tx, insert).await.map_err(taken("username"))?;
        commit(tx).await?;
        Ok(Admission::Admitted(user))
    }

    async fn user_by_name(&self, username: &str) -> Result<Option<User>> {
        // PostgreSQL's text can't hold it, not even to say that nothing is equal to it.
        if username.contains('\0') {
            return Ok(None);
        }
        let user = concat!("SELECT ", user!(), " FROM users u WHERE u.username_key = $1");
        let row: Option<UserRow> = optional(&self.pool, sqlx::query_as(user).bind(username.to_lowercase())).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn users(&self, query: &str, after: &str, limit: u32) -> Result<Vec<User>> {
        if query.contains('\0') || after.contains('\0') {
            return Ok(Vec::new());
        }
        let found = sqlx::query_as(concat!(
            "SELECT ",
            user!(),
            " FROM users u WHERE u.username_key > $2
                AND (strpos(u.username_key, $1) > 0 OR strpos(lower(u.display_name), $1) > 0)
              ORDER BY u.username_key LIMIT $3"
        ))
        .bind(query.trim().to_lowercase())
        .bind(after.to_lowercase())
        .bind(i64::from(limit));
        let rows: Vec<UserRow> = all(&self.pool, found).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        let user = sqlx::query_as(concat!("SELECT ", user!(), " FROM users u WHERE u.id = $1")).bind(id.0);
        optional::<UserRow>(&self.pool, user).await?.map(TryInto::try_into).transpose()
    }

    async fn user_count(&self) -> Result<u64> {
        let (n,): (i64,) = row(&self.pool, sqlx::query_as("SELECT count(*) FROM users")).await?;
        Ok(count(n))
    }

    async fn credentials(&self, username: &str) -> Result<Option<(User, String)>> {
        if username.contains('\0') {
            return Ok(None);
        }
        let user = concat!("SELECT ", user!(), ", u.password_hash FROM users u WHERE u.username_key = $1");
        let row: Option<CredentialRow> =
            optional(&self.pool, sqlx::query_as(user).bind(username.to_lowercase())).await?;
        row.map(|row| Ok((row.user.try_into()?, row.password_hash))).transpose()
    }

    async fn password_hash(&self, id: UserId) -> Result<Option<String>> {
        let hash = sqlx::query_as("SELECT password_hash FROM users WHERE id = $1").bind(id.0);
        Ok(optional(&self.pool, hash).await?.map(|(hash,)| hash))
    }

    async fn set_display_name(&self, id: UserId, name: &str, now: Timestamp) -> Result<Option<(User, Entry)>> {
        let mut tx = begin(&self.pool).await?;
        let update = concat!("UPDATE users u SET display_name = $2 WHERE u.id = $1 RETURNING ", user!());
        let row: Option<UserRow> = optional(&mut *tx, sqlx::query_as(update).bind(id.0).bind(name)).await?;
        let Some(row) = row else { return Ok(None) };
        let entry = record(&mut tx, Change::UserChanged { user_id: id }, now).await?;
        commit(tx).await?;
        Ok(Some((row.try_into()?, entry)))
    }

    async fn set_password(&self, id: UserId, hash: &str, keep: SessionId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        let update = sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1").bind(id.0).bind(hash);
        run(&mut *tx, update).await?;
        let ended = end_all(&mut tx, id, Some(keep)).await?;
        let entry = sessions_ended(&mut tx, ended, now).await?;
        commit(tx).await?;
        Ok(entry)
    }

    async fn create_session(&self, new: NewSession) -> Result<()> {
        let mut tx = begin(&self.pool).await?;
        // Shared: who suspends them at the same moment waits, and then ends this session, too.
        let session = sqlx::query(
            "INSERT INTO sessions (id, user_id, user_agent, created_at, last_seen_at, expires_at)
             SELECT $1, u.id, $3, $4, $4, $5 FROM users u WHERE u.id = $2 AND NOT u.suspended FOR SHARE",
        )
        .bind(new.id.0)
        .bind(new.user_id.0)
        .bind(&new.user_agent)
        .bind(new.created_at.millis())
        .bind(new.expires_at.millis());
        if run(&mut *tx, session).await? == 0 {
            return Ok(());
        }
        add_token(&mut tx, new.id, new.refresh_hash).await?;
        commit(tx).await
    }

    async fn session_user(&self, id: SessionId, now: Timestamp) -> Result<Option<User>> {
        let user = sqlx::query_as(concat!(
            "SELECT ",
            user!(),
            " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.expires_at > $2"
        ));
        let row: Option<UserRow> = optional(&self.pool, user.bind(id.0).bind(now.millis())).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn session_by_refresh(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<(SessionId, User)>> {
        let current = sqlx::query_as(BY_REFRESH).bind(&hash[..]).bind(now.millis());
        let row: Option<SessionUserRow> = optional(&self.pool, current).await?;
        row.filter(|row| !row.superseded).map(|row| Ok((SessionId(row.session_id), row.user.try_into()?))).transpose()
    }

    async fn rotate_refresh(
        &self,
        old: [u8; 32],
        new: [u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Rotation> {
        let mut tx = begin(&self.pool).await?;
        // Of two that present the same token at once, the second has to see what the first did with it.
        let lock = "SELECT FROM sessions
            WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $1) FOR UPDATE";
        run(&mut *tx, sqlx::query(lock).bind(&old[..])).await?;
        let known = sqlx::query_as(BY_REFRESH).bind(&old[..]).bind(now.millis());
        let row: Option<SessionUserRow> = optional(&mut *tx, known).await?;
        let Some(row) = row else { return Ok(Rotation::Unknown) };
        let session_id = SessionId(row.session_id);
        if row.superseded {
            run(&mut *tx, sqlx::query("DELETE FROM sessions WHERE id = $1").bind(session_id.0)).await?;
            let entry = record(&mut tx, Change::SessionsEnded { sessions: vec![session_id] }, now).await?;
            commit(tx).await?;
            return Ok(Rotation::Reused(entry));
        }
        let supersede = sqlx::query("UPDATE refresh_tokens SET superseded = true WHERE hash = $1").bind(&old[..]);
        run(&mut *tx, supersede).await?;
        add_token(&mut tx, session_id, new).await?;
        touch(&mut *tx, session_id, now, expires_at).await?;
        commit(tx).await?;
        Ok(Rotation::Rotated { session_id, user: row.user.try_into()? })
    }

    async fn sessions(&self, user_id: UserId, now: Timestamp) -> Result<Vec<Session>> {
        let live = sqlx::query_as(
            "SELECT id, user_agent, created_at, last_seen_at, expires_at FROM sessions
             WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC",
        );
        let rows: Vec<SessionRow> = all(&self.pool, live.bind(user_id.0).bind(now.millis())).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn touch_session(&self, id: SessionId, now: Timestamp, expires_at: Timestamp) -> Result<()> {
        touch(&self.pool, id, now, expires_at).await
    }

    async fn end_session(&self, user_id: UserId, id: SessionId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        let delete = sqlx::query_as("DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id");
        let ended = all(&mut *tx, delete.bind(id.0).bind(user_id.0)).await?;
        let entry = sessions_ended(&mut tx, ended, now).await?;
        commit(tx).await?;
        Ok(entry)
    }

    async fn purge_sessions(&self, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = begin(&self.pool).await?;
        // Every node does this now and then: what another one is at is left to it.
        let delete = sqlx::query_as(
            "DELETE FROM sessions WHERE id IN
                (SELECT id FROM sessions WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED) RETURNING id",
        );
        let ended = all(&mut *tx, delete.bind(now.millis())).await?;
        let entry = sessions_ended(&mut tx, ended, now).await?;
        commit(tx).await?;
        Ok(entry)
    }
}

async fn add_token(tx: &mut PgConnection, id: SessionId, hash: [u8; 32]) -> Result<()> {
    let token = sqlx::query("INSERT INTO refresh_tokens (hash, session_id) VALUES ($1, $2)");
    run(tx, token.bind(&hash[..]).bind(id.0)).await?;
    Ok(())
}

async fn touch<'e>(on: impl sqlx::PgExecutor<'e>, id: SessionId, now: Timestamp, expires_at: Timestamp) -> Result<()> {
    let update = sqlx::query("UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE id = $1");
    run(on, update.bind(id.0).bind(now.millis()).bind(expires_at.millis())).await?;
    Ok(())
}

/// Ends somebody's sessions, all but that one; in one order, so that two who do so don't wait for each other.
pub(super) async fn end_all(tx: &mut PgConnection, id: UserId, keep: Option<SessionId>) -> Result<Vec<(Uuid,)>> {
    let delete = sqlx::query_as(
        "DELETE FROM sessions WHERE id IN
            (SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2 ORDER BY id FOR UPDATE)
         RETURNING id",
    );
    all(tx, delete.bind(id.0).bind(keep.map(|id| id.0))).await
}

pub(super) async fn sessions_ended(
    tx: &mut PgConnection,
    ended: Vec<(Uuid,)>,
    now: Timestamp,
) -> Result<Option<Entry>> {
    if ended.is_empty() {
        return Ok(None);
    }
    let sessions = ended.into_iter().map(|(id,)| SessionId(id)).collect();
    record(tx, Change::SessionsEnded { sessions }, now).await.map(Some)
}
