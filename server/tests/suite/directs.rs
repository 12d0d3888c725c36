//! Private conversations over real sockets.

use crate::common::{Person, Socket, TestServer};
use natter::{ChannelId, MessageId, Ref, Timestamp, UserId, wire::ServerFrame};
use natter_server::services::Clock;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// A private message exactly as first specified.
fn literal(from: UserId, to: UserId, text: &str) -> Value {
    json!({ "sender": { "id": from }, "receiver": { "id": to }, "timestamp": "2026-11-22T10:00:00.000Z", "text": text })
}

/// The next frame of each of these kinds, in whatever order they come.
async fn all(socket: &mut Socket, kinds: &[&str]) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    while seen.len() < kinds.len() {
        let frame = socket.value().await;
        if kinds.iter().any(|kind| frame["type"] == *kind) && seen.iter().all(|other| other["type"] != frame["type"]) {
            seen.push(frame);
        }
    }
    let found = |kind: &&str| seen.iter().find(|frame| frame["type"] == **kind).cloned().unwrap();
    kinds.iter().map(found).collect()
}

async fn open(one: &Person, other: &Person) -> ChannelId {
    let direct = one.does("PUT", &format!("/directs/{}", other.id()), Value::Null).await;
    serde_json::from_value(direct["id"].clone()).unwrap()
}

/// Ada, who is an admin, and Mira and Jun, who are not.
async fn three() -> (TestServer, Person, Person, Person) {
    let server = TestServer::start().await;
    let (ada, mira, jun) = (server.register("ada").await, server.register("mira").await, server.register("jun").await);
    (server, ada, mira, jun)
}

#[tokio::test]
async fn a_private_message_arrives_at_once_also_where_it_opens_the_conversation() {
    let (_server, ada, mira, _jun) = three().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    let mut channels = Vec::new();
    for (text, typed) in [("first", false), ("second", true)] {
        let mut frame = literal(mira.id(), ada.id(), text);
        let reference = Ref::generate();
        frame["ref"] = json!(reference);
        if typed {
            frame["type"] = json!("direct");
        }
        m.say(&frame).await;
        let kinds = if typed { vec!["ack", "direct"] } else { vec!["ack", "direct", "channel"] };
        let sent = all(&mut m, &kinds).await;
        let received = timeout(Duration::from_secs(1), all(&mut a, &kinds[1..])).await.expect("at once");
        let (ack, direct) = (&sent[0], &received[0]);
        assert_eq!((&ack["ref"], &ack["id"]), (&json!(reference), &direct["id"]));
        assert_eq!((&ack["channel_id"], &ack["timestamp"]), (&direct["channel_id"], &direct["timestamp"]));
        assert_eq!(direct["sender"], json!({ "id": mira.id(), "username": "mira" }));
        assert_eq!((&direct["receiver"], &direct["text"]), (&json!({ "id": ada.id() }), &json!(text)));
        assert_eq!(direct, &sent[1], "both see the same");
        for (seen, peer) in [(sent.get(2), &ada), (received.get(1), &mira)] {
            let Some(channel) = seen.map(|frame| &frame["channel"]) else { continue };
            assert_eq!((&channel["id"], &channel["kind"]), (&ack["channel_id"], &json!("direct")));
            assert_eq!(channel["peer"], json!({ "id": peer.id(), "username": peer.user["username"] }));
            assert!(channel["joined"] == true && channel.get("name").is_none(), "{channel}");
        }
        channels.push(ack["channel_id"].clone());
    }
    assert_eq!(channels[0], channels[1]);
    let channel: ChannelId = serde_json::from_value(channels.remove(0)).unwrap();
    ada.post(channel, "third").await;
    assert_eq!(m.next("direct").await["text"], "third", "however it was sent");
    assert_eq!(mira.history(channel).await, ["first", "second", "third"]);
}

#[tokio::test]
async fn whoever_was_away_finds_the_conversation_on_coming_back() {
    let (_server, _ada, mira, jun) = three().await;
    let mut m = mira.connect().await;
    m.say(&literal(mira.id(), jun.id(), "there?")).await;
    let channel: ChannelId = serde_json::from_value(m.next("ack").await["channel_id"].clone()).unwrap();
    let (_j, ready) = jun.connect_ready().await;
    let ServerFrame::Ready { channels, .. } = ready else { panic!("{ready:?}") };
    assert_eq!(channels.iter().map(|channel| (channel.id, channel.unread)).collect::<Vec<_>>(), [(channel, 1)]);
    assert_eq!(jun.history(channel).await, ["there?"]);
}

#[tokio::test]
async fn what_is_refused_opens_no_conversation_and_reaches_nobody() {
    let (server, ada, mira, jun) = three().await;
    let (mut a, mut m, mut j) = (ada.connect().await, mira.connect().await, jun.connect().await);
    let mut answering = literal(ada.id(), jun.id(), "an answer to nothing");
    answering["reply_to"] = json!(MessageId::generate());
    for (mut frame, code) in [
        (literal(mira.id(), jun.id(), "by Mira, not"), "forbidden"),
        (literal(jun.id(), ada.id(), "nor by Jun"), "forbidden"),
        (literal(UserId::generate(), jun.id(), "nor by anybody"), "forbidden"),
        (literal(ada.id(), UserId::generate(), "to nobody"), "not_found"),
        (literal(ada.id(), jun.id(), " \n "), "invalid"),
        (literal(ada.id(), jun.id(), &"x".repeat(4_001)), "invalid"),
        (answering, "invalid"),
        (json!({ "receiver": { "id": jun.id() }, "text": "by whom?" }), "invalid"),
        (json!({ "sender": { "id": ada.id() }, "receiver": "jun", "text": "to whom?" }), "invalid"),
    ] {
        let reference = Ref::generate();
        frame["ref"] = json!(reference);
        a.say(&frame).await;
        let error = a.next("error").await;
        assert_eq!((&error["code"], &error["ref"]), (&json!(code), &json!(reference)), "{frame}");
    }
    let store = server.store().await;
    let people = [&ada, &mira, &jun];
    for (one, other) in people.iter().flat_map(|one| people.map(|other| (one, other))) {
        assert_eq!(store.direct(one.id(), other.id()).await.unwrap(), None);
    }
    assert_eq!(store.stats(Timestamp::from_millis(0)).await.unwrap().messages, 0);
    for socket in [&mut a, &mut m, &mut j] {
        assert_eq!(socket.drain().await, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn an_admin_outside_cannot_tell_a_conversation_from_none() {
    let (server, ada, mira, jun) = three().await;
    let general = ada.create_channel("general").await;
    mira.join_and_hear(general).await;
    let channel = open(&mira, &jun).await;
    let secret = mira.post(channel, "between us").await;
    let message: MessageId = serde_json::from_value(secret["id"].clone()).unwrap();
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);

    let calls = |channel: ChannelId, message: MessageId| {
        let (channel, message) = (format!("/channels/{channel}"), format!("/messages/{message}"));
        let member = format!("{channel}/members/{}", ada.id());
        [
            ("GET", channel.clone(), Value::Null),
            ("GET", format!("{channel}/messages"), Value::Null),
            ("GET", format!("{channel}/changes?since=0"), Value::Null),
            ("GET", format!("{channel}/members"), Value::Null),
            ("POST", format!("{channel}/messages"), json!({ "text": "let me in" })),
            ("POST", format!("{channel}/messages"), json!({ "text": "let me in", "reply_to": secret["id"] })),
            ("PUT", format!("{channel}/read"), json!({ "seq": 1 })),
            ("PUT", format!("{channel}/members/me"), Value::Null),
            ("DELETE", format!("{channel}/members/me"), Value::Null),
            ("PUT", member.clone(), Value::Null),
            ("DELETE", member, Value::Null),
            ("PATCH", channel.clone(), json!({ "topic": "known" })),
            ("DELETE", channel, Value::Null),
            ("GET", message.clone(), Value::Null),
            ("PATCH", message.clone(), json!({ "text": "between us three" })),
            ("DELETE", format!("{message}?reason=rude"), Value::Null),
            ("PUT", format!("{message}/reactions/%F0%9F%91%80"), Value::Null),
        ]
    };
    let (guesses, unknown) = (calls(channel, message), calls(ChannelId::generate(), MessageId::generate()));
    for ((method, path, body), (_, nowhere, _)) in guesses.into_iter().zip(unknown) {
        let body = || Some(body.clone()).filter(|body| !body.is_null());
        let (guess, none) = (ada.call(method, &path, body()).await, ada.call(method, &nowhere, body()).await);
        assert_eq!(guess.0, 404, "{method} {path}: {}", guess.1);
        assert_eq!(guess, none, "{method} {path}");
    }
    let frames = |channel: ChannelId, message: MessageId| {
        [
            json!({ "type": "sync", "epoch": "?", "channels": { channel.to_string(): 0 } }),
            json!({ "type": "read", "channel_id": channel, "seq": 1 }),
            json!({ "type": "send", "channel_id": channel, "text": "let me in" }),
            json!({ "type": "edit", "message_id": message, "text": "between us three" }),
            json!({ "type": "delete", "message_id": message }),
            json!({ "type": "react", "message_id": message, "emoji": "👀", "on": true }),
            json!({ "type": "typing", "channel_id": channel }),
        ]
    };
    let (guesses, unknown) = (frames(channel, message), frames(ChannelId::generate(), MessageId::generate()));
    for (guess, none) in guesses.into_iter().zip(unknown) {
        let mut answers = Vec::new();
        for frame in [&guess, &none] {
            a.say(frame).await;
            let mut answer = a.value().await;
            answer.as_object_mut().unwrap().remove("channel_id");
            answers.push(answer);
        }
        assert_eq!(answers[0], answers[1], "{guess}");
        assert!(answers[0]["type"] == "channel_removed" || answers[0]["code"] == "not_found", "{}", answers[0]);
    }

    // Whatever happens there, Ada hears of what happens elsewhere only.
    m.say(&literal(mira.id(), jun.id(), "still between us")).await;
    m.say(&json!({ "type": "typing", "channel_id": channel })).await;
    m.say(&json!({ "type": "react", "message_id": message, "emoji": "👍", "on": true })).await;
    m.drain().await;
    mira.post(general, "hello").await;
    let heard = a.value().await;
    assert_eq!((&heard["type"], &heard["text"]), (&json!("message"), &json!("hello")), "{heard}");
    assert!(m.drain().await.iter().all(|frame| frame["type"] != "typing"));
    assert_eq!(jun.history(channel).await, ["between us", "still between us"]);
    assert_eq!(server.store().await.audit(None, 100).await.unwrap().len(), 1, "only the channel was made");
}

#[tokio::test]
async fn with_oneself_one_keeps_notes() {
    let (_server, _ada, mira, _jun) = three().await;
    let (mut phone, mut desk) = (mira.connect().await, mira.connect().await);
    phone.say(&literal(mira.id(), mira.id(), "milk")).await;
    let sent = all(&mut phone, &["ack", "direct", "channel"]).await;
    let heard = all(&mut desk, &["direct", "channel"]).await;
    assert_eq!((&heard[0], &heard[0]["receiver"]["id"]), (&sent[1], &json!(mira.id())));
    for channel in [&sent[2]["channel"], &heard[1]["channel"]] {
        assert_eq!((&channel["peer"]["id"], &channel["members"]), (&json!(mira.id()), &json!(1)));
        assert_eq!((&channel["unread"], &channel["id"]), (&json!(0), &sent[0]["channel_id"]));
    }
    assert_eq!(json!(open(&mira, &mira).await), sent[0]["channel_id"]);
}

#[tokio::test]
async fn two_people_have_one_conversation_whoever_opens_it_and_how_often() {
    let (_server, ada, mira, jun) = three().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    let channel = open(&ada, &mira).await;
    for socket in [&mut a, &mut m] {
        assert_eq!(socket.next("channel").await["channel"]["id"], json!(channel));
    }
    for (one, other) in [(&ada, &mira), (&mira, &ada), (&mira, &ada)] {
        assert_eq!(open(one, other).await, channel);
    }
    assert_ne!(open(&mira, &jun).await, channel);
    assert_eq!(m.next("channel").await["channel"]["peer"]["username"], "jun", "the first was told once");
    assert_eq!(a.drain().await, [] as [Value; 0]);
    assert_eq!(mira.call("PUT", &format!("/directs/{}", UserId::generate()), None).await.0, 404);
    let (status, left) = mira.call("DELETE", &format!("/channels/{channel}/members/me"), None).await;
    assert_eq!((status, &left["code"]), (403, &json!("forbidden")), "it is never left");
}

#[tokio::test]
async fn both_who_write_first_at_the_same_moment_find_themselves_in_one_conversation() {
    let (server, _ada, mira, _jun) = three().await;
    let mut m = mira.connect().await;
    for round in 0..10 {
        let other = server.register(&format!("other{round}")).await;
        let mut o = other.connect().await;
        let (to, from) = (literal(mira.id(), other.id(), "to"), literal(other.id(), mira.id(), "from"));
        tokio::join!(m.say(&to), o.say(&from));
        let mut seen = Vec::new();
        for socket in [&mut m, &mut o] {
            let (mut texts, mut ack) = (Vec::new(), Value::Null);
            while texts.len() < 2 || ack.is_null() {
                let frame = socket.value().await;
                match frame["type"].as_str().unwrap() {
                    "direct" => texts.push((frame["rev"].clone(), frame["text"].clone(), frame["channel_id"].clone())),
                    "ack" => ack = frame["channel_id"].clone(),
                    "channel" => {}
                    other => panic!("{other}"),
                }
            }
            assert_eq!((&texts[0].0, &texts[1].0), (&json!(1), &json!(2)));
            assert!(texts.iter().all(|(_, _, channel)| *channel == ack));
            seen.push(texts);
            socket.drain().await;
        }
        assert_eq!(seen[0], seen[1], "in round {round}");
    }
}

#[tokio::test]
async fn with_somebody_suspended_no_conversation_begins_and_an_old_one_waits_for_them() {
    let (server, ada, mira, jun) = three().await;
    let known = open(&mira, &jun).await;
    let suspend = async |suspended: bool| {
        ada.does("PATCH", &format!("/users/{}", jun.id()), json!({ "suspended": suspended })).await;
    };
    suspend(true).await;
    let mut a = ada.connect().await;
    assert_eq!(ada.call("PUT", &format!("/directs/{}", jun.id()), None).await.0, 403);
    a.say(&literal(ada.id(), jun.id(), "why so quiet?")).await;
    assert_eq!(a.next("error").await["code"], "forbidden");
    assert_eq!(server.store().await.direct(ada.id(), jun.id()).await.unwrap(), None);
    assert_eq!(open(&mira, &jun).await, known);
    mira.post(known, "for when you are back").await;
    suspend(false).await;
    assert_eq!(server.login("jun").await.history(known).await, ["for when you are back"]);
}

#[tokio::test]
async fn the_same_ref_is_one_message_also_after_reconnecting() {
    let (_server, ada, mira, _jun) = three().await;
    let mut frame = literal(mira.id(), ada.id(), "once");
    frame["ref"] = json!(Ref::generate());
    let (mut m, mut a) = (mira.connect().await, ada.connect().await);
    m.say(&frame).await;
    let first = m.next("ack").await;
    frame["type"] = json!("direct");
    m.say(&frame).await;
    assert_eq!(m.next("ack").await, first);
    let mut m = mira.connect().await;
    m.say(&frame).await;
    assert_eq!(m.next("ack").await, first);
    let channel: ChannelId = serde_json::from_value(first["channel_id"].clone()).unwrap();
    let body = json!({ "text": "once", "ref": frame["ref"] });
    assert_eq!(mira.does("POST", &format!("/channels/{channel}/messages"), body).await["id"], first["id"]);
    assert_eq!(ada.history(channel).await, ["once"]);
    assert_eq!(a.drain().await.iter().filter(|frame| frame["type"] == "direct").count(), 1);
}

#[tokio::test]
async fn the_servers_clock_says_when_it_was() {
    let (server, ada, mira, _jun) = three().await;
    let mut m = mira.connect().await;
    server.advance(10 * 60);
    for claim in [json!("1999-12-31T23:59:59.000Z"), json!("2999-01-01T00:00:00Z"), json!("teatime"), json!(7)] {
        let mut frame = literal(mira.id(), ada.id(), "when?");
        frame["timestamp"] = claim;
        m.say(&frame).await;
        let direct = all(&mut m, &["ack", "direct"]).await.remove(1);
        let stored: Timestamp = serde_json::from_value(direct["timestamp"].clone()).unwrap();
        let ahead = stored.millis() - Clock::system().now().millis();
        assert!((9 * 60 * 1000..=10 * 60 * 1000).contains(&ahead), "{stored}");
    }
    let mut without = literal(mira.id(), ada.id(), "when?");
    without.as_object_mut().unwrap().remove("timestamp");
    m.say(&without).await;
    m.next("ack").await;
}

#[tokio::test]
async fn each_has_a_read_mark_of_their_own_on_all_their_devices() {
    let (_server, ada, mira, _jun) = three().await;
    let channel = open(&ada, &mira).await;
    let (mut a, mut phone, mut desk) = (ada.connect().await, mira.connect().await, mira.connect().await);
    for text in ["one", "two"] {
        ada.post(channel, text).await;
    }
    mira.post(channel, "three").await;
    let unread = async |person: &Person| {
        let channel = person.get(&format!("/channels/{channel}")).await.1;
        (channel["read_seq"].as_u64().unwrap(), channel["unread"].as_u64().unwrap())
    };
    assert_eq!((unread(&ada).await, unread(&mira).await), ((0, 1), (0, 2)));
    phone.say(&json!({ "type": "read", "channel_id": channel, "seq": 1 })).await;
    for socket in [&mut phone, &mut desk] {
        let read = socket.next("read").await;
        assert_eq!((&read["channel_id"], &read["seq"], &read["unread"]), (&json!(channel), &json!(1), &json!(1)));
    }
    desk.say(&json!({ "type": "read", "channel_id": channel, "seq": 3 })).await;
    assert_eq!(phone.next("read").await["unread"], 0);
    assert_eq!((unread(&ada).await, unread(&mira).await), ((0, 1), (3, 0)));
    ada.does("PUT", &format!("/channels/{channel}/read"), json!({ "seq": 2 })).await;
    assert_eq!((unread(&ada).await, unread(&mira).await), ((2, 1), (3, 0)));
    assert_eq!(a.next("read").await["seq"], 2, "of Mira's marks she wasn't told");
}
