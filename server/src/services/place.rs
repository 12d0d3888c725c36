//! Running the place: who may register, what admins did, and the figures.

use super::{Caller, Clock, Result, ServiceError, settle};
use crate::{
    bus::Bus,
    store::{InviteDraft, Store},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use natter::{
    AuditId, FieldError,
    admin::{AuditEntry, Invite, Registration, Stats},
    input::{INVITE_DAYS, INVITE_USES},
};
use std::sync::Arc;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub struct Place {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
}

impl Place {
    /// Who may register: told to anyone, since the page to register shows it.
    pub async fn registration(&self) -> Result<Registration> {
        Ok(self.store.registration().await?)
    }

    /// Nobody has an account yet.
    pub async fn is_new(&self) -> Result<bool> {
        Ok(!self.store.has_accounts().await?)
    }

    pub async fn set_registration(&self, caller: &Caller, mode: Registration) -> Result<()> {
        may_manage(caller)?;
        let set = self.store.set_registration(mode, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, set, "").await
    }

    /// An invitation for so many accounts within so many days.
    pub async fn invite(&self, caller: &Caller, days: u32, uses: u32) -> Result<Invite> {
        may_manage(caller)?;
        let mut errors = Vec::new();
        if !INVITE_DAYS.contains(&days) {
            errors.push(FieldError::new("days", "An invitation lasts 1 to 365 days."));
        }
        if !INVITE_USES.contains(&uses) {
            errors.push(FieldError::new("uses", "An invitation is for 1 to 10,000 accounts."));
        }
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let draft = InviteDraft {
            code: new_code()?,
            expires_at: self.clock.now().plus_millis(i64::from(days) * DAY_MILLIS),
            max_uses: uses,
        };
        let made = self.store.create_invite(draft, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, made, "").await
    }

    pub async fn invites(&self, caller: &Caller) -> Result<Vec<Invite>> {
        may_manage(caller)?;
        Ok(self.store.invites(self.clock.now()).await?)
    }

    /// Whether an account can be made with that code right now.
    pub async fn is_good(&self, code: &str) -> Result<bool> {
        Ok(self.store.invite_is_good(code, self.clock.now()).await?)
    }

    pub async fn revoke_invite(&self, caller: &Caller, code: &str) -> Result<()> {
        may_manage(caller)?;
        let revoked = self.store.revoke_invite(code, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, revoked, "There is no such invitation.").await
    }

    /// What admins did, newest first.
    pub async fn audit(&self, caller: &Caller, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditEntry>> {
        may_inspect(caller)?;
        Ok(self.store.audit(before, limit).await?)
    }

    pub async fn stats(&self, caller: &Caller) -> Result<Stats> {
        may_inspect(caller)?;
        Ok(self.store.stats(self.clock.now()).await?)
    }
}

/// 120 bits that nobody guesses.
fn new_code() -> Result<String> {
    let mut bytes = [0; 15];
    getrandom::fill(&mut bytes).map_err(|error| ServiceError::Internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn may_manage(caller: &Caller) -> Result<()> {
    if caller.user.role.can_manage_registration() { Ok(()) } else { Err(only_admins()) }
}

fn may_inspect(caller: &Caller) -> Result<()> {
    if caller.user.role.can_inspect() { Ok(()) } else { Err(only_admins()) }
}

fn only_admins() -> ServiceError {
    ServiceError::Forbidden("Only admins do that.")
}
