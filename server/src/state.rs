use crate::{
    auth::{cookies::Cookies, origin::Origins, password::Passwords, tokens::Signer},
    bus::{Bus, Hint},
    config::Config,
    hub::{Follower, Gaps, Hub},
    limits::{AccountLimits, ChatLimits, UploadLimits},
    media::{Depot, Studio},
    scheduler,
    services::{
        Clock, accounts::Accounts, channels::Channels, directs::Directs, feed::Feed, marks::Marks, messages::Messages,
        moderation::Moderation, monitoring::Monitoring, people::People, place::Place, scheduled::Schedule,
        search::Finder, uploads::Uploads,
    },
    store::Store,
    web::Assets,
};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::{ops::Deref, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What every door of the server leads to. Cheap to clone: each request and each connection has one.
#[derive(Clone)]
pub struct AppState(Arc<Rooms>);

/// What is behind the doors.
pub struct Rooms {
    pub accounts: Accounts,
    pub channels: Channels,
    pub messages: Arc<Messages>,
    pub directs: Arc<Directs>,
    pub moderation: Moderation,
    pub monitoring: Monitoring,
    pub feed: Feed,
    pub people: People,
    pub place: Place,
    pub uploads: Arc<Uploads>,
    pub schedule: Arc<Schedule>,
    pub finder: Finder,
    pub hub: Arc<Hub>,
    pub gaps: Gaps,
    pub limits: Arc<ChatLimits>,
    pub store: Arc<dyn Store>,
    pub origins: Origins,
    pub cookies: Cookies,
    pub trust_proxy: bool,
    pub ping_every: Duration,
    pub assets: Assets,
    pub leptos: LeptosOptions,
    /// Cancelled when the process is to end.
    pub shutdown: CancellationToken,
    /// The open sockets, to wait for.
    pub sockets: TaskTracker,
}

impl Deref for AppState {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.0
    }
}

impl AppState {
    /// Wires services and hub to a store and a bus. The returned tasks, without which nothing works,
    /// end after the state is dropped.
    /// `journal`: the journal's position before the first connection.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        (bus, hints): (Arc<dyn Bus>, mpsc::Receiver<Vec<Hint>>),
        journal: u64,
        signing_key: &[u8],
        depot: Depot,
        clock: Clock,
    ) -> (Self, Vec<(&'static str, JoinHandle<()>)>) {
        let hub = Arc::new(Hub::default());
        let follower = Follower::run(hub.clone(), store.clone(), Arc::downgrade(&bus), journal, hints);
        let fanout = tokio::spawn(follower);
        let limits = Arc::new(ChatLimits::new(config.rate_limits));
        let metrics = hub.metrics.clone();
        let (messages, writer) =
            Messages::start(store.clone(), bus.clone(), clock.clone(), limits.clone(), metrics.clone());
        let (marks, marking) = Marks::start(store.clone(), bus.clone());
        let accounts = Accounts {
            store: store.clone(),
            bus: bus.clone(),
            clock: clock.clone(),
            passwords: Passwords::default(),
            signer: Signer::new(signing_key),
            limits: AccountLimits::new(config.rate_limits),
        };
        let messages = Arc::new(messages);
        let directs = Arc::new(Directs { store: store.clone(), bus: bus.clone(), clock: clock.clone() });
        let feed = Feed { store: store.clone(), bus: bus.clone(), clock: clock.clone() };
        let people = People { store: store.clone(), bus: bus.clone(), clock: clock.clone() };
        let place = Place { store: store.clone(), bus: bus.clone(), clock: clock.clone() };
        let moderation = Moderation { store: store.clone(), messages: messages.clone(), directs: directs.clone() };
        let uploads = Arc::new(Uploads {
            store: store.clone(),
            depot,
            studio: Studio::new(config.uploads.spool.clone()),
            clock: clock.clone(),
            limits: Arc::new(UploadLimits::new(config.rate_limits)),
            bounds: config.uploads.clone(),
        });
        let schedule = Arc::new(Schedule {
            store: store.clone(),
            bus: bus.clone(),
            clock: clock.clone(),
            limits: limits.clone(),
            metrics: metrics.clone(),
            directs: directs.clone(),
            moved: Notify::new(),
        });
        let shutdown = CancellationToken::new();
        let sending = scheduler::run(schedule.clone(), clock.clone(), store.shared().is_some(), shutdown.clone());
        let sending = tokio::spawn(sending);
        let monitoring =
            Monitoring { hub: hub.clone(), bus: bus.clone(), metrics, token: config.metrics_token.clone() };
        let rooms = Rooms {
            accounts,
            channels: Channels { store: store.clone(), bus, clock, marks },

            messages,
            directs,
            moderation,
            monitoring,
            feed,
            people,
            place,
            uploads,
            schedule,
            finder: Finder::new(store.clone(), limits.clone()),
            hub,
            gaps: Gaps::new(store.clone()),
            limits,
            store,
            origins: Origins::new(config.allowed_origins.iter().cloned()),
            cookies: Cookies { secure: config.secure_cookies },
            trust_proxy: config.trust_proxy,
            ping_every: config.ping_every,
            assets: Assets::find(),
            leptos: LeptosOptions::builder().output_name("natter").build(),
            shutdown,
            sockets: TaskTracker::new(),
        };
        (
            Self(Arc::new(rooms)),
            vec![("writer", writer), ("marks", marking), ("follower", fanout), ("scheduler", sending)],
        )
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
