//! What Natter's server and browser share, so that both sides of every rule are one piece of code:
//! identifiers, roles and their rights, the bounds of every input, messages, wire frames and the
//! timeline that merges history with live events. No I/O; builds natively and for wasm.

pub mod admin;
pub mod channel;
pub mod error;
pub mod feed;
pub mod id;
pub mod input;
pub mod markdown;
pub mod media;
pub mod message;
pub mod role;
pub mod scheduled;
pub mod search;
pub mod time;
pub mod timeline;
pub mod user;
pub mod wire;

pub use channel::{Channel, ChannelKind, PostPolicy, Visibility};
pub use error::{ErrorCode, FieldError, Problem};
pub use feed::{FeedItem, FeedPage};
pub use id::{AuditId, ChannelId, MessageId, Ref, ScheduledId, SessionId, UploadId, UserId};
pub use message::{Message, MessagePage, Upload};
pub use role::Role;
pub use scheduled::Scheduled;
pub use time::Timestamp;
pub use timeline::Timeline;
pub use user::{User, UserRef};
