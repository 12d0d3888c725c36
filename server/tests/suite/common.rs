//! A server of one's own for each test, and clients that speak to it over real sockets.

use crate::postgres::{Guard, fresh_database};
use futures::{SinkExt as _, StreamExt as _};
use natter::{ChannelId, Ref, Timestamp, UserId, wire::ServerFrame};
use natter_server::{
    Server,
    config::{Config, Database, LogFormat, PING_EVERY, Uploads},
    services::Clock,
    store::{MarkMove, MarkStanding, ReadMark, Store, StoreError, postgres::PostgresStore, sqlite::SqliteStore},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::HeaderValue, protocol::CloseFrame},
};

pub const PASSWORD: &str = "correct horse";
/// Long enough for anything that should happen; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn config(data_dir: &Path) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: data_dir.to_owned(),
        database: Database::Sqlite(data_dir.join("natter.db")),
        nats_url: None,
        signing_key: Some("a key that only these tests know, of some length".into()),
        secure_cookies: false,
        allowed_origins: Vec::new(),
        trust_proxy: false,
        rate_limits: false,
        ping_every: PING_EVERY,
        metrics_token: None,
        uploads: Uploads::of(data_dir),
        log: "warn".into(),
        log_format: LogFormat::Text,
    }
}

/// As the service does it, of one alone.
pub trait MarkRead: Store {
    async fn mark_read(
        &self,
        channel_id: ChannelId,
        user_id: UserId,
        seq: u64,
        back: bool,
    ) -> Result<Option<ReadMark>, StoreError> {
        let wanted = MarkMove { channel_id, user_id, seq, back };
        Ok(match self.mark_standing(&wanted).await? {
            Some(MarkStanding::Elsewhere) => self.move_marks(&[wanted]).await?.remove(0)?,
            Some(MarkStanding::There(mark)) => Some(mark),
            None => None,
        })
    }
}

impl<S: Store + ?Sized> MarkRead for S {}

/// Where this run of the suite keeps its servers' data: `NATTER_TEST_ENGINE` says `postgres`, for one
/// node of many, or nothing, for SQLite.
async fn on_engine(config: &mut Config) -> Option<Guard> {
    match std::env::var("NATTER_TEST_ENGINE").as_deref() {
        Err(_) | Ok("sqlite") => None,
        Ok("postgres") => Some(on_postgres(config).await),
        Ok(other) => panic!("NATTER_TEST_ENGINE is {other}; known are sqlite and postgres"),
    }
}

/// Gives a configuration a fresh database and the broker.
pub async fn on_postgres(config: &mut Config) -> Guard {
    let (url, guard) = fresh_database().await;
    config.database = Database::Postgres(url);
    let broker = std::env::var("NATTER_TEST_NATS_URL");
    config.nats_url =
        Some(broker.expect("NATTER_TEST_NATS_URL has to name a NATS server: see scripts/with-services.sh"));
    guard
}

pub struct TestServer {
    pub server: Option<Server>,
    pub base: String,
    pub http: reqwest::Client,
    pub config: Config,
    ahead_ms: Arc<AtomicI64>,
    _dir: TempDir,
    _database: Option<Guard>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        let database = on_engine(&mut config).await;
        change(&mut config);
        Self::start_on(config, dir, database).await
    }

    async fn start_on(config: Config, dir: TempDir, database: Option<Guard>) -> Self {
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let server = Server::start_with(config.clone(), turned(&ahead_ms)).await.unwrap();
        let base = format!("http://{}", server.address);
        // The server closes connections that were idle for 10 s, perhaps while one is about to be used again.
        let http = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(4)).build().unwrap();
        Self { server: Some(server), base, http, config, ahead_ms, _dir: dir, _database: database }
    }

    /// Two nodes on one database, the first of which keeps it alive.
    pub async fn two_nodes() -> (Self, Self) {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        config.signing_key = None;
        let database = on_postgres(&mut config).await;
        let first = Self::start_on(config.clone(), dir, Some(database)).await;
        let second = Self::start_on(config, tempfile::tempdir().unwrap(), None).await;
        (first, second)
    }

    /// Another node on the database of this one, which has to outlive it; `url` is a way there.
    pub async fn another(&self, url: String) -> Self {
        let config = Config { database: Database::Postgres(url), ..self.config.clone() };
        Self::start_on(config, tempfile::tempdir().unwrap(), None).await
    }

    /// Ends the server in an orderly way and starts another on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Starts another on the data of one that was stopped.
    pub async fn start_again(&mut self) {
        let server = Server::start_with(self.config.clone(), turned(&self.ahead_ms)).await.unwrap();
        self.base = format!("http://{}", server.address);
        self.server = Some(server);
    }

    pub async fn stop(&mut self) {
        let server = self.server.take().unwrap();
        server.shut_down();
        server.ended().await;
    }

    /// Turns the server's clock forward.
    pub fn advance(&self, seconds: i64) {
        self.ahead_ms.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub async fn register(&self, username: &str) -> Person {
        let body = json!({ "username": username, "password": PASSWORD });
        let answer = self.http.post(self.url("/auth/register")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{username} can't register");
        Person::new(self, answer.json().await.unwrap())
    }

    pub async fn login(&self, username: &str) -> Person {
        let body = json!({ "username": username, "password": PASSWORD });
        let answer = self.http.post(self.url("/auth/login")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{username} can't log in");
        Person::new(self, answer.json().await.unwrap())
    }

    /// Ada, the admin, and Mira, in a channel.
    pub async fn with_channel() -> (Self, Person, Person, ChannelId) {
        let server = Self::start().await;
        let (ada, mira) = (server.register("ada").await, server.register("mira").await);
        let channel = ada.create_channel("general").await;
        mira.join_and_hear(channel).await;
        (server, ada, mira, channel)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    /// The database beside the server, for looking at what is kept.
    pub async fn store(&self) -> Arc<dyn Store> {
        match &self.config.database {
            Database::Sqlite(file) => Arc::new(SqliteStore::open(file).await.unwrap()),
            Database::Postgres(url) => Arc::new(PostgresStore::open(url).await.unwrap()),
        }
    }
}

fn turned(ahead_ms: &Arc<AtomicI64>) -> Clock {
    let (system, ahead_ms) = (Clock::system(), ahead_ms.clone());
    Clock::new(move || Timestamp::from_millis(system.now().millis() + ahead_ms.load(Ordering::Relaxed)))
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct Person {
    pub base: String,
    pub token: String,
    pub refresh: String,
    pub user: Value,
    pub http: reqwest::Client,
}

impl Person {
    fn new(server: &TestServer, login: Value) -> Self {
        let text = |key: &str| login[key].as_str().unwrap().to_owned();
        Self {
            base: server.base.clone(),
            token: text("access_token"),
            refresh: text("refresh_token"),
            user: login["user"].clone(),
            http: server.http.clone(),
        }
    }

    /// The same person at another node.
    pub fn at(&self, server: &TestServer) -> Self {
        Self { base: server.base.clone(), ..self.clone() }
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token)
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.request(method.parse().unwrap(), path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, None).await
    }

    /// A call that has to be allowed. No body where it is null.
    pub async fn does(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, (!body.is_null()).then_some(body)).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub fn id(&self) -> UserId {
        serde_json::from_value(self.user["id"].clone()).unwrap()
    }

    pub async fn create_channel(&self, name: &str) -> ChannelId {
        let (status, channel) = self.call("POST", "/channels", Some(json!({ "name": name }))).await;
        assert_eq!(status, 201, "{channel}");
        serde_json::from_value(channel["id"].clone()).unwrap()
    }

    pub async fn join(&self, channel: ChannelId) {
        let (status, body) = self.call("PUT", &format!("/channels/{channel}/members/me"), None).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Joins and waits until connections are told, which may come after the answer: what connects
    /// later doesn't hear of it.
    pub async fn join_and_hear(&self, channel: ChannelId) {
        let mut socket = self.connect().await;
        self.join(channel).await;
        while socket.next("channel").await["channel"]["joined"] != true {}
    }

    /// Uploads a file that has to be taken.
    pub async fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        let (status, upload) = self.try_upload(name, bytes).await;
        assert_eq!(status, 201, "{upload}");
        upload
    }

    pub async fn try_upload(&self, name: &str, bytes: &[u8]) -> (u16, Value) {
        answer(form(self.request(reqwest::Method::POST, "/uploads"), name, bytes)).await
    }

    pub async fn post(&self, channel: ChannelId, text: &str) -> Value {
        let (status, message) =
            self.call("POST", &format!("/channels/{channel}/messages"), Some(json!({ "text": text }))).await;
        assert_eq!(status, 201, "{message}");
        message
    }

    /// All texts of a channel, oldest first, page by page.
    pub async fn history(&self, channel: ChannelId) -> Vec<String> {
        let mut texts = Vec::new();
        let mut query = String::from("?limit=100");
        loop {
            let (status, page) = self.get(&format!("/channels/{channel}/messages{query}")).await;
            assert_eq!(status, 200, "{page}");
            let items = page["items"].as_array().unwrap();
            let older: Vec<_> = items.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect();
            texts.splice(0..0, older);
            match page["next"].as_u64() {
                Some(next) => query = format!("?limit=100&before={next}"),
                None => return texts,
            }
        }
    }

    pub async fn connect(&self) -> Socket {
        let (socket, ready) = self.connect_ready().await;
        assert!(matches!(ready, ServerFrame::Ready { .. }), "{ready:?}");
        socket
    }

    pub async fn connect_ready(&self) -> (Socket, ServerFrame) {
        let mut socket =
            Socket::open(&self.base, &[("authorization", &format!("Bearer {}", self.token))]).await.unwrap();
        let ready = socket.frame().await;
        (socket, ready)
    }
}

/// A form with a file in it.
pub fn form(request: reqwest::RequestBuilder, name: &str, bytes: &[u8]) -> reqwest::RequestBuilder {
    let head = format!("--natter\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    let body = [head.as_bytes(), bytes, b"\r\n--natter--\r\n"].concat();
    request.header("content-type", "multipart/form-data; boundary=natter").body(body)
}

/// A picture of one pixel.
pub fn dot() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(1, 1).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A live connection.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens a connection, or returns the status of the refusal.
    pub async fn open(base: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let url = format!("{}/api/v1/ws", base.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn say(&mut self, frame: &Value) {
        self.raw(Message::text(frame.to_string())).await;
    }

    pub async fn raw(&mut self, message: Message) {
        self.try_raw(message).await.unwrap();
    }

    pub async fn try_raw(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.0.send(message).await
    }

    /// The next frame as it stands on the wire. Who comes and goes is told at a time of its own, and passed over.
    pub async fn value(&mut self) -> Value {
        loop {
            let value = self.any().await;
            if value["type"] != "presence" {
                return value;
            }
        }
    }

    async fn any(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("no frame came");
            match next.expect("the connection ended").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    pub async fn frame(&mut self) -> ServerFrame {
        let value = self.value().await;
        ServerFrame::parse(value.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {value}"))
    }

    /// The next frame of that type; others are passed over.
    pub async fn next(&mut self, kind: &str) -> Value {
        loop {
            let value = self.any().await;
            if value["type"] == kind {
                return value;
            }
        }
    }

    /// Everything up to the answer to a ping: what the server had to say by now.
    pub async fn drain(&mut self) -> Vec<Value> {
        let reference = Ref::generate().to_string();
        self.say(&json!({ "type": "ping", "ref": reference })).await;
        let mut seen = Vec::new();
        loop {
            let value = self.value().await;
            if value["type"] == "pong" && value["ref"] == reference.as_str() {
                return seen;
            }
            seen.push(value);
        }
    }

    /// Waits for the server to end the connection.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("it was not closed");
            match next {
                Some(Ok(Message::Close(close))) => return close,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub async fn send(&mut self, channel: ChannelId, text: &str) -> Ref {
        let reference = Ref::generate();
        self.say(&json!({ "type": "send", "ref": reference, "channel_id": channel, "text": text })).await;
        reference
    }
}
