//! What the interface needs from the server, as a port: server functions make one call to it.

use crate::api::{Bootstrap, ChannelRules, Entrance, OpenChannel, OpenDirect, OwnSession, Roster};
use async_trait::async_trait;
use leptos::prelude::use_context;
use natter::{
    AuditId, Channel, ChannelId, ErrorCode, FeedPage, Message, MessageId, MessagePage, Problem, Ref, Role, Scheduled,
    ScheduledId, SessionId, Timestamp, UploadId, User, UserId,
    admin::{AuditEntry, Invite, Registration, Stats},
    feed::Place,
    search::HitPage,
};
use std::sync::Arc;

pub type Answer<T> = Result<T, Problem>;

/// What somebody wants to say later.
#[derive(Clone, Debug)]
pub struct Later {
    pub text: String,
    pub send_at: Timestamp,
    pub reference: Option<Ref>,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<UploadId>,
}

/// The server as one request sees it: who is calling is already known to the implementation.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Who is logged in and their channels; `None` for nobody.
    async fn bootstrap(&self) -> Answer<Option<Bootstrap>>;
    /// Creates an account and logs the browser in.
    async fn register(&self, username: &str, password: &str, invite: Option<&str>) -> Answer<()>;
    /// Who may register, and whether that invitation is good right now.
    async fn registration(&self, invite: Option<&str>) -> Answer<Entrance>;
    async fn login(&self, username: &str, password: &str) -> Answer<()>;
    async fn logout(&self) -> Answer<()>;
    /// Changes the caller's display name.
    async fn rename(&self, display_name: &str) -> Answer<User>;
    /// Changes the caller's password, and ends their other sessions.
    async fn change_password(&self, current: &str, new: &str) -> Answer<()>;
    /// The caller's own sessions, newest first.
    async fn sessions(&self) -> Answer<Vec<OwnSession>>;
    async fn end_session(&self, id: SessionId) -> Answer<()>;
    async fn end_other_sessions(&self) -> Answer<()>;
    /// All channels the caller may see.
    async fn channels(&self) -> Answer<Vec<Channel>>;
    /// A channel with its newest messages, or those around a place.
    async fn open_channel(&self, name: &str, at: Option<u64>) -> Answer<OpenChannel>;
    /// A conversation with somebody, as it is; opens nothing.
    async fn open_direct(&self, username: &str, at: Option<u64>) -> Answer<OpenDirect>;
    async fn person(&self, username: &str) -> Answer<User>;
    /// At most 100 people whose names contain that, by name.
    async fn people(&self, query: &str, after: &str) -> Answer<Vec<User>>;
    async fn members(&self, id: ChannelId) -> Answer<Vec<User>>;
    /// One message, wherever the caller may read it.
    async fn message(&self, id: MessageId) -> Answer<Message>;
    async fn create_channel(&self, name: &str, topic: &str, rules: ChannelRules) -> Answer<Channel>;
    async fn update_channel(&self, id: ChannelId, name: &str, topic: &str, rules: ChannelRules) -> Answer<Channel>;
    /// Admins: every channel, also private ones they aren't in.
    async fn all_channels(&self) -> Answer<Vec<Channel>>;
    /// Admins: a channel and who is in it.
    async fn roster(&self, name: &str) -> Answer<Roster>;
    async fn admit(&self, id: ChannelId, username: &str) -> Answer<()>;
    async fn expel(&self, id: ChannelId, user_id: UserId) -> Answer<()>;
    async fn set_role(&self, id: UserId, role: Role) -> Answer<User>;
    async fn set_suspended(&self, id: UserId, suspended: bool, reason: &str) -> Answer<User>;
    async fn end_sessions(&self, id: UserId) -> Answer<()>;
    async fn set_registration(&self, mode: Registration) -> Answer<()>;
    async fn invites(&self) -> Answer<Vec<Invite>>;
    async fn create_invite(&self, days: u32, uses: u32) -> Answer<Invite>;
    async fn revoke_invite(&self, code: &str) -> Answer<()>;
    /// A page of what admins did, newest first, before an entry.
    async fn audit(&self, before: Option<AuditId>) -> Answer<Vec<AuditEntry>>;
    async fn stats(&self) -> Answer<Stats>;
    /// What is unread, a page past a place.
    async fn feed(&self, after: Option<Place>) -> Answer<FeedPage>;
    /// Keeps a conversation quiet for the caller, or not any more.
    async fn set_muted(&self, id: ChannelId, muted: bool) -> Answer<Channel>;
    async fn delete_channel(&self, id: ChannelId) -> Answer<()>;
    async fn join_channel(&self, id: ChannelId) -> Answer<Channel>;
    async fn leave_channel(&self, id: ChannelId) -> Answer<()>;
    /// A page of history before `before`, or the newest.
    async fn history(&self, id: ChannelId, before: Option<u64>) -> Answer<MessagePage>;
    /// One's own messages for later.
    async fn scheduled(&self) -> Answer<Vec<Scheduled>>;
    async fn schedule(&self, channel_id: ChannelId, later: Later) -> Answer<Scheduled>;
    /// A private message; opens the conversation if need be.
    async fn schedule_direct(&self, user_id: UserId, later: Later) -> Answer<Scheduled>;
    async fn edit_scheduled(&self, id: ScheduledId, text: String, attachments: Vec<UploadId>) -> Answer<Scheduled>;
    async fn reschedule(&self, id: ScheduledId, send_at: Timestamp) -> Answer<Scheduled>;
    async fn send_scheduled(&self, id: ScheduledId) -> Answer<Scheduled>;
    async fn cancel_scheduled(&self, id: ScheduledId, keep_files: bool) -> Answer<Scheduled>;
    /// The messages on both sides of a place.
    async fn history_around(&self, id: ChannelId, place: u64) -> Answer<MessagePage>;
    /// A page of history after a place.
    async fn history_after(&self, id: ChannelId, after: u64) -> Answer<MessagePage>;
    /// Messages that fit a query, a page past `cursor`.
    async fn search(&self, query: &str, cursor: Option<MessageId>) -> Answer<HitPage>;
    /// Where a form posted without scripts goes next; scripts find their own way.
    fn after_form(&self, path: &str);
    /// The page that is made is of an address that leads nowhere.
    fn leads_nowhere(&self);
}

/// The port of the request being answered.
pub fn backend() -> Answer<Arc<dyn Backend>> {
    use_context::<Arc<dyn Backend>>().ok_or_else(|| Problem::new(ErrorCode::Internal, "Something broke on our side."))
}
