//! Several nodes on one PostgreSQL and one NATS.

use crate::{
    common::{PASSWORD, Person, Socket, TestServer},
    postgres::cut_at_commit,
};
use natter::{ChannelId, Ref, Timestamp, UserId, wire::ServerFrame};
use natter_server::{
    bus::{Bus as _, Hint, NatsBus},
    config::Database,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// Ada at the first node and Mira at the second, in a channel.
async fn apart() -> (TestServer, TestServer, Person, Person, ChannelId) {
    let (first, second) = TestServer::two_nodes().await;
    let (ada, mira) = (first.register("ada").await, second.register("mira").await);
    let channel = ada.create_channel("general").await;
    mira.join_and_hear(channel).await;
    (first, second, ada, mira, channel)
}

#[tokio::test]
async fn a_token_of_one_node_holds_at_the_other() {
    let (_first, second, ada, _mira, _channel) = apart().await;
    assert_eq!(ada.at(&second).get("/me").await.1["username"], "ada");
}

#[tokio::test]
async fn a_message_reaches_the_other_node_at_once() {
    let (_first, _second, ada, mira, channel) = apart().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    a.send(channel, "over here").await;
    a.next("ack").await;
    // Well before the next comparison with the database could find it.
    let message = timeout(Duration::from_secs(2), m.next("message")).await.expect("the broker carries it");
    assert_eq!(message["text"], "over here");
    m.send(channel, "and back").await;
    let answer = timeout(Duration::from_secs(2), async { while a.next("message").await["text"] != "and back" {} });
    answer.await.expect("the broker carries it");
}

#[tokio::test]
async fn both_nodes_show_one_order_without_gaps() {
    let (_first, _second, ada, mira, channel) = apart().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    for n in 0..100 {
        a.send(channel, &format!("a{n}")).await;
        m.send(channel, &format!("m{n}")).await;
    }
    let mut orders = BTreeSet::new();
    for socket in [&mut a, &mut m] {
        let mut seen = Vec::new();
        while seen.len() < 200 {
            let message = socket.next("message").await;
            seen.push((message["rev"].as_u64().unwrap(), message["text"].as_str().unwrap().to_owned()));
        }
        assert_eq!(seen.iter().map(|(rev, _)| *rev).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
        orders.insert(seen);
    }
    assert_eq!(orders.len(), 1);
}

#[tokio::test]
async fn channels_and_members_come_and_go_everywhere() {
    let (first, second, ada, mira, channel) = apart().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    let random = ada.create_channel("random").await;
    assert_eq!(m.next("channel").await["channel"]["name"], "random");
    // Joining at one node moves the sockets at the other.
    mira.at(&first).join(random).await;
    assert_eq!(m.next("channel").await["channel"]["joined"], true);
    ada.at(&second).post(random, "welcome").await;
    assert_eq!(m.next("message").await["text"], "welcome");
    assert_eq!(a.next("member").await["user"]["username"], "mira");
    let path = format!("/channels/{random}/members/me");
    assert_eq!(mira.at(&first).call("DELETE", &path, None).await.0, 204);
    assert_eq!(m.next("channel").await["channel"]["joined"], false);
    ada.call("DELETE", &format!("/channels/{channel}"), None).await;
    assert_eq!(m.next("channel_removed").await["channel_id"], json!(channel));
}

#[tokio::test]
async fn a_session_that_ends_at_one_node_ends_at_the_other() {
    let (first, _second, _ada, mira, _channel) = apart().await;
    let mut socket = mira.connect().await;
    assert_eq!(mira.at(&first).call("POST", "/auth/logout", None).await.0, 204);
    let close = timeout(Duration::from_secs(1), socket.closed()).await.expect("within a second");
    assert_eq!(u16::from(close.unwrap().code), 1008);
}

#[tokio::test]
async fn reading_at_one_node_reaches_the_other() {
    let (first, _second, ada, mira, channel) = apart().await;
    let (mut desk, mut phone) = (mira.connect().await, mira.at(&first).connect().await);
    ada.post(channel, "one").await;
    desk.say(&json!({ "type": "read", "channel_id": channel, "seq": 1 })).await;
    assert_eq!(phone.next("read").await["unread"], 0);
}

/// Without a broker each node compares its position with the database's.
#[tokio::test]
async fn without_a_broker_nothing_is_lost_and_access_ends_within_a_second() {
    let (mut first, mut second) = TestServer::two_nodes().await;
    for node in [&mut first, &mut second] {
        // Nobody listens at the discard port.
        node.config.nats_url = Some("nats://127.0.0.1:9".into());
        node.restart().await;
    }
    let (ada, mira) = (first.register("ada").await, second.register("mira").await);
    let channel = ada.create_channel("general").await;
    mira.join(channel).await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    for n in 0..20 {
        a.send(channel, &format!("a{n}")).await;
        m.send(channel, &format!("m{n}")).await;
    }
    let mut revs = Vec::new();
    while revs.len() < 40 {
        revs.push(m.next("message").await["rev"].as_u64().unwrap());
    }
    assert_eq!(revs, (1..=40).collect::<Vec<_>>());
    assert_eq!(mira.at(&first).call("POST", "/auth/logout", None).await.0, 204);
    let close = timeout(Duration::from_secs(1), m.closed()).await.expect("within a second");
    assert_eq!(u16::from(close.unwrap().code), 1008);
}

#[tokio::test]
async fn a_reader_moves_to_another_node_and_catches_up() {
    let (first, mut second, ada, mira, channel) = apart().await;
    let (mut m, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    ada.post(channel, "before").await;
    m.next("message").await;
    second.stop().await;
    assert_eq!(u16::from(m.closed().await.unwrap().code), 1001);
    ada.post(channel, "meanwhile").await;
    let mut m = mira.at(&first).connect().await;
    m.say(&json!({ "type": "sync", "epoch": epoch, "channels": { channel.to_string(): 1 } })).await;
    assert_eq!(m.next("message").await["text"], "meanwhile");
    assert_eq!(m.next("synced").await["rev"], 2);
}

/// A broker that wants a password.
async fn guarded_broker() -> (String, tokio::process::Child) {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let mut command = tokio::process::Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "--user", "natter", "--pass", "s3cret", "-p", &port.to_string()]);
    let broker = command.stderr(std::process::Stdio::null()).kill_on_drop(true).spawn().unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (format!("nats://natter:s3cret@127.0.0.1:{port}"), broker)
}

#[tokio::test]
async fn nodes_log_in_to_a_broker_that_wants_a_password() {
    let (url, _broker) = guarded_broker().await;
    let (here, _own) = NatsBus::connect(&url, "one-life").await.unwrap();
    let (_there, mut hints) = NatsBus::connect(&url, "one-life").await.unwrap();
    let (stranger, mut nothing) = NatsBus::connect(&url.replace("s3cret", "wrong"), "one-life").await.unwrap();
    let read = |seq| Hint::Read {
        user_id: UserId::generate(),
        channel_id: ChannelId::generate(),
        seq,
        unread: 0,
        mentions: 0,
        rev: 0,
        back: false,
    };
    let heard = timeout(Duration::from_secs(10), async {
        loop {
            // Again until both are connected: a hint may get lost.
            here.publish(vec![read(7)]).await;
            if let Ok(hints) = timeout(Duration::from_millis(100), hints.recv()).await {
                return hints;
            }
        }
    });
    let hints = heard.await.expect("the broker carries it").unwrap();
    assert!(matches!(hints[..], [Hint::From { .. } | Hint::Lost, Hint::Read { seq: 7, .. }]), "{hints:?}");
    assert!(here.is_up() && !stranger.is_up());
    assert!(nothing.try_recv().is_err());
}

#[tokio::test]
async fn a_hole_in_what_another_node_says_is_noticed() {
    let (url, _broker) = guarded_broker().await;
    let (bus, mut hints) = NatsBus::connect(&url, "one-life").await.unwrap();
    let options = async_nats::ConnectOptions::with_user_and_password("natter".into(), "s3cret".into());
    let other = options.connect(url.rsplit('@').next().unwrap()).await.unwrap();
    while !bus.is_up() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let node = uuid::Uuid::now_v7();
    for (number, lost) in [(1, false), (2, false), (4, true), (5, false)] {
        let hint = json!([{ "hint": "from", "node": node, "number": number }, { "hint": "of a newer version" }]);
        other.publish("natter.one-life.hints", hint.to_string().into()).await.unwrap();
        let heard = timeout(Duration::from_secs(10), hints.recv()).await.expect("the broker carries it").unwrap();
        assert_eq!(matches!(heard[..], [Hint::Lost, Hint::Unknown]), lost, "{heard:?}");
    }
}

/// Without a broker, what people are told of their own on their other devices is read from the database.
#[tokio::test]
async fn without_a_broker_marks_and_messages_for_later_reach_the_other_node() {
    let (mut first, mut second) = TestServer::two_nodes().await;
    for node in [&mut first, &mut second] {
        node.config.nats_url = None;
        node.restart().await;
    }
    let (ada, mira) = (first.register("ada").await, second.register("mira").await);
    let channel = ada.create_channel("general").await;
    mira.join_and_hear(channel).await;
    for text in ["one", "two", "three"] {
        ada.post(channel, text).await;
    }
    let (mut elsewhere, mut ada_there) = (mira.at(&first).connect().await, ada.at(&second).connect().await);
    let mark = async |body, elsewhere: &mut Socket| {
        mira.does("PUT", &format!("/channels/{channel}/read"), body).await;
        elsewhere.next("read").await
    };
    let read = mark(json!({ "seq": 3 }), &mut elsewhere).await;
    assert_eq!((&read["seq"], &read["unread"], &read["rev"]), (&json!(3), &json!(0), &json!(3)));
    assert_eq!(read.get("back"), None);
    let back = mark(json!({ "seq": 1, "back": true }), &mut elsewhere).await;
    assert_eq!((&back["seq"], &back["unread"], &back["back"]), (&json!(1), &json!(2), &json!(true)));
    let tomorrow = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond() + 86_400_000);
    let later = json!({ "channel_id": channel, "text": "later", "send_at": tomorrow });
    let (status, made) = mira.call("POST", "/scheduled", Some(later)).await;
    assert_eq!(status, 201, "{made}");
    let told = elsewhere.next("scheduled").await;
    assert_eq!((&told["scheduled"], &told["counts"]["pending"]), (&made, &json!(1)));
    // What is one's own reaches nobody else.
    let others = ada_there.drain().await;
    assert!(others.iter().all(|frame| frame["type"] != "read" && frame["type"] != "scheduled"), "{others:?}");
}

/// Two nodes with a broker each, so that both think all is well and nothing they say arrives.
#[tokio::test]
async fn access_ends_within_a_second_also_where_the_broker_loses_everything() {
    let (first, mut second) = TestServer::two_nodes().await;
    let (url, _broker) = guarded_broker().await;
    second.config.nats_url = Some(url.clone());
    second.restart().await;
    let (ada, mira, kim) = (first.register("ada").await, second.register("mira").await, second.register("kim").await);
    let channel = ada.create_channel("general").await;
    for person in [&mira, &kim] {
        person.join_and_hear(channel).await;
    }
    let (bus, _hints) = NatsBus::connect(&url, "another-life").await.unwrap();
    while !bus.is_up() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Wherever the comparison of the channels is by then: it is farther apart than these.
    for (n, person) in [&mira, &kim].into_iter().enumerate() {
        let mut socket = person.connect().await;
        let path = format!("/channels/{channel}/members/me");
        assert_eq!(person.at(&first).call("DELETE", &path, None).await.0, 204);
        let left = timeout(Duration::from_secs(1), socket.next("channel")).await.expect("within a second");
        assert_eq!(left["channel"]["joined"], false, "{n}");
        assert_eq!(person.at(&first).call("POST", "/auth/logout", None).await.0, 204);
        let close = timeout(Duration::from_secs(1), socket.closed()).await.expect("within a second");
        assert_eq!(u16::from(close.unwrap().code), 1008, "{n}");
    }
}

#[tokio::test]
async fn what_somebody_mutes_or_reads_at_one_node_is_so_at_the_other() {
    let (one, two) = TestServer::two_nodes().await;
    let (ada, mira) = (one.register("ada").await, one.register("mira").await);
    let channel = ada.create_channel("general").await;
    mira.join_and_hear(channel).await;
    let mut elsewhere = mira.at(&two).connect().await;
    ada.post(channel, "hello").await;
    assert_eq!(elsewhere.next("message").await["rev"], 1);
    for muted in [true, false] {
        mira.does("PUT", &format!("/channels/{channel}/mute"), json!({ "muted": muted })).await;
        // What came before, the joining too, may be told only now, as it is now.
        let told = loop {
            let told = elsewhere.next("channel").await;
            if told["channel"]["muted"] == muted {
                break told;
            }
        };
        assert_eq!(told["channel"]["unread"], 1);
    }
    mira.does("PUT", &format!("/channels/{channel}/read"), json!({ "seq": 1 })).await;
    let mark = elsewhere.next("read").await;
    assert_eq!((&mark["unread"], &mark["rev"]), (&json!(0), &json!(1)));
}

/// Each at the node that the person isn't connected to.
#[tokio::test]
async fn what_an_admin_or_a_new_password_ends_at_one_node_ends_at_the_other() {
    let (first, second, ada, mira, channel) = apart().await;
    let phone = second.login("mira").await;
    let mut old = mira.connect().await;
    let passwords = json!({ "current": PASSWORD, "new": "another password" });
    phone.at(&first).does("PUT", "/me/password", passwords).await;
    let close = timeout(Duration::from_secs(1), old.closed()).await.expect("within a second");
    assert_eq!(u16::from(close.unwrap().code), 1008);

    let mut socket = phone.connect().await;
    let whom = format!("/users/{}", mira.id());
    ada.does("PATCH", &whom, json!({ "role": "admin" })).await;
    ada.does("PATCH", &format!("/channels/{channel}"), json!({ "post_policy": "admins" })).await;
    socket.send(channel, "as an admin").await;
    socket.next("ack").await;
    ada.does("PATCH", &whom, json!({ "role": "member" })).await;
    let told = async { while socket.next("user").await["user"]["role"] != "member" {} };
    timeout(Duration::from_secs(1), told).await.expect("within a second");
    socket.send(channel, "as nobody").await;
    assert_eq!(socket.next("error").await["code"], "forbidden");

    ada.does("PATCH", &whom, json!({ "suspended": true })).await;
    let close = timeout(Duration::from_secs(1), socket.closed()).await.expect("within a second");
    assert_eq!(u16::from(close.unwrap().code), 1008);
    let bearer = format!("Bearer {}", phone.token);
    assert_eq!(Socket::open(&second.base, &[("authorization", &bearer)]).await.err(), Some(401));
}

/// An error would say that nothing was changed; who connects again is told how it is.
#[tokio::test]
async fn a_change_of_unknown_outcome_ends_the_connection() {
    let (first, _second, ada, _mira, channel) = apart().await;
    let Database::Postgres(url) = &first.config.database else { panic!("on PostgreSQL") };
    let cut = Arc::new(AtomicBool::new(false));
    let far = first.another(cut_at_commit(url, cut.clone()).await).await;
    let id = ada.post(channel, "hello").await["id"].clone();
    let path = format!("/channels/{channel}/messages");
    let change = |kind: &str, more: Value| {
        let mut frame = json!({ "type": kind, "ref": Ref::generate(), "message_id": id });
        frame.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        frame
    };
    let changes = [
        (change("edit", json!({ "text": "hello again" })), "/text", json!("hello again")),
        (change("react", json!({ "emoji": "👍", "on": true })), "/reactions/0/emoji", json!("👍")),
        (change("delete", json!({})), "/deleted", json!(true)),
    ];
    for (frame, at, expected) in changes {
        cut.store(false, Ordering::Relaxed);
        let mut socket = ada.at(&far).connect().await;
        cut.store(true, Ordering::Relaxed);
        socket.say(&frame).await;
        let close = socket.closed().await.expect("it says why");
        assert_eq!(u16::from(close.code), 1001, "{frame}: {close:?}");
        // The commit did arrive, and is told by the node that can.
        timeout(Duration::from_secs(5), async {
            while ada.get(&path).await.1["items"][0].pointer(at) != Some(&expected) {}
        })
        .await
        .unwrap_or_else(|_| panic!("{frame}"));
    }
}
