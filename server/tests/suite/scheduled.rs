//! Messages for later, from outside.

use crate::common::{Person, Socket, TestServer};
use natter::{ChannelId, Ref, Timestamp};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const HOUR: i64 = 60 * 60 * 1000;

/// So many milliseconds from now, by the clock on the wall.
fn from_now(millis: i64) -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond() + millis)
}

fn body(channel: ChannelId, text: &str, send_at: Timestamp) -> Value {
    json!({ "channel_id": channel, "text": text, "send_at": send_at })
}

async fn schedule(person: &Person, channel: ChannelId, text: &str, send_at: Timestamp) -> Value {
    let (status, made) = person.call("POST", "/scheduled", Some(body(channel, text, send_at))).await;
    assert_eq!((status, &made["state"]), (201, &json!("pending")), "{made}");
    made
}

fn path(scheduled: &Value) -> String {
    format!("/scheduled/{}", scheduled["id"].as_str().unwrap())
}

/// What became of it.
async fn settled(person: &Person, scheduled: &Value) -> Value {
    let settled = timeout(Duration::from_secs(10), async {
        loop {
            let (status, now) = person.get(&path(scheduled)).await;
            assert_eq!(status, 200, "{now}");
            if now["state"] != "pending" {
                return now;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    settled.await.expect("it isn't pending for ever")
}

/// The next frame about a message for later that says so.
async fn told(socket: &mut Socket, state: &str) -> Value {
    loop {
        let frame = socket.next("scheduled").await;
        if frame["scheduled"]["state"] == state {
            return frame;
        }
    }
}

fn refused(answer: &(u16, Value), status: u16, field: &str) {
    assert_eq!((answer.0, &answer.1["errors"][0]["field"]), (status, &json!(field)), "{}", answer.1);
}

#[tokio::test]
async fn a_message_is_sent_when_its_time_comes_and_not_before() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    let send_at = from_now(1_200);
    let made = schedule(&mira, channel, "  good morning @ada\n", send_at).await;
    assert_eq!((&made["text"], &made["send_at"]), (&json!("good morning @ada"), &json!(send_at)));
    assert_eq!((&made["attachments"], &made["channel_id"]), (&json!([]), &json!(channel)));
    assert!(made.get("failure").is_none());
    let pending = told(&mut m, "pending").await;
    assert_eq!((&pending["scheduled"], &pending["counts"]), (&made, &json!({ "pending": 1, "failed": 0 })));
    assert!(ada.history(channel).await.is_empty());
    let message = a.next("message").await;
    assert!(from_now(0) >= send_at, "not before");
    assert_eq!((&message["text"], &message["sender"]["username"]), (&json!("good morning @ada"), &json!("mira")));
    let stamped = Timestamp::parse(message["timestamp"].as_str().unwrap()).unwrap();
    let late = stamped.millis() - send_at.millis();
    assert!((0..1_000).contains(&late), "{late} ms late");
    let sent = told(&mut m, "sent").await;
    assert_eq!((&sent["scheduled"]["message_id"], &sent["counts"]["pending"]), (&message["id"], &json!(0)));
    let now = mira.get(&path(&made)).await.1;
    assert_eq!((&now["state"], &now["text"]), (&json!("sent"), &json!("good morning @ada")));
    assert_eq!(ada.get(&format!("/channels/{channel}")).await.1["mentions"], 1);
}

#[tokio::test]
async fn what_the_clock_jumps_over_is_sent_at_once() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let mut a = ada.connect().await;
    schedule(&mira, channel, "in an hour", from_now(HOUR)).await;
    let later = schedule(&mira, channel, "in three", from_now(3 * HOUR)).await;
    server.advance(2 * 60 * 60);
    let began = Instant::now();
    assert_eq!(a.next("message").await["text"], "in an hour");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(server.login("mira").await.get(&path(&later)).await.1["state"], "pending");
}

#[tokio::test]
async fn what_fell_due_while_the_server_was_down_is_sent_when_it_is_back() {
    let (mut server, _ada, mira, channel) = TestServer::with_channel().await;
    let made = schedule(&mira, channel, "by night", from_now(HOUR)).await;
    server.stop().await;
    server.advance(8 * 60 * 60);
    server.start_again().await;
    let mira = server.login("mira").await;
    assert_eq!(settled(&mira, &made).await["state"], "sent");
    assert_eq!(server.login("ada").await.history(channel).await, ["by night"]);
}

#[tokio::test]
async fn it_is_changed_and_sent_as_it_is_then() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let made = schedule(&mira, channel, "helo", from_now(HOUR)).await;
    let soon = from_now(2 * HOUR);
    let changed = mira.does("PATCH", &path(&made), json!({ "text": " hello ", "send_at": soon })).await;
    assert_eq!((&changed["text"], &changed["send_at"]), (&json!("hello"), &json!(soon)));
    assert_eq!(mira.does("PATCH", &path(&made), json!({})).await, changed, "nothing given, nothing changed");
    assert_eq!(mira.does("PATCH", &path(&made), json!({ "send_at": from_now(0) })).await["text"], "hello");
    assert_eq!(settled(&mira, &made).await["state"], "sent");
    assert_eq!(ada.history(channel).await, ["hello"]);
    for (method, body) in [("PATCH", json!({ "text": "again" })), ("DELETE", Value::Null)] {
        let answer = mira.call(method, &path(&made), Some(body).filter(|body| !body.is_null())).await;
        assert_eq!((answer.0, &answer.1["code"]), (409, &json!("conflict")), "{method}: {}", answer.1);
    }
    assert_eq!(mira.call("POST", &format!("{}/send", path(&made)), None).await.0, 409);
}

#[tokio::test]
async fn it_is_sent_now_or_never_by_one_s_own_wish() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let made = schedule(&mira, channel, "now", from_now(HOUR)).await;
    let sent = mira.does("POST", &format!("{}/send", path(&made)), Value::Null).await;
    assert_eq!((&sent["state"], &sent["text"]), (&json!("sent"), &json!("now")));
    let never = schedule(&mira, channel, "never", from_now(1_500)).await;
    assert_eq!(mira.call("DELETE", &path(&never), None).await.0, 204);
    let gone = mira.get(&path(&never)).await.1;
    assert_eq!((&gone["state"], &gone["text"]), (&json!("cancelled"), &json!("")));
    let after = schedule(&mira, channel, "after it", from_now(1_700)).await;
    assert_eq!(settled(&mira, &after).await["state"], "sent");
    assert_eq!(ada.history(channel).await, ["now", "after it"]);
}

#[tokio::test]
async fn the_list_has_what_waits_first_and_page_by_page() {
    let (_server, _ada, mira, channel) = TestServer::with_channel().await;
    let mut ids = Vec::new();
    for (text, hours) in [("third", 3), ("first", 1), ("second", 2)] {
        ids.push(schedule(&mira, channel, text, from_now(hours * HOUR)).await);
    }
    let gone = schedule(&mira, channel, "gone", from_now(HOUR)).await;
    mira.does("DELETE", &path(&gone), Value::Null).await;
    mira.does("POST", &format!("{}/send", path(&ids[2])), Value::Null).await;
    let (mut texts, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = mira.get(&format!("/scheduled?limit=1{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        texts.push(page["items"][0]["text"].as_str().unwrap().to_owned());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(texts, ["first", "third", "second", ""]);
    for (state, count) in [("pending", 2), ("sent", 1), ("cancelled", 1), ("failed", 0)] {
        let (_, page) = mira.get(&format!("/scheduled?state={state}")).await;
        assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (count, &Value::Null), "{state}");
    }
    refused(&mira.get("/scheduled?state=soon").await, 422, "state");
    refused(&mira.get("/scheduled?limit=101").await, 422, "limit");
}

#[tokio::test]
async fn bad_times_and_bad_words_are_refused_by_name() {
    let (_server, _ada, mira, channel) = TestServer::with_channel().await;
    let made = schedule(&mira, channel, "good", from_now(HOUR)).await;
    for millis in [-60_000, 367 * 24 * HOUR] {
        let answer = mira.call("POST", "/scheduled", Some(body(channel, "when?", from_now(millis)))).await;
        refused(&answer, 422, "send_at");
        let answer = mira.call("PATCH", &path(&made), Some(json!({ "send_at": from_now(millis) }))).await;
        refused(&answer, 422, "send_at");
    }
    let whenever = json!({ "channel_id": channel, "text": "hi", "send_at": "tomorrow" });
    refused(&mira.call("POST", "/scheduled", Some(whenever)).await, 422, "send_at");
    refused(
        &mira.call("POST", "/scheduled", Some(json!({ "channel_id": channel, "text": "hi" }))).await,
        422,
        "send_at",
    );
    for text in ["", "  \n", &"x".repeat(4_001)] {
        refused(&mira.call("POST", "/scheduled", Some(body(channel, text, from_now(HOUR)))).await, 422, "text");
        refused(&mira.call("PATCH", &path(&made), Some(json!({ "text": text }))).await, 422, "text");
    }
    let both = mira.call("POST", "/scheduled", Some(body(channel, "", from_now(-HOUR)))).await;
    assert_eq!(both.1["errors"].as_array().unwrap().len(), 2, "{}", both.1);
    let mut answer = body(channel, "to what?", from_now(HOUR));
    answer["reply_to"] = json!(Ref::generate());
    refused(&mira.call("POST", "/scheduled", Some(answer)).await, 422, "reply_to");
    assert_eq!(mira.get("/scheduled").await.1["items"].as_array().unwrap().len(), 1);
}

/// Uploads a small file.
async fn upload(person: &Person) -> Value {
    let body = "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"notes.txt\"\r\n\
        content-type: text/plain\r\n\r\nnotes\r\n--edge--\r\n";
    let request = person.request(reqwest::Method::POST, "/uploads");
    let request = request.header("content-type", "multipart/form-data; boundary=edge").body(body);
    let (status, upload) = crate::common::answer(request).await;
    assert_eq!(status, 201, "{upload}");
    upload
}

#[tokio::test]
async fn it_carries_files_of_its_author_s() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let file = upload(&mira).await;
    let with = |file: &Value| {
        let mut draft = body(channel, "", from_now(HOUR));
        draft["attachments"] = json!([file["id"]]);
        draft
    };
    let theirs = upload(&ada).await;
    refused(&mira.call("POST", "/scheduled", Some(with(&theirs))).await, 422, "attachments");
    refused(&mira.call("POST", "/scheduled", Some(with(&json!({ "id": Ref::generate() })))).await, 422, "attachments");
    let (status, made) = mira.call("POST", "/scheduled", Some(with(&file))).await;
    assert_eq!((status, &made["attachments"]), (201, &json!([file])), "{made}");
    refused(&mira.call("PATCH", &path(&made), Some(json!({ "attachments": [] }))).await, 422, "text");
    let url = file["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
    assert_eq!((mira.get(url).await.0, ada.get(url).await.0), (200, 404), "nobody else's yet");
    let now = json!({ "text": "now", "attachments": [file["id"]] });
    refused(&mira.call("POST", &format!("/channels/{channel}/messages"), Some(now)).await, 422, "attachments");
    let sent = mira.does("POST", &format!("{}/send", path(&made)), Value::Null).await;
    assert_eq!((&sent["state"], &sent["attachments"]), (&json!("sent"), &json!([file])));
    assert_eq!(ada.get(url).await.0, 200);
}

#[tokio::test]
async fn a_year_ahead_is_fine_and_a_hundred_are_enough() {
    let (_server, _ada, mira, channel) = TestServer::with_channel().await;
    for n in 0..100 {
        schedule(&mira, channel, &format!("m{n}"), from_now(365 * 24 * HOUR)).await;
    }
    refused(&mira.call("POST", "/scheduled", Some(body(channel, "more", from_now(HOUR)))).await, 422, "scheduled");
}

#[tokio::test]
async fn the_same_ref_again_answers_the_first() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut draft = body(channel, "once", from_now(HOUR));
    draft["ref"] = json!(Ref::generate());
    let (status, first) = mira.call("POST", "/scheduled", Some(draft.clone())).await;
    assert_eq!((status, &first["ref"]), (201, &draft["ref"]));
    let (status, again) = mira.call("POST", "/scheduled", Some(draft.clone())).await;
    assert_eq!((status, &again), (200, &first));
    mira.does("POST", &format!("{}/send", path(&first)), Value::Null).await;
    // The ref is the message's, too.
    let known = json!({ "text": "once", "ref": draft["ref"] });
    assert_eq!(mira.call("POST", &format!("/channels/{channel}/messages"), Some(known)).await.0, 200);
    assert_eq!(ada.history(channel).await, ["once"]);
}

#[tokio::test]
async fn it_is_for_those_who_may_write_there_and_nobody_else_s() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let refusal = |answer: (u16, Value)| (answer.0, answer.1["code"].as_str().unwrap_or_default().to_owned());
    let outside = jun.call("POST", "/scheduled", Some(body(channel, "hi", from_now(HOUR)))).await;
    assert_eq!(refusal(outside), (403, "forbidden".into()), "seen, but not to be written in");
    let missing = body(ChannelId::generate(), "hi", from_now(HOUR));
    assert_eq!(refusal(mira.call("POST", "/scheduled", Some(missing)).await), (404, "not_found".into()));
    let made = schedule(&mira, channel, "mine", from_now(HOUR)).await;
    let (a, one) = (mira.get("/scheduled").await.1, path(&made));
    for person in [&ada, &jun] {
        assert!(person.get("/scheduled").await.1["items"].as_array().unwrap().is_empty());
        for (method, path, body) in [
            ("GET", one.clone(), None),
            ("PATCH", one.clone(), Some(json!({ "text": "theirs" }))),
            ("DELETE", one.clone(), None),
            ("POST", format!("{one}/send"), None),
        ] {
            assert_eq!(refusal(person.call(method, &path, body).await), (404, "not_found".into()), "{method} {path}");
        }
    }
    assert_eq!(mira.get("/scheduled").await.1, a);
    // Fields that aren't the author's to set are passed over.
    let mut forged = body(channel, "forged", from_now(HOUR));
    forged["state"] = json!("sent");
    forged["owner_id"] = json!(ada.id());
    let (status, made) = mira.call("POST", "/scheduled", Some(forged)).await;
    assert_eq!((status, &made["state"]), (201, &json!("pending")));
}

#[tokio::test]
async fn rights_lost_meanwhile_make_it_fail_and_its_author_is_told_why() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let random = ada.create_channel("random").await;
    mira.join_and_hear(random).await;
    let out = schedule(&mira, channel, "am I in?", from_now(1_500)).await;
    let gone = schedule(&mira, random, "where?", from_now(1_500)).await;
    let mut m = mira.connect().await;
    ada.does("DELETE", &format!("/channels/{channel}/members/{}", mira.id()), Value::Null).await;
    ada.does("DELETE", &format!("/channels/{random}"), Value::Null).await;
    let (out, gone) = (settled(&mira, &out).await, settled(&mira, &gone).await);
    assert_eq!((&out["state"], &out["failure"]), (&json!("failed"), &json!("You were no longer in this channel.")));
    assert_eq!((&gone["state"], &gone["failure"]), (&json!("failed"), &json!("The channel was deleted.")));
    told(&mut m, "failed").await;
    assert_eq!(told(&mut m, "failed").await["counts"], json!({ "pending": 0, "failed": 2 }));
    assert!(ada.history(channel).await.is_empty());
    // Let in again, it still isn't posted; seen, it is put away.
    mira.join(channel).await;
    assert_eq!(mira.call("PATCH", &path(&out), Some(json!({ "send_at": from_now(0) }))).await.0, 409);
    assert_eq!(mira.call("DELETE", &path(&out), None).await.0, 204);
    assert_eq!(mira.call("DELETE", &path(&out), None).await.0, 409);
    assert!(ada.history(channel).await.is_empty());
}

#[tokio::test]
async fn a_suspended_author_s_fails_and_one_who_logged_out_is_heard() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    jun.join(channel).await;
    let suspended = schedule(&mira, channel, "not me", from_now(1_200)).await;
    schedule(&jun, channel, "I'm out", from_now(1_300)).await;
    ada.does("PATCH", &format!("/users/{}", mira.id()), json!({ "suspended": true })).await;
    jun.does("POST", "/auth/logout", Value::Null).await;
    let mut a = ada.connect().await;
    assert_eq!(a.next("message").await["text"], "I'm out");
    assert_eq!(ada.history(channel).await, ["I'm out"]);
    ada.does("PATCH", &format!("/users/{}", mira.id()), json!({ "suspended": false })).await;
    let failed = settled(&server.login("mira").await, &suspended).await;
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("Your account was suspended.")));
    assert_eq!(ada.history(channel).await, ["I'm out"]);
}

#[tokio::test]
async fn a_private_message_waits_as_well() {
    let (_server, ada, mira, _channel) = TestServer::with_channel().await;
    let direct = mira.does("PUT", &format!("/directs/{}", ada.id()), Value::Null).await;
    let direct: ChannelId = serde_json::from_value(direct["id"].clone()).unwrap();
    let mut a = ada.connect().await;
    schedule(&mira, direct, "between us", from_now(300)).await;
    let message = a.next("direct").await;
    assert_eq!((&message["text"], &message["receiver"]["id"]), (&json!("between us"), &json!(ada.id())));
}

#[tokio::test]
async fn many_at_the_same_time_are_on_time() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut a = ada.connect().await;
    let send_at = from_now(3_000);
    for n in 0..90 {
        schedule(&mira, channel, &format!("m{n}"), send_at).await;
    }
    let mut seen = Vec::new();
    for _ in 0..90 {
        seen.push(a.next("message").await);
    }
    assert!(from_now(0) > send_at);
    assert_eq!(
        seen.iter().map(|message| message["rev"].as_u64().unwrap()).collect::<Vec<_>>(),
        (1..=90).collect::<Vec<_>>()
    );
}

/// Ada at the first node and Mira at the second, in a channel.
async fn apart() -> (TestServer, TestServer, Person, Person, ChannelId) {
    let (first, second) = TestServer::two_nodes().await;
    let (ada, mira) = (first.register("ada").await, second.register("mira").await);
    let channel = ada.create_channel("general").await;
    mira.join_and_hear(channel).await;
    (first, second, ada, mira, channel)
}

#[tokio::test]
async fn two_nodes_send_one_each_and_every_device_is_told() {
    let (first, second, ada, mira, channel) = apart().await;
    let (mut a, mut phone) = (ada.connect().await, mira.at(&first).connect().await);
    let send_at = from_now(2_500);
    for n in 0..30 {
        let at = if n % 2 == 0 { mira.clone() } else { mira.at(&first) };
        schedule(&at, channel, &format!("m{n}"), send_at).await;
    }
    let mut texts = Vec::new();
    for _ in 0..30 {
        texts.push(a.next("message").await["text"].as_str().unwrap().to_owned());
    }
    while told(&mut phone, "sent").await["counts"]["pending"] != 0 {}
    texts.sort_by_key(|text| text[1..].parse::<u32>().unwrap());
    assert_eq!(texts, (0..30).map(|n| format!("m{n}")).collect::<Vec<_>>());
    assert_eq!(ada.history(channel).await.len(), 30);
    assert_eq!(mira.at(&second).get("/scheduled?state=sent&limit=100").await.1["items"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn what_a_node_put_on_the_list_the_other_sends_when_it_is_gone() {
    let (_first, mut second, ada, mira, channel) = apart().await;
    let mut a = ada.connect().await;
    let send_at = from_now(1_500);
    schedule(&mira, channel, "left behind", send_at).await;
    second.stop().await;
    let message = a.next("message").await;
    assert_eq!(message["text"], "left behind");
    let stamped = Timestamp::parse(message["timestamp"].as_str().unwrap()).unwrap();
    let late = stamped.millis() - send_at.millis();
    assert!((0..1_000).contains(&late), "{late} ms late");
}
