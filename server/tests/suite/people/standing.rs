use super::{of_kind, private, until, within_a_second};
use crate::common::{PASSWORD, Person, Socket, TestServer, answer};
use natter::{UserId, wire::ServerFrame};
use serde_json::{Value, json};

async fn change(admin: &Person, person: &Person, change: Value) -> Value {
    admin.does("PATCH", &format!("/users/{}", person.id()), change).await
}

#[tokio::test]
async fn a_new_role_is_told_to_everyone_and_holds_at_once() {
    let (server, ada, mira, _channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let (mut a, mut m, mut j) = (ada.connect().await, mira.connect().await, jun.connect().await);
    for (role, status) in [("admin", 201), ("member", 403)] {
        let changed = change(&ada, &mira, json!({ "role": role, "reason": "for a test" })).await;
        assert_eq!(changed["role"], role);
        for socket in [&mut a, &mut m, &mut j] {
            assert_eq!(within_a_second(socket.next("user")).await["user"], changed);
        }
        assert_eq!(mira.call("POST", "/channels", Some(json!({ "name": "hers" }))).await.0, status);
    }
    let (_, log) = ada.get("/admin/audit").await;
    let acts: Vec<_> = log["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(acts, ["user_demoted", "channel_created", "user_promoted", "channel_created"]);
    assert_eq!(log["items"][0]["reason"], "for a test");
}

#[tokio::test]
async fn who_is_suspended_is_out_within_a_second_on_every_device() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let elsewhere = server.login("mira").await;
    let (mut a, mut phone, mut desk) = (ada.connect().await, mira.connect().await, elsewhere.connect().await);
    let suspended = change(&ada, &mira, json!({ "suspended": true })).await;
    for socket in [&mut phone, &mut desk] {
        let close = within_a_second(socket.closed()).await;
        assert_eq!(u16::from(close.unwrap().code), 1008);
    }
    assert_eq!(a.next("user").await["user"], suspended);
    let post = format!("/channels/{channel}/messages");
    for session in [&mira, &elsewhere] {
        assert_eq!(session.get("/me").await.0, 401);
        assert_eq!(session.call("POST", &post, Some(json!({ "text": "hello?" }))).await.0, 401);
        let refresh = server.http.post(server.url("/auth/refresh")).json(&json!({ "refresh_token": session.refresh }));
        assert_eq!(answer(refresh).await.0, 401);
        let bearer = format!("Bearer {}", session.token);
        assert_eq!(Socket::open(&server.base, &[("authorization", &bearer)]).await.err(), Some(401));
    }
    let login = async |password: &str| {
        let body = json!({ "username": "mira", "password": password });
        answer(server.http.post(server.url("/auth/login")).json(&body)).await.0
    };
    assert_eq!((login(PASSWORD).await, login("wrong horse").await), (403, 401));
    change(&ada, &mira, json!({ "suspended": false })).await;
    assert_eq!(mira.get("/me").await.0, 401, "what has ended stays so");
    server.login("mira").await.post(channel, "back again").await;
    assert_eq!(ada.history(channel).await, ["back again"]);
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let (_server, ada, mira, _channel) = TestServer::with_channel().await;
    let mut m = mira.connect().await;
    for to in [json!({ "role": "member" }), json!({ "suspended": true })] {
        let (status, problem) = ada.call("PATCH", &format!("/users/{}", ada.id()), Some(to)).await;
        assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
    }
    assert_eq!(m.drain().await, [] as [Value; 0]);
    assert_eq!(ada.call("PATCH", &format!("/users/{}", UserId::generate()), Some(json!({}))).await.0, 404);
}

#[tokio::test]
async fn who_is_logged_out_by_an_admin_logs_in_again() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let mut m = mira.connect().await;
    ada.does("DELETE", &format!("/users/{}/sessions", mira.id()), Value::Null).await;
    assert_eq!(u16::from(within_a_second(m.closed()).await.unwrap().code), 1008);
    assert_eq!(mira.get("/me").await.0, 401);
    server.login("mira").await.post(channel, "here again").await;
}

#[tokio::test]
async fn who_is_an_admin_no_longer_writes_no_more_where_only_admins_do() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let bo = server.register("bo").await;
    change(&ada, &bo, json!({ "role": "admin" })).await;
    bo.join_and_hear(channel).await;
    let (mut b, mut m) = (bo.connect().await, mira.connect().await);
    ada.does("PATCH", &format!("/channels/{channel}"), json!({ "post_policy": "admins" })).await;
    assert_eq!(m.next("channel").await["channel"]["post_policy"], "admins");
    m.send(channel, "may I?").await;
    assert_eq!(m.next("error").await["code"], "forbidden");
    b.send(channel, "I may").await;
    let message = b.next("ack").await;
    change(&ada, &bo, json!({ "role": "member" })).await;
    b.send(channel, "may I still?").await;
    assert_eq!(b.next("error").await["code"], "forbidden");
    b.say(&json!({ "type": "edit", "message_id": message["id"], "text": "I might" })).await;
    assert_eq!(b.next("error").await["code"], "forbidden");
    b.say(&json!({ "type": "react", "message_id": message["id"], "emoji": "🤐", "on": true })).await;
    b.next("ack").await;
    assert_eq!(ada.history(channel).await, ["I may"]);
}

#[tokio::test]
async fn who_is_put_out_of_a_private_channel_hears_no_more_of_it() {
    let (_server, ada, mira, general) = TestServer::with_channel().await;
    let (mut a, mut m, ready) = {
        let (m, ready) = mira.connect_ready().await;
        (ada.connect().await, m, ready)
    };
    let ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    let secret = private(&ada, "secret").await;
    let member = format!("/channels/{secret}/members/{}", mira.id());
    ada.does("PUT", &member, Value::Null).await;
    let seen = m.next("channel").await;
    assert_eq!((&seen["channel"]["id"], &seen["channel"]["joined"]), (&json!(secret), &json!(true)));
    let joined = a.next("member").await;
    assert_eq!((&joined["user"]["username"], &joined["members"]), (&json!("mira"), &json!(2)));
    let message = ada.post(secret, "psst").await;
    m.next("message").await;

    ada.does("DELETE", &member, Value::Null).await;
    assert_eq!(within_a_second(m.next("channel_removed")).await["channel_id"], json!(secret));
    assert_eq!(a.next("member").await["joined"], false);
    ada.post(secret, "without you").await;
    a.say(&json!({ "type": "typing", "channel_id": secret })).await;
    a.say(&json!({ "type": "edit", "message_id": message["id"], "text": "changed" })).await;
    a.drain().await;
    ada.post(general, "here").await;
    assert_eq!(until(&mut m, "here").await, [] as [Value; 0]);
    m.say(&json!({ "type": "sync", "epoch": epoch, "channels": { secret.to_string(): 1 } })).await;
    assert_eq!(m.value().await, json!({ "type": "channel_removed", "channel_id": secret }));
    assert_eq!(mira.get(&format!("/channels/{secret}/messages")).await.0, 404);
    // A connection that begins now knows nothing of it either.
    let (_, ready) = mira.connect_ready().await;
    let ServerFrame::Ready { channels, .. } = ready else { panic!("{ready:?}") };
    assert_eq!(channels.iter().map(|channel| channel.id).collect::<Vec<_>>(), [general]);
}

#[tokio::test]
async fn a_channel_that_becomes_private_vanishes_for_those_outside_and_comes_back() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let (mut m, mut j) = (mira.connect().await, jun.connect().await);
    let path = format!("/channels/{channel}");
    ada.does("PATCH", &path, json!({ "visibility": "private" })).await;
    assert_eq!(within_a_second(j.next("channel_removed")).await["channel_id"], json!(channel));
    let seen = m.next("channel").await;
    assert_eq!((&seen["channel"]["visibility"], &seen["channel"]["joined"]), (&json!("private"), &json!(true)));
    ada.post(channel, "among us").await;
    assert_eq!(m.next("message").await["text"], "among us");
    assert_eq!((jun.get(&path).await.0, mira.get(&path).await.0), (404, 200));
    ada.does("PATCH", &path, json!({ "name": "plans" })).await;
    assert_eq!(m.next("channel").await["channel"]["name"], "plans");
    ada.does("PATCH", &path, json!({ "visibility": "public" })).await;
    let mut seen = j.value().await;
    while seen["type"] == "channel_removed" {
        // It may be told twice.
        seen = j.value().await;
    }
    assert_eq!((&seen["channel"]["name"], &seen["channel"]["joined"]), (&json!("plans"), &json!(false)), "{seen}");
}

#[tokio::test]
async fn new_names_reach_everyone() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let mut sockets = [ada.connect().await, mira.connect().await, jun.connect().await];
    ada.does("PATCH", &format!("/channels/{channel}"), json!({ "name": "everyone", "topic": "All of us" })).await;
    mira.does("PATCH", "/me", json!({ "display_name": "Mira B." })).await;
    for (socket, joined) in sockets.iter_mut().zip([true, true, false]) {
        let channel = &socket.next("channel").await["channel"];
        assert_eq!((&channel["name"], &channel["topic"]), (&json!("everyone"), &json!("All of us")));
        assert_eq!(channel["joined"], joined, "each as they stand to it");
        let user = &socket.next("user").await["user"];
        assert_eq!((&user["username"], &user["display_name"]), (&json!("mira"), &json!("Mira B.")));
    }
    assert_eq!(ada.call("POST", "/channels", Some(json!({ "name": "everyone" }))).await.0, 409);
    ada.create_channel("general").await;
}

#[tokio::test]
async fn people_come_once_and_go_when_their_last_device_does() {
    // Whoever was connected a moment ago is still taken to be here.
    let (server, ada, jun, _channel) = TestServer::with_channel().await;
    let mira = server.register("newcomer").await;
    let mut a = ada.connect().await;
    let mut presence = async || {
        loop {
            let told = a.next("presence").await;
            if told["user_id"] == json!(mira.id()) {
                return told["online"].clone();
            }
        }
    };
    let phone = mira.connect().await;
    assert_eq!(presence().await, true);
    let desk = mira.connect().await;
    let (_j, ready) = jun.connect_ready().await;
    let ServerFrame::Ready { online, .. } = ready else { panic!("{ready:?}") };
    assert!(online.contains(&ada.id()) && online.contains(&mira.id()), "{online:?}");
    drop(phone);
    drop(desk);
    assert_eq!(presence().await, false, "neither the second device nor the first one's going was told");
    let (_j, ready) = jun.connect_ready().await;
    let ServerFrame::Ready { online, .. } = ready else { panic!("{ready:?}") };
    assert!(!online.contains(&mira.id()), "{online:?}");
}

#[tokio::test]
async fn who_may_register_is_as_an_admin_says() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let register = async |name: &str, invite: Option<&str>| {
        let body = json!({ "username": name, "password": PASSWORD, "invite": invite });
        answer(server.http.post(server.url("/auth/register")).json(&body)).await.0
    };
    let mode = async |mode: &str| ada.does("PUT", "/admin/registration", json!({ "mode": mode })).await;
    let invite = async |uses: u32| {
        let invite = ada.does("POST", "/admin/invites", json!({ "days": 1, "uses": uses })).await;
        invite["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(register("bo", None).await, 201, "open until said otherwise");
    mode("closed").await;
    let (once, often) = (invite(1).await, invite(5).await);
    assert_eq!((register("cleo", None).await, register("cleo", Some(&often)).await), (403, 403));
    mode("invite").await;
    for wrong in [None, Some(""), Some("nonsense"), Some("no\0ne")] {
        assert_eq!(register("cleo", wrong).await, 403, "{wrong:?}");
    }
    assert_eq!(register("BO", Some(&once)).await, 409);
    assert_eq!(register("cleo", Some(&once)).await, 201, "a name that was taken used nothing up");
    assert_eq!(register("dora", Some(&once)).await, 403);
    assert_eq!(register("dora", Some(&often)).await, 201);
    let (_, invites) = ada.get("/admin/invites").await;
    let left: Vec<_> = invites["items"].as_array().unwrap().iter().map(|one| (&one["code"], &one["uses"])).collect();
    assert_eq!(left, [(&json!(often), &json!(1))]);
    let revoked = invite(1).await;
    ada.does("DELETE", &format!("/admin/invites/{revoked}"), Value::Null).await;
    assert_eq!(ada.call("DELETE", &format!("/admin/invites/{revoked}"), None).await.0, 404);
    assert_eq!(register("emil", Some(&revoked)).await, 403);
    for bad in [json!({ "days": 0 }), json!({ "days": 366 }), json!({ "uses": 0 }), json!({ "uses": 10_001 })] {
        assert_eq!(ada.call("POST", "/admin/invites", Some(bad)).await.0, 422);
    }
    mode("open").await;
    assert_eq!(register("emil", None).await, 201);
    mode("invite").await;
    server.advance(24 * 3600);
    assert_eq!(register("finn", Some(&often)).await, 403, "it was good for a day");
    let ada = server.login("ada").await;
    let (_, log) = ada.get("/admin/audit").await;
    let acts: Vec<_> = log["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(acts.iter().filter(|action| **action == "registration_changed").count(), 4);
    assert_eq!(acts.iter().filter(|action| **action == "invite_created").count(), 3);
    assert!(!log.to_string().contains(&often), "whoever reads the log can't register with it");
}

#[tokio::test]
async fn what_is_told_of_people_is_told_once() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut a = ada.connect().await;
    for _ in 0..2 {
        change(&ada, &mira, json!({ "role": "admin" })).await;
        ada.does("PUT", &format!("/channels/{channel}/members/{}", mira.id()), Value::Null).await;
        ada.does("PATCH", &format!("/channels/{channel}"), json!({ "topic": "news" })).await;
    }
    change(&ada, &mira, json!({})).await;
    mira.does("PATCH", "/me", json!({ "display_name": "Last" })).await;
    let mut seen = Vec::new();
    loop {
        let frame = a.value().await;
        if frame["user"]["display_name"] == "Last" {
            break;
        }
        seen.push(frame);
    }
    assert_eq!((of_kind(&seen, "user").len(), of_kind(&seen, "channel").len(), seen.len()), (1, 1, 2), "{seen:?}");
}
