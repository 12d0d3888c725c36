//! Channels: finding, entering, making and deleting them.

use super::{Caller, Clock, Result, ServiceError};
use crate::{
    bus::{Bus, Hint},
    store::{Entry, NewChannel, Store, StoreError},
};
use natter::{
    Channel, ChannelId, ChannelKind, FieldError, PostPolicy, User, Visibility,
    input::{ChannelName, Topic},
};
use std::sync::Arc;

pub struct Channels {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
}

/// What an admin says of a new channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelDraft {
    pub name: String,
    pub topic: String,
    pub visibility: Visibility,
    pub post_policy: PostPolicy,
}

fn no_such_channel() -> ServiceError {
    ServiceError::NotFound("There is no such channel.")
}

impl Channels {
    /// Those the caller may see, by name; `query` is looked for in names and topics.
    pub async fn list(&self, caller: &Caller, query: &str) -> Result<Vec<Channel>> {
        let mut channels = self.store.channels(caller.user.id, query).await?;
        channels.retain(|channel| caller.user.role.can_see_channel(channel.access()));
        Ok(channels)
    }

    pub async fn joined(&self, caller: &Caller) -> Result<Vec<Channel>> {
        Ok(self.store.joined_channels(caller.user.id).await?)
    }

    pub async fn get(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        seen(caller, self.store.channel(caller.user.id, id).await?)
    }

    pub async fn by_name(&self, caller: &Caller, name: &str) -> Result<Channel> {
        seen(caller, self.store.channel_by_name(caller.user.id, name).await?)
    }

    pub async fn members(&self, caller: &Caller, id: ChannelId) -> Result<Vec<User>> {
        self.get(caller, id).await?;
        Ok(self.store.members(id).await?)
    }

    pub async fn create(&self, caller: &Caller, draft: ChannelDraft) -> Result<Channel> {
        if !caller.user.role.can_create_channels() {
            return Err(ServiceError::Forbidden("Only admins create channels."));
        }
        let (name, topic) = match (ChannelName::parse(&draft.name), Topic::parse(&draft.topic)) {
            (Ok(name), Ok(topic)) => (name.into_string(), topic.into_string()),
            (name, topic) => {
                return Err(ServiceError::Invalid([name.err(), topic.err()].into_iter().flatten().collect()));
            }
        };
        let new = NewChannel {
            id: ChannelId::generate(),
            name,
            topic,
            visibility: draft.visibility,
            post_policy: draft.post_policy,
            created_at: self.clock.now(),
        };
        let id = new.id;
        let created = self.store.create_channel(new, caller.user.id).await.map_err(|error| match error {
            StoreError::Taken(field) => {
                ServiceError::Conflict(FieldError::new(field, "A channel of that name exists already."))
            }
            other => other.into(),
        })?;
        tracing::info!(channel_id = %id, by = %caller.user.id, "channel created");
        self.tell(created).await;
        self.get(caller, id).await
    }

    /// Deletes a channel with everything that was said in it.
    pub async fn delete(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        let channel = self.get(caller, id).await?;
        if !caller.user.role.can_delete_channels() || channel.kind != ChannelKind::Channel {
            return Err(ServiceError::Forbidden("Only admins delete channels."));
        }
        let removed = self.store.delete_channel(id, self.clock.now()).await?.ok_or_else(no_such_channel)?;
        tracing::info!(channel_id = %id, by = %caller.user.id, "channel deleted");
        self.tell(removed).await;
        Ok(())
    }

    pub async fn join(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        let channel = self.get(caller, id).await?;
        if !caller.user.role.can_join_channel(channel.access()) {
            return Err(no_such_channel());
        }
        if let Some(joined) = self.store.join(id, caller.user.id, self.clock.now()).await? {
            self.tell(joined).await;
        }
        self.get(caller, id).await
    }

    pub async fn leave(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        self.get(caller, id).await?;
        if let Some(left) = self.store.leave(id, caller.user.id, self.clock.now()).await? {
            self.tell(left).await;
        }
        Ok(())
    }

    async fn tell(&self, entry: Entry) {
        self.bus.publish(vec![Hint::Changed(entry)]).await;
    }

    /// Moves the caller's read mark forward.
    pub async fn mark_read(&self, caller: &Caller, id: ChannelId, seq: u64) -> Result<()> {
        let Some(mark) = self.store.mark_read(id, caller.user.id, seq).await? else {
            // Who sees it from outside is told so, everyone else that there is none.
            self.get(caller, id).await?;
            return Err(ServiceError::Forbidden("Join the channel to read it."));
        };
        if !mark.moved {
            return Ok(());
        }
        let read = Hint::Read {
            user_id: caller.user.id,
            channel_id: id,
            seq: mark.seq,
            unread: mark.unread,
            mentions: mark.mentions,
        };
        self.bus.publish(vec![read]).await;
        Ok(())
    }
}

/// What the caller may not see doesn't exist for them.
fn seen(caller: &Caller, channel: Option<Channel>) -> Result<Channel> {
    channel.filter(|channel| caller.user.role.can_see_channel(channel.access())).ok_or_else(no_such_channel)
}
