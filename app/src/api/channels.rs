#[cfg(feature = "ssr")]
use super::ChannelRules;
use super::{Failure, OpenChannel};
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;
use natter::{Channel, ChannelId, Message, MessageId, MessagePage, PostPolicy, Visibility};

/// Every channel one may see.
#[server(prefix = "/api/fn", endpoint = "browse_channels")]
pub async fn browse_channels() -> Result<Vec<Channel>, Failure> {
    Ok(backend()?.channels().await?)
}

/// A channel with its newest messages, or those around a place.
#[server(name = LoadChannel, prefix = "/api/fn", endpoint = "open_channel")]
pub async fn open_channel(name: String, at: Option<u64>) -> Result<OpenChannel, Failure> {
    Ok(backend()?.open_channel(&name, at).await?)
}

/// A page of history before a place, or the newest.
#[server(prefix = "/api/fn", endpoint = "channel_history")]
pub async fn channel_history(id: ChannelId, before: Option<u64>) -> Result<MessagePage, Failure> {
    Ok(backend()?.history(id, before).await?)
}

/// One message, for what answers it.
#[server(name = LoadMessage, prefix = "/api/fn", endpoint = "message")]
pub async fn message(id: MessageId) -> Result<Message, Failure> {
    Ok(backend()?.message(id).await?)
}

/// Admins: a new channel.
#[server(prefix = "/api/fn", endpoint = "create_channel")]
pub async fn create_channel(
    name: String,
    topic: String,
    #[server(default)] visibility: Visibility,
    #[server(default)] post_policy: PostPolicy,
) -> Result<Channel, Failure> {
    let backend = backend()?;
    let channel = backend.create_channel(&name, &topic, ChannelRules { visibility, post_policy }).await?;
    backend.after_form(&format!("/channels/{}", channel.label()));
    Ok(channel)
}

/// Admins: a channel goes, with everything in it.
#[server(prefix = "/api/fn", endpoint = "delete_channel")]
pub async fn delete_channel(id: ChannelId) -> Result<(), Failure> {
    let backend = backend()?;
    backend.delete_channel(id).await?;
    backend.after_form("/");
    Ok(())
}

/// Enters a public channel.
#[server(prefix = "/api/fn", endpoint = "join_channel")]
pub async fn join_channel(id: ChannelId) -> Result<Channel, Failure> {
    let backend = backend()?;
    let channel = backend.join_channel(id).await?;
    backend.after_form(&format!("/channels/{}", channel.label()));
    Ok(channel)
}

/// Leaves a channel.
#[server(prefix = "/api/fn", endpoint = "leave_channel")]
pub async fn leave_channel(id: ChannelId) -> Result<(), Failure> {
    let backend = backend()?;
    backend.leave_channel(id).await?;
    backend.after_form("/");
    Ok(())
}
