//! The interface's port, for one request.

use crate::{
    services::{
        Caller, Client, ServiceError,
        accounts::LoggedIn,
        channels::{ChannelDraft, ChannelEdit},
        scheduled::ScheduledDraft,
    },
    state::AppState,
    store::{Anchor, ScheduledEdit, Session, UserChange},
};
use async_trait::async_trait;
use axum::http::{HeaderValue, Method, StatusCode, header, request::Parts};
use leptos_axum::ResponseOptions;
use natter::{
    AuditId, Channel, ChannelId, FeedPage, Message, MessageId, MessagePage, Role, Scheduled, ScheduledId, SessionId,
    Timestamp, UploadId, User, UserId,
    admin::{AuditEntry, Invite, Registration, Stats},
    feed::Place,
    input::{PAGE_DEFAULT, PAGE_LIMIT},
    search::{HitPage, Query},
};
use natter_app::{
    api::{Bootstrap, ChannelRules, Entrance, NEWEST, OpenChannel, OpenDirect, OwnSession, Roster},
    backend::{Answer, Backend, Later},
};

/// Messages found at once.
const HITS: u32 = 20;

pub struct RequestBackend {
    state: AppState,
    caller: Option<Caller>,
    client: Client,
    /// A form posted by the browser itself: it follows redirects and shows what they lead to.
    plain_form: bool,
    response: ResponseOptions,
}

fn draft(later: Later) -> ScheduledDraft {
    let Later { text, send_at, reference, reply_to, attachments } = later;
    ScheduledDraft { text, send_at, reference, reply_to, attachments }
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

    /// What a conversation opens with, and whether there are newer messages: those around a place, or else the
    /// newest ones; where unread begins before those and nobody asks for the newest, the ones around that.
    async fn opening(&self, channel: &Channel, at: Option<u64>) -> Answer<(MessagePage, bool)> {
        let place = if let Some(place) = at.filter(|place| *place != NEWEST) {
            place
        } else {
            let page = self.history(channel.id, None).await?;
            let first = channel.first_unread().filter(|first| page.next.is_some_and(|oldest| *first < oldest));
            let Some(first) = first.filter(|_| at.is_none()) else { return Ok((page, false)) };
            first
        };
        let page = self.history_around(channel.id, place).await?;
        let newer = page.may_go_on(PAGE_DEFAULT);
        Ok((page, newer))
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
        let scheduled = self.settle(self.state.schedule.counts(caller).await)?;
        let uploads = self.state.uploads.sizes();
        Ok(Some(Bootstrap { me: caller.user.clone(), epoch, channels, scheduled, uploads }))
    }

    async fn register(&self, username: &str, password: &str, invite: Option<&str>) -> Answer<()> {
        let login = self.settle(self.state.accounts.register(username, password, invite, &self.client).await)?;
        self.set_cookies(login);
        Ok(())
    }

    async fn registration(&self, invite: Option<&str>) -> Answer<Entrance> {
        let registration = self.settle(self.state.place.registration().await)?;
        let first = self.settle(self.state.place.is_new().await)?;
        let invited = match invite {
            Some(code) => self.settle(self.state.place.is_good(code).await)?,
            None => false,
        };
        Ok(Entrance { registration, invited, first })
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

    async fn rename(&self, display_name: &str) -> Answer<User> {
        self.settle(self.state.accounts.rename(self.caller()?, display_name).await)
    }

    async fn change_password(&self, current: &str, new: &str) -> Answer<()> {
        self.settle(self.state.accounts.change_password(self.caller()?, current, new, &self.client).await)
    }

    async fn sessions(&self) -> Answer<Vec<OwnSession>> {
        let caller = self.caller()?;
        let sessions = self.settle(self.state.accounts.sessions(caller).await)?;
        let own = |Session { id, user_agent, created_at, last_seen_at, .. }| OwnSession {
            id,
            user_agent,
            created_at,
            last_seen_at,
            current: id == caller.session_id,
        };
        Ok(sessions.into_iter().map(own).collect())
    }

    async fn end_session(&self, id: SessionId) -> Answer<()> {
        self.settle(self.state.accounts.end_session(self.caller()?, id).await)
    }

    async fn end_other_sessions(&self) -> Answer<()> {
        self.settle(self.state.accounts.end_others(self.caller()?).await)
    }

    async fn channels(&self) -> Answer<Vec<Channel>> {
        self.settle(self.state.channels.list(self.caller()?, "").await)
    }

    async fn open_channel(&self, name: &str, at: Option<u64>) -> Answer<OpenChannel> {
        let caller = self.caller()?;
        let channel = self.settle(self.state.channels.by_name(caller, name).await)?;
        if !channel.joined {
            return Ok(OpenChannel { channel, page: None, newer: false });
        }
        let (page, newer) = self.opening(&channel, at).await?;
        Ok(OpenChannel { channel, page: Some(page), newer })
    }

    async fn open_direct(&self, username: &str, at: Option<u64>) -> Answer<OpenDirect> {
        let (peer, channel) = self.settle(self.state.directs.find(self.caller()?, username).await)?;
        let Some(channel) = channel else {
            return Ok(OpenDirect { peer, channel, page: None, newer: false });
        };
        let (page, newer) = self.opening(&channel, at).await?;
        Ok(OpenDirect { peer, channel: Some(channel), page: Some(page), newer })
    }

    async fn person(&self, username: &str) -> Answer<User> {
        self.caller()?;
        self.settle(self.state.people.by_name(username).await)
    }

    async fn people(&self, query: &str, after: &str) -> Answer<Vec<User>> {
        self.caller()?;
        self.settle(self.state.people.list(query, after, *PAGE_LIMIT.end()).await)
    }

    async fn members(&self, id: ChannelId) -> Answer<Vec<User>> {
        self.settle(self.state.channels.members(self.caller()?, id).await)
    }

    async fn message(&self, id: MessageId) -> Answer<Message> {
        self.settle(self.state.messages.get(self.caller()?, id).await)
    }

    async fn create_channel(&self, name: &str, topic: &str, rules: ChannelRules) -> Answer<Channel> {
        let ChannelRules { visibility, post_policy } = rules;
        let draft = ChannelDraft { name: name.into(), topic: topic.into(), visibility, post_policy };
        self.settle(self.state.channels.create(self.caller()?, draft).await)
    }

    async fn update_channel(&self, id: ChannelId, name: &str, topic: &str, rules: ChannelRules) -> Answer<Channel> {
        let edit = ChannelEdit {
            name: Some(name.into()),
            topic: Some(topic.into()),
            visibility: Some(rules.visibility),
            post_policy: Some(rules.post_policy),
        };
        self.settle(self.state.channels.update(self.caller()?, id, edit).await)
    }

    async fn all_channels(&self) -> Answer<Vec<Channel>> {
        self.settle(self.state.channels.all(self.caller()?, "").await)
    }

    async fn roster(&self, name: &str) -> Answer<Roster> {
        let (channel, members) = self.settle(self.state.channels.roster(self.caller()?, name).await)?;
        Ok(Roster { channel, members })
    }

    async fn admit(&self, id: ChannelId, username: &str) -> Answer<()> {
        let caller = self.caller()?;
        let username = username.trim().trim_start_matches('@');
        let user = self.settle(self.state.people.by_name(username).await)?;
        self.settle(self.state.channels.admit(caller, id, user.id).await)?;
        Ok(())
    }

    async fn expel(&self, id: ChannelId, user_id: UserId) -> Answer<()> {
        self.settle(self.state.channels.expel(self.caller()?, id, user_id).await)
    }

    async fn set_role(&self, id: UserId, role: Role) -> Answer<User> {
        let change = UserChange { role: Some(role), ..UserChange::default() };
        self.settle(self.state.people.update(self.caller()?, id, change, None).await)
    }

    async fn set_suspended(&self, id: UserId, suspended: bool, reason: &str) -> Answer<User> {
        let change = UserChange { suspended: Some(suspended), ..UserChange::default() };
        self.settle(self.state.people.update(self.caller()?, id, change, Some(reason)).await)
    }

    async fn end_sessions(&self, id: UserId) -> Answer<()> {
        self.settle(self.state.people.end_sessions(self.caller()?, id).await)
    }

    async fn set_registration(&self, mode: Registration) -> Answer<()> {
        self.settle(self.state.place.set_registration(self.caller()?, mode).await)
    }

    async fn invites(&self) -> Answer<Vec<Invite>> {
        self.settle(self.state.place.invites(self.caller()?).await)
    }

    async fn create_invite(&self, days: u32, uses: u32) -> Answer<Invite> {
        self.settle(self.state.place.invite(self.caller()?, days, uses).await)
    }

    async fn revoke_invite(&self, code: &str) -> Answer<()> {
        self.settle(self.state.place.revoke_invite(self.caller()?, code).await)
    }

    async fn audit(&self, before: Option<AuditId>) -> Answer<Vec<AuditEntry>> {
        self.settle(self.state.place.audit(self.caller()?, before, PAGE_DEFAULT).await)
    }

    async fn stats(&self) -> Answer<Stats> {
        self.settle(self.state.place.stats(self.caller()?).await)
    }

    async fn feed(&self, after: Option<Place>) -> Answer<FeedPage> {
        self.settle(self.state.feed.page(self.caller()?, after, PAGE_DEFAULT).await)
    }

    async fn set_muted(&self, id: ChannelId, muted: bool) -> Answer<Channel> {
        self.settle(self.state.feed.set_muted(self.caller()?, id, muted).await)
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

    async fn scheduled(&self) -> Answer<Vec<Scheduled>> {
        self.settle(self.state.schedule.list(self.caller()?).await)
    }

    async fn schedule(&self, channel_id: ChannelId, later: Later) -> Answer<Scheduled> {
        let made = self.state.schedule.create(self.caller()?, channel_id, draft(later)).await;
        self.settle(made.map(|(scheduled, _)| scheduled))
    }

    async fn schedule_direct(&self, user_id: UserId, later: Later) -> Answer<Scheduled> {
        let made = self.state.schedule.create_direct(self.caller()?, user_id, draft(later)).await;
        self.settle(made.map(|(scheduled, _)| scheduled))
    }

    async fn edit_scheduled(&self, id: ScheduledId, text: String, attachments: Vec<UploadId>) -> Answer<Scheduled> {
        let edit = ScheduledEdit { text: Some(text), attachments: Some(attachments), send_at: None };
        self.settle(self.state.schedule.edit(self.caller()?, id, edit).await)
    }

    async fn reschedule(&self, id: ScheduledId, send_at: Timestamp) -> Answer<Scheduled> {
        let edit = ScheduledEdit { send_at: Some(send_at), ..ScheduledEdit::default() };
        self.settle(self.state.schedule.edit(self.caller()?, id, edit).await)
    }

    async fn send_scheduled(&self, id: ScheduledId) -> Answer<Scheduled> {
        self.settle(self.state.schedule.send_now(self.caller()?, id).await)
    }

    async fn cancel_scheduled(&self, id: ScheduledId, keep_files: bool) -> Answer<Scheduled> {
        self.settle(self.state.schedule.cancel(self.caller()?, id, keep_files).await)
    }

    async fn history_around(&self, id: ChannelId, place: u64) -> Answer<MessagePage> {
        self.settle(self.state.messages.page(self.caller()?, id, Anchor::Around(place), PAGE_DEFAULT).await)
    }

    async fn history_after(&self, id: ChannelId, after: u64) -> Answer<MessagePage> {
        self.settle(self.state.messages.page(self.caller()?, id, Anchor::After(after), PAGE_DEFAULT).await)
    }

    async fn search(&self, query: &str, cursor: Option<MessageId>) -> Answer<HitPage> {
        let caller = self.caller()?;
        let query = self.settle(Query::parse(query).map_err(ServiceError::from))?;
        self.settle(self.state.finder.search(caller, &query, cursor, HITS).await)
    }

    fn after_form(&self, path: &str) {
        if self.plain_form
            && let Ok(location) = HeaderValue::from_str(path)
        {
            self.response.insert_header(header::LOCATION, location);
            self.response.set_status(StatusCode::SEE_OTHER);
        }
    }

    fn leads_nowhere(&self) {
        self.response.set_status(StatusCode::NOT_FOUND);
    }
}
