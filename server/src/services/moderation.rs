//! Deleting messages: one's own, and as an admin those of others.

use super::{
    Caller, Result,
    directs::Directs,
    messages::{Draft, Messages},
};
use crate::store::Store;
use natter::{Message, MessageId};
use std::sync::Arc;

pub struct Moderation {
    pub store: Arc<dyn Store>,
    pub messages: Arc<Messages>,
    pub directs: Arc<Directs>,
}

impl Moderation {
    /// Deletes a message. Where an admin gives a reason for deleting somebody else's, its author gets
    /// it from them as a private message.
    pub async fn delete(&self, caller: &Caller, id: MessageId, reason: Option<&str>) -> Result<Message> {
        let was = self.store.message(id).await?.is_some_and(|message| message.deleted);
        let message = self.messages.delete(caller, id, reason).await?;
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        if let Some(reason) = reason
            && !was
            && message.sender.id != caller.user.id
            && let Err(error) = self.explain(caller, &message, reason).await
        {
            // The message is gone all the same.
            tracing::warn!(%error, message_id = %id, "the author wasn't told why");
        }
        Ok(message)
    }

    async fn explain(&self, caller: &Caller, message: &Message, reason: &str) -> Result<()> {
        let channel = self.store.channel(caller.user.id, message.channel_id).await?;
        let place = channel.map_or_else(String::new, |channel| format!(" in #{}", channel.label()));
        let direct = self.directs.open(caller, message.sender.id).await?;
        let text = format!("I deleted a message of yours{place}: {reason}");
        self.messages.post(caller, direct, Draft { text, ..Draft::default() }).await?;
        Ok(())
    }
}
