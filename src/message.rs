//! Messages.

use crate::{ChannelId, MessageId, Ref, Timestamp, UploadId, UserId, UserRef};
use serde::{Deserialize, Serialize, Serializer};

/// One message in its newest state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
    /// At most 4,000 characters, none where there are only attachments; absent once deleted.
    #[serde(default)]
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
    #[cfg_attr(feature = "openapi", schema(required))]
    pub attachments: Vec<Upload>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub reactions: Vec<Reaction>,
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Ref>,
}

/// As it is declared, but for the words: whether they are there depends on another field.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            id: MessageId,
            channel_id: ChannelId,
            seq: u64,
            rev: u64,
            sender: &'a UserRef,
            #[serde(skip_serializing_if = "Option::is_none")]
            receiver: Option<Receiver>,
            timestamp: Timestamp,
            #[serde(skip_serializing_if = "Option::is_none")]
            text: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            edited_at: Option<Timestamp>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            deleted: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            reply_to: Option<MessageId>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            mentions_channel: bool,
            attachments: &'a [Upload],
            reactions: &'a [Reaction],
            #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
            reference: Option<Ref>,
        }
        let shown = Shown {
            id: self.id,
            channel_id: self.channel_id,
            seq: self.seq,
            rev: self.rev,
            sender: &self.sender,
            receiver: self.receiver,
            timestamp: self.timestamp,
            text: (!self.deleted).then_some(self.text.as_str()),
            edited_at: self.edited_at,
            deleted: self.deleted,
            reply_to: self.reply_to,
            mentions_channel: self.mentions_channel,
            attachments: &self.attachments,
            reactions: &self.reactions,
            reference: self.reference,
        };
        shown.serialize(serializer)
    }
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
