//! Private conversations.

use super::{
    Caller, Clock, Result, ServiceError,
    messages::{Draft, no_such_reply},
};
use crate::{
    bus::{Bus, Hint},
    store::Store,
};
use natter::{Channel, ChannelId, ChannelKind, User, UserId, input::MessageText};
use std::sync::Arc;

pub struct Directs {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
}

impl Directs {
    /// The id of the caller's conversation with somebody, or with themselves; opens it if need be.
    pub async fn open(&self, caller: &Caller, with: UserId) -> Result<ChannelId> {
        if let Some(known) = self.store.direct(caller.user.id, with).await? {
            return Ok(known);
        }
        let peer = self.store.user(with).await?.ok_or(ServiceError::NotFound("There is nobody of that id."))?;
        if peer.suspended {
            return Err(ServiceError::Forbidden("This account is suspended: nobody would read it."));
        }
        let (id, opened) =
            self.store.open_direct(ChannelId::generate(), caller.user.id, with, self.clock.now()).await?;
        if let Some(entry) = opened {
            self.bus.publish(vec![Hint::Changed(entry)]).await;
        }
        Ok(id)
    }

    /// The same for something to be said there: what can't be said opens nothing.
    pub async fn open_to_say(&self, caller: &Caller, with: UserId, draft: &Draft) -> Result<ChannelId> {
        MessageText::with_files(&draft.text, draft.attachments.len())?;
        if draft.reply_to.is_some() {
            // Before the first message there is none to answer.
            return self.store.direct(caller.user.id, with).await?.ok_or_else(no_such_reply);
        }
        self.open(caller, with).await
    }

    /// The same as a channel.
    pub async fn get(&self, caller: &Caller, with: UserId) -> Result<Channel> {
        let id = self.open(caller, with).await?;
        let channel = self.store.channel(caller.user.id, id).await?;
        channel.ok_or(ServiceError::NotFound("There is no such conversation."))
    }

    /// The caller's conversations with people in whose names `query` is found, by those names.
    pub async fn list(&self, caller: &Caller, query: &str) -> Result<Vec<Channel>> {
        let query = query.trim().to_lowercase();
        let mut directs = self.store.joined_channels(caller.user.id).await?;
        directs
            .retain(|channel| channel.kind == ChannelKind::Direct && channel.label().to_lowercase().contains(&query));
        directs.sort_by_cached_key(|channel| channel.label().to_lowercase());
        Ok(directs)
    }

    /// Whom that name belongs to, and the conversation with them if there is one: opens nothing.
    pub async fn find(&self, caller: &Caller, username: &str) -> Result<(User, Option<Channel>)> {
        let peer = self.store.user_by_name(username).await?;
        let peer = peer.ok_or(ServiceError::NotFound("There is nobody of that name."))?;
        let channel = match self.store.direct(caller.user.id, peer.id).await? {
            Some(id) => self.store.channel(caller.user.id, id).await?,
            None => None,
        };
        Ok((peer, channel))
    }
}
