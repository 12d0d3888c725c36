//! Finds in a server's frame the little that load needs to know, without reading the rest of it. It
//! looks where this server writes it, and reads the whole frame where it isn't there.

use natter::{ChannelId, Ref, wire::ServerFrame};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    Message(Option<Ref>),
    Ack(Option<Ref>),
    Error(Option<Ref>),
    Synced(ChannelId),
    Resync(ChannelId),
    Other,
}

const TYPE: &[u8] = br#"{"type":""#;
const REF: &[u8] = br#""ref":""#;
const ID: usize = 36;

pub fn scan(frame: &[u8]) -> Scanned {
    let Some(rest) = frame.strip_prefix(TYPE) else { return thorough(frame) };
    let found = if rest.starts_with(b"message\"") {
        // Its `ref` is the last field.
        last_ref(frame).map(|reference| Scanned::Message(Some(reference)))
    } else if let Some(rest) = rest.strip_prefix(br#"ack","ref":""#) {
        first_id(rest).map(|id| Scanned::Ack(Some(Ref(id))))
    } else if let Some(rest) = rest.strip_prefix(br#"synced","channel_id":""#) {
        first_id(rest).map(|id| Scanned::Synced(ChannelId(id)))
    } else if [&b"member\""[..], b"channel\"", b"read\"", b"pong\""].iter().any(|word| rest.starts_with(word)) {
        Some(Scanned::Other)
    } else {
        None
    };
    found.unwrap_or_else(|| thorough(frame))
}

fn first_id(bytes: &[u8]) -> Option<Uuid> {
    Uuid::try_parse_ascii(bytes.get(..ID)?).ok()
}

fn last_ref(frame: &[u8]) -> Option<Ref> {
    let tail = frame.strip_suffix(b"\"}")?;
    let (head, id) = tail.split_at_checked(tail.len().checked_sub(ID)?)?;
    head.ends_with(REF).then(|| first_id(id).map(Ref))?
}

fn thorough(frame: &[u8]) -> Scanned {
    match ServerFrame::parse(frame) {
        Ok(ServerFrame::Message(message)) => Scanned::Message(message.reference),
        Ok(ServerFrame::Ack { reference, .. }) => Scanned::Ack(reference),
        Ok(ServerFrame::Error { reference, .. }) => Scanned::Error(reference),
        Ok(ServerFrame::Synced { channel_id, .. }) => Scanned::Synced(channel_id),
        Ok(ServerFrame::Resync { channel_id, .. }) => Scanned::Resync(channel_id),
        _ => Scanned::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::{ErrorCode, Message, MessageId, Timestamp, UserId, UserRef};

    fn message(text: &str, reference: Option<Ref>) -> ServerFrame {
        ServerFrame::Message(Message {
            id: MessageId::generate(),
            channel_id: ChannelId::generate(),
            seq: 1,
            rev: 2,
            sender: UserRef { id: UserId::generate(), username: "ada".into() },
            receiver: None,
            timestamp: Timestamp::from_millis(3),
            text: text.into(),
            edited_at: None,
            deleted: false,
            reply_to: None,
            mentions_channel: false,
            attachments: Vec::new(),
            reactions: Vec::new(),
            reference,
        })
    }

    #[test]
    fn a_short_look_and_a_thorough_one_find_the_same() {
        let (reference, channel_id) = (Some(Ref::generate()), ChannelId::generate());
        let (id, timestamp) = (MessageId::generate(), Timestamp::from_millis(7));
        let other = Ref::generate();
        let sly = format!(r#"x","ref":"{other}"}}"#);
        for frame in [
            message("hello", reference),
            message("hello", None),
            message(&sly, reference),
            message(&sly, None),
            ServerFrame::Ack { reference, id, channel_id, seq: 1, rev: 2, timestamp },
            ServerFrame::Ack { reference: None, id, channel_id, seq: 1, rev: 2, timestamp },
            ServerFrame::Error { reference, code: ErrorCode::Unavailable, detail: "later".into() },
            ServerFrame::Synced { reference: None, channel_id, rev: 4 },
            ServerFrame::Resync { reference: None, channel_id },
            ServerFrame::Pong { reference },
            ServerFrame::Read { reference: None, channel_id, seq: 1, unread: 0, mentions: 0, rev: 1, back: false },
        ] {
            let json = frame.to_json();
            assert_eq!(scan(json.as_bytes()), thorough(json.as_bytes()), "{json}");
        }
        assert_eq!(scan(message("hi", reference).to_json().as_bytes()), Scanned::Message(reference));
        for junk in ["", "{}", "null", r#"{"type":"message"}"#, r#"{"type":"ack","ref":"7"}"#] {
            assert_eq!(scan(junk.as_bytes()), Scanned::Other, "{junk}");
        }
    }
}
