//! The program itself: its words, its signals, its files.

use std::{os::unix::fs::PermissionsExt as _, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_natter");

pub struct Running {
    pub child: Child,
    /// Who closes them ends the program with its next line.
    lines: Lines<BufReader<ChildStdout>>,
    pub address: String,
}

pub async fn run(dir: &std::path::Path) -> Running {
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir)
        .env("NATTER_LOG", "warn")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
    let address = line.split("listening on http://").nth(1).unwrap_or_else(|| panic!("{line}")).to_owned();
    Running { child, lines, address }
}

#[tokio::test]
async fn it_says_where_and_what_next_and_ends_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut running = run(&data).await;
    let next = running.lines.next_line().await.unwrap().unwrap();
    assert!(next.contains("first account becomes the admin"), "{next}");
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(data.join("signing.key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for file in ["natter.db", "natter.db-wal"] {
        assert_eq!(data.join(file).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    let id = running.child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let status = timeout(Duration::from_secs(10), running.child.wait()).await.expect("it ends within 10 s").unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let running = run(dir.path()).await;
    cut_off(&running, b"GET / HTTP/1.1\r\nHost: x\r\n").await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let running = run(dir.path()).await;
    let head =
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n";
    cut_off(&running, format!("{head}\r\n{{").as_bytes()).await;
}

/// Says this much and no more, and waits to be let go.
async fn cut_off(running: &Running, beginning: &[u8]) {
    let mut slow = TcpStream::connect(&running.address).await.unwrap();
    slow.write_all(beginning).await.unwrap();
    let mut rest = Vec::new();
    let cut = timeout(Duration::from_secs(28), slow.read_to_end(&mut rest)).await;
    assert!(cut.is_ok(), "still open after 28 s");
}

#[tokio::test]
async fn a_backup_taken_while_serving_is_another_life_when_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (data, restored) = (dir.path().join("data"), dir.path().join("restored"));
    let _running = run(&data).await;
    std::fs::create_dir(&restored).unwrap();
    let copy = restored.join("natter.db");
    let backup = async || {
        let mut command = Command::new(PROGRAM);
        command.arg("backup").arg(&copy).arg("--data-dir").arg(&data).output().await.unwrap()
    };
    let output = backup().await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let output = backup().await;
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("already"), "{output:?}");
    let epoch = async |file: &std::path::Path| {
        let store = natter_server::store::sqlite::SqliteStore::open(file).await.unwrap();
        natter_server::store::MessageStore::epoch(&store).to_owned()
    };
    assert_ne!(epoch(&copy).await, epoch(&data.join("natter.db")).await);
}

#[tokio::test]
async fn wrong_options_are_named() {
    let run = async |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().await.unwrap();
    let output = run(&["serve", "--signing-key", "short"]).await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("signing_key"), "{output:?}");
    let output = run(&["serve", "--listen", "nowhere"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("--listen"), "{output:?}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("natter.toml");
    std::fs::write(&file, "rate_limit = \"off\"\n").unwrap();
    let output = run(&["serve", "--config", file.to_str().unwrap()]).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("rate_limit") && error.contains("natter.toml"), "{error}");
    let help = run(&["--help"]).await;
    assert!(String::from_utf8_lossy(&help.stdout).contains("NATTER_DATA_DIR"));
}
