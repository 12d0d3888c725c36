use super::{fetch, on_disk, picture, send};
use crate::common::{Person, TestServer, dot, form};
use image::ImageFormat;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn statuses(people: &[&Person], upload: &Value) -> Vec<(u16, u16)> {
    let mut all = Vec::new();
    for person in people {
        all.push((fetch(person, &upload["url"]).await.status, fetch(person, &upload["thumbnail_url"]).await.status));
    }
    all
}

#[tokio::test]
async fn a_file_is_its_uploader_s_until_a_message_carries_it() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let file = mira.upload("cat.png", &picture(30, 20, ImageFormat::Png)).await;
    assert_eq!(statuses(&[&mira, &ada, &jun], &file).await, [(200, 200), (404, 404), (404, 404)]);
    send(&mira, channel, "a cat", &[&file]).await;
    assert_eq!(statuses(&[&mira, &ada, &jun], &file).await, [(200, 200), (200, 200), (404, 404)]);
    let nobody = server.http.get(format!("{}{}", server.base, file["url"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    jun.join(channel).await;
    assert_eq!(statuses(&[&jun], &file).await, [(200, 200)]);
    mira.does("DELETE", &format!("/channels/{channel}/members/me"), Value::Null).await;
    assert_eq!(statuses(&[&mira, &jun], &file).await, [(404, 404), (200, 200)], "her own, in a channel she left");
    let unknown = json!(format!("/api/v1/uploads/{}/cat.png", natter::UploadId::generate()));
    let (missing, hidden) = (fetch(&mira, &unknown).await, fetch(&mira, &file["url"]).await);
    assert_eq!((missing.status, missing.bytes), (hidden.status, hidden.bytes));
}

#[tokio::test]
async fn of_a_deleted_message_no_file_is_left() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let (file, other) = (mira.upload("cat.png", &dot()).await, mira.upload("dog.png", &dot()).await);
    let message = send(&mira, channel, "", &[&file]).await;
    send(&mira, channel, "", &[&other]).await;
    let mut socket = ada.connect().await;
    ada.does("DELETE", &format!("/messages/{}", message["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(statuses(&[&mira, &ada], &file).await, [(404, 404), (404, 404)]);
    let told = socket.next("message").await;
    assert_eq!((&told["deleted"], &told["attachments"]), (&json!(true), &json!([])));
    let left = |file: &Value| on_disk(&server).iter().any(|name| name.contains(file["id"].as_str().unwrap()));
    while left(&file) {
        tokio::task::yield_now().await;
    }
    assert!(left(&other));
    assert_eq!(statuses(&[&mira, &ada], &other).await, [(200, 200), (200, 200)]);
}

#[tokio::test]
async fn what_isn_t_sent_after_all_can_be_taken_back() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let (unsent, said) = (mira.upload("cat.png", &dot()).await, mira.upload("dog.png", &dot()).await);
    send(&mira, channel, "", &[&said]).await;
    let withdraw = async |person: &Person, file: &Value| {
        let (status, body) = person.call("DELETE", &format!("/uploads/{}", file["id"].as_str().unwrap()), None).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(withdraw(&ada, &unsent).await, (404, "not_found".into()));
    assert_eq!(withdraw(&ada, &said).await, (404, "not_found".into()), "an admin neither");
    assert_eq!(withdraw(&mira, &said).await, (409, "conflict".into()));
    let used = async || server.store().await.uploaded_bytes(mira.id()).await.unwrap();
    let before = used().await;
    assert_eq!(withdraw(&mira, &unsent).await, (204, String::new()));
    assert!(used().await < before);
    assert!(!on_disk(&server).iter().any(|name| name.contains(unsent["id"].as_str().unwrap())));
    assert_eq!(statuses(&[&mira], &unsent).await, [(404, 404)]);
    assert_eq!(withdraw(&mira, &unsent).await, (404, "not_found".into()));
    assert_eq!(statuses(&[&mira, &ada], &said).await, [(200, 200), (200, 200)]);
    mira.does("DELETE", &format!("/channels/{channel}/members/me"), Value::Null).await;
    assert_eq!(withdraw(&mira, &said).await, (404, "not_found".into()), "in a channel she left");
}

#[tokio::test]
async fn of_a_removed_channel_no_file_is_left_nor_of_what_was_to_be_sent_and_was_not() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let other = ada.create_channel("other").await;
    let (file, elsewhere) = (mira.upload("cat.png", &dot()).await, ada.upload("dog.png", &dot()).await);
    let later = ada.upload("bird.png", &dot()).await;
    send(&mira, channel, "", &[&file]).await;
    send(&ada, other, "", &[&elsewhere]).await;
    let in_an_hour = jiff::Timestamp::now().as_millisecond() + 60 * 60 * 1000;
    let draft = json!({ "channel_id": other, "text": "", "send_at": natter::Timestamp::from_millis(in_an_hour),
        "attachments": [later["id"]] });
    let waiting = ada.does("POST", "/scheduled", draft).await;
    let left = |file: &Value| on_disk(&server).iter().any(|name| name.contains(file["id"].as_str().unwrap()));
    ada.does("DELETE", &format!("/channels/{channel}"), Value::Null).await;
    while left(&file) {
        tokio::task::yield_now().await;
    }
    assert!(left(&elsewhere) && left(&later));
    ada.does("DELETE", &format!("/scheduled/{}", waiting["id"].as_str().unwrap()), Value::Null).await;
    while left(&later) {
        tokio::task::yield_now().await;
    }
    assert_eq!(statuses(&[&ada], &elsewhere).await, [(200, 200)]);
}

#[tokio::test]
async fn what_no_message_carries_is_gone_after_a_day() {
    let (server, ada, _, channel) = TestServer::with_channel().await;
    let (unused, used) = (ada.upload("a.png", &dot()).await, ada.upload("b.png", &dot()).await);
    send(&ada, channel, "", &[&used]).await;
    let message = ada.post(channel, "to be deleted").await;
    server.advance(24 * 60 * 60 + 1);
    let ada = server.login("ada").await;
    assert_eq!(statuses(&[&ada], &unused).await, [(404, 404)]);
    assert_eq!(statuses(&[&ada], &used).await, [(200, 200)]);
    // Whenever something is deleted it is looked for.
    ada.does("DELETE", &format!("/messages/{}", message["id"].as_str().unwrap()), Value::Null).await;
    while on_disk(&server).iter().any(|name| name.contains(unused["id"].as_str().unwrap())) {
        tokio::task::yield_now().await;
    }
    assert_eq!(statuses(&[&ada], &used).await, [(200, 200)]);
}

#[tokio::test]
async fn what_a_crash_left_is_removed_at_the_next_start() {
    let (mut server, ada, _, channel) = TestServer::with_channel().await;
    let used = ada.upload("a.png", &dot()).await;
    send(&ada, channel, "", &[&used]).await;
    let folder = server.config.data_dir.join("uploads");
    let stray = natter::UploadId::generate().to_string();
    std::fs::write(folder.join(&stray), "stored, but the row was not").unwrap();
    server.advance(25 * 60 * 60);
    server.restart().await;
    while on_disk(&server).contains(&stray) {
        tokio::task::yield_now().await;
    }
    let ada = server.login("ada").await;
    assert_eq!(statuses(&[&ada], &used).await, [(200, 200)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_ends_when_its_reader_is_put_out() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let file = ada.upload("long.bin", &vec![7; 24_000_000]).await;
    send(&ada, channel, "", &[&file]).await;
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: natter\r\nauthorization: Bearer {}\r\n\r\n",
        file["url"].as_str().unwrap(),
        mira.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = vec![0; 1_000];
    stream.read_exact(&mut first).await.unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"));
    ada.does("DELETE", &format!("/channels/{channel}/members/{}", mira.id()), Value::Null).await;
    server.advance(1);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 23_000_000, "{} bytes came after it", rest.len());
}

#[tokio::test]
async fn messages_carry_files_live_and_in_history_and_to_one_person() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let mut socket = mira.connect().await;
    let files = [ada.upload("a.png", &dot()).await, ada.upload("b.txt", b"hello").await];
    let mut own = ada.connect().await;
    let ids: Vec<_> = files.iter().map(|file| &file["id"]).collect();
    own.say(&json!({ "type": "send", "ref": natter::Ref::generate(), "channel_id": channel, "text": "", "attachments": ids }))
        .await;
    own.next("ack").await;
    let told = socket.next("message").await;
    assert_eq!((&told["attachments"], &told["text"]), (&json!(files), &json!("")));
    let (_, page) = mira.get(&format!("/channels/{channel}/messages")).await;
    assert_eq!(page["items"][0]["attachments"], json!(files));
    let (_, changes) = mira.get(&format!("/channels/{channel}/changes?since=0")).await;
    assert_eq!(changes["items"][0]["attachments"], json!(files));
    let path = format!("/messages/{}", told["id"].as_str().unwrap());
    for text in ["two files", ""] {
        let edited = ada.does("PATCH", &path, json!({ "text": text })).await;
        assert_eq!((edited["text"].as_str().unwrap_or_default(), &edited["attachments"]), (text, &json!(files)));
    }

    let file = ada.upload("c.png", &dot()).await;
    let frame = json!({ "sender": { "id": ada.id() }, "receiver": { "id": mira.id() }, "timestamp": 0, "text": "",
        "attachments": [file["id"]], "ref": natter::Ref::generate() });
    own.say(&frame).await;
    assert_eq!(socket.next("direct").await["attachments"], json!([file]));
    assert_eq!(fetch(&mira, &file["url"]).await.status, 200);
}

#[tokio::test]
async fn only_one_s_own_files_can_be_sent_and_ten_at_most() {
    let (_server, ada, mira, channel) = TestServer::with_channel().await;
    let path = format!("/channels/{channel}/messages");
    let (mine, hers) = (ada.upload("a.png", &dot()).await, mira.upload("b.png", &dot()).await);
    let refused = async |attachments: Value| {
        let (status, problem) = ada.call("POST", &path, Some(json!({ "text": "x", "attachments": attachments }))).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("attachments")), "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    };
    assert!(refused(json!([hers["id"]])).await.contains("isn't one of your uploads"));
    refused(json!([natter::UploadId::generate()])).await;
    refused(json!([mine["id"], mine["id"]])).await;
    let eleven: Vec<_> = (0..11).map(|_| natter::UploadId::generate()).collect();
    assert!(refused(json!(eleven)).await.contains("at most 10"));
    send(&ada, channel, "", &[&mine]).await;
    refused(json!([mine["id"]])).await;
    assert_eq!(ada.call("POST", &path, Some(json!({ "text": "", "attachments": [] }))).await.0, 422);
    let plain = ada.post(channel, "words").await;
    let (status, problem) =
        ada.call("PATCH", &format!("/messages/{}", plain["id"].as_str().unwrap()), Some(json!({ "text": " " }))).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("text")), "{problem}");
    let (_, page) = ada.get(&format!("/channels/{channel}/messages")).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "nothing else was stored: {page}");
}

#[tokio::test]
async fn a_cookie_uploads_from_our_own_pages_only() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    for (origin, expected) in [(server.base.as_str(), 201), ("https://evil.example", 403)] {
        let request = server.http.post(server.url("/uploads")).header("origin", origin);
        let request = request.header("cookie", format!("natter_access={}", ada.token));
        let answer = form(request, "a.txt", b"hello").send().await.unwrap();
        assert_eq!(answer.status(), expected, "{origin}");
    }
}
