//! PostgreSQL and NATS to be stopped at will, and those that several tests share.

use super::{free_port, is_root, millis, secs, signal};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{os::unix::fs::chown, path::PathBuf, process::Stdio, time::Instant};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

/// A PostgreSQL with a data folder of its own.
pub struct Postgres {
    pub port: u16,
    dir: TempDir,
    user: Option<(u32, u32)>,
    child: Option<Child>,
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let mut found: Vec<_> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    found.sort();
    found.pop().expect("PostgreSQL is installed")
}

/// Whom PostgreSQL runs as where this is root, which it refuses.
fn user() -> Option<(u32, u32)> {
    if !is_root() {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

impl Postgres {
    pub async fn start() -> Self {
        let mut postgres = Self { port: free_port(), dir: tempfile::tempdir().unwrap(), user: user(), child: None };
        if let Some((uid, gid)) = postgres.user {
            chown(postgres.dir.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = postgres.dir.path().join("pg");
        let made = postgres
            .command("initdb")
            .arg("-D")
            .arg(data)
            .args(["-U", "natter", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        postgres.up().await;
        postgres
    }

    fn command(&self, program: &str) -> Command {
        let program = programs().join(program);
        let mut command = match self.user {
            None => Command::new(program),
            Some((uid, gid)) => {
                let mut command = Command::new("setpriv");
                command
                    .args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".into()])
                    .arg(program);
                command
            }
        };
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it answers.
    pub async fn up(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.dir.path().join("pg")).args(["-p", &self.port.to_string()]);
        let sockets = format!("unix_socket_directories={}", self.dir.path().display());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", &sockets]);
        command.args(["-c", "max_connections=100", "-c", "shared_buffers=32MB"]);
        let child = command.stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn().unwrap();
        self.child = Some(child);
        let began = Instant::now();
        while PgConnection::connect(&self.url()).await.is_err() {
            assert!(began.elapsed() < secs(30), "PostgreSQL didn't start");
            sleep(millis(50)).await;
        }
    }

    pub fn url(&self) -> String {
        Self::url_by(self.port)
    }

    /// One of its databases.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://natter@127.0.0.1:{}/{database}", self.port)
    }

    /// One of PostgreSQL's own tools, on this server and in its folder.
    pub async fn tool(&self, program: &str, args: &[&str]) {
        let mut command = self.command(program);
        command.args(["--host=127.0.0.1", "--username=natter", &format!("--port={}", self.port)]).args(args);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The same by way of a proxy on that port.
    pub fn url_by(port: u16) -> String {
        format!("postgres://natter@127.0.0.1:{port}/postgres")
    }

    /// Its "immediate" shutdown: as if the power went, but for the disk's own cache.
    pub async fn stop_at_once(&mut self) {
        let mut child = self.child.take().expect("it runs");
        signal(child.id().expect("it runs"), "QUIT").await;
        child.wait().await.unwrap();
    }
}

/// Orphaned workers would go on in the folder that is being removed.
impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(pid) = self.child.as_ref().and_then(Child::id) {
            let _ = std::process::Command::new("kill").args(["-QUIT", &pid.to_string()]).status();
            let began = Instant::now();
            let ended = |child: &mut Child| child.try_wait().is_ok_and(|status| status.is_some());
            while self.child.as_mut().is_some_and(|child| !ended(child)) && began.elapsed() < secs(5) {
                std::thread::sleep(millis(20));
            }
        }
    }
}

pub struct Nats {
    pub port: u16,
    child: Option<Child>,
}

impl Nats {
    pub async fn start() -> Self {
        let mut nats = Self { port: free_port(), child: None };
        nats.up().await;
        nats
    }

    pub async fn up(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.kill_on_drop(true).spawn().expect("nats-server is installed"));
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(began.elapsed() < secs(20), "NATS didn't start");
            sleep(millis(20)).await;
        }
    }

    pub async fn kill(&mut self) {
        self.child.take().expect("it runs").kill().await.unwrap();
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

/// A database of one's own on the PostgreSQL that `scripts/with-services.sh` runs. It isn't removed:
/// that PostgreSQL lives only as long as the tests.
pub async fn fresh_schema() -> String {
    let base = named("NATTER_TEST_POSTGRES_URL");
    let schema = format!("natter_fault_{}", uuid::Uuid::now_v7().simple());
    let mut conn = PgConnection::connect(&base).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut conn).await.unwrap();
    let and = if base.contains('?') { '&' } else { '?' };
    format!("{base}{and}options[search_path]={schema}")
}

pub fn shared_broker() -> String {
    named("NATTER_TEST_NATS_URL")
}

fn named(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run this by scripts/with-services.sh"))
}
