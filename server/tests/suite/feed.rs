//! What waits for somebody, over HTTP and live, and that every device counts the same.

use crate::common::{Person, Socket, TestServer};
use natter::ChannelId;
use serde_json::{Value, json};

async fn waiting(person: &Person) -> Vec<Value> {
    person.does("GET", "/feed", Value::Null).await["items"].as_array().unwrap().clone()
}

fn labels(items: &[Value]) -> Vec<&str> {
    let channels = items.iter().map(|item| &item["channel"]);
    channels.filter_map(|channel| channel["name"].as_str().or(channel["peer"]["username"].as_str())).collect()
}

/// What is unread of a channel, in every list that says so: they agree.
async fn counts(person: &Person, channel: ChannelId) -> (u64, u64) {
    let of = |value: &Value| (value["unread"].as_u64().unwrap(), value["mentions"].as_u64().unwrap());
    let one = of(&person.does("GET", &format!("/channels/{channel}"), Value::Null).await);
    let item = waiting(person).await.into_iter().find(|item| item["channel"]["id"] == json!(channel));
    assert_eq!(item.as_ref().map_or((0, 0), of), one);
    assert_eq!(item.map_or((0, 0), |item| of(&item["channel"])), one);
    let (_, ready) = person.connect_ready().await;
    let natter::wire::ServerFrame::Ready { channels, .. } = ready else { panic!("{ready:?}") };
    let here = channels.iter().find(|here| here.id == channel).unwrap();
    assert_eq!((here.unread, here.mentions), one);
    one
}

#[tokio::test]
async fn the_feed_says_what_is_unread_and_where_it_begins() {
    let (_server, ada, mira, general) = TestServer::with_channel().await;
    let random = ada.create_channel("random").await;
    mira.join(random).await;
    assert_eq!(waiting(&mira).await, [] as [Value; 0]);
    let first = ada.post(general, "one").await;
    for text in ["two", "three"] {
        ada.post(general, text).await;
    }
    mira.post(general, "mine").await;
    ada.post(random, "for @mira").await;
    let direct = ada.does("PUT", &format!("/directs/{}", mira.id()), Value::Null).await;
    let direct: ChannelId = serde_json::from_value(direct["id"].clone()).unwrap();
    ada.post(direct, "psst").await;
    let items = waiting(&mira).await;
    assert_eq!(labels(&items), ["ada", "random", "general"]);
    let [private, named, plain] = &items[..] else { panic!("{items:?}") };
    assert_eq!((&private["unread"], &private["channel"]["kind"]), (&json!(1), &json!("direct")));
    assert_eq!((&named["mentions"], &named["channel"]["joined"]), (&json!(1), &json!(true)));
    assert_eq!((&plain["unread"], &plain["first_unread_seq"]), (&json!(3), &first["seq"]));
    let texts: Vec<_> = plain["latest"].as_array().unwrap().iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(plain["first"][0]["id"], first["id"]);
    assert!(private["latest"][0]["receiver"]["id"] == json!(mira.id()));
    // Ada has what Mira said, and nothing of her own.
    let items = waiting(&ada).await;
    assert_eq!((labels(&items), &items[0]["unread"]), (vec!["general"], &json!(1)));
}

#[tokio::test]
async fn the_feed_comes_in_pages_and_says_what_is_wrong_with_a_question() {
    let (_server, ada, mira, general) = TestServer::with_channel().await;
    ada.post(general, "one").await;
    for name in ["a", "b"] {
        let id = ada.create_channel(name).await;
        mira.join(id).await;
        ada.post(id, "hello").await;
    }
    let (_, page) = mira.get("/feed?limit=2").await;
    assert_eq!(labels(page["items"].as_array().unwrap()), ["b", "a"]);
    let (_, rest) = mira.get(&format!("/feed?limit=2&cursor={}", page["next"].as_str().unwrap())).await;
    assert_eq!((labels(rest["items"].as_array().unwrap()), &rest["next"]), (vec!["general"], &Value::Null));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=3.018f2f3e-7c1a-7000-8000-000000000000", "cursor"),
    ] {
        let (status, problem) = mira.get(&format!("/feed?{query}")).await;
        assert_eq!((status, &problem["code"], &problem["errors"][0]["field"]), (422, &json!("invalid"), &json!(field)));
    }
}

#[tokio::test]
async fn all_counts_agree_whatever_becomes_of_messages() {
    let (_server, ada, mira, general) = TestServer::with_channel().await;
    let edit = async |message: &Value, text: &str| {
        let path = format!("/messages/{}", message["id"].as_str().unwrap());
        ada.does("PATCH", &path, json!({ "text": text })).await;
    };
    let one = ada.post(general, "hello @mira").await;
    let two = ada.post(general, "hello").await;
    assert_eq!(counts(&mira, general).await, (2, 1));
    edit(&two, "hello, too, @mira").await;
    assert_eq!(counts(&mira, general).await, (2, 2));
    edit(&one, "never mind").await;
    assert_eq!(counts(&mira, general).await, (2, 1));
    ada.does("DELETE", &format!("/messages/{}", two["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(counts(&mira, general).await, (1, 0));
    mira.post(general, "own").await;
    assert_eq!(counts(&mira, general).await, (1, 0));
    mira.does("PUT", &format!("/channels/{general}/read"), json!({ "seq": 1 })).await;
    assert_eq!(counts(&mira, general).await, (0, 0));
    mira.does("PUT", &format!("/channels/{general}/read"), json!({ "seq": 0, "back": true })).await;
    assert_eq!(counts(&mira, general).await, (1, 0));
    assert_eq!(counts(&ada, general).await, (1, 0));
}

#[tokio::test]
async fn a_mark_tells_at_which_revision_it_was_counted() {
    let (_server, ada, mira, general) = TestServer::with_channel().await;
    let mut socket = mira.connect().await;
    for text in ["one", "two @mira", "three"] {
        ada.post(general, text).await;
    }
    let read = |seq: u64| json!({ "type": "read", "channel_id": general, "seq": seq });
    // Moving nothing, it is only an answer.
    for (seq, expected) in [(0, (0, 3, 1, 3)), (1, (1, 2, 1, 3)), (2, (2, 1, 0, 3)), (0, (2, 1, 0, 3))] {
        socket.say(&read(seq)).await;
        let mark = socket.next("read").await;
        let number = |key: &str| mark[key].as_u64().unwrap();
        assert_eq!((number("seq"), number("unread"), number("mentions"), number("rev")), expected);
    }
}

async fn channel_frame(socket: &mut Socket) -> (Value, u64) {
    let frame = socket.next("channel").await;
    (frame["channel"]["muted"].clone(), frame["channel"]["mentions"].as_u64().unwrap())
}

#[tokio::test]
async fn muting_is_told_to_all_devices_of_whoever_does_it_and_to_nobody_else() {
    let (server, ada, mira, general) = TestServer::with_channel().await;
    let (mut phone, mut desk, mut hers) = (mira.connect().await, mira.connect().await, ada.connect().await);
    ada.post(general, "hello @channel").await;
    ada.post(general, "hello @mira").await;
    let path = format!("/channels/{general}/mute");
    assert_eq!(mira.does("GET", &format!("/channels/{general}"), Value::Null).await["muted"], false);
    let answer = mira.does("PUT", &path, json!({ "muted": true })).await;
    assert_eq!((&answer["muted"], &answer["unread"], &answer["mentions"]), (&json!(true), &json!(2), &json!(1)));
    for device in [&mut phone, &mut desk] {
        assert_eq!(channel_frame(device).await, (json!(true), 1));
    }
    assert_eq!(waiting(&mira).await[0]["channel"]["muted"], true);
    // Again it is no news.
    mira.does("PUT", &path, json!({ "muted": true })).await;
    mira.does("PUT", &path, json!({ "muted": false })).await;
    for device in [&mut phone, &mut desk] {
        assert_eq!(channel_frame(device).await, (json!(false), 2));
    }
    let told = hers.drain().await;
    assert!(told.iter().all(|frame| frame["type"] == "message"), "{told:?}");
    let (_, channel) = ada.get(&format!("/channels/{general}")).await;
    assert_eq!(channel["muted"], false);
    // Only who is in it, and only what is to be said.
    let jun = server.register("jun").await;
    assert_eq!(jun.call("PUT", &path, Some(json!({ "muted": true }))).await.0, 403);
    let missing = format!("/channels/{}/mute", ChannelId::generate());
    assert_eq!(jun.call("PUT", &missing, Some(json!({ "muted": true }))).await.0, 404);
    for bad in [json!({}), json!({ "muted": "yes" })] {
        let (status, problem) = mira.call("PUT", &path, Some(bad)).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid")));
    }
}
