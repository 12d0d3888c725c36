//! Channels: finding, entering, making and deleting them.

use super::{Caller, Clock, Result, ServiceError};
use crate::{
    bus::{Bus, Event},
    store::{NewChannel, Store, StoreError},
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
    /// Held from a change of membership's commit to its event, so that both have one order.
    pub order: tokio::sync::Mutex<()>,
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
        let _order = self.order.lock().await;
        let channel = self.store.create_channel(new, caller.user.id).await.map_err(|error| match error {
            StoreError::Taken(field) => {
                ServiceError::Conflict(FieldError::new(field, "A channel of that name exists already."))
            }
            other => other.into(),
        })?;
        tracing::info!(channel_id = %channel.id, by = %caller.user.id, "channel created");
        let channel = self.entered(caller, channel.id).await?;
        if channel.visibility == Visibility::Public {
            self.bus.publish(Event::ChannelChanged { channel: from_outside(&channel) }).await;
        }
        Ok(channel)
    }

    /// Deletes a channel with everything that was said in it.
    pub async fn delete(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        let channel = self.get(caller, id).await?;
        if !caller.user.role.can_delete_channels() || channel.kind != ChannelKind::Channel {
            return Err(ServiceError::Forbidden("Only admins delete channels."));
        }
        let _order = self.order.lock().await;
        if !self.store.delete_channel(id).await? {
            return Err(no_such_channel());
        }
        tracing::info!(channel_id = %id, by = %caller.user.id, "channel deleted");
        self.bus.publish(Event::ChannelRemoved { channel_id: id, visibility: channel.visibility }).await;
        Ok(())
    }

    pub async fn join(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        let channel = self.get(caller, id).await?;
        if !caller.user.role.can_join_channel(channel.access()) {
            return Err(no_such_channel());
        }
        let _order = self.order.lock().await;
        if channel.joined || !self.store.join(id, caller.user.id, self.clock.now()).await? {
            return self.get(caller, id).await;
        }
        self.entered(caller, id).await
    }

    /// Tells of somebody's coming. What they see is read after their sockets began to receive, so
    /// that each message is in it or follows it.
    async fn entered(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        self.bus.publish(Event::Joined { user: caller.user.clone(), channel_id: id }).await;
        let channel = self.get(caller, id).await?;
        self.bus.publish(Event::ChannelSeen { user_id: caller.user.id, channel: channel.clone() }).await;
        Ok(channel)
    }

    pub async fn leave(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        let channel = self.get(caller, id).await?;
        let _order = self.order.lock().await;
        if self.store.leave(id, caller.user.id).await? {
            let members = channel.members.saturating_sub(1);
            let channel = Channel { members, ..from_outside(&channel) };
            self.bus.publish(Event::Left { user: caller.user.clone(), channel }).await;
        }
        Ok(())
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
        self.bus
            .publish(Event::Read {
                user_id: caller.user.id,
                channel_id: id,
                seq: mark.seq,
                unread: mark.unread,
                mentions: mark.mentions,
            })
            .await;
        Ok(())
    }
}

/// What the caller may not see doesn't exist for them.
fn seen(caller: &Caller, channel: Option<Channel>) -> Result<Channel> {
    channel.filter(|channel| caller.user.role.can_see_channel(channel.access())).ok_or_else(no_such_channel)
}

/// The channel as somebody who isn't in it sees it.
fn from_outside(channel: &Channel) -> Channel {
    Channel { joined: false, read_seq: 0, unread: 0, mentions: 0, muted: None, ..channel.clone() }
}
