//! The HTTP API and the pages, where they say yes.

use crate::common::{PASSWORD, TestServer, answer};
use serde_json::{Value, json};

#[tokio::test]
async fn the_first_account_is_admin_and_later_ones_members() {
    let server = TestServer::start().await;
    let (ada, mira) = (server.register("Ada").await, server.register("mira").await);
    assert_eq!((&ada.user["role"], &mira.user["role"]), (&json!("admin"), &json!("member")));
    let (status, me) = ada.get("/me").await;
    assert_eq!((status, &me), (200, &ada.user));
    assert!(me.get("password_hash").is_none());
    assert_eq!(server.login("aDA").await.user["id"], ada.user["id"]);
}

#[tokio::test]
async fn granting_fields_in_a_registration_are_ignored() {
    let server = TestServer::start().await;
    server.register("ada").await;
    let body = json!({ "username": "eve", "password": PASSWORD, "role": "admin", "id": "0" });
    let (status, made) = answer(server.http.post(server.url("/auth/register")).json(&body)).await;
    assert_eq!((status, &made["user"]["role"]), (201, &json!("member")));
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let server = TestServer::start().await;
    let first = server.register("ada").await;
    let second = server.login("ada").await;
    let (_, list) = second.get("/auth/sessions").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!((items.len(), &list["next"]), (2, &Value::Null));
    assert_eq!(items.iter().filter(|session| session["current"] == true).count(), 1);
    let other = items.iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(second.call("DELETE", &path, None).await.0, 204);
    assert_eq!((first.get("/me").await.0, second.get("/me").await.0), (401, 200));
}

#[tokio::test]
async fn refreshing_gives_a_new_pair() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    server.advance(20 * 60);
    assert_eq!(ada.get("/me").await.0, 401);
    let request = server.http.post(server.url("/auth/refresh")).json(&json!({ "refresh_token": ada.refresh }));
    let (status, pair) = answer(request).await;
    assert_eq!((status, &pair["token_type"], &pair["expires_in"]), (200, &json!("Bearer"), &json!(900)));
    let request = server.http.get(server.url("/me")).bearer_auth(pair["access_token"].as_str().unwrap());
    assert_eq!(answer(request).await.0, 200);
    server.advance(31 * 24 * 3600);
    let request =
        server.http.post(server.url("/auth/refresh")).json(&json!({ "refresh_token": pair["refresh_token"] }));
    assert_eq!(answer(request).await.0, 401, "a session unused for a month is over");
}

#[tokio::test]
async fn a_browser_refreshes_by_its_cookie_without_a_body() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let refresh = |cookie: &str| {
        let request = server.http.post(server.url("/auth/refresh")).header("origin", &server.base);
        answer(request.header("cookie", cookie.to_owned()))
    };
    let (status, pair) = refresh(&format!("natter_refresh={}", ada.refresh)).await;
    assert_eq!((status, &pair["user"]["username"]), (200, &json!("ada")), "{pair}");
    let (status, problem) = refresh("other=1").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("refresh_token")));
}

#[tokio::test]
async fn a_browser_stays_logged_in_past_its_access_token() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    server.advance(20 * 60);
    let cookies = format!("natter_access={}; natter_refresh={}", ada.token, ada.refresh);
    let page = server.http.get(server.url("/me")).header("cookie", &cookies).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let renewed: Vec<_> = page.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(renewed[0].starts_with("natter_access=") && renewed[0].contains("HttpOnly"), "{renewed:?}");
    let kept = format!("natter_refresh={}", ada.refresh);
    assert!(renewed[1].starts_with(&kept), "the session lives 30 days from its last use: {renewed:?}");
    // Another tab with the same cookies, at the same time.
    assert_eq!(answer(server.http.get(server.url("/me")).header("cookie", &cookies)).await.0, 200);
}

#[tokio::test]
async fn channels_are_created_joined_listed_and_left() {
    let server = TestServer::start().await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let body = json!({ "name": "general", "topic": " All of us " });
    let (status, channel) = ada.call("POST", "/channels", Some(body)).await;
    assert_eq!(status, 201);
    for (key, value) in [
        ("kind", json!("channel")),
        ("name", json!("general")),
        ("topic", json!("All of us")),
        ("visibility", json!("public")),
        ("post_policy", json!("everyone")),
        ("members", json!(1)),
        ("joined", json!(true)),
        ("rev", json!(0)),
        ("unread", json!(0)),
        ("mentions", json!(0)),
    ] {
        assert_eq!(channel[key], value, "{key}");
    }
    let me = format!("/channels/{}/members/me", channel["id"].as_str().unwrap());
    for _ in 0..2 {
        let (status, joined) = mira.call("PUT", &me, None).await;
        assert_eq!((status, &joined["joined"], &joined["members"]), (200, &json!(true), &json!(2)));
    }
    let (_, found) = mira.get("/channels?q=GEN").await;
    assert_eq!(found["items"][0]["joined"], true);
    assert!(mira.get("/channels?q=nothing").await.1["items"].as_array().unwrap().is_empty());
    for _ in 0..2 {
        assert_eq!(mira.call("DELETE", &me, None).await.0, 204);
    }
    assert_eq!(mira.get("/channels").await.1["items"][0]["joined"], false);
}

#[tokio::test]
async fn lists_page_by_cursor() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    for n in 0..7 {
        ada.create_channel(&format!("c{n}")).await;
    }
    let mut names = Vec::new();
    let mut path = "/channels?limit=3".to_owned();
    loop {
        let (status, page) = ada.get(&path).await;
        assert_eq!(status, 200, "{page}");
        names.extend(page["items"].as_array().unwrap().iter().map(|channel| channel["name"].clone()));
        match page["next"].as_str() {
            Some(next) => path = format!("/channels?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, (0..7).map(|n| json!(format!("c{n}"))).collect::<Vec<_>>());
}

#[tokio::test]
async fn history_and_changes_follow_the_messages() {
    let (_server, ada, _mira, channel) = TestServer::with_channel().await;
    for n in 1..=5 {
        ada.post(channel, &format!("m{n}")).await;
    }
    let path = format!("/channels/{channel}/messages");
    let (_, page) = ada.get(&format!("{path}?limit=2")).await;
    assert_eq!((&page["next"], &page["rev"], page["items"].as_array().unwrap().len()), (&json!(4), &json!(5), 2));
    let (_, around) = ada.get(&format!("{path}?around=3&limit=3")).await;
    let seqs: Vec<_> = around["items"].as_array().unwrap().iter().map(|message| message["seq"].clone()).collect();
    assert_eq!(seqs, [json!(2), json!(3), json!(4)]);
    let (_, changes) = ada.get(&format!("/channels/{channel}/changes?since=3")).await;
    assert_eq!((&changes["rev"], changes["items"].as_array().unwrap().len()), (&json!(5), 2));
    assert_eq!(ada.get(&format!("/channels/{channel}/changes?since=6")).await.0, 410);
    assert_eq!(ada.history(channel).await, ["m1", "m2", "m3", "m4", "m5"]);
}

#[tokio::test]
async fn health_and_readiness_are_told_to_anyone() {
    let mut server = TestServer::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(answer(server.http.get(format!("{}{path}", server.base))).await.0, 200, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_route_is_in_the_openapi_document() {
    let server = TestServer::start().await;
    let document: Value =
        server.http.get(format!("{}/api/openapi.json", server.base)).send().await.unwrap().json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    for (method, path) in [
        ("post", "/auth/register"),
        ("post", "/auth/login"),
        ("post", "/auth/refresh"),
        ("post", "/auth/logout"),
        ("get", "/auth/sessions"),
        ("delete", "/auth/sessions/{id}"),
        ("get", "/me"),
        ("patch", "/me"),
        ("put", "/me/password"),
        ("get", "/channels"),
        ("post", "/channels"),
        ("get", "/channels/{id}"),
        ("delete", "/channels/{id}"),
        ("get", "/channels/{id}/members"),
        ("put", "/channels/{id}/members/me"),
        ("delete", "/channels/{id}/members/me"),
        ("get", "/channels/{id}/messages"),
        ("post", "/channels/{id}/messages"),
        ("get", "/channels/{id}/changes"),
        ("put", "/channels/{id}/read"),
        ("get", "/ws"),
    ] {
        let operation = &paths[&format!("/api/v1{path}")][method];
        assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
    }
    // The document is made from the router itself; this is the one way around it.
    for source in [include_str!("../../src/http/mod.rs"), include_str!("../../src/ws/mod.rs")] {
        assert!(!source.contains(".route("), "a route without documentation: use routes!");
    }
    // And what it names, answers.
    for (path, operations) in paths {
        let url = format!("{}{}", server.base, path.replace("{id}", "01a20444-39cb-762a-888c-94c1426f825f"));
        for method in operations.as_object().unwrap().keys() {
            let method: reqwest::Method = method.to_uppercase().parse().unwrap();
            let (status, body) = answer(server.http.request(method.clone(), &url).json(&json!({}))).await;
            assert!([401, 422].contains(&status), "{path}: {status} {body}");
            let responses = &operations[method.as_str().to_lowercase()]["responses"];
            for named in ["default", "401"].into_iter().filter(|named| *named == "default" || status == 401) {
                let schema = &responses[named]["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{method} {path}: {named}");
            }
        }
    }
    let page = server.http.get(format!("{}/api/docs/", server.base)).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'self'"));
}

#[tokio::test]
async fn pages_are_rendered_with_their_content_and_a_fresh_nonce() {
    let (server, ada, _mira, channel) = TestServer::with_channel().await;
    ada.post(channel, "hello <b>world</b>").await;
    let load = || {
        let request = server.http.get(format!("{}/channels/general", server.base)).header("accept", "text/html");
        request.header("cookie", format!("natter_access={}", ada.token)).send()
    };
    let (first, second) = (load().await.unwrap(), load().await.unwrap());
    let policy = |answer: &reqwest::Response| answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert_ne!(policy(&first), policy(&second));
    assert!(!policy(&first).contains("unsafe-inline"));
    assert_eq!(first.headers()["cache-control"], "no-store");
    let html = first.text().await.unwrap();
    let before_scripts = html.split("</body>").next().unwrap();
    assert!(before_scripts.contains("Messages in #general"), "{html}");
    assert!(before_scripts.contains("href=\"/channels/general\""));
    assert!(html.contains("hello &lt;b&gt;world"), "text is text");
    assert!(!before_scripts.contains("hello <b>"));
}

#[tokio::test]
async fn signed_out_visitors_are_sent_to_log_in() {
    let server = TestServer::start().await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (path, log_in) in [
        ("/", "/login"),
        ("/browse", "/login?next=/browse"),
        ("/channels/general?at=7", "/login?next=/channels/general%3Fat%3D7"),
    ] {
        let answer = http.get(format!("{}{path}", server.base)).header("accept", "text/html").send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (302, &log_in.parse().unwrap()),
            "{path}"
        );
    }
    let ada = server.register("ada").await;
    let missing = http.get(format!("{}/channels/none", server.base)).header("accept", "text/html");
    let missing = missing.header("cookie", format!("natter_access={}", ada.token)).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().contains("There is no #none"));
    let answer = http.get(format!("{}/nowhere", server.base)).header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("There is nothing here"));
}

#[tokio::test]
async fn forms_work_without_scripts() {
    let server = TestServer::start().await;
    server.register("ada").await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = |form: &[(&str, &str)]| {
        let request = http.post(format!("{}/api/fn/login", server.base)).form(form).header("accept", "text/html");
        request.header("origin", &server.base).header("referer", format!("{}/login", server.base)).send()
    };
    let wrong = post(&[("username", "ada"), ("password", "wrong horse")]).await.unwrap();
    assert_eq!(wrong.status(), 302);
    let back = wrong.headers()["location"].to_str().unwrap();
    let page = http.get(back).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("don't match") || page.contains("don&#x27;t match"), "{page}");
    let right = post(&[("username", "ada"), ("password", PASSWORD)]).await.unwrap();
    assert!(right.status().is_redirection(), "{}", right.status());
    assert_eq!(right.headers()["location"], "/");
    assert_eq!(right.headers().get_all("set-cookie").iter().count(), 2);
    for (next, expected) in [
        ("/channels/general?at=7", "/channels/general?at=7"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("evil.example", "/"),
        ("/x\r\nset-cookie: a=b", "/"),
    ] {
        let answer = post(&[("username", "ada"), ("password", PASSWORD), ("next", next)]).await.unwrap();
        assert_eq!(answer.headers()["location"], expected, "{next:?}");
    }
}
