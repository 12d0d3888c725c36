//! What the admin area shows and changes.

use crate::{AuditId, ChannelId, MessageId, Timestamp, UserRef, channel::stored_as_word};
use serde::{Deserialize, Serialize};

/// Who may make an account. The first one may always be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Anyone.
    #[default]
    Open,
    /// Whoever has an invitation.
    Invite,
    /// Nobody.
    Closed,
}
stored_as_word!(Registration { Open = "open", Invite = "invite", Closed = "closed" });

/// A link that lets people make an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    /// Part of the link, `/invite/{code}`: whoever has it may register.
    pub code: String,
    pub created_by: UserRef,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// How many accounts may be made with it.
    pub max_uses: u32,
    pub uses: u32,
}

/// What an admin did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    ChannelCreated,
    ChannelUpdated,
    ChannelDeleted,
    MemberAdded,
    MemberRemoved,
    MessageDeleted,
    UserPromoted,
    UserDemoted,
    UserSuspended,
    UserReinstated,
    SessionsEnded,
    RegistrationChanged,
    InviteCreated,
    InviteRevoked,
}
stored_as_word!(AuditAction {
    ChannelCreated = "channel_created",
    ChannelUpdated = "channel_updated",
    ChannelDeleted = "channel_deleted",
    MemberAdded = "member_added",
    MemberRemoved = "member_removed",
    MessageDeleted = "message_deleted",
    UserPromoted = "user_promoted",
    UserDemoted = "user_demoted",
    UserSuspended = "user_suspended",
    UserReinstated = "user_reinstated",
    SessionsEnded = "sessions_ended",
    RegistrationChanged = "registration_changed",
    InviteCreated = "invite_created",
    InviteRevoked = "invite_revoked"
});

/// One thing an admin did: exactly one entry each, without any message's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: Timestamp,
    pub actor: UserRef,
    pub action: AuditAction,
    /// To whom it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRef>,
    /// Where; the name is what the channel was called then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<AuditChannel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What was changed: `topic, visibility: private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Why, in the admin's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditChannel {
    pub id: ChannelId,
    pub name: String,
}

/// Figures about the place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stats {
    pub users: u64,
    pub suspended: u64,
    pub channels: u64,
    pub messages: u64,
    /// Bytes that the database takes.
    pub storage_bytes: u64,
    /// Bytes by what they are for: one of each kind.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub storage: Vec<StorageStats>,
    /// The last 14 days in UTC, oldest first, today last.
    pub days: Vec<DayStats>,
    /// The channels with most messages in those days, at most 10, busiest first; no directs.
    pub busiest: Vec<ChannelStats>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StorageStats {
    pub kind: StorageKind,
    pub bytes: u64,
}

/// What bytes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    Database,
    Pictures,
    Videos,
    Files,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayStats {
    /// Its beginning.
    pub day: Timestamp,
    pub messages: u64,
    /// People who posted.
    pub active: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelStats {
    pub id: ChannelId,
    pub name: String,
    pub messages: u64,
}
