//! Carries what has happened from where it was committed to every node's hub. The database is the
//! truth and this a hint: it may lose events, never reorder those of one channel.

mod local;

pub use local::LocalBus;

use async_trait::async_trait;
use natter::{Channel, ChannelId, Message, SessionId, User, UserId, Visibility};

/// Something that has been committed.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message is new or has changed.
    Message(Message),
    /// A channel was made or changed; `channel` is how somebody outside it sees it.
    ChannelChanged {
        channel: Channel,
    },
    ChannelRemoved {
        channel_id: ChannelId,
        visibility: Visibility,
    },
    /// Somebody is now in a channel and receives its messages.
    Joined {
        user: User,
        channel_id: ChannelId,
    },
    /// Somebody is no longer in a channel; `channel` is how they now see it.
    Left {
        user: User,
        channel: Channel,
    },
    /// How one person sees a channel, for all their devices.
    ChannelSeen {
        user_id: UserId,
        channel: Channel,
    },
    /// Somebody's own read mark moved.
    Read {
        user_id: UserId,
        channel_id: ChannelId,
        seq: u64,
        unread: u64,
        mentions: u64,
    },
    SessionsEnded(Vec<SessionId>),
}

#[async_trait]
pub trait Bus: Send + Sync {
    /// Hands an event to every node, this one included. Waits while the queue is full.
    async fn publish(&self, event: Event);
}
