//! The protocol below the frames: handshakes, fragments, pings, closing.

use crate::common::{Person, Socket, TestServer, answer};
use natter::{PostPolicy, Ref, Timestamp, Visibility, wire::ServerFrame};
use natter_server::store::NewChannel;
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

#[tokio::test]
async fn what_is_no_handshake_is_refused_as_a_problem() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let whole = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "bmF0dGVyIG5hdHRlciBuYQ=="),
    ];
    for missing in 0..whole.len() {
        let mut request = ada.request("GET".parse().unwrap(), "/ws");
        for (name, value) in whole.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, header)| *header) {
            request = request.header(name, value);
        }
        let (status, problem) = answer(request).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid")), "without {}", whole[missing].0);
    }
    let old = ada.request("GET".parse().unwrap(), "/ws");
    let old = whole.iter().fold(old, |request, (name, value)| {
        request.header(*name, if *name == "sec-websocket-version" { "8" } else { value })
    });
    assert_eq!(answer(old).await.0, 400);
}

/// A frame of a client, masked with nothing.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// A connection down to its bytes; `early` is sent together with the request.
async fn bare(person: &Person, early: &[u8]) -> TcpStream {
    let address = person.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /api/v1/ws HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nconnection: upgrade\r\n\
         upgrade: WebSocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        person.token
    );
    stream.write_all(&[head.as_bytes(), early].concat()).await.unwrap();
    stream
}

/// Reads until that has come.
async fn until(stream: &mut TcpStream, what: &[u8]) -> Vec<u8> {
    let mut seen = Vec::new();
    let read = async {
        while !seen.windows(what.len()).any(|window| window == what) {
            assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "it ended: {}", String::from_utf8_lossy(&seen));
        }
    };
    timeout(Duration::from_secs(5), read).await.expect("it came");
    seen
}

#[tokio::test]
async fn what_comes_with_the_handshake_is_heard_and_answered() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let mut stream = bare(&ada, &masked(0x81, br#"{"type":"ping"}"#)).await;
    let seen = String::from_utf8_lossy(&until(&mut stream, br#"{"type":"pong"}"#).await).into_owned();
    // The key and its answer are those of RFC 6455, 1.3.
    assert!(seen.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{seen}");
    assert!(seen.find(r#""type":"ready""#) < seen.find(r#""type":"pong""#), "{seen}");
}

#[tokio::test]
async fn fragments_are_one_frame_and_a_ping_between_them_is_answered() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let mut stream = bare(&ada, &[]).await;
    let parts = [
        masked(0x01, br#"{"type":"#),
        masked(0x89, b"still there?"),
        masked(0x00, br#""pi"#),
        masked(0x80, br#"ng"}"#),
    ];
    for part in parts {
        stream.write_all(&part).await.unwrap();
    }
    let seen = until(&mut stream, br#"{"type":"pong"}"#).await;
    let pong = [&[0x8a, 12][..], b"still there?"].concat();
    assert!(seen.windows(pong.len()).any(|window| window == pong));
}

#[tokio::test]
async fn a_client_that_closes_gets_its_close_back_and_nothing_after_it() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut stream = bare(&mira, &[]).await;
    until(&mut stream, br#""type":"ready""#).await;
    stream.write_all(&masked(0x88, &1000_u16.to_be_bytes())).await.unwrap();
    ada.post(channel, "too late").await;
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("it ended").unwrap();
    assert!(rest.ends_with(&[0x88, 2, 3, 232]), "{rest:?}");
}

/// Like a laptop that was shut: nobody says that the connection is over.
#[tokio::test]
async fn who_is_silent_is_let_go_and_who_answers_pings_is_not() {
    let server = TestServer::start_with(|config| config.ping_every = Duration::from_secs(1)).await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let mut watching = mira.connect().await;
    let mut silent = bare(&ada, &[]).await;
    until(&mut silent, br#""type":"ready""#).await;
    // Hearing it, Mira answers pings and says nothing else, for longer than silence is borne.
    for online in [true, false] {
        while watching.next("presence").await["online"] != online {}
    }
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), silent.read_to_end(&mut rest)).await.expect("it ended").unwrap();
    assert!(rest.ends_with(&[0x89, 0]), "its last word was a ping: {rest:?}");
    watching.drain().await;
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    // Not masked; a reserved kind; a continuation of nothing; a fragmented ping.
    for broken in [vec![0x81, 2, b'{', b'}'], masked(0x83, b"x"), masked(0x80, b"x"), masked(0x09, b"x")] {
        let mut stream = bare(&ada, &[]).await;
        until(&mut stream, br#""type":"ready""#).await;
        stream.write_all(&broken).await.unwrap();
        let mut rest = Vec::new();
        timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("it ended").unwrap();
    }
    let mut socket = ada.connect().await;
    let mut wrong = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    wrong.header_mut().mask = Some([1, 2, 3, 4]);
    socket.raw(Message::Frame(wrong)).await;
    assert_eq!(socket.closed().await.map(|close| u16::from(close.code)), Some(1007));
}

#[tokio::test]
async fn answers_carry_the_ref_of_what_they_answer() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    ada.post(channel, "one").await;
    let (mut socket, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    let asked = [
        (json!({ "type": "read", "channel_id": channel, "seq": 1 }), "read"),
        // A second time, nothing moves.
        (json!({ "type": "read", "channel_id": channel, "seq": 1 }), "read"),
        (json!({ "type": "sync", "epoch": epoch, "channels": { channel.to_string(): 0 } }), "synced"),
        (json!({ "type": "sync", "epoch": "another", "channels": { channel.to_string(): 0 } }), "resync"),
        (json!({ "type": "typing", "channel_id": Ref::generate() }), "error"),
        (json!({ "type": "ping" }), "pong"),
    ];
    for (mut frame, kind) in asked {
        let reference = json!(Ref::generate());
        frame["ref"] = reference.clone();
        socket.say(&frame).await;
        while socket.next(kind).await["ref"] != reference {}
    }
}

#[tokio::test]
async fn whoever_is_in_very_many_channels_connects_all_the_same() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let store = server.store().await;
    for n in 0..1_200 {
        let new = NewChannel {
            id: natter::ChannelId::generate(),
            name: format!("channel-{n:04}"),
            topic: "x".repeat(250),
            visibility: Visibility::Public,
            post_policy: PostPolicy::Everyone,
            created_at: Timestamp::from_millis(1_000),
        };
        store.create_channel(new, ada.id()).await.unwrap();
    }
    let (mut socket, ready): (Socket, _) = ada.connect_ready().await;
    let ServerFrame::Ready { channels, .. } = ready else { panic!("{ready:?}") };
    assert_eq!(channels.len(), 1_200);
    // Nobody told this node of them: it may find and tell them only now.
    let told = socket.drain().await;
    assert!(told.iter().all(|frame| frame["channel"]["joined"] == true), "{:?}", told.last());
}
