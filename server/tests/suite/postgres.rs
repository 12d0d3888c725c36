//! A database of one's own for each test, and what only holds where several nodes share one.

use super::store_contract::{channel, message, user};
use natter::{ChannelId, MessageId, Ref, Timestamp};
use natter_server::store::{
    Anchor, Appended, ChannelStore as _, JournalStore as _, MarkMove, MessageStore as _, StoreError,
    postgres::PostgresStore,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// Drops the database when it is dropped itself, best effort.
pub struct Guard {
    base: String,
    schema: String,
}

/// The URL of an empty database: a schema of its own, which is there sooner than a whole one.
pub async fn fresh_database() -> (String, Guard) {
    let base = std::env::var("NATTER_TEST_POSTGRES_URL").expect(
        "NATTER_TEST_POSTGRES_URL has to name a PostgreSQL server, where tests make schemas: see scripts/with-services.sh",
    );
    let schema = format!("natter_test_{}", uuid::Uuid::now_v7().simple());
    execute(&base, format!("CREATE SCHEMA {schema}")).await.unwrap();
    let and = if base.contains('?') { '&' } else { '?' };
    (format!("{base}{and}options[search_path]={schema}"), Guard { base, schema })
}

async fn execute(url: &str, sql: String) -> sqlx::Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    conn.close().await
}

impl Drop for Guard {
    fn drop(&mut self) {
        let schema = &self.schema;
        // Whoever is still at it, in a runtime or a process that has ended, would keep it from going.
        let sql = format!(
            "SET lock_timeout = '2s'; SET client_min_messages = 'error';
             SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                WHERE c.relnamespace = '{schema}'::regnamespace AND l.pid <> pg_backend_pid()
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());
             DROP SCHEMA {schema} CASCADE"
        );
        let base = std::mem::take(&mut self.base);
        // Dropping can't wait for the test's own runtime, which may be ending.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let _ = runtime.block_on(execute(&base, sql));
            std::io::Result::Ok(())
        });
        let _ = thread.join();
    }
}

/// Two nodes at one database.
async fn nodes() -> ([Arc<PostgresStore>; 2], String, Guard) {
    let (url, guard) = fresh_database().await;
    let (one, two) = tokio::join!(PostgresStore::open(&url), PostgresStore::open(&url));
    ([Arc::new(one.unwrap()), Arc::new(two.unwrap())], url, guard)
}

#[tokio::test]
async fn nodes_that_start_together_agree_on_the_epoch() {
    let ([one, two], ..) = nodes().await;
    assert_eq!(one.epoch(), two.epoch());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_give_a_channel_one_order_and_no_gaps() {
    let (nodes, _, _guard) = nodes().await;
    let ada = user(&*nodes[0], "ada").await;
    let ids = [channel(&*nodes[0], "one", &ada).await, channel(&*nodes[0], "two", &ada).await];
    let shared = Ref::generate();
    let tasks = (0..8).map(|task| {
        let (store, ada) = (nodes[task % 2].clone(), ada.clone());
        tokio::spawn(async move {
            let mut outcome = Vec::new();
            for _ in 0..10 {
                // Each names the channels in another order, and one ref that all of them use.
                let text = |n: usize| message(ids[(n + task) % 2], &ada, &format!("{task}/{n}"), None);
                let mut batch: Vec<_> = (0..9).map(text).collect();
                batch.push(message(ids[task % 2], &ada, "once", Some(shared)));
                outcome.extend(store.append(&batch).await.unwrap());
            }
            outcome
        })
    });
    let mut posted = BTreeMap::<ChannelId, Vec<_>>::new();
    for appended in futures::future::join_all(tasks).await.into_iter().flat_map(Result::unwrap) {
        match appended {
            Appended::New(message) => posted.entry(message.channel_id).or_default().push(message),
            Appended::Known(message) => assert_eq!(message.reference, Some(shared)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(posted.values().map(Vec::len).sum::<usize>(), 8 * 10 * 9 + 1);
    for (id, mut messages) in posted {
        messages.sort_unstable_by_key(|message| message.rev);
        let revs: Vec<_> = messages.iter().map(|message| message.rev).collect();
        assert_eq!(revs, (1..=messages.len() as u64).collect::<Vec<_>>());
        for node in &nodes {
            assert_eq!(node.changes(id, 0, 1_000).await.unwrap().items, messages);
        }
    }
}

/// A message as another node stores it: $1 id, $2 channel, $3 sender, $4 ref.
const INSERT: &str = "INSERT INTO messages (channel_id, seq, rev, id, sender_id, ref, text, created_at)
    VALUES ($2, 1, 1, $1, $3, $4, 'first', 0)";

#[tokio::test]
async fn a_ref_that_another_node_is_about_to_commit_is_waited_for() {
    let ([store, _], url, _guard) = nodes().await;
    let ada = user(&*store, "ada").await;
    let (theirs, ours) = (channel(&*store, "theirs", &ada).await, channel(&*store, "ours", &ada).await);
    let (first, reference) = (MessageId::generate(), Ref::generate());
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    let insert = sqlx::query(INSERT).bind(first.0).bind(theirs.0).bind(ada.id.0).bind(reference.0);
    insert.execute(&mut *tx).await.unwrap();
    let batch = [message(ours, &ada, "second", Some(reference)), message(ours, &ada, "other", None)];
    let appending = tokio::spawn({
        let store = store.clone();
        async move { store.append(&batch).await.unwrap() }
    });
    // Seen from another connection: within a transaction the activity stays as it was at first sight.
    let (holder,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut *tx).await.unwrap();
    let mut watch = PgConnection::connect(&url).await.unwrap();
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))";
    let mut waits = async || {
        while !sqlx::query_as::<_, (bool,)>(waiting).bind(holder).fetch_one(&mut watch).await.unwrap().0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(4), waits()).await.unwrap();
    tx.commit().await.unwrap();
    let outcome = appending.await.unwrap();
    let [Appended::Known(known), Appended::New(other)] = outcome.as_slice() else { panic!("{outcome:?}") };
    assert_eq!((known.id, known.channel_id, other.rev), (first, theirs, 1), "what was rolled back took no revision");
}

#[tokio::test]
async fn what_a_removed_channel_leaves_for_later_is_in_nobodys_way() {
    let ([store, _], url, _guard) = nodes().await;
    let ada = user(&*store, "ada").await;
    let (removed, id) = (ChannelId::generate(), channel(&*store, "general", &ada).await);
    let reference = Ref::generate();
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let insert = sqlx::query(INSERT).bind(MessageId::generate().0).bind(removed.0).bind(ada.id.0).bind(reference.0);
    insert.execute(&mut conn).await.unwrap();
    assert_eq!(store.page(removed, Anchor::Newest, 10).await.unwrap().items, []);
    let outcome = store.append(&[message(id, &ada, "again", Some(reference))]).await.unwrap();
    assert_eq!(outcome, [Appended::Spent], "it went with its channel, swept or not");
    let other = store.append(&[message(id, &ada, "again", Some(Ref::generate()))]).await.unwrap();
    assert!(matches!(other.as_slice(), [Appended::New(_)]), "{other:?}");

    sqlx::query("INSERT INTO removed_channels (id, rev) VALUES ($1, 12345)")
        .bind(removed.0)
        .execute(&mut conn)
        .await
        .unwrap();
    store.trim_journal(Timestamp::from_millis(0)).await.unwrap();
    let left = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM removed_channels)";
    assert_eq!(sqlx::query_as::<_, (i64, i64)>(left).fetch_one(&mut conn).await.unwrap(), (1, 0));
    let outcome = store.append(&[message(id, &ada, "and again", Some(reference))]).await.unwrap();
    assert_eq!(outcome, [Appended::Spent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_what_changed_finds_every_commit() {
    let (nodes, _, _guard) = nodes().await;
    let ada = user(&*nodes[0], "ada").await;
    let mut ids = Vec::new();
    for n in 0..24 {
        ids.push(channel(&*nodes[0], &format!("c{n:02}"), &ada).await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let (store, stop) = (nodes[0].clone(), done.clone());
    let watcher = tokio::spawn(async move {
        let (mut known, mut mark, mut last) = (BTreeMap::new(), 0, false);
        loop {
            let positions = store.shared().unwrap().changed_since(mark).await.unwrap();
            assert!(positions.mark >= mark);
            for (id, rev) in positions.channels {
                let before = known.insert(id, rev).unwrap_or(0);
                assert!(before <= rev);
            }
            mark = positions.mark;
            if std::mem::replace(&mut last, stop.load(Ordering::Acquire)) {
                return known;
            }
        }
    });
    let tasks = (0..2).map(|node: usize| {
        let (store, ada, ids) = (nodes[node].clone(), ada.clone(), ids.clone());
        tokio::spawn(async move {
            for round in 0..100 {
                let text = |n: usize| message(ids[(round * 5 + n * 7 + node * 3) % ids.len()], &ada, "hello", None);
                store.append(&(0..3).map(text).collect::<Vec<_>>()).await.unwrap();
            }
        })
    });
    futures::future::join_all(tasks).await.into_iter().for_each(Result::unwrap);
    done.store(true, Ordering::Release);
    let known = watcher.await.unwrap();
    for id in ids {
        assert_eq!(known[&id], nodes[1].page(id, Anchor::Newest, 1).await.unwrap().rev);
    }
}

#[tokio::test]
async fn a_commit_that_took_long_is_found_among_later_ones() {
    let ([store, _], url, _guard) = nodes().await;
    let ada = user(&*store, "ada").await;
    let (slow, quick) = (channel(&*store, "slow", &ada).await, channel(&*store, "quick", &ada).await);
    let shared = store.shared().unwrap();
    let all = shared.changed_since(0).await.unwrap();
    assert_eq!(all.channels.len(), 2);
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    sqlx::query("UPDATE channels SET rev = 7, changed_xid = pg_current_xact_id() WHERE name = 'slow'")
        .execute(&mut *tx)
        .await
        .unwrap();
    store.append(&[message(quick, &ada, "hello", None)]).await.unwrap();
    let before = shared.changed_since(all.mark).await.unwrap();
    assert!(before.channels.contains(&(quick, 1)) && !before.channels.contains(&(slow, 7)), "{before:?}");
    tx.commit().await.unwrap();
    let after = shared.changed_since(before.mark).await.unwrap();
    assert!(after.channels.contains(&(slow, 7)), "{after:?}");
    // A mark that this server never gave: better all of them again than one too few.
    assert_eq!(shared.changed_since(u64::MAX).await.unwrap().channels.len(), 2);
}

/// The URL of a way to the database that passes bytes on until somebody commits while `cut` is set:
/// then the commit still arrives, and its answer never does.
pub async fn cut_at_commit(url: &str, cut: Arc<AtomicBool>) -> String {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let server = format!("{}:{}", options.get_host(), options.get_port());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // In the clear, so that the cut sees what passes.
    let way = url.replace(&server, &format!("127.0.0.1:{port}")) + "&sslmode=disable";
    assert!(way.contains(&port.to_string()), "{way}");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut database = TcpStream::connect(&server).await.unwrap();
            let cut = cut.clone();
            tokio::spawn(async move {
                let (mut from_client, mut from_database) = ([0; 8_192], [0; 8_192]);
                loop {
                    tokio::select! {
                        Ok(n) = client.read(&mut from_client) => {
                            database.write_all(&from_client[..n]).await.unwrap();
                            let is_commit = from_client[..n].windows(7).any(|bytes| bytes == b"COMMIT\0");
                            if n == 0 || is_commit && cut.load(Ordering::Relaxed) {
                                let _ = database.read(&mut from_database).await;
                                return;
                            }
                        }
                        Ok(n) = database.read(&mut from_database) => client.write_all(&from_database[..n]).await.unwrap(),
                        else => return,
                    }
                }
            });
        }
    });
    way
}

#[tokio::test]
async fn a_commit_without_an_answer_is_unsure_and_asking_again_tells() {
    let ([store, _], url, _guard) = nodes().await;
    let ada = user(&*store, "ada").await;
    let id = channel(&*store, "general", &ada).await;
    let way = cut_at_commit(&url, Arc::new(AtomicBool::new(true))).await;
    let far = PostgresStore::open(&way).await.unwrap();
    let batch = [message(id, &ada, "hello", None)];
    let outcome = far.append(&batch).await;
    assert!(matches!(outcome, Err(StoreError::Unsure(_))), "{outcome:?}");
    let outcome = store.append(&batch).await.unwrap();
    assert!(matches!(outcome.as_slice(), [Appended::Known(message)] if message.rev == 1), "{outcome:?}");
}

/// A dump carries the numbers of transactions of where it was made, which may be far ahead.
#[tokio::test]
async fn marks_of_another_cluster_s_transactions_are_not_told_again_and_again() {
    let ([store, _], url, _guard) = nodes().await;
    let (ada, mira) = (user(&*store, "ada").await, user(&*store, "mira").await);
    let id = channel(&*store, "general", &ada).await;
    store.join(id, mira.id, Timestamp::from_millis(1)).await.unwrap();
    store.append(&[message(id, &ada, "one", None), message(id, &ada, "two", None)]).await.unwrap();
    let shared = store.shared().unwrap();
    let mark = shared.changed_since(0).await.unwrap().mark;
    let moves = [&ada, &mira].map(|user| MarkMove { channel_id: id, user_id: user.id, seq: 2, back: false });
    store.move_marks(&moves).await.unwrap();
    let people = [ada.id, mira.id];
    let told = async || {
        let mut told: Vec<_> = shared.marks_since(mark, &people).await.unwrap();
        told.sort_by_key(|moved| moved.user_id != ada.id);
        told.into_iter().map(|moved| (moved.user_id, moved.mark.seq)).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [(ada.id, 2), (mira.id, 2)]);
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let ahead = sqlx::query("UPDATE memberships SET marked_xid = '999999999999' WHERE user_id = $1").bind(mira.id.0);
    ahead.execute(&mut conn).await.unwrap();
    assert_eq!(told().await, [(ada.id, 2)]);
    store.move_marks(&[MarkMove { seq: 1, back: true, ..moves[1] }]).await.unwrap();
    assert_eq!(told().await, [(ada.id, 2), (mira.id, 1)]);
}
