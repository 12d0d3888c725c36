//! What happens at the same moment.

use crate::common::{Person, Socket, TestServer};
use natter::{ChannelId, wire::ServerFrame};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinHandle, time::timeout};

/// Somebody who goes on talking until told to stop.
fn talk(person: &Person, channel: ChannelId) -> JoinHandle<()> {
    let person = person.clone();
    tokio::spawn(async move {
        for n in 0.. {
            person.post(channel, &format!("m{n}")).await;
        }
    })
}

/// Takes messages until `count` of them are past `rev`, which have to be the next ones.
async fn follows(socket: &mut Socket, rev: u64, count: u64) {
    let mut next = rev + 1;
    while next <= rev + count {
        let got = socket.next("message").await["rev"].as_u64().unwrap();
        if got > rev {
            assert_eq!(got, next, "after {rev}");
            next += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn between_ready_and_the_first_message_nothing_is_missing() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let talking = talk(&ada, channel);
    for _ in 0..25 {
        let (mut socket, ready) = mira.connect_ready().await;
        let ServerFrame::Ready { channels, .. } = ready else { panic!("{ready:?}") };
        follows(&mut socket, channels[0].rev, 3).await;
    }
    talking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn between_joining_and_the_first_message_nothing_is_missing() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut socket = mira.connect().await;
    let talking = talk(&ada, channel);
    for _ in 0..10 {
        mira.call("DELETE", &format!("/channels/{channel}/members/me"), None).await;
        while socket.next("channel").await["channel"]["joined"] == true {}
        mira.join(channel).await;
        // Leaving may be told twice: once as what became of the joining before it.
        let mut seen = socket.next("channel").await;
        while seen["channel"]["joined"] == false {
            seen = socket.next("channel").await;
        }
        follows(&mut socket, seen["channel"]["rev"].as_u64().unwrap(), 3).await;
    }
    talking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_and_leaving_at_once_ends_as_the_last_of_them_says() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut socket = mira.connect().await;
    let path = format!("/channels/{channel}/members/me");
    for _ in 0..15 {
        let calls = ["PUT", "DELETE", "PUT", "DELETE"].map(|method| mira.call(method, &path, None));
        futures::future::join_all(calls).await;
    }
    let last = |frames: &[Value]| {
        frames.iter().rev().find(|frame| frame["type"] == "channel").map(|frame| frame["channel"]["joined"] == true)
    };
    let (_, channel_now) = mira.get(&format!("/channels/{channel}")).await;
    // What is told may come after the answers; in the end it is what is so.
    let mut told = None;
    let settled = timeout(Duration::from_secs(5), async {
        while told != channel_now["joined"].as_bool() {
            told = last(&socket.drain().await).or(told);
        }
    });
    settled.await.expect("it was told otherwise");
    let told = told.expect("something was told");
    // And nothing else after that.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(last(&socket.drain().await).unwrap_or(told), told);
    ada.post(channel, "who is there?").await;
    let heard = socket.drain().await.iter().any(|frame| frame["type"] == "message");
    assert_eq!(heard, told, "what a socket receives is what it was told");
}

/// Says something over a connection of its own and hangs up without waiting for the answer.
async fn say_and_hang_up(person: &Person, method: &str, path: &str) {
    let address = person.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-length: 0\r\n\r\n",
        person.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_cuts_nothing_off_between_its_commit_and_its_news() {
    let (server, _ada, mira, channel) = TestServer::with_channel().await;
    let mut watching = mira.connect().await;
    for round in 0..20 {
        let device = server.login("mira").await;
        let mut socket = device.connect().await;
        say_and_hang_up(&device, "POST", "/auth/logout").await;
        let close = timeout(Duration::from_secs(3), socket.closed()).await.expect("the news got lost");
        assert_eq!(u16::from(close.unwrap().code), 1008);
        let (method, joined) = if round % 2 == 0 { ("DELETE", false) } else { ("PUT", true) };
        say_and_hang_up(&mira, method, &format!("/channels/{channel}/members/me")).await;
        while watching.next("channel").await["channel"]["joined"] != joined {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_reconnects_catches_up_from_one_reading() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    for n in 1..=60 {
        ada.post(channel, &format!("m{n}")).await;
    }
    let clients = (0..40_u64).map(|client| {
        let mira = mira.clone();
        tokio::spawn(async move {
            let (mut socket, ready) = mira.connect_ready().await;
            let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
            let since = client % 7 * 5;
            socket.say(&json!({ "type": "sync", "epoch": epoch, "channels": { channel.to_string(): since } })).await;
            follows(&mut socket, since, 60 - since).await;
            assert_eq!(socket.next("synced").await["rev"], 60);
        })
    });
    futures::future::join_all(clients).await.into_iter().for_each(Result::unwrap);
}
