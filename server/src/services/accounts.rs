//! Registering, logging in and out, and the sessions in between.

use super::{Caller, Client, Clock, Result, ServiceError};
use crate::{
    auth::{
        password::Passwords,
        tokens::{ACCESS_SECONDS, Access, RefreshToken, SESSION_SECONDS, Signer},
    },
    bus::{Bus, Hint},
    limits::AccountLimits,
    store::{Admission, Entry, NewSession, NewUser, Rotation, Session, Store, StoreError},
};
use natter::{
    FieldError, SessionId, Timestamp, User, UserId,
    input::{DisplayName, Password, Username},
};
use std::sync::Arc;

const WRONG_PAIR: &str = "That username and password don't match.";
const USER_AGENT_MAX_CHARS: usize = 200;
/// How long the journal remembers: a node cut off for longer makes its connections start over.
const JOURNAL_MILLIS: i64 = 60 * 60 * 1000;

pub struct Accounts {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
    pub passwords: Passwords,
    pub signer: Signer,
    pub limits: AccountLimits,
}

/// A fresh or renewed login.
pub struct LoggedIn {
    pub user: User,
    pub access_token: String,
    pub refresh_token: String,
    /// Seconds until the access token ends.
    pub expires_in: i64,
}

impl Accounts {
    /// `invite`: the code of an invitation, where one is needed.
    pub async fn register(
        &self,
        username: &str,
        password: &str,
        invite: Option<&str>,
        client: &Client,
    ) -> Result<LoggedIn> {
        self.limits.register(client.address)?;
        let (username, password) = match (Username::parse(username), Password::parse("password", password)) {
            (Ok(username), Ok(password)) => (username, password),
            (username, password) => {
                return Err(ServiceError::Invalid([username.err(), password.err()].into_iter().flatten().collect()));
            }
        };
        let new = NewUser {
            id: UserId::generate(),
            username: username.into_string(),
            password_hash: self.passwords.hash(&password).await?,
            created_at: self.clock.now(),
        };
        let admission = self.store.create_user(new, invite).await.map_err(|error| match error {
            StoreError::Taken(field) => {
                ServiceError::Conflict(FieldError::new(field, "That username is taken. Try another."))
            }
            other => other.into(),
        })?;
        let user = match admission {
            Admission::Admitted(user) => user,
            Admission::Closed => {
                return Err(ServiceError::Forbidden("No new accounts can be made here. Ask an admin."));
            }
            Admission::NotInvited if invite.is_some() => {
                return Err(ServiceError::Forbidden(
                    "This invitation is used up, too old or withdrawn. Ask for a new one.",
                ));
            }
            Admission::NotInvited => {
                return Err(ServiceError::Forbidden("You need an invitation to make an account here. Ask an admin."));
            }
        };
        tracing::info!(user_id = %user.id, role = user.role.as_str(), "account created");
        self.start_session(user, client).await
    }

    pub async fn login(&self, username: &str, password: &str, client: &Client) -> Result<LoggedIn> {
        self.limits.login(client.address, username)?;
        // Longer than any password: not worth hashing, and not a hint either.
        let wrong = || ServiceError::Unauthenticated(WRONG_PAIR);
        if password.chars().count() > *natter::input::PASSWORD_CHARS.end() {
            self.limits.guessed_wrong(client.address, username);
            return Err(wrong());
        }
        let (user, stored) = self.store.credentials(username.trim()).await?.unzip();
        let right = self.passwords.verify(password.to_owned(), stored).await?;
        let Some(user) = user.filter(|_| right) else {
            self.limits.guessed_wrong(client.address, username);
            return Err(wrong());
        };
        if user.suspended {
            return Err(ServiceError::Forbidden("This account is suspended. Ask an admin."));
        }
        self.start_session(user, client).await
    }

    async fn start_session(&self, user: User, client: &Client) -> Result<LoggedIn> {
        let now = self.clock.now();
        let refresh = new_refresh_token()?;
        let session_id = SessionId::generate();
        let session = NewSession {
            id: session_id,
            user_id: user.id,
            user_agent: client.user_agent.chars().take(USER_AGENT_MAX_CHARS).collect(),
            created_at: now,
            expires_at: session_end(now),
            refresh_hash: refresh.hash(),
        };
        self.store.create_session(session).await?;
        self.logged_in(user, session_id, refresh)
    }

    fn logged_in(&self, user: User, session_id: SessionId, refresh: RefreshToken) -> Result<LoggedIn> {
        let access_token = self.access_token(&Caller { user: user.clone(), session_id })?;
        Ok(LoggedIn { user, access_token, refresh_token: refresh.into_string(), expires_in: ACCESS_SECONDS })
    }

    /// A new access token for somebody already proven.
    pub fn access_token(&self, caller: &Caller) -> Result<String> {
        let access = Access { user_id: caller.user.id, session_id: caller.session_id };
        self.signer.sign(access, self.clock.now()).map_err(|error| ServiceError::Internal(error.to_string()))
    }

    /// Exchanges a refresh token for a new pair. An old one that comes back was stolen from, or by,
    /// somebody: its session ends.
    pub async fn refresh(&self, token: &str, client: &Client) -> Result<LoggedIn> {
        self.limits.refresh(client.address)?;
        let now = self.clock.now();
        let fresh = new_refresh_token()?;
        let old = RefreshToken::presented(token).hash();
        match self.store.rotate_refresh(old, fresh.hash(), now, session_end(now)).await? {
            Rotation::Rotated { session_id, user } if !user.suspended => self.logged_in(user, session_id, fresh),
            Rotation::Reused(ended) => {
                tracing::warn!(change = ?ended.change, "a superseded refresh token came back; its session is ended");
                self.tell(ended).await;
                Err(session_over())
            }
            Rotation::Rotated { .. } | Rotation::Unknown => Err(session_over()),
        }
    }

    /// Whoever holds this access token, if their session still lives.
    pub async fn by_access_token(&self, token: &str) -> Result<Caller> {
        let now = self.clock.now();
        let access = self.signer.check(token, now).ok_or_else(session_over)?;
        self.by_session(access.session_id).await
    }

    /// Whoever holds this refresh token; it stays as it is. For pages and forms of a browser whose
    /// access token has run out.
    pub async fn by_refresh_token(&self, token: &str) -> Result<Caller> {
        let now = self.clock.now();
        let found = self.store.session_by_refresh(RefreshToken::presented(token).hash(), now).await?;
        let (session_id, user) = found.filter(|(_, user)| !user.suspended).ok_or_else(session_over)?;
        self.store.touch_session(session_id, now, session_end(now)).await?;
        Ok(Caller { user, session_id })
    }

    pub async fn by_session(&self, session_id: SessionId) -> Result<Caller> {
        let user = self.store.session_user(session_id, self.clock.now()).await?;
        let user = user.filter(|user| !user.suspended).ok_or_else(session_over)?;
        Ok(Caller { user, session_id })
    }

    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        self.end_session(caller, caller.session_id).await
    }

    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        Ok(self.store.sessions(caller.user.id, self.clock.now()).await?)
    }

    /// Ends one of the caller's own sessions.
    pub async fn end_session(&self, caller: &Caller, id: SessionId) -> Result<()> {
        let ended = self.store.end_session(caller.user.id, id, self.clock.now()).await?;
        self.tell(ended.ok_or(ServiceError::NotFound("There is no such session."))?).await;
        Ok(())
    }

    /// Ends all of the caller's own sessions but theirs.
    pub async fn end_others(&self, caller: &Caller) -> Result<()> {
        let sessions = self.sessions(caller).await?;
        for session in sessions.into_iter().filter(|session| session.id != caller.session_id) {
            // It may have ended by itself meanwhile.
            let ended = self.store.end_session(caller.user.id, session.id, self.clock.now()).await?;
            if let Some(ended) = ended {
                self.tell(ended).await;
            }
        }
        Ok(())
    }

    pub async fn rename(&self, caller: &Caller, display_name: &str) -> Result<User> {
        let name = DisplayName::parse(display_name)?;
        let changed = self.store.set_display_name(caller.user.id, name.as_str(), self.clock.now()).await?;
        let (user, entry) = changed.ok_or_else(session_over)?;
        self.tell(entry).await;
        Ok(user)
    }

    /// Changes the password and ends every other session.
    pub async fn change_password(&self, caller: &Caller, current: &str, new: &str, client: &Client) -> Result<()> {
        self.limits.login(client.address, &caller.user.username)?;
        let new = Password::parse("new", new)?;
        let stored = self.store.password_hash(caller.user.id).await?;
        if !self.passwords.verify(current.to_owned(), stored).await? {
            self.limits.guessed_wrong(client.address, &caller.user.username);
            return Err(FieldError::new("current", "That isn't your current password.").into());
        }
        let hash = self.passwords.hash(&new).await?;
        let now = self.clock.now();
        if let Some(ended) = self.store.set_password(caller.user.id, &hash, caller.session_id, now).await? {
            self.tell(ended).await;
        }
        Ok(())
    }

    /// Whether nobody has registered yet.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.store.user_count().await? == 0)
    }

    /// Forgets what has run out; called now and then.
    pub async fn tidy(&self) -> Result<()> {
        self.limits.forget_old();
        let now = self.clock.now();
        if let Some(ended) = self.store.purge_sessions(now).await? {
            self.tell(ended).await;
        }
        self.store.trim_journal(now.plus_millis(-JOURNAL_MILLIS)).await?;
        Ok(())
    }

    async fn tell(&self, entry: Entry) {
        self.bus.publish(vec![Hint::Changed(entry)]).await;
    }
}

fn session_end(now: Timestamp) -> Timestamp {
    now.plus_millis(SESSION_SECONDS * 1000)
}

fn session_over() -> ServiceError {
    ServiceError::Unauthenticated("Log in to continue.")
}

fn new_refresh_token() -> Result<RefreshToken> {
    RefreshToken::generate().map_err(|error| ServiceError::Internal(error.to_string()))
}
