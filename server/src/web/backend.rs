//! The interface's port, for one request.

use crate::{
    services::{Caller, Client, ServiceError, accounts::LoggedIn, channels::ChannelDraft},
    state::AppState,
    store::Anchor,
};
use async_trait::async_trait;
use axum::http::{HeaderValue, Method, StatusCode, header, request::Parts};
use leptos_axum::ResponseOptions;
use natter::{Channel, ChannelId, MessagePage, input::PAGE_DEFAULT};
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
        parts: &Parts,
        response: ResponseOptions,
    ) -> Self {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            state,
            caller,
            client,
            plain_form: parts.method == Method::POST && accept.contains("text/html"),
            response,
        }
    }

    fn caller(&self) -> Answer<&Caller> {
        self.settle(self.caller.as_ref().ok_or(ServiceError::Unauthenticated("Log in to continue.")))
    }

    /// A service's answer; a refusal also becomes the status that programs see. A browser that posted
    /// a form is redirected instead, and a page shows its own words.
    fn settle<T>(&self, result: Result<T, ServiceError>) -> Answer<T> {
        result.map_err(|error| {
            let problem = error.into_problem();
            if !self.plain_form
                && let Ok(status) = StatusCode::from_u16(problem.status)
            {
                self.response.set_status(status);
            }
            problem
        })
    }

    fn set_cookies(&self, login: LoggedIn) {
        let cookies = self.state.cookies;
        self.response.append_header(header::SET_COOKIE, cookies.access(login.access_token));
        self.response.append_header(header::SET_COOKIE, cookies.refresh(login.refresh_token));
    }
}

#[async_trait]
impl Backend for RequestBackend {
    async fn bootstrap(&self) -> Answer<Option<Bootstrap>> {
        let Some(caller) = &self.caller else { return Ok(None) };
        let channels = self.settle(self.state.channels.joined(caller).await)?;
        let epoch = self.state.messages.epoch().to_owned();
        Ok(Some(Bootstrap { me: caller.user.clone(), epoch, channels }))
    }

    async fn register(&self, username: &str, password: &str) -> Answer<()> {
        let login = self.settle(self.state.accounts.register(username, password, &self.client).await)?;
        self.set_cookies(login);
        Ok(())
    }

    async fn login(&self, username: &str, password: &str) -> Answer<()> {
        let login = self.settle(self.state.accounts.login(username, password, &self.client).await)?;
        self.set_cookies(login);
        Ok(())
    }

    async fn logout(&self) -> Answer<()> {
        if let Some(caller) = &self.caller {
            self.settle(self.state.accounts.logout(caller).await)?;
        }
        for cookie in self.state.cookies.clear() {
            self.response.append_header(header::SET_COOKIE, cookie);
        }
        Ok(())
    }

    async fn channels(&self) -> Answer<Vec<Channel>> {
        self.settle(self.state.channels.list(self.caller()?, "").await)
    }

    async fn open_channel(&self, name: &str) -> Answer<OpenChannel> {
        let caller = self.caller()?;
        let channel = self.settle(self.state.channels.by_name(caller, name).await)?;
        let page = if channel.joined { Some(self.history(channel.id, None).await?) } else { None };
        Ok(OpenChannel { channel, page })
    }

    async fn create_channel(&self, name: &str, topic: &str) -> Answer<Channel> {
        let draft = ChannelDraft { name: name.into(), topic: topic.into(), ..ChannelDraft::default() };
        self.settle(self.state.channels.create(self.caller()?, draft).await)
    }

    async fn delete_channel(&self, id: ChannelId) -> Answer<()> {
        self.settle(self.state.channels.delete(self.caller()?, id).await)
    }

    async fn join_channel(&self, id: ChannelId) -> Answer<Channel> {
        self.settle(self.state.channels.join(self.caller()?, id).await)
    }

    async fn leave_channel(&self, id: ChannelId) -> Answer<()> {
        self.settle(self.state.channels.leave(self.caller()?, id).await)
    }

    async fn history(&self, id: ChannelId, before: Option<u64>) -> Answer<MessagePage> {
        let anchor = before.map_or(Anchor::Newest, Anchor::Before);
        self.settle(self.state.messages.page(self.caller()?, id, anchor, PAGE_DEFAULT).await)
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
