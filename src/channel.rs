//! Channels: topic rooms and direct conversations.

use crate::{ChannelId, Timestamp, UserRef};
use serde::{Deserialize, Serialize};

/// How far what is unread in a channel is counted.
pub const UNREAD_MAX: u64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Channel,
    Direct,
}

/// Who may find and enter a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    #[default]
    Public,
    Private,
}

/// Who of its members may write in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PostPolicy {
    #[default]
    Everyone,
    Admins,
}

macro_rules! stored_as_word {
    ($type:ident { $($variant:ident = $word:literal),+ }) => {
        impl $type {
            /// The word stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use stored_as_word;

stored_as_word!(ChannelKind { Channel = "channel", Direct = "direct" });
stored_as_word!(Visibility { Public = "public", Private = "private" });
stored_as_word!(PostPolicy { Everyone = "everyone", Admins = "admins" });

/// What rights are decided from: the channel's rules and whether the person is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub kind: ChannelKind,
    pub visibility: Visibility,
    pub post_policy: PostPolicy,
    pub joined: bool,
}

/// A channel as one person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channel {
    pub id: ChannelId,
    pub kind: ChannelKind,
    /// Absent for directs, which are named by `peer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default)]
    pub topic: String,
    pub visibility: Visibility,
    pub post_policy: PostPolicy,
    /// How many people are in it.
    pub members: u64,
    /// Whether the person asking is in it.
    pub joined: bool,
    /// The number of the latest change to its messages.
    pub rev: u64,
    /// How far the person asking has read: the `seq` of the last message seen.
    pub read_seq: u64,
    /// Messages of others past `read_seq`, counted to [`UNREAD_MAX`]; 0 when not joined.
    pub unread: u64,
    /// Those among them that name the person asking or, where it isn't muted, everyone.
    pub mentions: u64,
    /// Whether the person asking wants it to stay quiet; absent when not joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    pub created_at: Timestamp,
    /// When its newest message was posted; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
    /// In directs, whom one talks to: oneself, where one keeps notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<UserRef>,
}

impl Channel {
    pub const fn access(&self) -> Access {
        Access { kind: self.kind, visibility: self.visibility, post_policy: self.post_policy, joined: self.joined }
    }

    pub const fn is_muted(&self) -> bool {
        matches!(self.muted, Some(true))
    }

    /// The place from which on something is unread; the message itself may be further on.
    pub fn first_unread(&self) -> Option<u64> {
        (self.unread > 0).then_some(self.read_seq + 1)
    }

    /// How much of what is unread is to oneself: mentions, and what was said in private. Of what is
    /// muted only what calls one by name.
    pub const fn to_me(&self) -> u64 {
        match self.kind {
            ChannelKind::Direct if !self.is_muted() => self.unread,
            ChannelKind::Direct | ChannelKind::Channel => self.mentions,
        }
    }

    /// Whether something is unread that one wants to know of.
    pub const fn calls(&self) -> bool {
        self.to_me() > 0 || (self.unread > 0 && !self.is_muted())
    }

    /// What it is called on the screen: `general`, or the other person's username.
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.peer.as_ref().map(|peer| peer.username.as_str())).unwrap_or_default()
    }
}
