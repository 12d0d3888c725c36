use super::Failure;
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use natter::ChannelKind;
use natter::{Channel, ChannelId, FeedPage, feed::Place};

/// What is unread, a page past a place.
#[server(name = LoadFeed, prefix = "/api/fn", endpoint = "feed")]
pub async fn feed(after: Option<Place>) -> Result<FeedPage, Failure> {
    Ok(backend()?.feed(after).await?)
}

/// Keeps a conversation quiet, or not any more.
#[server(prefix = "/api/fn", endpoint = "set_muted")]
pub async fn set_muted(id: ChannelId, muted: bool) -> Result<Channel, Failure> {
    let backend = backend()?;
    let channel = backend.set_muted(id, muted).await?;
    let folder = match channel.kind {
        ChannelKind::Channel => "channels",
        ChannelKind::Direct => "direct",
    };
    backend.after_form(&format!("/{folder}/{}", channel.label()));
    Ok(channel)
}
