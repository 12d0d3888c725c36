use super::{free_port, millis, secs, signal};
use natter_load::api::Api;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// What a node works with.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Its data folder, where it isn't to have one of its own.
    pub data_dir: Option<PathBuf>,
    pub database_url: Option<String>,
    pub nats_url: Option<String>,
}

/// A server process, always on the same port and data.
pub struct Node {
    pub base: String,
    setup: Setup,
    child: Option<Child>,
    port: u16,
    dir: TempDir,
}

/// The server's program.
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("NATTER_BIN") {
        return named.into();
    }
    // target/debug/deps/faults-… → target/debug/natter
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(Path::parent).unwrap().join("natter");
    assert!(built.exists(), "there is no {}: run cargo build first, or set NATTER_BIN", built.display());
    built
}

impl Node {
    pub async fn start(setup: Setup) -> Self {
        let mut node = Self::prepare(setup);
        node.up().await;
        node
    }

    /// One that doesn't run yet.
    pub fn prepare(setup: Setup) -> Self {
        let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
        Self { base: format!("http://127.0.0.1:{port}"), setup, child: None, port, dir }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.setup.data_dir.clone().unwrap_or_else(|| self.dir.path().join("data"))
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("the node runs")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Starts it and waits until it is ready.
    pub async fn up(&mut self) {
        self.launch();
        let began = Instant::now();
        let api = Api::new().unwrap();
        while !api.is_ready(&self.base).await {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            assert!(ended.is_none() && began.elapsed() < secs(30), "the node didn't start ({ended:?}):\n{log}");
            sleep(millis(20)).await;
        }
    }

    /// Starts it and doesn't wait.
    pub fn launch(&mut self) {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(program());
        command.args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--data-dir"]).arg(self.data_dir());
        // Nothing of the environment's may reach it, so that it is the same everywhere.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NATTER_")) {
            command.env_remove(name);
        }
        command.env("NATTER_RATE_LIMITS", "off").env("NATTER_LOG", "info");
        for (name, value) in
            [("NATTER_DATABASE_URL", &self.setup.database_url), ("NATTER_NATS_URL", &self.setup.nats_url)]
        {
            command.envs(value.as_ref().map(|value| (name, value)));
        }
        let child = command.current_dir(self.dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(child.kill_on_drop(true).spawn().expect("the server's program runs"));
    }

    /// Ends it without a warning.
    pub async fn kill(&mut self) {
        self.child.take().expect("the node runs").kill().await.unwrap();
    }

    /// Ends it in order, and says how long that took.
    pub async fn terminate(&mut self) -> Duration {
        let began = Instant::now();
        signal(self.pid(), "TERM").await;
        let mut child = self.child.take().expect("the node runs");
        let ended = timeout(secs(15), child.wait()).await.expect("it ends within 15 s").unwrap();
        assert!(ended.success(), "{ended}");
        began.elapsed()
    }

    /// What of its log isn't mere information.
    pub fn complaints(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| !line.contains(" INFO ")).map(str::to_owned).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let complaints = self.complaints();
        println!("{}: {} lines of its log are warnings or errors", self.base, complaints.len());
        let shown = if std::thread::panicking() { 20 } else { 2 };
        let (first, rest) = complaints.split_at(shown.min(complaints.len()));
        let last = &rest[rest.len().saturating_sub(shown)..];
        for line in first.iter().chain(last) {
            println!("    {line}");
        }
    }
}
