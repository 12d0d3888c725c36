//! The calls of the HTTP interface that load and faults need.

use crate::check::History;
use natter::{Channel, ChannelId, ErrorCode, MessagePage, Problem, Scheduled, ScheduledId, Timestamp, User, UserId};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use std::time::Duration;

/// Longer than anything a healthy server takes, argon2 in a crowd included.
const WITHIN: Duration = Duration::from_secs(30);
/// Less than the 10 s after which the server closes an idle connection, perhaps at the moment of its next use.
const IDLE: Duration = Duration::from_secs(4);
const PASSWORD: &str = "a password for the load";

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("the server said {status}: {detail}")]
    Refused { status: u16, code: Option<ErrorCode>, detail: String },
}

impl ApiError {
    /// Whether the server knows what was asked and says no, so that asking again is no use.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Refused { status: 400..500, .. })
    }
}

pub type Result<T> = std::result::Result<T, ApiError>;

/// Somebody who is logged in. The token holds at every node of the same database.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub user: UserId,
    pub token: String,
}

#[derive(Deserialize)]
struct Login {
    user: User,
    access_token: String,
}

#[derive(Deserialize)]
struct Channels {
    items: Vec<Channel>,
}

/// Speaks to any node; `base` is its address, such as `http://127.0.0.1:3000`.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
}

impl Api {
    pub fn new() -> Result<Self> {
        let http = reqwest::Client::builder().pool_idle_timeout(IDLE).timeout(WITHIN).no_proxy().build()?;
        Ok(Self { http })
    }

    fn call(&self, method: Method, base: &str, path: &str, token: &str) -> RequestBuilder {
        self.http.request(method, format!("{base}/api/v1{path}")).bearer_auth(token)
    }

    /// Registers, or logs in where the name is known from an earlier run.
    pub async fn enter(&self, base: &str, name: &str) -> Result<Person> {
        let body = json!({ "username": name, "password": PASSWORD });
        let post = |word: &str| self.http.post(format!("{base}/api/v1/auth/{word}")).json(&body).send();
        let mut answer = post("register").await?;
        if answer.status() == StatusCode::CONFLICT {
            answer = post("login").await?;
        }
        let Login { user, access_token } = read(answer).await?;
        Ok(Person { name: user.username, user: user.id, token: access_token })
    }

    /// Another session of somebody.
    pub async fn log_in(&self, base: &str, name: &str) -> Result<Person> {
        let body = json!({ "username": name, "password": PASSWORD });
        let answer = self.http.post(format!("{base}/api/v1/auth/login")).json(&body).send().await?;
        let Login { user, access_token } = read(answer).await?;
        Ok(Person { name: user.username, user: user.id, token: access_token })
    }

    pub async fn log_out(&self, base: &str, token: &str) -> Result<()> {
        done(self.call(Method::POST, base, "/auth/logout", token).send().await?).await
    }

    /// Makes a channel, or finds it where there is one of that name.
    pub async fn channel(&self, base: &str, token: &str, name: &str) -> Result<Channel> {
        let answer = self.call(Method::POST, base, "/channels", token).json(&json!({ "name": name })).send().await?;
        if answer.status() != StatusCode::CONFLICT {
            return read(answer).await;
        }
        let path = format!("/channels?limit=100&q={name}");
        let found: Channels = read(self.call(Method::GET, base, &path, token).send().await?).await?;
        let same = found.items.into_iter().find(|channel| channel.name.as_deref() == Some(name));
        same.ok_or_else(|| ApiError::Refused {
            status: 409,
            code: Some(ErrorCode::Conflict),
            detail: format!("the channel {name} is taken, and not to be seen"),
        })
    }

    pub async fn join(&self, base: &str, token: &str, channel: ChannelId) -> Result<()> {
        done(self.call(Method::PUT, base, &format!("/channels/{channel}/members/me"), token).send().await?).await
    }

    pub async fn leave(&self, base: &str, token: &str, channel: ChannelId) -> Result<()> {
        done(self.call(Method::DELETE, base, &format!("/channels/{channel}/members/me"), token).send().await?).await
    }

    pub async fn delete_channel(&self, base: &str, token: &str, channel: ChannelId) -> Result<()> {
        done(self.call(Method::DELETE, base, &format!("/channels/{channel}"), token).send().await?).await
    }

    /// The direct of two people, which is opened where there is none.
    pub async fn direct(&self, base: &str, token: &str, with: UserId) -> Result<ChannelId> {
        let channel: Channel =
            read(self.call(Method::PUT, base, &format!("/directs/{with}"), token).send().await?).await?;
        Ok(channel.id)
    }

    /// Puts a message on the list of those to be sent later.
    pub async fn schedule(
        &self,
        base: &str,
        token: &str,
        channel: ChannelId,
        text: &str,
        send_at: Timestamp,
    ) -> Result<Scheduled> {
        let body = json!({ "channel_id": channel, "text": text, "send_at": send_at });
        read(self.call(Method::POST, base, "/scheduled", token).json(&body).send().await?).await
    }

    /// One of those.
    pub async fn scheduled(&self, base: &str, token: &str, id: ScheduledId) -> Result<Scheduled> {
        read(self.call(Method::GET, base, &format!("/scheduled/{id}"), token).send().await?).await
    }

    /// A page of history: the newest, or those before a `seq`.
    pub async fn page(&self, base: &str, token: &str, channel: ChannelId, before: Option<u64>) -> Result<MessagePage> {
        let before = before.map_or(String::new(), |seq| format!("&before={seq}"));
        let path = format!("/channels/{channel}/messages?limit=100{before}");
        read(self.call(Method::GET, base, &path, token).send().await?).await
    }

    /// The whole history, page by page, and its epoch.
    pub async fn history(&self, base: &str, token: &str, channel: ChannelId) -> Result<(History, String)> {
        let newest = self.page(base, token, channel, None).await?;
        let (rev, epoch) = (newest.rev, newest.epoch);
        let (mut next, mut pages) = (newest.next, vec![newest.items]);
        while let Some(before) = next {
            let page = self.page(base, token, channel, Some(before)).await?;
            next = page.next;
            pages.push(page.items);
        }
        let messages = pages.into_iter().rev().flatten().map(Into::into).collect();
        Ok((History { channel, rev, messages }, epoch))
    }

    /// Whether a node can serve and store.
    pub async fn is_ready(&self, base: &str) -> bool {
        let asked = self.http.get(format!("{base}/readyz")).timeout(Duration::from_secs(5)).send().await;
        asked.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T> {
    if answer.status().is_success() { Ok(answer.json().await?) } else { Err(refused(answer).await) }
}

async fn done(answer: Response) -> Result<()> {
    if answer.status().is_success() { Ok(()) } else { Err(refused(answer).await) }
}

async fn refused(answer: Response) -> ApiError {
    let status = answer.status().as_u16();
    match answer.json::<Problem>().await {
        Ok(problem) => ApiError::Refused { status, code: Some(problem.code), detail: problem.detail },
        Err(error) => ApiError::Refused { status, code: None, detail: error.to_string() },
    }
}
