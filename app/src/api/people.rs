use super::{Failure, OpenDirect};
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;
use natter::{ChannelId, User};

/// A private conversation with its newest messages, or those around a place; opens nothing.
#[server(name = LoadDirect, prefix = "/api/fn", endpoint = "open_direct")]
pub async fn open_direct(username: String, at: Option<u64>) -> Result<OpenDirect, Failure> {
    Ok(backend()?.open_direct(&username, at).await?)
}

/// Somebody by name.
#[server(name = LoadPerson, prefix = "/api/fn", endpoint = "person")]
pub async fn person(username: String) -> Result<User, Failure> {
    Ok(backend()?.person(&username).await?)
}

/// People by part of a name, a page past `after`.
#[server(name = LoadPeople, prefix = "/api/fn", endpoint = "people")]
pub async fn people(query: String, after: String) -> Result<Vec<User>, Failure> {
    Ok(backend()?.people(&query, &after).await?)
}

/// Who is in a channel, by name.
#[server(name = LoadMembers, prefix = "/api/fn", endpoint = "members")]
pub async fn members(id: ChannelId) -> Result<Vec<User>, Failure> {
    Ok(backend()?.members(id).await?)
}
