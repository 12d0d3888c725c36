use super::{of_kind, private, until};
use crate::common::{Person, TestServer};
use natter::{ChannelId, MessageId, Ref, Timestamp};
use natter_server::{
    config::Database,
    store::{MessageChange, Revision},
};
use serde_json::{Value, json};

#[tokio::test]
async fn who_is_writing_is_told_to_the_others_in_the_channel_now_and_then() {
    let (server, ada, mira, general) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let random = ada.create_channel("random").await;
    for person in [&mira, &jun] {
        person.join_and_hear(random).await;
    }
    let (mut a, mut m, mut desk, mut j) =
        (ada.connect().await, mira.connect().await, mira.connect().await, jun.connect().await);
    let typing = |channel: ChannelId| json!({ "type": "typing", "channel_id": channel });
    for channel in [general, general, general, random, general, random] {
        m.say(&typing(channel)).await;
    }
    // Said, it is over: what is typed after it is news.
    m.send(general, "that's it").await;
    let mut by_ada = until(&mut a, "that's it").await;
    m.say(&typing(general)).await;
    by_ada.push(a.next("typing").await);
    m.send(random, "done").await;
    let told = |channel: ChannelId| json!({ "type": "typing", "channel_id": channel, "user_id": mira.id() });
    by_ada.extend(until(&mut a, "done").await);
    let by_jun = until(&mut j, "done").await;
    let by_ada = of_kind(&by_ada, "typing");
    assert_eq!(by_ada, [&told(general), &told(random), &told(general)]);
    assert_eq!(by_jun, [told(random)], "what is typed in #general is none of Jun's business");
    for own in [&mut m, &mut desk] {
        assert!(of_kind(&until(own, "done").await, "typing").is_empty());
    }
}

#[tokio::test]
async fn changes_over_either_door_arrive_with_the_next_rev() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    m.send(channel, "helo").await;
    let id = m.next("ack").await["id"].clone();
    assert_eq!(a.next("message").await["rev"], 1);
    let path = format!("/messages/{}", id.as_str().unwrap());
    let thumb = format!("{path}/reactions/%F0%9F%91%8D");
    let react = |on: bool| json!({ "type": "react", "message_id": id, "emoji": "👍", "on": on });
    let by = |people: &[&Person]| {
        let ids: Vec<_> = people.iter().map(|person| person.id()).collect();
        if ids.is_empty() { json!([]) } else { json!([{ "emoji": "👍", "user_ids": ids }]) }
    };
    let mut rev = 1;
    let mut arrives = async |key: &str, value: Value| {
        rev += 1;
        let message = a.next("message").await;
        assert_eq!((&message["id"], &message["seq"], &message["rev"]), (&id, &json!(1), &json!(rev)));
        assert_eq!(message[key], value);
        message
    };
    m.say(&json!({ "type": "edit", "message_id": id, "text": "hello" })).await;
    assert_eq!(m.next("ack").await["rev"], 2);
    assert!(arrives("text", json!("hello")).await["edited_at"].is_string());
    mira.does("PATCH", &path, json!({ "text": "hello!" })).await;
    arrives("text", json!("hello!")).await;
    m.say(&react(true)).await;
    arrives("reactions", by(&[&mira])).await;
    ada.does("PUT", &thumb, Value::Null).await;
    arrives("reactions", by(&[&mira, &ada])).await;
    m.say(&react(false)).await;
    arrives("reactions", by(&[&ada])).await;
    ada.does("DELETE", &thumb, Value::Null).await;
    arrives("reactions", by(&[])).await;
    // What changes nothing takes no number, and is told to nobody.
    m.say(&react(false)).await;
    mira.does("PATCH", &path, json!({ "text": "hello!" })).await;
    ada.does("DELETE", &thumb, Value::Null).await;
    let reference = Ref::generate();
    m.say(&json!({ "type": "delete", "message_id": id, "ref": reference })).await;
    while m.next("ack").await["ref"] != json!(reference) {}
    let gone = arrives("deleted", json!(true)).await;
    assert!(gone.get("text").is_none() && gone["reactions"] == json!([]), "{gone}");
    mira.does("DELETE", &path, Value::Null).await;
    assert_eq!(mira.call("PATCH", &path, Some(json!({ "text": "undone" }))).await.0, 404);
    let second = mira.post(channel, "second").await;
    arrives_next(&mut a, &second).await;
    mira.does("DELETE", &format!("/messages/{}", second["id"].as_str().unwrap()), Value::Null).await;
    let last = a.next("message").await;
    assert_eq!((&last["id"], &last["deleted"]), (&second["id"], &json!(true)));
    assert_eq!(last["rev"].as_u64().unwrap(), second["rev"].as_u64().unwrap() + 1);
}

async fn arrives_next(socket: &mut crate::common::Socket, message: &Value) {
    assert_eq!(socket.next("message").await["rev"], message["rev"]);
}

#[tokio::test]
async fn deleted_words_are_gone_from_everywhere() {
    let (mut server, ada, mira, channel) = TestServer::with_channel().await;
    let doomed = private(&ada, "doomed").await;
    ada.post(doomed, "needle of a channel").await;
    ada.does("DELETE", &format!("/channels/{doomed}"), Value::Null).await;
    for n in 0..20 {
        ada.post(channel, &format!("hay {n}")).await;
    }
    let mut deleted = Vec::new();
    for text in ["needle of a sentence".to_owned(), "needle ".repeat(500)] {
        let message = mira.post(channel, &text).await;
        let path = format!("/messages/{}", message["id"].as_str().unwrap());
        let answer = json!({ "text": "about that", "reply_to": message["id"] });
        let answer = mira.does("POST", &format!("/channels/{channel}/messages"), answer).await;
        assert_eq!(answer["reply_to"], message["id"]);
        mira.does("PATCH", &path, json!({ "text": format!("another {text}") })).await;
        mira.does("DELETE", &path, Value::Null).await;
        let (_, left) = ada.get(&path).await;
        assert_eq!((&left["deleted"], left.get("text")), (&json!(true), None));
        deleted.push(message["id"].clone());
    }
    let (mut socket, ready) = ada.connect_ready().await;
    let natter::wire::ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    socket.say(&json!({ "type": "sync", "epoch": epoch, "channels": { channel.to_string(): 20 } })).await;
    let mut told = Vec::new();
    while told.last().is_none_or(|frame: &Value| frame["type"] != "synced") {
        told.push(socket.value().await);
    }
    assert_eq!(told.iter().filter(|frame| frame["deleted"] == true).count(), 2);
    let history = ada.get(&format!("/channels/{channel}/messages?limit=100")).await.1;
    let changes = ada.get(&format!("/channels/{channel}/changes?since=0&limit=100")).await.1;
    for place in [&json!(told), &history, &changes] {
        assert!(!place.to_string().contains("needle"), "{place}");
        assert!(deleted.iter().all(|id| place.to_string().contains(id.as_str().unwrap())), "what was there is known");
    }
    // Nor does whoever gets hold of the disk find them.
    server.stop().await;
    if let Database::Sqlite(file) = &server.config.database {
        for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(6).position(|window| window == b"needle");
            let around =
                found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(60)..(at + 60).min(bytes.len())]));
            assert_eq!(around, None, "in {} at {found:?}", path.display());
        }
    }
}

#[tokio::test]
async fn unread_and_mentioned_is_counted_forward_and_back() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    jun.join(channel).await;
    let (mut phone, mut desk) = (mira.connect().await, mira.connect().await);
    let counts = async || {
        let (_, seen) = mira.get(&format!("/channels/{channel}")).await;
        [&seen["read_seq"], &seen["unread"], &seen["mentions"]].map(|count| count.as_u64().unwrap())
    };
    ada.post(channel, "hello").await;
    let named = ada.post(channel, "hello @Mira, and @jun").await;
    ada.post(channel, "@channel: lunch").await;
    jun.post(channel, "@channel: me too").await;
    jun.post(channel, "`@mira` in code").await;
    assert_eq!(counts().await, [0, 5, 2], "only admins call everyone");
    // How far, whether back, and what comes of it: where the mark is, what is unread past it, and mentioned.
    for (seq, back, told) in [(2, false, [2, 3, 1]), (5, false, [5, 0, 0]), (1, true, [1, 4, 2]), (3, false, [3, 2, 0])]
    {
        phone.say(&json!({ "type": "read", "channel_id": channel, "seq": seq, "back": back })).await;
        for socket in [&mut phone, &mut desk] {
            let read = socket.next("read").await;
            assert_eq!([&read["seq"], &read["unread"], &read["mentions"]].map(|count| count.as_u64().unwrap()), told);
            assert_eq!(read["back"] == true, back);
        }
        assert_eq!(counts().await, told);
    }
    // The wrong way it doesn't move; whoever asked is told where it is.
    for (seq, back) in [(1, false), (4, true), (3, true)] {
        phone.say(&json!({ "type": "read", "channel_id": channel, "seq": seq, "back": back })).await;
        assert_eq!(phone.next("read").await["seq"], 3);
    }
    assert_eq!(of_kind(&desk.drain().await, "read").len(), 0);
    mira.does("PUT", &format!("/channels/{channel}/read"), json!({ "seq": 0, "back": true })).await;
    assert_eq!(desk.next("read").await["mentions"], 2);
    ada.does("PATCH", &format!("/messages/{}", named["id"].as_str().unwrap()), json!({ "text": "never mind" })).await;
    assert_eq!(counts().await, [0, 5, 1], "who isn't named any more");
    mira.does("PUT", &format!("/channels/{channel}/read"), json!({ "seq": 99 })).await;
    assert_eq!(counts().await, [6, 0, 0], "not past the end");
}

#[tokio::test]
async fn why_a_message_was_deleted_its_author_is_told_in_private() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    let first = mira.post(channel, "rude").await;
    let second = mira.post(channel, "rude again").await;
    let path = |message: &Value, why: &str| format!("/messages/{}?reason={why}", message["id"].as_str().unwrap());
    ada.does("DELETE", &path(&first, "Be%20kind"), Value::Null).await;
    let told = m.next("direct").await;
    assert_eq!((&told["sender"]["username"], &told["receiver"]["id"]), (&json!("ada"), &json!(mira.id())));
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("Be kind") && text.contains("#general") && !text.contains("rude"), "{text}");
    a.say(&json!({ "type": "delete", "message_id": second["id"], "reason": "As I said" })).await;
    assert!(m.next("direct").await["text"].as_str().unwrap().contains("As I said"));

    // Neither of one's own, nor once more, nor without a reason, nor for one that is too long.
    let (own, third) = (ada.post(channel, "mine").await, mira.post(channel, "third").await);
    ada.does("DELETE", &path(&own, "Mistake"), Value::Null).await;
    ada.does("DELETE", &path(&first, "Twice"), Value::Null).await;
    assert_eq!(ada.call("DELETE", &path(&third, &"x".repeat(251)), None).await.0, 422);
    ada.does("DELETE", &path(&third, "%20"), Value::Null).await;
    ada.post(channel, "enough").await;
    assert!(of_kind(&until(&mut m, "enough").await, "direct").is_empty());
    assert_eq!(mira.call("DELETE", &path(&own, "Revenge"), None).await.0, 403);

    let (_, log) = ada.get("/admin/audit").await;
    let entries = log["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "message_deleted");
    let noted: Vec<_> = entries.map(|entry| (entry["message_id"].clone(), entry["reason"].clone())).collect();
    let (first, second, third) = (&first["id"], &second["id"], &third["id"]);
    let expected = [(third, Value::Null), (second, json!("As I said")), (first, json!("Be kind"))];
    assert_eq!(noted, expected.map(|(id, reason)| (id.clone(), reason)));
    assert!(!log.to_string().contains("rude"), "the log has no words of messages");
    let unknown = format!("/messages/{}?reason=x", MessageId::generate());
    assert_eq!(ada.call("DELETE", &unknown, None).await.0, 404);
}

/// `SQLite`: not in the database's files either, its log included.
#[tokio::test]
async fn words_that_are_taken_away_are_gone_from_the_disk() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    if !matches!(server.config.database, Database::Sqlite(_)) {
        return;
    }
    let words = ["deleted4711", "edited4711", "cancelled4711", "removed4711"];
    let doomed = ada.post(channel, words[0]).await;
    let edited = ada.post(channel, words[1]).await;
    let tomorrow = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond() + 86_400_000);
    let later = json!({ "channel_id": channel, "text": words[2], "send_at": tomorrow });
    let later = ada.call("POST", "/scheduled", Some(later)).await.1;
    let other = ada.create_channel("other").await;
    ada.post(other, words[3]).await;
    let there = || {
        let files = std::fs::read_dir(&server.config.data_dir).unwrap().map(|entry| entry.unwrap().path());
        let bytes: Vec<_> = files.filter(|file| file.is_file()).flat_map(|file| std::fs::read(file).unwrap()).collect();
        let holds = |word: &&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        words.into_iter().filter(holds).collect::<Vec<_>>()
    };
    assert_eq!(there(), words);
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    assert_eq!(ada.call("DELETE", &format!("/messages/{}", id(&doomed)), None).await.0, 204);
    ada.does("PATCH", &format!("/messages/{}", id(&edited)), json!({ "text": "better" })).await;
    assert_eq!(ada.call("DELETE", &format!("/scheduled/{}", id(&later)), None).await.0, 204);
    assert_eq!(ada.call("DELETE", &format!("/channels/{other}"), None).await.0, 204);
    for _ in 0..300 {
        if there().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{:?} are there still", there());
}

#[tokio::test]
async fn a_reaction_of_an_older_rule_can_be_taken_back() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let message = ada.post(channel, "hello").await;
    let (id, old) = (message["id"].as_str().unwrap(), "👍👍");
    let what = MessageChange::React { emoji: old.into(), on: true };
    let revision = Revision { message_id: id.parse().unwrap(), actor: mira.id(), at: Timestamp::from_millis(1), what };
    server.store().await.revise(revision).await.unwrap();
    let path = format!("/messages/{id}/reactions/%F0%9F%91%8D%F0%9F%91%8D");
    assert_eq!(mira.call("PUT", &path, None).await.0, 422);
    let (status, now) = mira.call("DELETE", &path, None).await;
    assert_eq!((status, &now["reactions"]), (200, &json!([])), "{now}");
}
