//! A backup taken under load, and life after it.

use crate::support::{Crowd, Node, Setup, millis, program, scale, secs, sound};
use natter_load::check::{Event, Log, What};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{collections::BTreeSet, path::Path, time::Duration};
use tokio::time::sleep;

async fn run(file: &Path, sql: String) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
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
    match way {
        Way::Command => {
            let mut command = tokio::process::Command::new(program());
            let output = command.arg("backup").arg(to).arg("--data-dir").arg(node.data_dir()).output().await.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Way::VacuumInto => {
            run(&node.data_dir().join("natter.db"), format!("VACUUM INTO '{}'", to.display())).await;
            run(to, "DELETE FROM meta WHERE key = 'epoch'".to_owned()).await;
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

/// The copy is served by another server, under a new epoch. Clients come along and lose what was said
/// after the backup, and nothing else.
async fn start_elsewhere(way: Way) {
    let scale = scale();
    let mut old = Node::start(Setup::default()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let data = elsewhere.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut new = Node::prepare(Setup { data_dir: Some(data.clone()), ..Setup::default() });
    // The new one isn't there yet, so everyone ends up at the old one.
    let mut crowd = Crowd::gather(&[&old.base.clone(), &new.base.clone()], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            sleep(secs(2)).await;
            back_up(&old, way, &data.join("natter.db")).await;
            sleep(secs(1)).await;
            // Its sessions are in the backup, and its key lets their tokens hold.
            std::fs::copy(old.data_dir().join("signing.key"), data.join("signing.key")).unwrap();
            old.kill().await;
            new.up().await;
            crowd.all_connected().await;
            sleep(millis(1_500)).await;
        })
        .await;
    crowd.only_node(&new.base);
    crowd.settle().await;
    let channels: BTreeSet<_> = crowd.channels.iter().copied().collect();
    let verdict = crowd.end_with(|logs| logs.iter_mut().for_each(|log| start_over(log, &channels))).await;
    let counts = sound(&verdict);
    assert!(counts.stored > 0 && counts.resyncs > 0, "{counts:?}");
}

/// Leaves of a log what holds under the new epoch: all that was ever sent or asked for, and what came after
/// the first connection to it, which has to tell of every channel that what was known is void.
fn start_over(log: &mut Log, channels: &BTreeSet<natter::ChannelId>) {
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
    log.events.retain(|event| matches!(event.what, What::Sent { .. } | What::Asked { .. }));
    let joined = channels.iter().map(|channel| What::Joined { channel: *channel, rev: 0 });
    log.events.extend(joined.map(|what| Event { at: Duration::ZERO, what }));
    log.events.extend(later);
}
