//! Who is turned away, and how.

use crate::common::{PASSWORD, Person, Socket, TestServer, answer};
use futures::future::join_all;
use natter::ChannelId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

fn assert_problem(answer: &(u16, Value), status: u16, code: &str) {
    let (got, problem) = answer;
    assert_eq!(*got, status, "{problem}");
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status);
    for field in ["type", "title", "detail"] {
        assert!(problem[field].is_string(), "{field} in {problem}");
    }
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    let stranger = |token: &str| Person { token: token.into(), ..ada.clone() };
    let (head, rest) = ada.token.split_once('.').unwrap();
    let unsigned = format!("{}.", ada.token.rsplit_once('.').unwrap().0);
    for token in ["", "nonsense", "a.b.c", &format!("{head}x.{rest}"), &unsigned] {
        for path in ["/me", "/channels", "/auth/sessions", &format!("/channels/{channel}/messages")] {
            assert_problem(&stranger(token).get(path).await, 401, "unauthenticated");
        }
    }
    assert_problem(&answer(server.http.get(server.url("/me"))).await, 401, "unauthenticated");
    server.advance(15 * 60);
    assert_problem(&ada.get("/me").await, 401, "unauthenticated");
}

#[tokio::test]
async fn sockets_are_refused_without_credentials_or_from_foreign_pages() {
    let (server, ada, _mira, _channel) = TestServer::with_channel().await;
    let cookie = format!("natter_access={}", ada.token);
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer nonsense")], 401),
        (vec![("sec-websocket-protocol", "natter.v1, bearer.nonsense")], 401),
        (vec![("cookie", cookie.as_str())], 403),
        (vec![("cookie", cookie.as_str()), ("origin", "null")], 403),
        (vec![("cookie", cookie.as_str()), ("origin", "https://evil.example")], 403),
    ] {
        assert_eq!(Socket::open(&server.base, &headers).await.err(), Some(status), "{headers:?}");
    }
    server.advance(15 * 60);
    let bearer = format!("Bearer {}", ada.token);
    assert_eq!(Socket::open(&server.base, &[("authorization", &bearer)]).await.err(), Some(401), "expired");
}

#[tokio::test]
async fn a_cookie_changes_things_only_from_our_own_pages() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    let cookie = format!("natter_access={}", ada.token);
    let post = |origin: Option<&str>, site: Option<&str>| {
        let mut request = server
            .http
            .post(server.url(&format!("/channels/{channel}/messages")))
            .header("cookie", &cookie)
            .json(&json!({ "text": "hi" }));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        answer(request)
    };
    assert_problem(&post(None, None).await, 403, "forbidden");
    assert_problem(&post(Some("https://evil.example"), None).await, 403, "forbidden");
    assert_problem(&post(Some("null"), None).await, 403, "forbidden");
    assert_problem(&post(None, Some("cross-site")).await, 403, "forbidden");
    assert_eq!(post(Some(&server.base), None).await.0, 201);
    assert_eq!(post(None, Some("same-origin")).await.0, 201);
    assert_eq!(ada.history(channel).await.len(), 2);
    let read = server.http.get(server.url("/me")).header("cookie", &cookie).header("origin", "https://evil.example");
    let read = read.send().await.unwrap();
    assert!(read.headers().get("access-control-allow-origin").is_none(), "its page can't read the answer");
}

#[tokio::test]
async fn cookies_are_set_only_for_our_own_pages() {
    let (server, ..) = TestServer::with_channel().await;
    let login = |origin: Option<&str>| {
        let body = json!({ "username": "ada", "password": PASSWORD });
        let request = server.http.post(server.url("/auth/login")).json(&body);
        match origin {
            Some(origin) => request.header("origin", origin).send(),
            None => request.send(),
        }
    };
    let cookies = |answer: reqwest::Response| {
        let all = answer.headers().get_all("set-cookie").iter();
        all.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(cookies(login(None).await.unwrap()).is_empty());
    assert!(cookies(login(Some("https://evil.example")).await.unwrap()).is_empty());
    let set = cookies(login(Some(&server.base)).await.unwrap());
    assert_eq!(set.len(), 2);
    assert!(set.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")), "{set:?}");
}

#[tokio::test]
async fn members_cannot_do_what_admins_do() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    assert_problem(&mira.call("POST", "/channels", Some(json!({ "name": "mine" }))).await, 403, "forbidden");
    assert_problem(&mira.call("DELETE", &format!("/channels/{channel}"), None).await, 403, "forbidden");
    let (status, user) = mira.call("PATCH", "/me", Some(json!({ "role": "admin", "display_name": "Mira" }))).await;
    assert_eq!((status, &user["role"], &user["display_name"]), (200, &json!("member"), &json!("Mira")));
    assert_eq!(ada.get(&format!("/channels/{channel}")).await.0, 200);
}

#[tokio::test]
async fn a_foreign_channel_is_closed_and_a_private_one_does_not_exist() {
    let (server, ada, _mira, general) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let (_, private) = ada.call("POST", "/channels", Some(json!({ "name": "secret", "visibility": "private" }))).await;
    let private: ChannelId = serde_json::from_value(private["id"].clone()).unwrap();
    let nowhere = ChannelId::generate();
    let text = || Some(json!({ "text": "let me in" }));
    let messages = |id| format!("/channels/{id}/messages");
    assert_problem(&jun.get(&messages(general)).await, 403, "forbidden");
    assert_problem(&jun.call("POST", &messages(general), text()).await, 403, "forbidden");
    assert_problem(&jun.get(&format!("/channels/{general}/changes?since=0")).await, 403, "forbidden");
    let paths = |id| {
        [
            format!("/channels/{id}"),
            messages(id),
            format!("/channels/{id}/members"),
            format!("/channels/{id}/changes?since=0"),
        ]
    };
    for (seen, unseen) in paths(private).iter().zip(paths(nowhere)) {
        let (secret, missing) = (jun.get(seen).await, jun.get(&unseen).await);
        assert_problem(&secret, 404, "not_found");
        assert_eq!(secret, missing, "a private channel answers like none");
    }
    for (method, path) in [("PUT", "members/me"), ("DELETE", "members/me"), ("POST", "messages")] {
        let call = async |id| jun.call(method, &format!("/channels/{id}/{path}"), text()).await;
        assert_problem(&call(private).await, 404, "not_found");
        assert_eq!(call(private).await, call(nowhere).await);
    }
    let (_, list) = jun.get("/channels").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let mut socket = jun.connect().await;
    for (id, code) in [(general, "forbidden"), (private, "not_found"), (nowhere, "not_found")] {
        socket.send(id, "hello?").await;
        assert_eq!(socket.next("error").await["code"], code);
    }
}

#[tokio::test]
async fn a_known_ref_tells_nothing_to_somebody_who_was_put_out() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let (place, messages) = (format!("/channels/{channel}"), format!("/channels/{channel}/messages"));
    let body = json!({ "text": "mine", "ref": natter::Ref::generate() });
    assert_eq!(mira.call("POST", &messages, Some(body.clone())).await.0, 201);
    assert_eq!(mira.call("POST", &messages, Some(body.clone())).await.0, 200);
    ada.does("PATCH", &place, json!({ "visibility": "private" })).await;
    ada.does("DELETE", &format!("{place}/members/{}", mira.id()), Value::Null).await;
    assert_problem(&mira.call("POST", &messages, Some(body)).await, 404, "not_found");
    assert_eq!(ada.history(channel).await, ["mine"]);
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    let register = async |body: Value| answer(server.http.post(server.url("/auth/register")).json(&body)).await;
    let messages = format!("/channels/{channel}/messages");
    for (got, field) in [
        (register(json!({ "username": "a", "password": PASSWORD })).await, "username"),
        (register(json!({ "username": "a b", "password": PASSWORD })).await, "username"),
        (register(json!({ "username": "jun", "password": "short" })).await, "password"),
        (register(json!({ "username": "jun" })).await, "password"),
        (register(json!({ "username": 7, "password": PASSWORD })).await, "username"),
        (ada.call("POST", "/channels", Some(json!({ "name": "No Capitals" }))).await, "name"),
        (ada.call("POST", "/channels", Some(json!({ "name": "#general" }))).await, "name"),
        (ada.call("POST", "/channels", Some(json!({ "name": " spaced " }))).await, "name"),
        (ada.call("POST", "/channels", Some(json!({ "name": "ok", "topic": "t".repeat(251) }))).await, "topic"),
        (ada.call("POST", "/channels", Some(json!({ "name": "ok", "visibility": "hidden" }))).await, "visibility"),
        (ada.call("POST", &messages, Some(json!({ "text": "  " }))).await, "text"),
        (ada.call("POST", &messages, Some(json!({ "text": "x".repeat(4001) }))).await, "text"),
        (ada.call("POST", &messages, Some(json!({ "text": "hi", "ref": "not a uuid" }))).await, "ref"),
        (ada.get(&format!("{messages}?limit=0")).await, "limit"),
        (ada.get(&format!("{messages}?limit=101")).await, "limit"),
        (ada.get(&format!("{messages}?limit=many")).await, "limit"),
        (ada.get(&format!("{messages}?before=x")).await, "before"),
        (ada.get(&format!("/channels/{channel}/changes")).await, "since"),
        (ada.call("PATCH", "/me", Some(json!({ "display_name": "" }))).await, "display_name"),
    ] {
        assert_problem(&got, 422, "invalid");
        assert_eq!(got.1["errors"][0]["field"], field, "{}", got.1);
    }
    let both = register(json!({ "username": "!", "password": "x" })).await;
    assert_eq!(both.1["errors"].as_array().unwrap().len(), 2, "all that is wrong at once");
}

#[tokio::test]
async fn what_cannot_be_read_is_400_413_or_415() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    let post = |kind: &str, body: String| {
        let path = format!("/channels/{channel}/messages");
        answer(ada.request(reqwest::Method::POST, &path).header("content-type", kind).body(body))
    };
    assert_problem(&post("application/json", "{".into()).await, 400, "invalid");
    assert_problem(&post("application/json", "{} {}".into()).await, 400, "invalid");
    assert_problem(&post("application/json", "{}".into()).await, 422, "invalid");
    assert_problem(&post("text/plain", "{}".into()).await, 415, "unsupported_media_type");
    assert_problem(&post("application/json", "x".repeat(256 * 1024 + 1)).await, 413, "too_large");
    let method = answer(ada.request(reqwest::Method::POST, "/me")).await;
    assert_problem(&method, 405, "method_not_allowed");
    for path in ["/nothing", "/channels/not-an-id", "/channels/not-an-id/messages"] {
        assert_problem(&ada.get(path).await, 404, "not_found");
    }
    for path in ["/api", "/api/v2/me", "/nowhere", "/pkg/nothing.js"] {
        let got = answer(server.http.get(format!("{}{path}", server.base))).await;
        assert_problem(&got, 404, "not_found");
    }
}

#[tokio::test]
async fn names_are_taken_once() {
    let (server, ada, ..) = TestServer::with_channel().await;
    let body = json!({ "username": "ADA", "password": PASSWORD });
    let taken = answer(server.http.post(server.url("/auth/register")).json(&body)).await;
    assert_problem(&taken, 409, "conflict");
    assert_eq!(taken.1["errors"][0]["field"], "username");
    assert_problem(&ada.call("POST", "/channels", Some(json!({ "name": "general" }))).await, 409, "conflict");
}

#[tokio::test]
async fn every_wrong_pair_gets_one_answer() {
    let (server, ..) = TestServer::with_channel().await;
    let login = async |username: &str, password: &str| {
        let body = json!({ "username": username, "password": password });
        answer(server.http.post(server.url("/auth/login")).json(&body)).await
    };
    let wrong = login("ada", "wrong horse").await;
    assert_problem(&wrong, 401, "unauthenticated");
    assert_eq!(login("nobody", PASSWORD).await, wrong);
    assert_eq!(login("ada", &"x".repeat(5000)).await, wrong);
    assert_eq!(login("", "").await, wrong);
}

#[tokio::test]
async fn trying_too_often_is_limited_and_says_for_how_long() {
    let server = TestServer::start_with(|config| config.rate_limits = true).await;
    server.register("ada").await;
    let login = || {
        let body = json!({ "username": "ada", "password": "wrong horse" });
        server.http.post(server.url("/auth/login")).json(&body).send()
    };
    for _ in 0..15 {
        server.login("ada").await;
    }
    for _ in 0..11 {
        assert_eq!(login().await.unwrap().status(), 401);
    }
    let limited = login().await.unwrap();
    assert_eq!(limited.status(), 429);
    let seconds: u64 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds));
    assert_eq!(limited.json::<Value>().await.unwrap()["code"], "rate_limited");
}

#[tokio::test]
async fn one_cannot_end_anothers_session() {
    let (_server, ada, mira, _channel) = TestServer::with_channel().await;
    let (_, sessions) = ada.get("/auth/sessions").await;
    let id = sessions["items"][0]["id"].as_str().unwrap();
    let path = format!("/auth/sessions/{id}");
    assert_problem(&mira.call("DELETE", &path, None).await, 404, "not_found");
    assert_eq!(ada.get("/me").await.0, 200);
    assert_eq!(ada.call("DELETE", &path, None).await.0, 204);
    assert_problem(&ada.get("/me").await, 401, "unauthenticated");
}

#[tokio::test]
async fn whoever_ends_all_other_sessions_keeps_the_own_one_and_everybody_elses() {
    let (server, ada, mira, _channel) = TestServer::with_channel().await;
    let (second, third) = (server.login("ada").await, server.login("ada").await);
    let mut socket = third.connect().await;
    let request = server.http.post(format!("{}/api/fn/end_other_sessions", server.base));
    let request =
        request.bearer_auth(&second.token).header("accept", "application/json").header("origin", &server.base);
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1008);
    assert_problem(&ada.get("/me").await, 401, "unauthenticated");
    assert_problem(&third.get("/me").await, 401, "unauthenticated");
    assert_eq!((second.get("/me").await.0, mira.get("/me").await.0), (200, 200));
    let (_, sessions) = second.get("/auth/sessions").await;
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn server_functions_have_the_same_locks() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let call = |person: &Person, name: &str, form: &[(&str, &str)], origin: &str| {
        let request = server.http.post(format!("{}/api/fn/{name}", server.base)).form(form);
        request.bearer_auth(&person.token).header("accept", "application/json").header("origin", origin).send()
    };
    let id = channel.to_string();
    let foreign = call(&ada, "delete_channel", &[("id", &id)], "https://evil.example").await.unwrap();
    assert_eq!(foreign.status(), 403);
    let member = call(&mira, "delete_channel", &[("id", &id)], &server.base).await.unwrap();
    assert_eq!(member.status(), 403);
    let create = call(&mira, "create_channel", &[("name", "mine"), ("topic", "")], &server.base).await.unwrap();
    assert!(create.text().await.unwrap().contains("forbidden"));
    let (_, list) = ada.get("/channels").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let admin = call(&ada, "create_channel", &[("name", "more"), ("topic", "")], &server.base).await.unwrap();
    assert_eq!(admin.status(), 200);
}

#[tokio::test]
async fn a_flood_of_messages_is_refused_and_of_frames_ends_the_connection() {
    let server = TestServer::start_with(|config| config.rate_limits = true).await;
    let ada = server.register("ada").await;
    let channel = ada.create_channel("general").await;
    let mut socket = ada.connect().await;
    for n in 0..600 {
        socket.send(channel, &format!("m{n}")).await;
    }
    let refused = socket.next("error").await;
    assert_eq!(refused["code"], "rate_limited");
    assert!(refused["ref"].is_string());
    // The bucket fills again, one message every 50 ms: of many at once some are refused.
    let path = format!("/channels/{channel}/messages");
    let posts = (0..60).map(|_| ada.call("POST", &path, Some(json!({ "text": "here, too" }))));
    let answers = futures::future::join_all(posts).await;
    let refused = answers.iter().find(|(status, _)| *status != 201).expect("60 at once are too many");
    assert_problem(refused, 429, "rate_limited");
    socket.drain().await;
    for _ in 0..1_500 {
        if socket.try_raw(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
            break;
        }
    }
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 4029);
}

#[tokio::test]
async fn one_account_has_a_hundred_connections_and_no_more() {
    let server = TestServer::start_with(|config| config.rate_limits = true).await;
    let ada = server.register("ada").await;
    let bearer = format!("Bearer {}", ada.token);
    let headers = [("authorization", bearer.as_str())];
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(Socket::open(&server.base, &headers).await.unwrap());
    }
    assert_eq!(Socket::open(&server.base, &headers).await.err(), Some(429));
    drop(open.pop());
    let again = async { while Socket::open(&server.base, &headers).await.is_err() {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), again).await.expect("its place is free again");
}

#[tokio::test]
async fn who_asks_for_what_was_missed_all_the_time_is_cut_off_and_others_are_not() {
    let server = TestServer::start_with(|config| config.rate_limits = true).await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let (_first, ready) = ada.connect_ready().await;
    let natter::wire::ServerFrame::Ready { epoch, .. } = ready else { panic!("{ready:?}") };
    let strange: serde_json::Map<_, _> = (0..1_000).map(|_| (ChannelId::generate().to_string(), json!(1))).collect();
    let sync = json!({ "type": "sync", "epoch": epoch, "channels": strange });
    // All at once, of twenty-five pages: twenty are fine, and one more every two seconds.
    let mut flood = join_all((0..25).map(|_| ada.connect())).await;
    join_all(flood.iter_mut().map(|socket| socket.say(&sync))).await;
    let ends = join_all(flood.iter_mut().map(|socket| timeout(Duration::from_secs(5), socket.closed()))).await;
    let cut_off = ends.iter().flatten().flatten().filter(|close| u16::from(close.code) == 4029).count();
    assert!((1..=5).contains(&cut_off), "{cut_off}");
    let mut socket = mira.connect().await;
    socket.say(&json!({ "type": "sync", "epoch": epoch, "channels": { ChannelId::generate().to_string(): 1 } })).await;
    assert_eq!(socket.next("channel_removed").await["type"], "channel_removed");
}

#[tokio::test]
async fn a_list_is_no_object_and_errors_speak_of_json_only() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let path = format!("/channels/{channel}/messages");
    for (person, method, path, body) in [
        (&mira, "POST", path.as_str(), json!(["t", null, null, []])),
        (&ada, "POST", "/channels", json!(["arrch", "top", "private", "admins"])),
        (&ada, "PATCH", &format!("/users/{}", mira.id()), json!(["admin", null, null])),
        (&mira, "PATCH", "/me", json!("a name")),
        (&mira, "POST", &path, json!({ "text": "x", "reply_to": 5 })),
    ] {
        let answer = person.call(method, path, Some(body)).await;
        assert_problem(&answer, 422, "invalid");
        assert!(!answer.1.to_string().contains("struct"), "{}", answer.1);
    }
    assert_eq!(ada.get(&format!("/users/{}", mira.id())).await.1["role"], "member");
    let mut socket = mira.connect().await;
    for frame in [json!(["ping"]), json!(["send", null, channel, "arr"]), json!({ "type": "typing" }), json!(7)] {
        socket.say(&frame).await;
        let error = socket.next("error").await;
        assert_eq!(error["code"], "invalid");
        let detail = error["detail"].as_str().unwrap();
        assert!(!["struct", "enum", "u64"].iter().any(|word| detail.contains(word)), "{detail}");
    }
    assert!(ada.history(channel).await.is_empty());
    assert_eq!(server.http.get(server.url("/channels/x")).send().await.unwrap().status().as_u16(), 401);
}

#[tokio::test]
async fn what_cannot_be_stored_or_seen_is_refused_or_found_nowhere() {
    let (_server, _ada, mira, channel) = TestServer::with_channel().await;
    for query in ["in=%00", "in=a%00b", "in=%23%00", "q=in:%00", "from=%00", "q=%00"] {
        let (status, found) = mira.get(&format!("/search?{query}")).await;
        assert!(status == 200 || status == 422, "{query}: {found}");
    }
    for name in ["\u{200b}", "\u{202e}adm", "a\u{2066}b"] {
        assert_problem(&mira.call("PATCH", "/me", Some(json!({ "display_name": name }))).await, 422, "invalid");
    }
    let unseen = mira.call("POST", &format!("/channels/{channel}/messages"), Some(json!({ "text": "\u{200b}" }))).await;
    assert_problem(&unseen, 422, "invalid");
}
