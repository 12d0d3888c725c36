//! What the interface needs from the server, as a port: server functions make one call to it.

use crate::api::{Bootstrap, OpenChannel};
use async_trait::async_trait;
use leptos::prelude::use_context;
use natter::{Channel, ChannelId, ErrorCode, MessagePage, Problem};
use std::sync::Arc;

pub type Answer<T> = Result<T, Problem>;

/// The server as one request sees it: who is calling is already known to the implementation.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Who is logged in and their channels; `None` for nobody.
    async fn bootstrap(&self) -> Answer<Option<Bootstrap>>;
    /// Creates an account and logs the browser in.
    async fn register(&self, username: &str, password: &str) -> Answer<()>;
    async fn login(&self, username: &str, password: &str) -> Answer<()>;
    async fn logout(&self) -> Answer<()>;
    /// All channels the caller may see.
    async fn channels(&self) -> Answer<Vec<Channel>>;
    async fn open_channel(&self, name: &str) -> Answer<OpenChannel>;
    async fn create_channel(&self, name: &str, topic: &str) -> Answer<Channel>;
    async fn delete_channel(&self, id: ChannelId) -> Answer<()>;
    async fn join_channel(&self, id: ChannelId) -> Answer<Channel>;
    async fn leave_channel(&self, id: ChannelId) -> Answer<()>;
    /// A page of history before `before`, or the newest.
    async fn history(&self, id: ChannelId, before: Option<u64>) -> Answer<MessagePage>;
    /// Where a form posted without scripts goes next; scripts find their own way.
    fn after_form(&self, path: &str);
}

/// The port of the request being answered.
pub fn backend() -> Answer<Arc<dyn Backend>> {
    use_context::<Arc<dyn Backend>>().ok_or_else(|| Problem::new(ErrorCode::Internal, "Something broke on our side."))
}
