use natter::{ChannelId, ErrorCode, Message, MessageId, Ref, UserId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Where somebody says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Channel(ChannelId),
    /// Privately, to one person.
    Person(UserId),
}

/// What somebody wants a message to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Edit { text: String },
    Delete,
    React { emoji: String, on: bool },
}

/// A message as somebody saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: MessageId,
    pub channel: ChannelId,
    pub seq: u64,
    pub rev: u64,
    pub reference: Option<Ref>,
    pub sender: UserId,
    /// Of a private one.
    pub receiver: Option<UserId>,
    pub text: String,
    pub edited: bool,
    pub deleted: bool,
    pub attachments: usize,
    pub reactions: Vec<(String, Vec<UserId>)>,
}

impl Seen {
    /// Who answered with what, in no order; those that stand there twice, once.
    pub fn reactions(&self) -> BTreeSet<(&str, UserId)> {
        let all = self.reactions.iter().flat_map(|(emoji, users)| users.iter().map(|user| (emoji.as_str(), *user)));
        all.collect()
    }

    /// Whether it stands where somebody sends to.
    pub fn is_at(&self, target: Target) -> bool {
        match target {
            Target::Channel(channel) => self.channel == channel && self.receiver.is_none(),
            Target::Person(person) => self.receiver == Some(person),
        }
    }

    /// Whether somebody may see it, as far as it says so itself.
    pub fn is_for(&self, user: UserId) -> bool {
        self.receiver.is_none_or(|receiver| receiver == user || self.sender == user)
    }
}

impl From<Message> for Seen {
    fn from(message: Message) -> Self {
        let reactions = message.reactions.into_iter().map(|reaction| (reaction.emoji, reaction.user_ids));
        Self {
            id: message.id,
            channel: message.channel_id,
            seq: message.seq,
            rev: message.rev,
            reference: message.reference,
            sender: message.sender.id,
            receiver: message.receiver.map(|receiver| receiver.id),
            text: message.text,
            edited: message.edited_at.is_some(),
            deleted: message.deleted,
            attachments: message.attachments.len(),
            reactions: reactions.collect(),
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

/// What happened at a client. All but those from outside are the client's own observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `ready` has come.
    Connected,
    Disconnected,
    /// Recorded before the frame is written, each time it is.
    Sent {
        reference: Ref,
        to: Target,
        text: String,
    },
    /// Recorded before the frame is written, which is once: nothing tells the server that a second one is
    /// the same.
    Asked {
        reference: Ref,
        message: MessageId,
        change: Change,
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
    /// From outside: the session has ended for sure, and with it every right.
    LoggedOut,
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

/// All that is known about a run.
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
