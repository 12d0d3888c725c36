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

/// Makes [`ServerFrame`] and its reader. Serde's own for tagged enums buffers what it reads and brings
/// a second copy of every type's reader into the browser; this looks at the tag first.
macro_rules! server_frames {
    ($( $(#[$doc:meta])* $name:ident = $word:literal { $( $(#[$attr:meta])* $field:ident: $type:ty ),* $(,)? } ),+ $(,)?) => {
        /// What the server may say.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum ServerFrame {
            /// A message that is new or has changed.
            Message(Message),
            $( $(#[$doc])* $name { $( $(#[$attr])* $field: $type ),* }, )+
        }

        impl ServerFrame {
            /// Reads a frame; one of a kind not known here is an error.
            pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
                match serde_json::from_slice::<Tag>(json)?.kind.as_ref() {
                    "message" => serde_json::from_slice(json).map(Self::Message),
                    $( $word => {
                        #[derive(Deserialize)]
                        struct Frame { $( $(#[$attr])* $field: $type ),* }
                        let Frame { $( $field ),* } = serde_json::from_slice(json)?;
                        Ok(Self::$name { $( $field ),* })
                    } )+
                    other => Err(serde::de::Error::custom(format_args!("unknown frame {other}"))),
                }
            }
        }
    };
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

server_frames! {
    /// The first frame of every connection.
    Ready = "ready" { protocol: u32, epoch: String, session_id: SessionId, user: User, channels: Vec<Channel> },
    /// Stored durably: it survives a power cut.
    Ack = "ack" {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        id: MessageId,
        channel_id: ChannelId,
        seq: u64,
        rev: u64,
        timestamp: Timestamp,
    },
    /// That frame changed nothing.
    Error = "error" {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        code: ErrorCode,
        detail: String,
    },
    /// A channel appeared or changed.
    Channel = "channel" { channel: Channel },
    /// A channel was deleted, or is no longer allowed.
    ChannelRemoved = "channel_removed" { channel_id: ChannelId },
    /// Somebody came into a channel, or left it.
    Member = "member" {
        channel_id: ChannelId,
        user: User,
        joined: bool,
        /// How many are in it now.
        members: u64,
    },
    /// One's own read mark moved, here or on another device.
    Read = "read" { channel_id: ChannelId, seq: u64, unread: u64, mentions: u64 },
    /// Caught up.
    Synced = "synced" { channel_id: ChannelId, rev: u64 },
    /// Catching up isn't possible: reload the channel from history.
    Resync = "resync" { channel_id: ChannelId },
    Pong = "pong" {
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
    fn frames_read_back_as_they_were_written() {
        let (channel_id, reference) = (ChannelId::generate(), Some(Ref::generate()));
        let (id, timestamp) = (MessageId::generate(), Timestamp::from_millis(7));
        for frame in [
            ServerFrame::Ack { reference, id, channel_id, seq: 1, rev: 2, timestamp },
            ServerFrame::Error { reference: None, code: ErrorCode::RateLimited, detail: "Slow \"down\".".into() },
            ServerFrame::ChannelRemoved { channel_id },
            ServerFrame::Read { channel_id, seq: 3, unread: 4, mentions: 5 },
            ServerFrame::Synced { channel_id, rev: 6 },
            ServerFrame::Resync { channel_id },
            ServerFrame::Pong { reference },
        ] {
            assert_eq!(ServerFrame::parse(frame.to_json().as_bytes()).unwrap(), frame);
        }
        assert!(ServerFrame::parse(br#"{"type":"novelty"}"#).is_err());
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
