//! Messages.

use crate::{ChannelId, MessageId, Ref, Timestamp, UploadId, UserId, UserRef};
use serde::{Deserialize, Serialize};

/// One message in its newest state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    pub id: MessageId,
    pub channel_id: ChannelId,
    /// Its place in the channel's history: the `rev` at which it was posted.
    pub seq: u64,
    /// The channel's number for the latest change to this message. Of two copies, keep the higher.
    pub rev: u64,
    pub sender: UserRef,
    /// Only in directs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Receiver>,
    pub timestamp: Timestamp,
    /// At most 4,000 characters; absent once deleted, and where there are only attachments.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// An admin's `@channel` in it calls everyone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_channel: bool,
    #[serde(default)]
    pub attachments: Vec<Upload>,
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Ref>,
}

/// Whom a private message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receiver {
    pub id: UserId,
}

/// A file that a message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upload {
    pub id: UploadId,
    pub filename: String,
    /// Decided by its content, never by its name.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Pixels, of pictures and videos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Milliseconds, of videos and sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// A path on this server.
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
}

/// Everyone who answered a message with the same emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reaction {
    pub emoji: String,
    pub user_ids: Vec<UserId>,
}

/// A stretch of a channel's history, ascending by `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagePage {
    pub items: Vec<Message>,
    /// The `seq` to continue from in the direction asked for (`before` it, or `after` it);
    /// null at the end of history.
    pub next: Option<u64>,
    /// The channel's number at the moment the page was read.
    pub rev: u64,
    /// Names the database's life: when it changes, revisions known before mean nothing.
    pub epoch: String,
}

impl MessagePage {
    /// Whether there may be more after a page around a place, of which `limit` messages were asked for.
    pub fn may_go_on(&self, limit: u32) -> bool {
        self.items.len() >= limit as usize
    }
}

/// What changed after a revision, in `rev` order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changes {
    pub items: Vec<Message>,
    /// The `rev` to continue from, or null when these are all.
    pub next: Option<u64>,
    pub rev: u64,
    pub epoch: String,
}
