//! Server functions: forms post to those that change something (`components/ui/form.rs`), pages
//! call those that read. Who is calling is settled before they run; each makes one call to the port.

mod accounts;
mod admin;
mod channels;
mod feed;
mod people;
mod scheduled;
mod search;
mod settings;

/// Leads to the newest messages, wherever unread begins, in place of a message's own place.
pub const NEWEST: u64 = u64::MAX;

pub use accounts::{Entrance, bootstrap, registration};
pub use admin::{all_channels, audit, invites, roster, stats};
pub use channels::{browse_channels, channel_history, message, open_channel};
pub use feed::feed;
pub use people::{members, open_direct, people, person};
pub use scheduled::{cancel_scheduled, edit_scheduled, reschedule, schedule, schedule_direct, scheduled};
pub use search::{history_after, history_around, search};
pub use settings::sessions;

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use natter::{
    Channel, ErrorCode, MessagePage, PostPolicy, Problem, SessionId, Timestamp, User, Visibility, media::UploadBounds,
    scheduled::ScheduledCounts,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every page starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    pub me: User,
    pub epoch: String,
    /// The channels one is in, by name.
    pub channels: Vec<Channel>,
    /// How many of one's own messages wait to be sent.
    pub scheduled: ScheduledCounts,
    pub uploads: UploadBounds,
}

/// What a channel's page starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenChannel {
    pub channel: Channel,
    /// The newest messages, or those around a place; `None` where one isn't in the channel, or the browser
    /// has them.
    pub page: Option<MessagePage>,
    /// The page doesn't reach to the newest message.
    #[serde(default)]
    pub newer: bool,
}

/// What a private conversation's page starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenDirect {
    pub peer: User,
    /// None until something was said, or the conversation opened otherwise.
    pub channel: Option<Channel>,
    pub page: Option<MessagePage>,
    /// The page doesn't reach to the newest message.
    #[serde(default)]
    pub newer: bool,
}

/// A channel as whoever runs it sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    pub channel: Channel,
    /// By name.
    pub members: Vec<User>,
}

/// One of the places where one is logged in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnSession {
    pub id: SessionId,
    pub user_agent: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The one that asks.
    pub current: bool,
}

/// Who finds a channel and who writes in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelRules {
    pub visibility: Visibility,
    pub post_policy: PostPolicy,
}

/// A problem, as server functions carry it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(pub Problem);

impl Failure {
    pub fn is(&self, code: ErrorCode) -> bool {
        self.0.code == code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self(match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                Problem::new(ErrorCode::Unavailable, "Can't reach the server. Try again in a moment.")
            }
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => {
                Problem::new(ErrorCode::Invalid, detail)
            }
            _ => Problem::new(ErrorCode::Internal, "Something broke on our side."),
        })
    }
}
