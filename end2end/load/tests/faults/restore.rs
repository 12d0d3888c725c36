//! A backup taken under load, and life after it.

use crate::support::{Crowd, Node, Postgres, Setup, millis, program, scale, secs, shared_broker, sound};
use natter_load::{
    check::{Event, Log, What},
    client::clock,
};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{collections::BTreeSet, path::Path, time::Duration};
use tokio::time::sleep;

async fn run(file: &Path, sql: String) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// One of the program's own commands.
async fn natter(args: &[&str]) {
    let output = tokio::process::Command::new(program()).args(args).output().await.unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Two ways to a copy without an epoch, from beside the running server.
#[derive(Clone, Copy)]
enum Way {
    /// The program's own.
    Command,
    /// `SQLite`'s.
    VacuumInto,
}

async fn back_up(node: &Node, way: Way, to: &Path) {
    let (from, file) = (node.data_dir(), to.join("natter.db"));
    match way {
        Way::Command => natter(&["backup", file.to_str().unwrap(), "--data-dir", from.to_str().unwrap()]).await,
        Way::VacuumInto => {
            run(&from.join("natter.db"), format!("VACUUM INTO '{}'", file.display())).await;
            natter(&["new-epoch", "--data-dir", to.to_str().unwrap()]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_by_the_program_is_whole_and_its_clients_start_over() {
    start_elsewhere(Way::Command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_by_sqlite_is_whole_and_its_clients_start_over() {
    start_elsewhere(Way::VacuumInto).await;
}

/// The copy is served by another server, under a new epoch.
async fn start_elsewhere(way: Way) {
    let scale = scale();
    let mut old = Node::start(Setup::default()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut new = Node::prepare(Setup { data_dir: Some(data.clone()), ..Setup::default() });
    // The new one isn't there yet, so everyone ends up at the old one.
    let mut crowd = Crowd::gather(&[&old.base.clone(), &new.base.clone()], scale.people, scale.channels).await;
    let copied = crowd
        .talk_while(async {
            sleep(secs(2)).await;
            let copied = clock();
            back_up(&old, way, &data).await;
            sleep(secs(1)).await;
            // Its sessions are in the backup, and its key lets their tokens hold.
            std::fs::copy(old.data_dir().join("signing.key"), data.join("signing.key")).unwrap();
            old.kill().await;
            new.up().await;
            crowd.all_connected().await;
            sleep(millis(1_500)).await;
            copied
        })
        .await;
    crowd.only_node(&new.base);
    judge(crowd, copied).await;
}

/// As docs/operating.md has it, step by step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_postgres_is_whole_and_its_clients_start_over() {
    let scale = scale();
    let postgres = Postgres::start().await;
    let make = async || postgres.tool("createdb", &["--encoding=UTF8", "--template=template0", "natter"]).await;
    make().await;
    let url = postgres.url_of("natter");
    let setup = Setup { database_url: Some(url.clone()), nats_url: Some(shared_broker()), ..Setup::default() };
    let (mut first, mut second) = (Node::start(setup.clone()).await, Node::start(setup).await);
    let crowd = Crowd::gather(&[&first.base.clone(), &second.base.clone()], scale.people, scale.channels).await;
    let copied = crowd
        .talk_while(async {
            sleep(secs(2)).await;
            let copied = clock();
            postgres.tool("pg_dump", &["--format=custom", "--file=natter.dump", "natter"]).await;
            sleep(secs(1)).await;
            first.terminate().await;
            second.terminate().await;
            postgres.tool("dropdb", &["natter"]).await;
            make().await;
            let restore = ["--dbname=natter", "--exit-on-error", "--single-transaction", "natter.dump"];
            postgres.tool("pg_restore", &restore).await;
            let data = first.data_dir();
            natter(&["new-epoch", "--database-url", &url, "--data-dir", data.to_str().unwrap()]).await;
            first.up().await;
            second.up().await;
            crowd.all_connected().await;
            sleep(millis(1_500)).await;
            copied
        })
        .await;
    judge(crowd, copied).await;
}

/// Clients came along and lost what was said after the copy was begun, and nothing else.
async fn judge(crowd: Crowd, copied: Duration) {
    crowd.settle().await;
    let channels: BTreeSet<_> = crowd.channels.iter().copied().collect();
    let verdict = crowd.end_with(|logs| logs.iter_mut().for_each(|log| start_over(log, &channels, copied))).await;
    let counts = sound(&verdict);
    assert!(counts.stored > 0 && counts.resyncs > 0, "{counts:?}");
}

/// Leaves of a log what holds under the new epoch: all that was ever sent or asked for, what was acknowledged
/// before the copy, and what came after the first connection to it, which has to tell of every channel that
/// what was known is void.
fn start_over(log: &mut Log, channels: &BTreeSet<natter::ChannelId>, copied: Duration) {
    let first = log.events.iter().position(|event| matches!(event.what, What::Resync { .. })).expect("a resync");
    let began = log.events[..first].iter().rposition(|event| event.what == What::Connected).unwrap();
    let later = log.events.split_off(began);
    let void: BTreeSet<_> = later
        .iter()
        .filter_map(|event| if let What::Resync { channel } = event.what { Some(channel) } else { None })
        .collect();
    let asked =
        later.iter().find_map(|event| if let What::SyncAsked { since } = &event.what { Some(since) } else { None });
    let asked: BTreeSet<_> = asked.expect("a sync").keys().copied().collect();
    assert!(void == asked && channels.is_subset(&asked), "{}: not every channel has to be read anew", log.name);
    log.events.retain(|event| match event.what {
        What::Sent { .. } | What::Asked { .. } => true,
        What::Acked { .. } => event.at < copied,
        _ => false,
    });
    let joined = channels.iter().map(|channel| What::Joined { channel: *channel, rev: 0 });
    log.events.extend(joined.map(|what| Event { at: Duration::ZERO, what }));
    log.events.extend(later);
}
