use super::{SqliteStore, admin::registration, journal::record};
use crate::store::{
    AccountStore, Admission, Change, Entry, NewSession, NewUser, Result, Rotation, Session, StoreError,
    rows::{CredentialRow, SessionRow, SessionUserRow, UserRow, count, taken},
};
use async_trait::async_trait;
use natter::{Role, SessionId, Timestamp, User, UserId, admin::Registration};
use sqlx::SqliteConnection;
use uuid::Uuid;

const BY_REFRESH: &str = "SELECT s.id AS session_id, t.superseded, u.id, u.username, u.display_name, u.role,
        u.suspended, u.avatar_url, u.created_at
    FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
    WHERE t.hash = ? AND s.expires_at > ?";

#[async_trait]
impl AccountStore for SqliteStore {
    async fn create_user(&self, new: NewUser, invite: Option<&str>) -> Result<Admission> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let (before,): (i64,) = sqlx::query_as("SELECT count(*) FROM users").fetch_one(&mut *tx).await?;
        match registration(&mut tx).await? {
            _ if before == 0 => {}
            Registration::Open => {}
            Registration::Closed => return Ok(Admission::Closed),
            Registration::Invite if use_invite(&mut tx, invite, new.created_at).await? => {}
            Registration::Invite => return Ok(Admission::NotInvited),
        }
        let user = User {
            id: new.id,
            display_name: new.username.clone(),
            role: Role::for_new_account(count(before)),
            suspended: false,
            avatar_url: None,
            created_at: new.created_at,
            username: new.username,
        };
        sqlx::query(
            "INSERT INTO users (id, username, username_key, display_name, role, password_hash, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(user.id.0)
        .bind(&user.username)
        .bind(user.username.to_lowercase())
        .bind(&user.display_name)
        .bind(user.role.as_str())
        .bind(&new.password_hash)
        .bind(user.created_at.millis())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)
        .map_err(taken("username"))?;
        tx.commit().await?;
        Ok(Admission::Admitted(user))
    }

    async fn user_by_name(&self, username: &str) -> Result<Option<User>> {
        let row: Option<UserRow> = sqlx::query_as("SELECT * FROM users WHERE username_key = ?")
            .bind(username.to_lowercase())
            .fetch_optional(&self.read)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn users(&self, query: &str, after: &str, limit: u32) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = sqlx::query_as(
            "SELECT * FROM users WHERE username_key > ?2 AND (instr(username_key, ?1) OR instr(lower(display_name), ?1))
             ORDER BY username_key LIMIT ?3",
        )
        .bind(query.trim().to_lowercase())
        .bind(after.to_lowercase())
        .bind(limit)
        .fetch_all(&self.read)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        let row: Option<UserRow> =
            sqlx::query_as("SELECT * FROM users WHERE id = ?").bind(id.0).fetch_optional(&self.read).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn user_count(&self) -> Result<u64> {
        let (n,): (i64,) = sqlx::query_as("SELECT count(*) FROM users").fetch_one(&self.read).await?;
        Ok(count(n))
    }

    async fn credentials(&self, username: &str) -> Result<Option<(User, String)>> {
        let row: Option<CredentialRow> = sqlx::query_as("SELECT * FROM users WHERE username_key = ?")
            .bind(username.to_lowercase())
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| Ok((row.user.try_into()?, row.password_hash))).transpose()
    }

    async fn password_hash(&self, id: UserId) -> Result<Option<String>> {
        let row: Option<(String,)> = sqlx::query_as("SELECT password_hash FROM users WHERE id = ?")
            .bind(id.0)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.map(|(hash,)| hash))
    }

    async fn set_display_name(&self, id: UserId, name: &str, now: Timestamp) -> Result<Option<(User, Entry)>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let row: Option<UserRow> = sqlx::query_as("UPDATE users SET display_name = ? WHERE id = ? RETURNING *")
            .bind(name)
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let entry = record(&mut tx, Change::UserChanged { user_id: id }, now).await?;
        tx.commit().await?;
        Ok(Some((row.try_into()?, entry)))
    }

    async fn set_password(&self, id: UserId, hash: &str, keep: SessionId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE users SET password_hash = ? WHERE id = ?").bind(hash).bind(id.0).execute(&mut *tx).await?;
        let ended: Vec<(Uuid,)> = sqlx::query_as("DELETE FROM sessions WHERE user_id = ? AND id <> ? RETURNING id")
            .bind(id.0)
            .bind(keep.0)
            .fetch_all(&mut *tx)
            .await?;
        let entry = sessions_ended(&mut tx, ended, now).await?;
        tx.commit().await?;
        Ok(entry)
    }

    async fn create_session(&self, new: NewSession) -> Result<()> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let made = sqlx::query(
            "INSERT INTO sessions (id, user_id, user_agent, created_at, last_seen_at, expires_at)
             SELECT ?1, id, ?3, ?4, ?4, ?5 FROM users WHERE id = ?2 AND NOT suspended",
        )
        .bind(new.id.0)
        .bind(new.user_id.0)
        .bind(&new.user_agent)
        .bind(new.created_at.millis())
        .bind(new.expires_at.millis())
        .execute(&mut *tx)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query("INSERT INTO refresh_tokens (hash, session_id) VALUES (?, ?)")
            .bind(&new.refresh_hash[..])
            .bind(new.id.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn session_user(&self, id: SessionId, now: Timestamp) -> Result<Option<User>> {
        let row: Option<UserRow> = sqlx::query_as(
            "SELECT u.* FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ? AND s.expires_at > ?",
        )
        .bind(id.0)
        .bind(now.millis())
        .fetch_optional(&self.read)
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn session_by_refresh(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<(SessionId, User)>> {
        let row: Option<SessionUserRow> =
            sqlx::query_as(BY_REFRESH).bind(&hash[..]).bind(now.millis()).fetch_optional(&self.read).await?;
        row.filter(|row| !row.superseded).map(|row| Ok((SessionId(row.session_id), row.user.try_into()?))).transpose()
    }

    async fn rotate_refresh(
        &self,
        old: [u8; 32],
        new: [u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Rotation> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let row: Option<SessionUserRow> =
            sqlx::query_as(BY_REFRESH).bind(&old[..]).bind(now.millis()).fetch_optional(&mut *tx).await?;
        let Some(row) = row else { return Ok(Rotation::Unknown) };
        let session_id = SessionId(row.session_id);
        if row.superseded {
            sqlx::query("DELETE FROM sessions WHERE id = ?").bind(session_id.0).execute(&mut *tx).await?;
            let entry = record(&mut tx, Change::SessionsEnded { sessions: vec![session_id] }, now).await?;
            tx.commit().await?;
            return Ok(Rotation::Reused(entry));
        }
        sqlx::query("UPDATE refresh_tokens SET superseded = 1 WHERE hash = ?").bind(&old[..]).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO refresh_tokens (hash, session_id) VALUES (?, ?)")
            .bind(&new[..])
            .bind(session_id.0)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE sessions SET last_seen_at = ?, expires_at = ? WHERE id = ?")
            .bind(now.millis())
            .bind(expires_at.millis())
            .bind(session_id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Rotation::Rotated { session_id, user: row.user.try_into()? })
    }

    async fn sessions(&self, user_id: UserId, now: Timestamp) -> Result<Vec<Session>> {
        let rows: Vec<SessionRow> =
            sqlx::query_as("SELECT * FROM sessions WHERE user_id = ? AND expires_at > ? ORDER BY id DESC")
                .bind(user_id.0)
                .bind(now.millis())
                .fetch_all(&self.read)
                .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn touch_session(&self, id: SessionId, now: Timestamp, expires_at: Timestamp) -> Result<()> {
        sqlx::query("UPDATE sessions SET last_seen_at = ?, expires_at = ? WHERE id = ?")
            .bind(now.millis())
            .bind(expires_at.millis())
            .bind(id.0)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    async fn end_session(&self, user_id: UserId, id: SessionId, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let ended = sqlx::query_as("DELETE FROM sessions WHERE id = ? AND user_id = ? RETURNING id")
            .bind(id.0)
            .bind(user_id.0)
            .fetch_all(&mut *tx)
            .await?;
        let entry = sessions_ended(&mut tx, ended, now).await?;
        tx.commit().await?;
        Ok(entry)
    }

    async fn purge_sessions(&self, now: Timestamp) -> Result<Option<Entry>> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let ended = sqlx::query_as("DELETE FROM sessions WHERE expires_at <= ? RETURNING id")
            .bind(now.millis())
            .fetch_all(&mut *tx)
            .await?;
        let entry = sessions_ended(&mut tx, ended, now).await?;
        tx.commit().await?;
        Ok(entry)
    }
}

/// Takes one use of an invitation that is good.
async fn use_invite(tx: &mut SqliteConnection, code: Option<&str>, now: Timestamp) -> Result<bool> {
    let used = sqlx::query("UPDATE invites SET uses = uses + 1 WHERE code = ? AND expires_at > ? AND uses < max_uses")
        .bind(code)
        .bind(now.millis())
        .execute(tx)
        .await?;
    Ok(used.rows_affected() > 0)
}

pub(super) async fn sessions_ended(
    tx: &mut SqliteConnection,
    ended: Vec<(Uuid,)>,
    now: Timestamp,
) -> Result<Option<Entry>> {
    if ended.is_empty() {
        return Ok(None);
    }
    let sessions = ended.into_iter().map(|(id,)| SessionId(id)).collect();
    record(tx, Change::SessionsEnded { sessions }, now).await.map(Some)
}
