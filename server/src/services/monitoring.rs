//! The node's own figures, for a monitoring system.

use super::{Caller, Result, ServiceError};
use crate::{
    bus::Bus,
    hub::Hub,
    metrics::{Metrics, Standing},
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub struct Monitoring {
    pub hub: Arc<Hub>,
    pub bus: Arc<dyn Bus>,
    pub metrics: Arc<Metrics>,
    /// By which somebody else may ask.
    pub token: Option<String>,
}

/// Who wants to know.
pub struct Asking<'a> {
    pub caller: Option<&'a Caller>,
    pub token: Option<&'a str>,
    /// From this very machine, and not on behalf of somebody elsewhere.
    pub from_here: bool,
}

impl Monitoring {
    /// All figures in `OpenMetrics` text.
    pub fn read(&self, asking: &Asking<'_>) -> Result<String> {
        let admin = asking.caller.is_some_and(|caller| caller.user.role.can_inspect());
        if !admin && !asking.from_here && !self.is_token(asking.token) {
            return Err(match asking.caller {
                Some(_) => ServiceError::Forbidden("Only admins see this."),
                None => ServiceError::Unauthenticated("Log in first."),
            });
        }
        let now = Standing {
            connections: self.hub.connections(),
            people: self.hub.presence.online().len(),
            broker_up: self.bus.is_up(),
        };
        self.metrics.text(&now).map_err(|error| ServiceError::Internal(error.to_string()))
    }

    fn is_token(&self, given: Option<&str>) -> bool {
        // Of digests, how long comparing takes says nothing of the token.
        self.token.as_deref().zip(given).is_some_and(|(token, given)| Sha256::digest(token) == Sha256::digest(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::LocalBus;
    use natter::{Role, SessionId, Timestamp, User, UserId};

    #[test]
    fn admins_holders_of_the_token_and_this_machine_may_read_it() {
        let (bus, _hints) = LocalBus::new(false);
        let hub = Arc::new(Hub::default());
        let metrics = hub.metrics.clone();
        let mut monitoring = Monitoring { hub, bus: Arc::new(bus), metrics, token: Some("a token of theirs".into()) };
        let caller = |role| {
            let user = User {
                id: UserId::generate(),
                username: "ada".into(),
                display_name: "Ada".into(),
                role,
                suspended: false,
                avatar_url: None,
                created_at: Timestamp::from_millis(0),
            };
            Caller { user, session_id: SessionId::generate() }
        };
        let (admin, member) = (caller(Role::Admin), caller(Role::Member));
        let asks = |caller, token, from_here| Asking { caller, token, from_here };
        for asking in [
            asks(Some(&admin), None, false),
            asks(None, Some("a token of theirs"), false),
            asks(None, None, true),
            asks(Some(&member), None, true),
        ] {
            assert!(monitoring.read(&asking).unwrap().ends_with("# EOF\n"));
        }
        let refused = monitoring.read(&asks(Some(&member), None, false));
        assert!(matches!(refused, Err(ServiceError::Forbidden(_))));
        for token in [None, Some(""), Some("a token of their")] {
            assert!(matches!(monitoring.read(&asks(None, token, false)), Err(ServiceError::Unauthenticated(_))));
        }
        monitoring.token = None;
        assert!(monitoring.read(&asks(None, Some(""), false)).is_err());
    }
}
