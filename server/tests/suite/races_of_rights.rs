//! Rights that end at the moment they are used, hundreds of times: what is asked may be refused, never fail.

use crate::common::{Person, Socket, TestServer};
use futures::future::join_all;
use natter::ChannelId;
use serde_json::{Value, json};

/// Makes requests at the same moment; each of their statuses has to be one of these.
async fn at_once(requests: impl IntoIterator<Item = impl Future<Output = (u16, Value)>>, allowed: &[u16]) -> Vec<u16> {
    let answers = join_all(requests).await;
    for (status, body) in &answers {
        assert!(allowed.contains(status), "{status}: {body}");
    }
    answers.into_iter().map(|(status, _)| status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_who_demote_each_other_leave_one() {
    let server = TestServer::start().await;
    let (ada, bo) = (server.register("ada").await, server.register("bo").await);
    let path = |person: &Person| format!("/users/{}", person.id());
    let to = |role: &str| Some(json!({ "role": role }));
    ada.does("PATCH", &path(&bo), json!({ "role": "admin" })).await;
    for round in 0..200 {
        // Each other, or each themselves: whoever is second isn't an admin any more, or is the last one.
        let whom = if round % 2 == 0 { [&bo, &ada] } else { [&ada, &bo] }.map(path);
        let demotions = [&ada, &bo].into_iter().zip(&whom).map(|(who, whom)| who.call("PATCH", whom, to("member")));
        let statuses = at_once(demotions, &[200, 403, 409]).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "round {round}: {statuses:?}");
        let admins = join_all([&ada, &bo].map(|person| person.get("/me"))).await;
        let admins: Vec<_> = admins.iter().map(|(_, me)| me["role"] == "admin").collect();
        let (left, other) = match admins[..] {
            [true, false] => (&ada, &bo),
            [false, true] => (&bo, &ada),
            _ => panic!("round {round}: {admins:?}"),
        };
        left.does("PATCH", &path(other), json!({ "role": "admin" })).await;
    }
}

/// Says something over a socket, a few times, without waiting.
async fn say(socket: &mut Socket, channel: ChannelId) {
    for n in 0..5 {
        socket.send(channel, &format!("live {n}")).await;
    }
}

/// Each of those frames is answered; by which of the two.
async fn answers(socket: &mut Socket) -> (Vec<String>, Vec<Value>) {
    let (mut acked, mut refused) = (Vec::new(), Vec::new());
    while acked.len() + refused.len() < 5 {
        let frame = socket.value().await;
        match frame["type"].as_str() {
            Some("ack") => acked.push(frame["id"].as_str().unwrap().to_owned()),
            Some("error") => refused.push(frame["code"].clone()),
            _ => {}
        }
    }
    (acked, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_deleted_while_people_post_is_gone_for_all() {
    let server = TestServer::start().await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let mut socket = mira.connect().await;
    for round in 0..150 {
        let channel = ada.create_channel(&format!("room-{round}")).await;
        mira.join(channel).await;
        while socket.next("channel").await["channel"]["joined"] != true {}
        say(&mut socket, channel).await;
        let messages = format!("/channels/{channel}/messages");
        let posts = (0..4).map(|n| ada.call("POST", &messages, Some(json!({ "text": format!("over HTTP {n}") }))));
        let place = format!("/channels/{channel}");
        let (posted, (deleted, _)) = tokio::join!(at_once(posts, &[201, 404]), ada.call("DELETE", &place, None));
        assert_eq!(deleted, 204, "round {round}: {posted:?}");
        let (_, refused) = answers(&mut socket).await;
        assert!(refused.iter().all(|code| code == "not_found"), "round {round}: {refused:?}");
        assert_eq!(at_once([ada.get(&messages), mira.get(&place)], &[404]).await.len(), 2);
    }
    // Told that it is gone, one hears nothing more of it.
    let channel = ada.create_channel("last").await;
    mira.join(channel).await;
    while socket.next("channel").await["channel"]["id"] != json!(channel) {}
    ada.does("DELETE", &format!("/channels/{channel}"), Value::Null).await;
    while socket.next("channel_removed").await["channel_id"] != json!(channel) {}
    let later = socket.drain().await;
    assert!(later.iter().all(|frame| frame["type"] == "channel_removed"), "{later:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_while_sending_sends_nothing_more() {
    let (server, ada, mut mira, channel) = TestServer::with_channel().await;
    let (person, messages) = (format!("/users/{}", mira.id()), format!("/channels/{channel}/messages"));
    let mut stored = 0;
    for round in 0..100 {
        let mut socket = mira.connect().await;
        say(&mut socket, channel).await;
        let posts = (0..4).map(|n| mira.call("POST", &messages, Some(json!({ "text": format!("over HTTP {n}") }))));
        let suspend = ada.call("PATCH", &person, Some(json!({ "suspended": true })));
        let (posted, (status, body)) = tokio::join!(at_once(posts, &[201, 401, 403]), suspend);
        assert_eq!((status, &body["suspended"]), (200, &json!(true)), "round {round}: {posted:?}");
        assert_eq!(socket.closed().await.map(|close| u16::from(close.code)), Some(1008), "round {round}");
        // What was being stored is stored when Ada's turn has come. From there on nothing more comes.
        ada.post(channel, "what was that?").await;
        let texts = ada.history(channel).await.len();
        assert!(texts >= stored + posted.iter().filter(|status| **status == 201).count(), "round {round}");
        at_once([mira.call("POST", &messages, Some(json!({ "text": "still here?" })))], &[401]).await;
        assert_eq!(ada.history(channel).await.len(), texts, "round {round}");
        stored = texts;
        ada.does("PATCH", &person, json!({ "suspended": false })).await;
        mira = server.login("mira").await;
    }
    let (_, page) = ada.get(&format!("{messages}?limit=1")).await;
    assert_eq!(page["rev"].as_u64(), Some(u64::try_from(stored).unwrap()), "as many revisions as messages");
}
