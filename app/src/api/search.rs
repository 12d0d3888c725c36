use super::Failure;
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;
use natter::{ChannelId, MessageId, MessagePage, search::HitPage};

/// Messages that fit a query, a page past `cursor`.
#[server(name = FindMessages, prefix = "/api/fn", endpoint = "search")]
pub async fn search(query: String, cursor: Option<MessageId>) -> Result<HitPage, Failure> {
    Ok(backend()?.search(&query, cursor).await?)
}

/// The messages on both sides of a place in history.
#[server(prefix = "/api/fn", endpoint = "history_around")]
pub async fn history_around(id: ChannelId, place: u64) -> Result<MessagePage, Failure> {
    Ok(backend()?.history_around(id, place).await?)
}

/// A page of history after a place.
#[server(prefix = "/api/fn", endpoint = "history_after")]
pub async fn history_after(id: ChannelId, after: u64) -> Result<MessagePage, Failure> {
    Ok(backend()?.history_after(id, after).await?)
}
