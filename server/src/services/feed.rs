//! What waits for somebody, and what they don't want to hear of.

use super::{Caller, Clock, Result, ServiceError};
use crate::{
    bus::{Bus, Hint},
    store::Store,
};
use natter::{Channel, ChannelId, FeedPage, feed::Place};
use std::sync::Arc;

const NO_SUCH_CHANNEL: &str = "There is no such channel.";

pub struct Feed {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
}

impl Feed {
    /// The conversations in which something is unread: what is to the caller first, then by activity, what
    /// is muted last.
    pub async fn page(&self, caller: &Caller, after: Option<Place>, limit: u32) -> Result<FeedPage> {
        // One more than asked for tells whether there is more.
        let mut found = self.store.feed(caller.user.id, after, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().map(|(place, _)| *place).filter(|_| more);
        let mut items: Vec<_> = found.into_iter().map(|(_, item)| item).collect();
        items.retain(|item| caller.user.role.can_read_channel(item.channel.access()));
        Ok(FeedPage { items, next })
    }

    /// Makes a conversation quiet for the caller, or not any more. The same again changes nothing.
    pub async fn set_muted(&self, caller: &Caller, id: ChannelId, muted: bool) -> Result<Channel> {
        let missing = || ServiceError::NotFound(NO_SUCH_CHANNEL);
        let access = self.store.access(caller.user.id, id).await?.ok_or_else(missing)?;
        let role = caller.user.role;
        if !role.can_mute_channel(access) {
            let seen = role.can_see_channel(access);
            return Err(if seen { ServiceError::Forbidden("Join the channel to mute it.") } else { missing() });
        }
        if let Some(entry) = self.store.set_muted(id, caller.user.id, muted, self.clock.now()).await? {
            self.bus.publish(vec![Hint::Changed(entry)]).await;
        }
        let channel = self.store.channel(caller.user.id, id).await?;
        channel.filter(|channel| role.can_see_channel(channel.access())).ok_or_else(missing)
    }
}
