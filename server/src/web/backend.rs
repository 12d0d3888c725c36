//! The interface's port, for one request.

use crate::{
    services::{Caller, Client, ServiceError, accounts::LoggedIn, channels::ChannelDraft},
    state::AppState,
    store::Anchor,
};
use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos_axum::ResponseOptions;
use natter::{Channel, ChannelId, MessagePage, Problem, input::PAGE_DEFAULT};
use natter_app::{
    api::{Bootstrap, OpenChannel},
    backend::{Answer, Backend},
};

pub struct RequestBackend {
    state: AppState,
    caller: Option<Caller>,
    client: Client,
    /// A form posted by the browser itself: it follows redirects and shows what they lead to.
    plain_form: bool,
    response: ResponseOptions,
}

impl RequestBackend {
    pub fn new(
        state: AppState,
        caller: Option<Caller>,
        client: Client,
        headers: &HeaderMap,
        response: ResponseOptions,
    ) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self { state, caller, client, plain_form: accept.contains("text/html"), response }
    }

    fn caller(&self) -> Answer<&Caller> {
        self.caller
            .as_ref()
            .ok_or_else(|| ServiceError::Unauthenticated("Log in to continue.").into_problem())
    }

    fn set_cookies(&self, login: LoggedIn) {
        let cookies = self.state.cookies;
        self.response.append_header(header::SET_COOKIE, cookies.access(login.access_token));
        self.response.append_header(header::SET_COOKIE, cookies.refresh(login.refresh_token));
    }
}

fn problem(error: ServiceError) -> Problem {
    error.into_problem()
}

#[async_trait]
impl Backend for RequestBackend {
    async fn bootstrap(&self) -> Answer<Option<Bootstrap>> {
        let Some(caller) = &self.caller else { return Ok(None) };
        let channels = self.state.channels.joined(caller).await.map_err(problem)?;
        let epoch = self.state.messages.epoch().to_owned();
        Ok(Some(Bootstrap { me: caller.user.clone(), epoch, channels }))
    }

    async fn register(&self, username: &str, password: &str) -> Answer<()> {
        let login = self.state.accounts.register(username, password, &self.client).await.map_err(problem)?;
        self.set_cookies(login);
        Ok(())
    }

    async fn login(&self, username: &str, password: &str) -> Answer<()> {
        let login = self.state.accounts.login(username, password, &self.client).await.map_err(problem)?;
        self.set_cookies(login);
        Ok(())
    }

    async fn logout(&self) -> Answer<()> {
        if let Some(caller) = &self.caller {
            self.state.accounts.logout(caller).await.map_err(problem)?;
        }
        for cookie in self.state.cookies.clear() {
            self.response.append_header(header::SET_COOKIE, cookie);
        }
        Ok(())
    }

    async fn channels(&self) -> Answer<Vec<Channel>> {
        self.state.channels.list(self.caller()?, "").await.map_err(problem)
    }

    async fn open_channel(&self, name: &str) -> Answer<OpenChannel> {
        let caller = self.caller()?;
        let channel = self.state.channels.by_name(caller, name).await.map_err(problem)?;
        let page = match channel.joined {
            true => Some(self.history(channel.id, None).await?),
            false => None,
        };
        Ok(OpenChannel { channel, page })
    }

    async fn create_channel(&self, name: &str, topic: &str) -> Answer<Channel> {
        let draft = ChannelDraft { name: name.into(), topic: topic.into(), ..ChannelDraft::default() };
        self.state.channels.create(self.caller()?, draft).await.map_err(problem)
    }

    async fn delete_channel(&self, id: ChannelId) -> Answer<()> {
        self.state.channels.delete(self.caller()?, id).await.map_err(problem)
    }

    async fn join_channel(&self, id: ChannelId) -> Answer<Channel> {
        self.state.channels.join(self.caller()?, id).await.map_err(problem)
    }

    async fn leave_channel(&self, id: ChannelId) -> Answer<()> {
        self.state.channels.leave(self.caller()?, id).await.map_err(problem)
    }

    async fn history(&self, id: ChannelId, before: Option<u64>) -> Answer<MessagePage> {
        let anchor = before.map_or(Anchor::Newest, Anchor::Before);
        self.state.messages.page(self.caller()?, id, anchor, PAGE_DEFAULT).await.map_err(problem)
    }

    fn after_form(&self, path: &str) {
        if self.plain_form
            && let Ok(location) = HeaderValue::from_str(path)
        {
            self.response.insert_header(header::LOCATION, location);
            self.response.set_status(StatusCode::SEE_OTHER);
        }
    }
}
