//! The only place that decides: check the right, write in one transaction, publish after the commit.
//! Handlers, sockets and server functions translate to and from these.

pub mod accounts;
pub mod channels;
pub mod directs;
pub mod feed;
pub mod marks;
pub mod messages;
pub mod moderation;
pub mod monitoring;
pub mod people;
pub mod place;
pub mod scheduled;
pub mod search;
pub mod uploads;

use crate::{
    auth::password::HashingFailed,
    bus::{Bus, Hint},
    limits::Limited,
    store::{Act, Done, Outcome, StoreError},
};
use natter::{ErrorCode, FieldError, Problem, SessionId, Timestamp, User, input::Reason};
use std::{net::IpAddr, sync::Arc};

/// Who is calling, once proven: the account and the login it came through.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    pub session_id: SessionId,
}

impl Caller {
    /// An act of theirs, for the store to decide and to note.
    fn act(&self, clock: &Clock, reason: Option<&str>) -> Result<Act> {
        let reason = reason.map(Reason::parse).transpose()?.flatten();
        Ok(Act { actor: self.user.id, at: clock.now(), reason: reason.map(Reason::into_string) })
    }
}

/// Tells of what an act came to, and answers what it made. `missing`: what there is none of.
async fn settle<T>(bus: &dyn Bus, outcome: Outcome<T>, missing: &'static str) -> Result<T> {
    match outcome {
        Outcome::Done(Done { value, entries }) => {
            if !entries.is_empty() {
                bus.publish(entries.into_iter().map(Hint::Changed).collect()).await;
            }
            Ok(value)
        }
        Outcome::NotFound => Err(ServiceError::NotFound(missing)),
        Outcome::Forbidden => Err(ServiceError::Forbidden("Only admins do that.")),
        Outcome::LastAdmin => Err(ServiceError::LastAdmin),
    }
}

/// Where a call comes from.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: IpAddr,
    pub user_agent: String,
}

/// Tells the time; tests turn it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn system() -> Self {
        Self::new(|| Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// Why a service said no. What a caller may not see is `NotFound`, like what doesn't exist.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("not logged in")]
    Unauthenticated(&'static str),
    #[error("forbidden")]
    Forbidden(&'static str),
    #[error("not found")]
    NotFound(&'static str),
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    #[error("conflict")]
    Conflict(FieldError),
    /// Nobody would be left to run the place.
    #[error("the last admin")]
    LastAdmin,
    /// More bytes than are taken; says how many are.
    #[error("too large")]
    TooLarge(String),
    #[error("rate limited")]
    RateLimited(Limited),
    #[error("too far behind")]
    Resync,
    #[error("overloaded")]
    Overloaded,
    /// Files can't be written or read; logged where it was seen.
    #[error("the files can't be reached")]
    Unstored,
    /// It may have been done or not.
    #[error("the outcome is not known")]
    Unsure,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    #[error("{0}")]
    Internal(String),
}

pub type Result<T> = std::result::Result<T, ServiceError>;

impl From<FieldError> for ServiceError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<Limited> for ServiceError {
    fn from(limited: Limited) -> Self {
        Self::RateLimited(limited)
    }
}

impl ServiceError {
    /// What the outside is told. Says nothing of databases, and is logged here where it is our fault.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Unauthenticated(detail) => Problem::new(ErrorCode::Unauthenticated, detail),
            Self::Forbidden(detail) => Problem::new(ErrorCode::Forbidden, detail),
            Self::NotFound(detail) => Problem::new(ErrorCode::NotFound, detail),
            Self::Invalid(errors) => Problem::invalid(errors),
            Self::Conflict(error) => {
                Problem { errors: vec![error.clone()], ..Problem::new(ErrorCode::Conflict, error.message) }
            }
            Self::LastAdmin => {
                let detail = "This is the last active admin. Make somebody else an admin first.";
                Problem::new(ErrorCode::Conflict, detail)
            }
            Self::TooLarge(detail) => Problem::new(ErrorCode::TooLarge, detail),
            Self::RateLimited(Limited { retry_after_seconds: 1 }) => {
                Problem::new(ErrorCode::RateLimited, "Too much at once. Try again in a second.")
            }
            Self::RateLimited(Limited { retry_after_seconds: seconds }) => {
                Problem::new(ErrorCode::RateLimited, format!("Too much at once. Try again in {seconds} seconds."))
            }
            Self::Resync => {
                Problem::new(ErrorCode::Resync, "That can't be told from there: reload the channel from history.")
            }
            Self::Unsure => {
                let detail = "It isn't known whether this was done. Look, or send it again with the same ref.";
                Problem::new(ErrorCode::Unavailable, detail)
            }
            Self::Unstored => {
                Problem::new(ErrorCode::Unavailable, "Files can't be stored or read right now. Try again later.")
            }
            Self::Overloaded => Problem::new(ErrorCode::Unavailable, "Too much is going on. Try again in a moment."),
            Self::Store(error) => {
                tracing::error!(%error, "the store failed");
                Problem::new(ErrorCode::Unavailable, "Can't reach the database. Try again in a moment.")
            }
            Self::Hashing(_) | Self::Internal(_) => {
                tracing::error!(error = %self, "internal error");
                Problem::new(ErrorCode::Internal, "Something broke on our side.")
            }
        }
    }
}
