//! Lists, page by page.

use crate::common::{Person, TestServer};
use serde_json::{Value, json};

/// All items of a list, two a page, by the cursor that each page gives for the next.
async fn all(person: &Person, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = person.get(&format!("{path}limit=2{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let next = &page["next"];
        if next.is_null() {
            return items;
        }
        cursor = format!("&cursor={}", next.as_str().map_or_else(|| next.to_string(), str::to_owned));
    }
}

fn texts(items: &[Value], field: &str) -> Vec<String> {
    items.iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn one_s_conversations_come_after_the_channels_and_nobody_else_s() {
    let server = TestServer::start().await;
    let (ada, zoe, bo) = (server.register("ada").await, server.register("Zoe").await, server.register("bo").await);
    for name in ["zebra", "apple"] {
        ada.create_channel(name).await;
    }
    for other in [&zoe, &bo, &ada] {
        ada.does("PUT", &format!("/directs/{}", other.id()), Value::Null).await;
    }
    let mine = all(&ada, "/channels?").await;
    assert_eq!(texts(&mine, "name"), ["apple", "zebra", "", "", ""]);
    let peers: Vec<_> = mine.iter().filter_map(|channel| channel["peer"]["username"].as_str()).collect();
    assert_eq!(peers, ["ada", "bo", "Zoe"]);
    assert!(mine[2..].iter().all(|channel| channel["kind"] == "direct"));
    let found = all(&ada, "/channels?q=ZO&").await;
    assert_eq!((found.len(), &found[0]["peer"]["username"]), (1, &json!("Zoe")));
    let theirs = all(&bo, "/channels?").await;
    assert_eq!((theirs.len(), &theirs[2]["peer"]["username"]), (3, &json!("ada")));
}

#[tokio::test]
async fn members_go_on_in_order_also_where_the_last_of_a_page_has_left() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let channel = ada.create_channel("general").await;
    for name in ["carol", "Bob", "alice"] {
        server.register(name).await.join(channel).await;
    }
    let path = format!("/channels/{channel}/members?");
    assert_eq!(texts(&all(&ada, &path).await, "username"), ["ada", "alice", "Bob", "carol"]);
    let (_, page) = ada.get(&format!("{path}limit=3")).await;
    let bob = page["items"][2]["id"].as_str().unwrap();
    ada.does("DELETE", &format!("/channels/{channel}/members/{bob}"), Value::Null).await;
    let (_, rest) = ada.get(&format!("{path}cursor={}", page["next"].as_str().unwrap())).await;
    assert_eq!(texts(rest["items"].as_array().unwrap(), "username"), ["carol"]);
}

#[tokio::test]
async fn history_and_changes_take_a_cursor_as_other_lists_do() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let channel = ada.create_channel("general").await;
    for n in 1..=5 {
        ada.post(channel, &format!("m{n}")).await;
    }
    let place = format!("/channels/{channel}");
    assert_eq!(texts(&all(&ada, &format!("{place}/messages?")).await, "text"), ["m4", "m5", "m2", "m3", "m1"]);
    assert_eq!(texts(&all(&ada, &format!("{place}/messages?after=1&")).await, "text"), ["m2", "m3", "m4", "m5"]);
    assert_eq!(texts(&all(&ada, &format!("{place}/changes?since=0&")).await, "text"), ["m1", "m2", "m3", "m4", "m5"]);
    let (status, problem) = ada.get(&format!("{place}/messages?cursor=x")).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("cursor")));
}
