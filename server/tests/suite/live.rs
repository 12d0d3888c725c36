//! The WebSocket over real sockets.

use crate::common::{Socket, TestServer};
use futures::future::join_all;
use natter::{ChannelId, MessageId, Ref, Timestamp, markdown::Mentions, wire::ServerFrame};
use natter_server::store::NewMessage;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn texts(frames: &[Value]) -> Vec<&str> {
    frames.iter().filter(|frame| frame["type"] == "message").map(|frame| frame["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn ready_comes_first_and_says_who_and_where() {
    let (_server, _ada, mira, channel) = TestServer::with_channel().await;
    let (_socket, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { protocol, epoch, user, channels, .. } = ready else { panic!("{ready:?}") };
    assert_eq!((protocol, user.username.as_str()), (1, "mira"));
    assert!(!epoch.is_empty());
    assert_eq!(channels.iter().map(|channel| channel.id).collect::<Vec<_>>(), [channel]);
}

#[tokio::test]
async fn a_message_is_acknowledged_and_reaches_everyone_in_the_channel() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let (mut a, mut m, mut j) = (ada.connect().await, mira.connect().await, jun.connect().await);
    let reference = a.send(channel, "  hello\n").await;
    let ack = a.next("ack").await;
    assert_eq!(ack["ref"], reference.to_string());
    assert_eq!((&ack["seq"], &ack["rev"]), (&json!(1), &json!(1)));
    let message = m.next("message").await;
    assert_eq!((&message["text"], &message["id"]), (&json!("hello"), &ack["id"]));
    assert_eq!(message["sender"]["username"], "ada");
    assert!(message["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!((&message["attachments"], &message["reactions"]), (&json!([]), &json!([])));
    assert!(texts(&j.drain().await).is_empty(), "jun isn't in the channel");
    assert_eq!(mira.history(channel).await, ["hello"]);
}

#[tokio::test]
async fn everyone_sees_one_order_without_gaps() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    for n in 0..40 {
        a.send(channel, &format!("a{n}")).await;
        m.send(channel, &format!("m{n}")).await;
    }
    let collect = async |socket: &mut Socket| {
        let mut seen = Vec::new();
        let mut acks = 0;
        while seen.len() < 80 || acks < 40 {
            let frame = socket.value().await;
            match frame["type"].as_str().unwrap() {
                "message" => seen.push((frame["rev"].as_u64().unwrap(), frame["text"].as_str().unwrap().to_owned())),
                "ack" => acks += 1,
                other => panic!("{other}"),
            }
        }
        seen
    };
    let (by_ada, by_mira) = (collect(&mut a).await, collect(&mut m).await);
    assert_eq!(by_ada, by_mira);
    assert_eq!(by_ada.iter().map(|(rev, _)| *rev).collect::<Vec<_>>(), (1..=80).collect::<Vec<_>>());
    let own: Vec<_> = by_ada.iter().filter(|(_, text)| text.starts_with('a')).map(|(_, text)| text.clone()).collect();
    assert_eq!(own, (0..40).map(|n| format!("a{n}")).collect::<Vec<_>>(), "in the order they were sent");
}

#[tokio::test]
async fn the_same_ref_is_acknowledged_again_and_stored_once() {
    let (_server, ada, _mira, channel) = TestServer::with_channel().await;
    let mut a = ada.connect().await;
    let frame = json!({ "type": "send", "ref": Ref::generate(), "channel_id": channel, "text": "once" });
    a.say(&frame).await;
    let first = a.next("ack").await;
    a.say(&frame).await;
    assert_eq!(a.next("ack").await, first);
    assert_eq!(ada.history(channel).await, ["once"]);
    let body = json!({ "text": "once", "ref": frame["ref"] });
    let (status, message) = ada.call("POST", &format!("/channels/{channel}/messages"), Some(body)).await;
    assert_eq!((status, &message["id"]), (200, &first["id"]));
}

#[tokio::test]
async fn a_sync_brings_everything_missed_then_says_so() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    for n in 1..=150 {
        ada.post(channel, &format!("m{n}")).await;
    }
    let (mut socket, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    socket.say(&json!({ "type": "sync", "epoch": epoch, "channels": { channel.to_string(): 30 } })).await;
    let mut missed = Vec::new();
    loop {
        let frame = socket.value().await;
        if frame["type"] == "synced" {
            assert_eq!((&frame["channel_id"], &frame["rev"]), (&json!(channel), &json!(150)));
            break;
        }
        missed.push(frame);
    }
    assert_eq!(texts(&missed), (31..=150).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sync_that_cannot_be_told_says_resync_or_that_the_channel_is_gone() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    ada.post(channel, "one").await;
    let (mut socket, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    let sync = async |socket: &mut Socket, epoch: &str, id: ChannelId, rev: u64| {
        socket.say(&json!({ "type": "sync", "epoch": epoch, "channels": { id.to_string(): rev } })).await;
        socket.value().await["type"].clone()
    };
    assert_eq!(sync(&mut socket, "another life", channel, 0).await, "resync");
    assert_eq!(sync(&mut socket, &epoch, channel, 2).await, "resync", "a revision from the future");
    assert_eq!(sync(&mut socket, &epoch, ChannelId::generate(), 0).await, "channel_removed");
    mira.call("DELETE", &format!("/channels/{channel}/members/me"), None).await;
    assert_eq!(socket.next("channel").await["channel"]["joined"], false);
    assert_eq!(sync(&mut socket, &epoch, channel, 0).await, "channel", "left, but still seen from outside");
}

#[tokio::test]
async fn channels_appear_and_vanish_live() {
    let (server, ada, mira, general) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let (mut m, mut j) = (mira.connect().await, jun.connect().await);
    let random = ada.create_channel("random").await;
    let appeared = m.next("channel").await["channel"].clone();
    assert_eq!((&appeared["name"], &appeared["joined"]), (&json!("random"), &json!(false)));
    ada.call("DELETE", &format!("/channels/{general}"), None).await;
    for socket in [&mut m, &mut j] {
        assert_eq!(socket.next("channel_removed").await["channel_id"], json!(general));
    }
    m.send(general, "into the void").await;
    assert_eq!(m.next("error").await["code"], "not_found");
    assert_ne!(random, general);
}

#[tokio::test]
async fn a_private_channel_is_known_to_nobody_outside() {
    let (_server, ada, mira, _general) = TestServer::with_channel().await;
    let (mut a, mut m) = (ada.connect().await, mira.connect().await);
    let body = json!({ "name": "secret", "visibility": "private" });
    let (status, channel) = ada.call("POST", "/channels", Some(body)).await;
    assert_eq!(status, 201);
    assert_eq!(a.next("channel").await["channel"]["name"], "secret");
    let id: ChannelId = serde_json::from_value(channel["id"].clone()).unwrap();
    ada.post(id, "psst").await;
    ada.call("DELETE", &format!("/channels/{id}"), None).await;
    assert!(m.drain().await.is_empty(), "mira heard of it");
    assert_eq!(a.next("channel_removed").await["channel_id"], json!(id));
}

#[tokio::test]
async fn joining_and_leaving_move_open_connections_at_once() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let (mut phone, mut desk) = (jun.connect().await, jun.connect().await);
    jun.join(channel).await;
    for socket in [&mut phone, &mut desk] {
        assert_eq!(socket.next("channel").await["channel"]["joined"], true);
    }
    ada.post(channel, "welcome").await;
    for socket in [&mut phone, &mut desk] {
        assert_eq!(socket.next("message").await["text"], "welcome");
    }
    jun.call("DELETE", &format!("/channels/{channel}/members/me"), None).await;
    ada.post(channel, "gone").await;
    for socket in [&mut phone, &mut desk] {
        assert!(texts(&socket.drain().await).is_empty());
    }
}

#[tokio::test]
async fn reading_on_one_device_reaches_the_other() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (mut phone, mut desk, mut a) = (mira.connect().await, mira.connect().await, ada.connect().await);
    ada.post(channel, "one").await;
    ada.post(channel, "two").await;
    phone.say(&json!({ "type": "read", "channel_id": channel, "seq": 1 })).await;
    let read = desk.next("read").await;
    assert_eq!((&read["seq"], &read["unread"]), (&json!(1), &json!(1)));
    let seen = a.drain().await;
    assert!(seen.iter().all(|frame| frame["type"] != "read"), "it is mira's own business: {seen:?}");
}

#[tokio::test]
async fn a_malformed_frame_gets_an_error_and_the_connection_stays() {
    let (_server, ada, _mira, channel) = TestServer::with_channel().await;
    let mut socket = ada.connect().await;
    let reference = Ref::generate();
    for bad in ["", "{", "[]", "null", "\"send\"", r#"{"type":"dance"}"#, r#"{"type":"send"}"#] {
        socket.raw(Message::text(bad)).await;
        assert_eq!(socket.value().await["code"], "invalid", "{bad}");
    }
    socket.raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.value().await["code"], "invalid");
    socket.say(&json!({ "type": "send", "ref": reference, "channel_id": channel, "text": "x".repeat(4001) })).await;
    let error = socket.value().await;
    assert_eq!((&error["code"], &error["ref"]), (&json!("invalid"), &json!(reference)));
    assert!(error["detail"].as_str().unwrap().contains("4,000"), "{error}");
    socket.send(channel, " \n ").await;
    assert_eq!(socket.value().await["code"], "invalid");
    socket.send(channel, "still here").await;
    socket.next("ack").await;
    assert_eq!(ada.history(channel).await, ["still here"]);
}

#[tokio::test]
async fn too_large_a_frame_closes_with_1009() {
    let (_server, ada, _mira, _channel) = TestServer::with_channel().await;
    let mut socket = ada.connect().await;
    socket.raw(Message::text("x".repeat(64 * 1024 + 1))).await;
    assert_eq!(u16::from(socket.closed().await.expect("a close frame").code), 1009);
}

#[tokio::test]
async fn a_session_that_ends_closes_its_sockets_and_no_others() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let second = server.login("mira").await;
    let (mut first, mut other) = (mira.connect().await, second.connect().await);
    assert_eq!(mira.call("POST", "/auth/logout", None).await.0, 204);
    assert_eq!(u16::from(first.closed().await.unwrap().code), 1008);
    ada.post(channel, "still there?").await;
    assert_eq!(other.next("message").await["text"], "still there?");
    let body = json!({ "current": crate::common::PASSWORD, "new": "another horse" });
    let third = server.login("mira").await;
    assert_eq!(third.call("PUT", "/me/password", Some(body)).await.0, 204);
    assert_eq!(u16::from(other.closed().await.unwrap().code), 1008);
}

#[tokio::test]
async fn a_superseded_refresh_token_ends_the_session_and_its_socket() {
    let (server, _ada, mira, _channel) = TestServer::with_channel().await;
    let mut socket = mira.connect().await;
    let refresh = async || {
        let request = server.http.post(server.url("/auth/refresh")).json(&json!({ "refresh_token": mira.refresh }));
        crate::common::answer(request).await
    };
    let (status, renewed) = refresh().await;
    assert_eq!(status, 200);
    assert_ne!(renewed["refresh_token"], json!(mira.refresh));
    assert_eq!(refresh().await.0, 401);
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1008);
    let request = server.http.get(server.url("/me")).bearer_auth(renewed["access_token"].as_str().unwrap());
    assert_eq!(crate::common::answer(request).await.0, 401, "the thief's session, too");
}

#[tokio::test]
async fn a_reader_who_stops_is_let_go_and_slows_nobody() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (mut writer, mut stuck) = (ada.connect().await, mira.connect().await);
    // The longest text there is, in bytes too.
    let text = "𓃠".repeat(4000);
    // More than the socket's buffers and the queue hold together.
    for _ in 0..1000 {
        writer.send(channel, &text).await;
        writer.next("ack").await;
    }
    assert_eq!(stuck_code(&mut stuck).await, Some(4008));
}

/// Reads what had been sent before the server gave up, and then its reason.
async fn stuck_code(socket: &mut Socket) -> Option<u16> {
    socket.closed().await.map(|close| close.code.into())
}

#[tokio::test]
async fn who_leaves_while_catching_up_is_not_sent_the_rest() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    // More than the sockets of both sides hold.
    let message = |_| NewMessage {
        id: MessageId::generate(),
        channel_id: channel,
        sender_id: ada.id(),
        reference: None,
        text: "€".repeat(4_000),
        mentions: Mentions::default(),
        reply_to: None,
        attachments: Vec::new(),
        timestamp: Timestamp::from_millis(1_000),
    };
    server.store().await.append(&(0..900).map(message).collect::<Vec<_>>()).await.unwrap();
    let (mut slow, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    let mut phone = mira.connect().await;
    slow.say(&json!({ "type": "sync", "epoch": epoch, "channels": { channel.to_string(): 0 } })).await;
    slow.next("message").await;
    mira.does("DELETE", &format!("/channels/{channel}/members/me"), Value::Null).await;
    while phone.next("channel").await["channel"]["joined"] != false {}
    assert_eq!(slow.closed().await.map(|close| u16::from(close.code)), Some(1001));
}

#[tokio::test]
async fn shutting_down_says_going_away_and_loses_nothing() {
    let (mut server, ada, _mira, channel) = TestServer::with_channel().await;
    let mut socket = ada.connect().await;
    socket.send(channel, "before").await;
    socket.next("ack").await;
    server.stop().await;
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1001);
}

#[tokio::test]
async fn messages_and_sessions_survive_a_restart() {
    let (mut server, ada, _mira, channel) = TestServer::with_channel().await;
    ada.post(channel, "before").await;
    server.restart().await;
    let ada = server.login("ada").await;
    ada.post(channel, "after").await;
    assert_eq!(ada.history(channel).await, ["before", "after"]);
}

#[tokio::test]
async fn the_handshake_takes_a_bearer_subprotocol_and_a_cookie_from_our_own_pages() {
    let (server, ada, _mira, _channel) = TestServer::with_channel().await;
    let subprotocol = format!("natter.v1, bearer.{}", ada.token);
    let mut socket = Socket::open(&server.base, &[("sec-websocket-protocol", &subprotocol)]).await.unwrap();
    assert!(matches!(socket.frame().await, ServerFrame::Ready { .. }));
    let cookie = format!("natter_access={}", ada.token);
    let mut socket = Socket::open(&server.base, &[("cookie", &cookie), ("origin", &server.base)]).await.unwrap();
    assert!(matches!(socket.frame().await, ServerFrame::Ready { .. }));
}

/// All at the same moment, of two connections each: everyone is told of their own mark, on both.
#[tokio::test]
async fn many_read_at_once_and_each_hears_of_their_own() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    let people = join_all((0..30).map(async |n| {
        let person = server.register(&format!("reader{n}")).await;
        person.join(channel).await;
        let sockets = (person.connect().await, person.connect().await);
        (person, sockets)
    }))
    .await;
    for n in 0..3 {
        ada.post(channel, &format!("m{n}")).await;
    }
    let reading = people.into_iter().map(async |(person, (mut desk, mut phone))| {
        // The last wish wins, however they are stored.
        for (seq, back) in [(1, false), (3, false), (2, true)] {
            desk.say(&json!({ "type": "read", "channel_id": channel, "seq": seq, "back": back })).await;
        }
        for socket in [&mut desk, &mut phone] {
            let mut marks = Vec::new();
            while marks.len() < 3 {
                marks.push(socket.next("read").await["seq"].as_u64().unwrap());
            }
            assert_eq!(marks, [1, 3, 2]);
        }
        assert_eq!(person.get(&format!("/channels/{channel}")).await.1["unread"], 1);
    });
    join_all(reading).await;
}
