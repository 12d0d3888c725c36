//! Finding people, and what admins do to their standing.

use super::{Caller, Clock, Result, ServiceError, settle};
use crate::{
    bus::Bus,
    store::{Store, UserChange},
};
use natter::{User, UserId};
use std::sync::Arc;

const NOBODY: &str = "There is nobody of that id.";

pub struct People {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
}

impl People {
    /// At most `limit` people, by name in lower case, past `after`; `query` is looked for in their names.
    pub async fn list(&self, query: &str, after: &str, limit: u32) -> Result<Vec<User>> {
        Ok(self.store.users(query, after, limit).await?)
    }

    pub async fn get(&self, id: UserId) -> Result<User> {
        self.store.user(id).await?.ok_or(ServiceError::NotFound(NOBODY))
    }

    pub async fn by_name(&self, username: &str) -> Result<User> {
        let user = self.store.user_by_name(username).await?;
        user.ok_or(ServiceError::NotFound("There is nobody of that name."))
    }

    /// Gives or takes a role, suspends or reinstates. The last active admin stays one.
    pub async fn update(&self, caller: &Caller, id: UserId, change: UserChange, reason: Option<&str>) -> Result<User> {
        may_manage(caller)?;
        let updated = self.store.update_user(id, change, caller.act(&self.clock, reason)?).await?;
        let user = settle(&*self.bus, updated, NOBODY).await?;
        tracing::info!(user_id = %id, by = %caller.user.id, role = user.role.as_str(), user.suspended, "user changed");
        Ok(user)
    }

    /// Logs somebody out everywhere.
    pub async fn end_sessions(&self, caller: &Caller, id: UserId) -> Result<()> {
        may_manage(caller)?;
        let ended = self.store.end_sessions(id, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, ended, NOBODY).await
    }
}

fn may_manage(caller: &Caller) -> Result<()> {
    if caller.user.role.can_manage_people() { Ok(()) } else { Err(ServiceError::Forbidden("Only admins do that.")) }
}
