use natter::{ChannelId, ErrorCode, Message, MessageId, Ref, UserId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A message as somebody saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: MessageId,
    pub channel: ChannelId,
    pub seq: u64,
    pub rev: u64,
    pub reference: Option<Ref>,
    pub sender: UserId,
    pub text: String,
}

impl From<Message> for Seen {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            channel: message.channel_id,
            seq: message.seq,
            rev: message.rev,
            reference: message.reference,
            sender: message.sender.id,
            text: message.text,
        }
    }
}

/// What an `ack` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    pub id: MessageId,
    pub channel: ChannelId,
    pub seq: u64,
    pub rev: u64,
}

/// What happened at a client. All but the two about rights are the client's own observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `ready` has come.
    Connected,
    Disconnected,
    /// Recorded before the frame is written, each time it is.
    Sent {
        reference: Ref,
        channel: ChannelId,
        text: String,
    },
    Acked {
        reference: Ref,
        ack: Ack,
    },
    Refused {
        reference: Ref,
        code: ErrorCode,
    },
    Received(Seen),
    /// Recorded before the frame is written; with the revisions the client named.
    SyncAsked {
        since: BTreeMap<ChannelId, u64>,
    },
    /// It was answered by an error: there will be no more of its answers.
    SyncFailed,
    Synced {
        channel: ChannelId,
        rev: u64,
    },
    Resync {
        channel: ChannelId,
    },
    /// The whole history, read anew.
    Reloaded(History),
    /// The client was told that it is in a channel which has got to `rev`: what follows must reach it.
    Joined {
        channel: ChannelId,
        rev: u64,
    },
    /// From outside: somebody is about to give the right to read.
    MayRead {
        channel: ChannelId,
    },
    /// From outside: the right to read has ended for sure, because its end was answered.
    LostAccess {
        channel: ChannelId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// On one clock for all clients, which only moves forward.
    pub at: Duration,
    pub what: What,
}

/// Everything that happened at one client, in its order.
#[derive(Clone, Debug)]
pub struct Log {
    pub name: String,
    pub user: UserId,
    pub events: Vec<Event>,
    /// At the end it was connected and had been given the time to receive everything.
    pub complete: bool,
}

/// A channel from its first message to its last, and its `rev`, as read by one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub channel: ChannelId,
    pub rev: u64,
    pub messages: Vec<Seen>,
}

/// All that is known about a run. Messages are only posted in it, never edited.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub logs: Vec<Log>,
    /// As read afterwards by fresh clients: each channel at least once, at best at every node.
    pub finals: Vec<History>,
    /// Channels that were deleted, so that nobody can read their histories.
    pub removed: BTreeSet<ChannelId>,
    /// For how long after the end of a right something may still arrive.
    pub grace: Duration,
}
