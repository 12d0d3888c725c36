//! Frames of the WebSocket protocol: JSON text frames, each an object with a `type`.

use crate::{
    Channel, ChannelId, ErrorCode, Message, MessageId, Ref, Scheduled, SessionId, Timestamp, UploadId, User, UserId,
    message::Receiver, scheduled::ScheduledCounts,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The protocol that `ready` announces and the subprotocol `natter.v1` names.
pub const PROTOCOL: u32 = 1;

/// Close codes with a meaning of their own.
pub mod close {
    /// The server is going away; reconnect.
    pub const GOING_AWAY: u16 = 1001;
    /// The connection broke off or was left: never sent (RFC 6455, 7.4.1).
    pub const GONE: u16 = 1006;
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
        #[serde(default)]
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
        /// One's own uploads, at most ten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<UploadId>,
    },
    /// A private message; opens the conversation if need be. Also read without its `type`.
    Direct {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        /// Has to be oneself.
        sender: Receiver,
        receiver: Receiver,
        /// The sender's clock, which decides nothing: what is stored is the server's.
        #[serde(default, deserialize_with = "whatever")]
        timestamp: Option<Timestamp>,
        #[serde(default)]
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
        /// One's own uploads, at most ten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<UploadId>,
    },
    /// Change the words of one's own message.
    Edit {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        message_id: MessageId,
        text: String,
    },
    /// Delete a message.
    Delete {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        message_id: MessageId,
        /// An admin's, for the author.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Answer a message with an emoji, or take that back.
    React {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        message_id: MessageId,
        emoji: String,
        on: bool,
    },
    /// One is writing.
    Typing {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
    },
    /// After a reconnect: send everything missed since these revisions.
    Sync {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        epoch: String,
        channels: BTreeMap<ChannelId, u64>,
    },
    /// Move one's own read mark forward. Answered by where it stands.
    Read {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
        seq: u64,
        /// Move it back: what comes after is unread again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        back: bool,
    },
    Ping {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
    },
}

/// Reads a value of any kind as none.
fn whatever<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| None)
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
        #[derive(Deserialize)]
        struct Untagged {
            #[serde(rename = "type")]
            kind: Option<serde::de::IgnoredAny>,
            #[serde(rename = "receiver")]
            _receiver: serde::de::IgnoredAny,
        }
        // Serde would take a list for an object, field by field.
        let object = text.trim_start().starts_with('{');
        let read =
            if object { serde_json::from_str(text) } else { Err(serde::de::Error::custom("it is no JSON object")) };
        read.or_else(|error| {
            // As private messages were first specified: an object with a receiver and no type.
            let direct = serde_json::from_str::<Untagged>(text).is_ok_and(|frame| frame.kind.is_none());
            let brace = text.find('{').filter(|_| direct).ok_or(error)?;
            serde_json::from_str(&format!(r#"{{"type":"direct",{}"#, &text[brace + 1..]))
        })
        .map_err(|error| Malformed {
            reference: serde_json::from_str::<OnlyRef>(text).ok().map(|found| found.reference),
            detail: format!("This frame can't be read: {}.", plain_json_error(&error.to_string())),
        })
    }
}

/// Serde's words for what is wrong with JSON, without the names of our types.
pub fn plain_json_error(message: &str) -> String {
    let Some((found, expected)) = message.split_once("expected ") else { return message.to_owned() };
    let place = expected.find(" at line ").map_or("", |at| &expected[at..]);
    let what = expected.strip_suffix(place).unwrap_or(expected);
    let what = match what.split(' ').next().unwrap_or_default() {
        "struct" | "internally" | "adjacently" | "variant" | "enum" => "an object",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        _ => what,
    };
    format!("{found}expected {what}{place}")
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
            /// The same in a direct.
            Direct(Message),
            $( $(#[$doc])* $name { $( $(#[$attr])* $field: $type ),* }, )+
        }

        impl ServerFrame {
            /// Reads a frame; one of a kind not known here is an error.
            pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
                match serde_json::from_slice::<Tag>(json)?.kind.as_ref() {
                    "message" => serde_json::from_slice(json).map(Self::Message),
                    "direct" => serde_json::from_slice(json).map(Self::Direct),
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
    Ready = "ready" {
        protocol: u32,
        epoch: String,
        session_id: SessionId,
        user: User,
        channels: Vec<Channel>,
        /// Who is here; `presence` says what changes.
        #[serde(default)]
        online: Vec<UserId>,
        /// One's own messages for later.
        #[serde(default)]
        scheduled: ScheduledCounts,
    },
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
    Read = "read" {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
        seq: u64,
        unread: u64,
        mentions: u64,
        /// The channel's number at the moment those were counted; 0 if that isn't known.
        #[serde(default)]
        rev: u64,
        /// It moved back, by one's own wish.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        back: bool,
    },
    /// Somebody's name, role or standing changed.
    User = "user" { user: User },
    /// A message of one's own for later was made, changed, sent or given up.
    Scheduled = "scheduled" { scheduled: Scheduled, counts: ScheduledCounts },
    /// Somebody is writing, for the next few seconds.
    Typing = "typing" { channel_id: ChannelId, user_id: UserId },
    /// Somebody came or went.
    Presence = "presence" { user_id: UserId, online: bool },
    /// Caught up.
    Synced = "synced" {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
        rev: u64,
    },
    /// Catching up isn't possible: reload the channel from history.
    Resync = "resync" {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
        channel_id: ChannelId,
    },
    Pong = "pong" {
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Ref>,
    },
}

impl ServerFrame {
    /// The frame that carries a message.
    pub fn carrying(message: Message) -> Self {
        if message.receiver.is_some() { Self::Direct(message) } else { Self::Message(message) }
    }

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
        let frame = ClientFrame::Send {
            reference: Some(reference),
            channel_id,
            text: "hi".into(),
            reply_to: None,
            attachments: Vec::new(),
        };
        assert_eq!(ClientFrame::parse(&text), Ok(frame));
    }

    #[test]
    fn a_private_message_reads_with_and_without_a_type() {
        let (sender, receiver) = (UserId::generate(), UserId::generate());
        let literal = format!(
            r#" {{"sender":{{"id":"{sender}","username":"ada"}},"receiver":{{"id":"{receiver}"}},
            "timestamp":"2026-11-22T10:00:00.000Z","text":"hi"}}"#
        );
        let typed = literal.replacen('{', r#"{"type":"direct","#, 1);
        for text in [literal, typed] {
            let Ok(ClientFrame::Direct { sender: from, receiver: to, text, .. }) = ClientFrame::parse(&text) else {
                panic!("{text}");
            };
            assert_eq!((from.id, to.id, text.as_str()), (sender, receiver, "hi"));
        }
        let error = ClientFrame::parse(r#"{"receiver":{"id":"x"},"text":"hi"}"#).unwrap_err();
        assert_eq!(error.reference, None);
        assert!(ClientFrame::parse(r#"{"type":null,"receiver":1}"#).is_err());
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
            ServerFrame::Read { reference, channel_id, seq: 3, unread: 4, mentions: 5, rev: 6, back: false },
            ServerFrame::Typing { channel_id, user_id: UserId::generate() },
            ServerFrame::Presence { user_id: UserId::generate(), online: true },
            ServerFrame::Synced { reference: None, channel_id, rev: 6 },
            ServerFrame::Resync { reference, channel_id },
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
