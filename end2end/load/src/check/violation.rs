use super::event::Ack;
use natter::{ChannelId, MessageId, Ref, UserId};
use std::time::Duration;

/// A promise that wasn't kept. `client` is the name of the log that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged, but the history doesn't have it, or no later than it was before.
    AckedMissing { client: String, reference: Ref, ack: Ack },
    /// The history, or another `ack`, has other numbers for it.
    AckContradicted { client: String, reference: Ref, ack: Ack, other: Ack },
    /// An `ack` of something this client hadn't sent.
    AckUnasked { client: String, reference: Ref },
    /// An `error` said that nothing was changed, and yet it was stored, or done.
    RefusedYetStored { client: String, reference: Ref },
    /// One client's messages, sent once each on one connection, were stored in another order.
    Overtaken { client: String, channel: ChannelId, first: Ref, second: Ref },
    /// An acknowledged change that the message doesn't show at that revision, or later without anything
    /// that undid it.
    NotDone { client: String, reference: Ref, ack: Ack },

    /// One `ref` of one sender made two messages.
    TwoOfOneRef { sender: UserId, reference: Ref, ids: [MessageId; 2] },
    /// One message stands at two places.
    Twice { id: MessageId, seqs: [u64; 2] },
    /// Nobody sent it, or asked for it to become so.
    Invented { channel: ChannelId, rev: u64, id: MessageId },
    /// The history's revisions aren't those of its messages and of what was asked for: this one is
    /// missing, doubled or past the end.
    Gap { channel: ChannelId, rev: u64 },
    /// A revision of two messages.
    Shared { channel: ChannelId, rev: u64, ids: [MessageId; 2] },
    /// So many changes lie between two states of a message, and another number of revisions.
    Miscounted { channel: ChannelId, revs: [u64; 2], id: MessageId, changes: usize },
    /// A deleted message that still says something, or has changed since.
    Undead { channel: ChannelId, rev: u64, id: MessageId },
    /// Somebody answered it twice with the same emoji.
    ReactedTwice { channel: ChannelId, rev: u64, id: MessageId },
    /// Two readers of the final history read different ones.
    HistoriesDiffer { channel: ChannelId, rev: u64 },
    /// Somebody sent to a channel, and its history wasn't read.
    NoHistory { channel: ChannelId },

    /// Something other than what everybody else has at that `rev`.
    Disagrees { client: String, channel: ChannelId, rev: u64, id: MessageId },
    /// Received what isn't in the history.
    Phantom { client: String, channel: ChannelId, rev: u64 },
    /// Never received, neither live nor by `sync` nor by reloading.
    Missed { client: String, channel: ChannelId, revs: Vec<u64> },
    /// `synced` or a page of history said that this was everything up to `rev`, and it wasn't.
    Short { client: String, channel: ChannelId, rev: u64, missing: Vec<u64> },
    /// For the first time, after a later one on the same connection.
    OutOfOrder { client: String, channel: ChannelId, rev: u64, after: u64 },
    /// Once more, without a `sync` that would explain it.
    Repeated { client: String, channel: ChannelId, rev: u64 },
    /// In a channel that it was never in, or that long after it lost the right.
    NoRight { client: String, channel: ChannelId, rev: u64, late: Option<Duration> },
    /// A private message between two others.
    Overheard { client: String, channel: ChannelId, rev: u64 },
}
