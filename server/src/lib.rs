//! The Natter server. `services` decide, `store` keeps, `bus` and `hub` carry; `http`, `ws` and `web`
//! are the doors.

// Views are types as deep as the page.
#![recursion_limit = "512"]

pub mod auth;
pub mod bus;
pub mod config;
pub mod error;
mod http;
pub mod hub;
pub mod limits;
pub mod media;
mod metrics;
pub mod router;
mod scheduler;
mod serve;
pub mod services;
pub mod state;
pub mod store;
mod vital;
mod web;
mod ws;

use auth::tokens::{new_signing_key, signing_key};
use bus::{Bus, Hint, LocalBus, NatsBus, NatsError};
use config::{Config, Database};
use limits::Addresses;
use media::{Depot, DepotError};
use services::Clock;
use state::AppState;
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::{Store, StoreError, postgres::PostgresStore, sqlite::SqliteStore};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What is in the queues when nobody can add to them any more has this long.
const FINISH_WITHIN: Duration = Duration::from_secs(2);
const TIDY_EVERY: Duration = Duration::from_mins(10);
/// All that is stored is looked through this often.
const STRAYS_EVERY: Duration = Duration::from_hours(24);
/// New messages wait for more before they are put into the search index together.
const INDEX_GATHERS: Duration = Duration::from_secs(2);
/// Between two steps of filling the search index: others come first.
const INDEX_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("can't make the data directory {}: {source}", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error("can't read or make the signing key: {0}")]
    SigningKey(io::Error),
    #[error("can't open the database {name}: {source}")]
    Database { name: String, source: StoreError },
    #[error("can't use the store for files: {0}")]
    Depot(#[from] DepotError),
    #[error("can't use the NATS broker: {0}")]
    Broker(#[from] NatsError),
    #[error("can't listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// A server that accepts connections.
pub struct Server {
    pub address: SocketAddr,
    /// Nobody has an account yet.
    pub is_new: bool,
    shutdown: CancellationToken,
    failed: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    /// Opens or makes everything that the configuration names, and listens.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_with(config, Clock::system()).await
    }

    /// The same with a clock of one's own.
    pub async fn start_with(config: Config, clock: Clock) -> Result<Self, StartError> {
        let (store, key) = open(&config).await?;
        let failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let depot = open_depot(&config)?;
        let journal = store.journal_head().await.map_err(|source| unusable(&config, source))?;
        let bus = connect_bus(&config, &*store).await?;
        let (state, tasks) = AppState::new(&config, store.clone(), bus, journal, &key, depot, clock);
        let is_new = state.accounts.is_empty().await.unwrap_or(false);
        let shutdown = state.shutdown.clone();
        let addresses = Addresses::new(config.rate_limits && !config.trust_proxy);
        let router = router::build(state.clone(), &config.allowed_origins);
        let tidy = tokio::spawn(tidy(state.clone()));
        let sweeping = tokio::spawn(sweep(state.clone()));
        let indexing = tokio::spawn(keep_index(state.clone()));
        let erasing = tokio::spawn(erase(store.clone()));
        let failed = CancellationToken::new();
        let vital = tokio::spawn(vital::watch(tasks, shutdown.clone(), failed.clone()));
        let serving = tokio::spawn(async move {
            serve::serve(listener, router, addresses, state.sockets.clone(), state.shutdown.clone()).await;
            tidy.abort();
            sweeping.abort();
            indexing.abort();
            erasing.abort();
            // The last senders into the queues are gone with the state: the tasks finish what is in them.
            drop(state);
            let finished = tokio::time::timeout(FINISH_WITHIN, async {
                let _ = vital.await;
                store.close().await;
            });
            if finished.await.is_err() {
                tracing::warn!("the database was still in use; what is committed is safe");
            }
        });
        Ok(Self { address, is_new, shutdown, failed, serving })
    }

    /// Ends the server: sockets get 1001, requests finish, the database is closed.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits until it can't go on, if that ever happens; it ends by itself then.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Waits until it has ended. False if it couldn't go on, or didn't end in order.
    pub async fn ended(self) -> bool {
        self.serving.await.is_ok() && !self.failed.is_cancelled()
    }
}

/// Copies the embedded database to `file`, which must not exist.
pub async fn backup(config: &Config, file: &Path) -> Result<(), StartError> {
    match &config.database {
        Database::Sqlite(database) => {
            SqliteStore::backup(database, file).await.map_err(|source| unusable(config, source))
        }
        Database::Postgres(_) => {
            let advice = "use PostgreSQL's own tools, such as pg_dump, and natter new-epoch after restoring";
            Err(unusable(config, StoreError::Unsupported(advice.into())))
        }
    }
}

/// Lets the database's next start begin a new life.
pub async fn new_epoch(config: &Config) -> Result<(), StartError> {
    let (store, _) = open(config).await?;
    store.forget_epoch().await.map_err(|source| unusable(config, source))?;
    store.close().await;
    Ok(())
}

/// Opens the database, and finds the key that every node on it signs with.
async fn open(config: &Config) -> Result<(Arc<dyn Store>, Vec<u8>), StartError> {
    let given = config.signing_key.clone().map(String::into_bytes);
    let failed = |source| unusable(config, source);
    match &config.database {
        Database::Sqlite(file) => {
            make_private_dir(&config.data_dir)
                .map_err(|source| StartError::DataDir { path: config.data_dir.clone(), source })?;
            let key = match given {
                Some(key) => key,
                None => signing_key(&config.data_dir.join("signing.key")).map_err(StartError::SigningKey)?,
            };
            Ok((Arc::new(SqliteStore::open(file).await.map_err(failed)?), key))
        }
        Database::Postgres(url) => {
            let store = PostgresStore::open(url).await.map_err(failed)?;
            let key = if let Some(key) = given {
                key
            } else {
                let fresh = new_signing_key().map_err(StartError::SigningKey)?;
                store.signing_key(fresh).await.map_err(failed)?
            };
            Ok((Arc::new(store), key))
        }
    }
}

fn unusable(config: &Config, source: StoreError) -> StartError {
    let name = match &config.database {
        Database::Sqlite(file) => file.display().to_string(),
        // Without its address, which may hold a password.
        Database::Postgres(_) => "on PostgreSQL".to_owned(),
    };
    StartError::Database { name, source }
}

async fn connect_bus(
    config: &Config,
    store: &dyn Store,
) -> Result<(Arc<dyn Bus>, mpsc::Receiver<Vec<Hint>>), StartError> {
    if let Some(url) = &config.nats_url {
        let (bus, hints) = NatsBus::connect(url, store.epoch()).await?;
        return Ok((Arc::new(bus), hints));
    }
    let (bus, hints) = LocalBus::new(store.shared().is_some());
    Ok((Arc::new(bus), hints))
}

async fn tidy(state: AppState) {
    let mut every = tokio::time::interval(TIDY_EVERY);
    loop {
        every.tick().await;
        state.limits.forget_old();
        state.uploads.limits.forget_old();
        if let Err(error) = state.accounts.tidy().await {
            tracing::warn!(%error, "tidying up failed");
        }
        if let Err(error) = state.schedule.tidy().await {
            tracing::warn!(%error, "old scheduled messages stay for now");
        }
    }
}

/// Where files go, and where they are while they come.
fn open_depot(config: &Config) -> Result<Depot, StartError> {
    let spool = &config.uploads.spool;
    make_private_dir(spool).map_err(|source| StartError::DataDir { path: spool.clone(), source })?;
    Ok(Depot::open(&config.uploads.storage)?)
}

/// Removes files that are nobody's, now and then, and when what carried them has just gone.
async fn sweep(state: AppState) {
    let mut strays = tokio::time::interval(STRAYS_EVERY);
    let mut every = tokio::time::interval(TIDY_EVERY);
    loop {
        let swept = tokio::select! {
            _ = strays.tick() => state.uploads.sweep_strays().await,
            _ = every.tick() => state.uploads.sweep().await,
            () = state.messages.deleted() => state.uploads.sweep().await,
            () = state.store.freed() => state.uploads.sweep().await,
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "files are left for the next sweep");
        }
    }
}

/// Puts what isn't in the search index yet into it, a little at a time: beside everything else.
async fn keep_index(state: AppState) {
    let mut every = tokio::time::interval(TIDY_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => (),
            () = state.store.unindexed() => tokio::time::sleep(INDEX_GATHERS).await,
        }
        loop {
            let store = state.store.clone();
            // In a task of its own: should a message make it panic, what comes later is tried all the same.
            let step = tokio::spawn(async move { store.tidy_index().await }).await;
            match step.map_err(|error| error.to_string()).and_then(|step| step.map_err(|error| error.to_string())) {
                Ok(true) => tokio::time::sleep(INDEX_PAUSE).await,
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(error, "the search index isn't complete yet");
                    break;
                }
            }
        }
    }
}

/// Overwrites what people deleted, as soon as nothing stands in the way.
async fn erase(store: Arc<dyn Store>) {
    loop {
        if let Err(error) = store.erase().await {
            tracing::warn!(%error, "what was deleted is left in the database's files for now");
            tokio::time::sleep(TIDY_EVERY).await;
        }
    }
}

/// Its owner's alone: it holds the signing key and everyone's messages.
fn make_private_dir(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
