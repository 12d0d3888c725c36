//! Carries what has happened from where it was committed to every node's hub. The database is the
//! truth and this a hint: it may lose, double and reorder; the numbers that hints carry (a message's
//! `rev`, an entry's `pos`) let a hub put things right.

mod local;
mod nats;
mod numbers;

pub use local::LocalBus;
pub use nats::{NatsBus, NatsError};

use crate::store::Entry;
use async_trait::async_trait;
use natter::{ChannelId, Message, Scheduled, UserId, scheduled::ScheduledCounts};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that has been committed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "hint", rename_all = "snake_case")]
pub enum Hint {
    /// A message is new or has changed.
    Message(Message),
    /// Somebody may see more or less than before.
    Changed(Entry),
    /// Somebody's own read mark moved. Not numbered: where hints were [`Hint::Lost`], marks are read anew.
    Read {
        user_id: UserId,
        channel_id: ChannelId,
        seq: u64,
        unread: u64,
        mentions: u64,
        /// The channel's number at the moment those were counted.
        #[serde(default)]
        rev: u64,
        #[serde(default)]
        back: bool,
    },
    /// Something happened to a message for later. Not numbered either.
    Scheduled { owner: UserId, scheduled: Box<Scheduled>, counts: ScheduledCounts },
    /// Somebody is writing.
    Typing { channel_id: ChannelId, user_id: UserId },
    /// Everyone that is connected to a node, now and then.
    Here { node: Uuid, users: Vec<UserId> },
    /// Who came to a node, and who went.
    Moved { node: Uuid, users: Vec<(UserId, bool)> },
    /// Which node the payload is of that this begins, and which of its payloads, counted from 1.
    From { node: Uuid, number: u64 },
    /// A node ends: it will say nothing more.
    Parted { node: Uuid },
    /// Hints of other nodes are missing. Never travels.
    #[serde(skip)]
    Lost,
    /// Of a newer version, on another node: during an upgrade there may be some.
    #[serde(other)]
    Unknown,
}

#[async_trait]
pub trait Bus: Send + Sync {
    /// Hands hints to every node, this one included, where they arrive in this order. Waits while the
    /// queue to this node is full; never for another node.
    async fn publish(&self, hints: Vec<Hint>);

    /// Whether hints of other nodes get here right now.
    fn is_up(&self) -> bool {
        true
    }
}
