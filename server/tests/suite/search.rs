//! Search from outside.

use crate::common::{Person, TestServer};
use serde_json::{Value, json};

/// What a query string leads to: texts, newest first.
async fn texts(person: &Person, query: &str) -> Vec<String> {
    let (status, page) = person.get(&format!("/search?{query}")).await;
    assert_eq!(status, 200, "{query}: {page}");
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_hit_is_the_message_and_where_it_was_said() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let said = ada.post(channel, "The 绿茶 is green").await;
    let (_, page) = mira.get("/search?q=%E8%8C%B6").await;
    assert_eq!(page["next"], Value::Null);
    let hit = &page["items"][0];
    for field in ["id", "channel_id", "seq", "sender", "timestamp", "text"] {
        assert_eq!(hit[field], said[field], "{field}");
    }
    assert_eq!(hit["channel"], json!({ "id": channel, "kind": "channel", "name": "general" }));
    assert_eq!(hit["highlights"], json!([[5, 6]]), "counted in characters");

    let direct = ada.does("PUT", &format!("/directs/{}", mira.id()), Value::Null).await;
    let direct = serde_json::from_value(direct["id"].clone()).unwrap();
    ada.post(direct, "a private word").await;
    let (_, page) = mira.get("/search?q=private").await;
    let hit = &page["items"][0];
    assert_eq!(hit["channel"]["peer"], json!({ "id": ada.id(), "username": "ada" }), "as the one who asks sees it");
    assert_eq!(hit["receiver"]["id"], json!(mira.id()));
}

#[tokio::test]
async fn operators_work_in_the_query_and_beside_it() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let other = ada.create_channel("other").await;
    mira.join(other).await;
    let direct = ada.does("PUT", &format!("/directs/{}", mira.id()), Value::Null).await;
    let direct = serde_json::from_value(direct["id"].clone()).unwrap();
    ada.post(channel, "tea by ada").await;
    mira.post(channel, "tea by mira http://tea.test").await;
    mira.post(other, "tea elsewhere").await;
    mira.post(direct, "tea in private").await;
    let (ada_id, channel_id) = (ada.id(), channel.to_string());
    for (query, expected) in [
        ("q=tea+in:general", &["tea by mira http://tea.test", "tea by ada"][..]),
        ("q=tea&in=%23general&from=mira", &["tea by mira http://tea.test"]),
        ("q=tea+IN:%23General+From:@MIRA", &["tea by mira http://tea.test"]),
        (&format!("q=tea&in={channel_id}&from={ada_id}"), &["tea by ada"]),
        ("q=in:@mira+tea", &["tea in private"]),
        (&format!("q=tea&in={direct}"), &["tea in private"]),
        ("in=@mira", &["tea in private"]),
        ("from=ada", &["tea by ada"]),
        ("has=link", &["tea by mira http://tea.test"]),
        ("q=has:link+tea&has=link", &["tea by mira http://tea.test"]),
        ("q=tea&has=link,image", &[]),
        ("q=tea&has=link&has=video", &[]),
        ("q=tea&before=2020-01-01", &[]),
        ("q=%22by+ada%22&after=2020-01-01T00:00:00Z&before=2999-01-01", &["tea by ada"]),
        ("q=tea&in=general&in=other", &[]),
        ("q=%22by+tea%22", &[]),
    ] {
        assert_eq!(texts(&ada, query).await, expected, "{query}");
    }
    drop(server);
}

#[tokio::test]
async fn what_one_may_not_see_is_found_like_what_there_isn_t() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let hidden = ada.does("POST", "/channels", json!({ "name": "hidden", "visibility": "private" })).await;
    let hidden = serde_json::from_value(hidden["id"].clone()).unwrap();
    let direct = ada.does("PUT", &format!("/directs/{}", mira.id()), Value::Null).await;
    let direct: natter::ChannelId = serde_json::from_value(direct["id"].clone()).unwrap();
    for id in [channel, hidden, direct] {
        ada.post(id, "the secret").await;
    }
    let (status, nothing) = jun.get("/search?q=secret").await;
    assert_eq!((status, &nothing), (200, &json!({ "items": [], "next": null })));
    for query in [
        "q=secret+in:hidden",
        "q=secret+in:general",
        "q=secret+in:nowhere",
        &format!("q=secret&in={hidden}"),
        &format!("q=secret&in={direct}"),
        "q=secret&in=@mira",
        "q=secret&in=@nobody",
        "q=secret&from=ada",
        "q=secret&from=nobody",
        "from=ada",
        "in=hidden",
    ] {
        let (status, answer) = jun.get(&format!("/search?{query}")).await;
        assert_eq!((status, &answer), (200, &nothing), "{query}");
    }
    assert_eq!(texts(&mira, "q=secret").await.len(), 2);
    ada.does("DELETE", &format!("/channels/{channel}/members/{}", mira.id()), Value::Null).await;
    assert_eq!(texts(&mira, "q=secret").await.len(), 1, "at once");
    assert_eq!(texts(&ada, "q=secret").await.len(), 3);
    ada.does("DELETE", &format!("/channels/{hidden}"), Value::Null).await;
    assert_eq!(texts(&ada, "q=secret").await.len(), 2);
}

#[tokio::test]
async fn the_index_follows_edits_and_deletes_at_once() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let said = ada.post(channel, "会議は三時").await;
    let path = format!("/messages/{}", said["id"].as_str().unwrap());
    assert_eq!(texts(&mira, "q=%E4%BC%9A%E8%AD%B0").await, ["会議は三時"]);
    ada.does("PATCH", &path, json!({ "text": "회의는 세 시" })).await;
    assert_eq!(texts(&mira, "q=%E4%BC%9A%E8%AD%B0").await, Vec::<String>::new());
    assert_eq!(texts(&mira, "q=%ED%9A%8C%EC%9D%98").await, ["회의는 세 시"]);
    ada.does("DELETE", &path, Value::Null).await;
    assert_eq!(texts(&mira, "q=%ED%9A%8C%EC%9D%98").await, Vec::<String>::new());
    assert_eq!(texts(&mira, "from=ada").await, Vec::<String>::new(), "nor by anything else");
}

#[tokio::test]
async fn pages_have_a_limit_and_a_cursor() {
    let (_server, ada, _, channel) = TestServer::with_channel().await;
    for n in 1..=5 {
        ada.post(channel, &format!("tea {n}")).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = ada.get(&format!("/search?q=tea&limit=2{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["text"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(items.len(), 2);
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["tea 5", "tea 4", "tea 3", "tea 2", "tea 1"]);
}

#[tokio::test]
async fn nonsense_is_refused_with_its_field() {
    let (server, ada, ..) = TestServer::with_channel().await;
    let long = format!("q={}", "x".repeat(201));
    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        ("q=%20%22%22", "q"),
        (long.as_str(), "q"),
        ("q=x&limit=0", "limit"),
        ("q=x&limit=101", "limit"),
        ("q=x&limit=ten", "limit"),
        ("q=x&cursor=12", "cursor"),
        ("q=x&before=yesterday", "before"),
        ("q=x+after:2026-02-30", "after"),
        ("q=x&has=cheese", "has"),
    ] {
        let (status, problem) = ada.get(&format!("/search?{query}")).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid")), "{query}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    let (_, problem) = ada.get(&format!("/search?{long}")).await;
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("200"), "{problem}");
    assert_eq!(server.http.get(server.url("/search?q=x")).send().await.unwrap().status(), 401);
    // However hostile, it is only looked for.
    for query in ["%22%29%20OR%20%28%22", "*", "%27%3B--", "NEAR(a+b)", "%25", "_", "a*", "pieces:x", "%7B1,2%7D"] {
        assert_eq!(texts(&ada, &format!("q={query}")).await, Vec::<String>::new(), "{query}");
    }
}
