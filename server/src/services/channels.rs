//! Channels: finding, entering, making and deleting them.

use super::{Caller, Clock, Result, ServiceError, marks::Marks, settle};
use crate::{
    bus::{Bus, Hint},
    store::{ChannelChange, Entry, MarkMove, MarkStanding, NewChannel, ReadMark, Store, StoreError},
};
use natter::{
    Channel, ChannelId, ChannelKind, FieldError, PostPolicy, User, UserId, Visibility,
    input::{ChannelName, Topic},
};
use std::sync::Arc;

pub struct Channels {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
    pub marks: Marks,
}

/// What an admin says of a new channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelDraft {
    pub name: String,
    pub topic: String,
    pub visibility: Visibility,
    pub post_policy: PostPolicy,
}

/// What an admin changes of a channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelEdit {
    pub name: Option<String>,
    pub topic: Option<String>,
    pub visibility: Option<Visibility>,
    pub post_policy: Option<PostPolicy>,
}

const NO_SUCH_CHANNEL: &str = "There is no such channel.";

fn no_such_channel() -> ServiceError {
    ServiceError::NotFound(NO_SUCH_CHANNEL)
}

fn name_taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Taken(field) => {
            ServiceError::Conflict(FieldError::new(field, "A channel of that name exists already."))
        }
        other => other.into(),
    }
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
        let created = self.store.create_channel(new, caller.user.id).await.map_err(name_taken)?;
        settle(&*self.bus, created, NO_SUCH_CHANNEL).await?;
        tracing::info!(channel_id = %id, by = %caller.user.id, "channel created");
        self.get(caller, id).await
    }

    /// Changes what is given of a channel's name, topic and rules.
    pub async fn update(&self, caller: &Caller, id: ChannelId, edit: ChannelEdit) -> Result<Channel> {
        self.may_manage(caller, id).await?;
        let name = edit.name.as_deref().map(ChannelName::parse).transpose();
        let topic = edit.topic.as_deref().map(Topic::parse).transpose();
        let (name, topic) = match (name, topic) {
            (Ok(name), Ok(topic)) => (name.map(ChannelName::into_string), topic.map(Topic::into_string)),
            (name, topic) => {
                return Err(ServiceError::Invalid([name.err(), topic.err()].into_iter().flatten().collect()));
            }
        };
        let change = ChannelChange { name, topic, visibility: edit.visibility, post_policy: edit.post_policy };
        let act = caller.act(&self.clock, None)?;
        let updated = self.store.update_channel(id, change, act).await.map_err(name_taken)?;
        settle(&*self.bus, updated, NO_SUCH_CHANNEL).await?;
        self.managed(caller, id).await
    }

    /// Deletes a channel with everything that was said in it.
    pub async fn delete(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        self.may_manage(caller, id).await?;
        let removed = self.store.delete_channel(id, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, removed, NO_SUCH_CHANNEL).await?;
        tracing::info!(channel_id = %id, by = %caller.user.id, "channel deleted");
        Ok(())
    }

    /// Lets somebody in.
    pub async fn admit(&self, caller: &Caller, id: ChannelId, user_id: UserId) -> Result<Channel> {
        self.may_manage(caller, id).await?;
        let admitted = self.store.admit(id, user_id, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, admitted, "There is nobody of that id.").await?;
        self.managed(caller, id).await
    }

    /// Puts somebody out.
    pub async fn expel(&self, caller: &Caller, id: ChannelId, user_id: UserId) -> Result<()> {
        self.may_manage(caller, id).await?;
        let expelled = self.store.expel(id, user_id, caller.act(&self.clock, None)?).await?;
        settle(&*self.bus, expelled, NO_SUCH_CHANNEL).await
    }

    /// Every channel, to whoever runs them: also private ones the caller isn't in.
    pub async fn all(&self, caller: &Caller, query: &str) -> Result<Vec<Channel>> {
        if !caller.user.role.can_manage_channel(ChannelKind::Channel) {
            return Err(ServiceError::Forbidden("Only admins do that."));
        }
        let mut channels = self.store.channels(caller.user.id, query).await?;
        channels.retain(|channel| caller.user.role.can_manage_channel(channel.kind));
        Ok(channels)
    }

    /// One of those, and who is in it.
    pub async fn roster(&self, caller: &Caller, name: &str) -> Result<(Channel, Vec<User>)> {
        let channel = self.store.channel_by_name(caller.user.id, name).await?.ok_or_else(no_such_channel)?;
        if !caller.user.role.can_manage_channel(channel.kind) {
            return Err(no_such_channel());
        }
        let members = self.store.members(channel.id).await?;
        Ok((channel, members))
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
        let channel = self.get(caller, id).await?;
        if !caller.user.role.can_leave_channel(channel.access()) {
            return Err(ServiceError::Forbidden("A private conversation can't be left."));
        }
        if let Some(left) = self.store.leave(id, caller.user.id, self.clock.now()).await? {
            self.tell(left).await;
        }
        Ok(())
    }

    /// A channel as whoever runs it sees it.
    async fn managed(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        let channel = self.store.channel(caller.user.id, id).await?.ok_or_else(no_such_channel)?;
        if caller.user.role.can_manage_channel(channel.kind) { Ok(channel) } else { Err(no_such_channel()) }
    }

    /// Who sees a channel and doesn't run it is told so; to everyone else there is none.
    async fn may_manage(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        let role = caller.user.role;
        let access = self.store.access(caller.user.id, id).await?.ok_or_else(no_such_channel)?;
        if role.can_manage_channel(access.kind) {
            return Ok(());
        }
        if role.can_see_channel(access) {
            return Err(ServiceError::Forbidden("Only admins do that."));
        }
        Err(no_such_channel())
    }

    async fn tell(&self, entry: Entry) {
        self.bus.publish(vec![Hint::Changed(entry)]).await;
    }

    /// Tells those in a channel that the caller is writing. That the caller is in it has been checked.
    pub async fn typing(&self, caller: &Caller, channel_id: ChannelId) {
        self.bus.publish(vec![Hint::Typing { channel_id, user_id: caller.user.id }]).await;
    }

    /// Moves the caller's read mark forward or, with `back`, back; answers where it is.
    pub async fn mark_read(&self, caller: &Caller, id: ChannelId, seq: u64, back: bool) -> Result<ReadMark> {
        let wanted = MarkMove { channel_id: id, user_id: caller.user.id, seq, back };
        // Most calls move nothing: they cost no write.
        let mark = match self.store.mark_standing(&wanted).await? {
            Some(MarkStanding::There(mark)) => Some(mark),
            Some(MarkStanding::Elsewhere) => self.marks.move_to(wanted).await?,
            None => None,
        };
        if let Some(mark) = mark {
            return Ok(mark);
        }
        // Who sees it from outside is told so, everyone else that there is none.
        self.get(caller, id).await?;
        Err(ServiceError::Forbidden("Join the channel to read it."))
    }
}

/// What the caller may not see doesn't exist for them.
fn seen(caller: &Caller, channel: Option<Channel>) -> Result<Channel> {
    channel.filter(|channel| caller.user.role.can_see_channel(channel.access())).ok_or_else(no_such_channel)
}
