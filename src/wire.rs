//! Frames of the WebSocket protocol: JSON text frames, each an object with a `type`.

use crate::{Channel, ChannelId, ErrorCode, Message, MessageId, Ref, SessionId, Timestamp, User};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The protocol that `ready` announces and the subprotocol `natter.v1` names.
pub const PROTOCOL: u32 = 1;

/// Close codes with a meaning of their own.
pub mod close {
    /// The server is going away; reconnect.
    pub const GOING_AWAY: u16 = 1001;
    /// The session ended or isn't allowed; don't reconnect with the same credentials.
    pub const NOT_ALLOWED: u16 = 1008;
    pub const FRAME_TOO_LARGE: u16 = 1009;
    /// The client read too slowly; reconnect and `sync`.
    pub const TOO_SLOW: u16 = 4008;
    pub const RATE_LIMITED: u16 = 4029;
}

/// What a client may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Post a message.
    Send {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
        text: String,
    },
    /// After a reconnect: send everything missed since these revisions.
    Sync {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        epoch: String,
        channels: BTreeMap<ChannelId, u64>,
    },
    /// Move one's own read mark forward.
    Read {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
        seq: u64,
    },
    Ping {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
    },
}

/// A frame that could not be read, with its `ref` if at least that could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub reference: Option<Ref>,
    pub detail: String,
}

impl ClientFrame {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        struct OnlyRef {
            #[serde(rename = "ref")]
            reference: Ref,
        }
        serde_json::from_str(text).map_err(|error| Malformed {
            reference: serde_json::from_str::<OnlyRef>(text).ok().map(|found| found.reference),
            detail: format!("This frame can't be read: {error}."),
        })
    }
}

/// What the server may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame of every connection.
    Ready { protocol: u32, epoch: String, session_id: SessionId, user: User, channels: Vec<Channel> },
    /// A message that is new or has changed.
    Message(Message),
    /// Stored durably: it survives a power cut.
    Ack {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        id: MessageId,
        channel_id: ChannelId,
        seq: u64,
        rev: u64,
        timestamp: Timestamp,
    },
    /// That frame changed nothing.
    Error {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        code: ErrorCode,
        detail: String,
    },
    /// A channel appeared or changed.
    Channel { channel: Channel },
    /// A channel was deleted, or is no longer allowed.
    ChannelRemoved { channel_id: ChannelId },
    /// Somebody came into a channel, or left it.
    Member { channel_id: ChannelId, user: User, joined: bool },
    /// One's own read mark moved, here or on another device.
    Read { channel_id: ChannelId, seq: u64, unread: u64, mentions: u64 },
    /// Caught up.
    Synced { channel_id: ChannelId, rev: u64 },
    /// Catching up isn't possible: reload the channel from history.
    Resync { channel_id: ChannelId },
    Pong {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
    },
}

impl ServerFrame {
    pub fn to_json(&self) -> String {
        // Only maps with keys that aren't strings can fail, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_frame_reads_as_documented() {
        let (channel_id, reference) = (ChannelId::generate(), Ref::generate());
        let text = format!(r#"{{"type":"send","ref":"{reference}","channel_id":"{channel_id}","text":"hi"}}"#);
        let frame = ClientFrame::Send { reference: Some(reference), channel_id, text: "hi".into() };
        assert_eq!(ClientFrame::parse(&text), Ok(frame));
    }

    #[test]
    fn a_malformed_frame_keeps_its_ref_where_it_has_one() {
        let reference = Ref::generate();
        let error = ClientFrame::parse(&format!(r#"{{"type":"send","ref":"{reference}","text":7}}"#)).unwrap_err();
        assert_eq!(error.reference, Some(reference));
        for bad in ["", "[]", "null", "{", r#"{"type":"dance"}"#, r#"{"type":"send","ref":"not-a-uuid"}"#] {
            assert_eq!(ClientFrame::parse(bad).unwrap_err().reference, None, "{bad}");
        }
    }

    #[test]
    fn frames_carry_their_type_in_snake_case() {
        let channel_id = ChannelId::generate();
        assert_eq!(
            ServerFrame::ChannelRemoved { channel_id }.to_json(),
            format!(r#"{{"type":"channel_removed","channel_id":"{channel_id}"}}"#)
        );
        assert_eq!(ServerFrame::Pong { reference: None }.to_json(), r#"{"type":"pong"}"#);
        assert_eq!(ClientFrame::parse(r#"{"type":"ping"}"#), Ok(ClientFrame::Ping { reference: None }));
    }
}
