//! What stands around a file, and how many may be on their way.

use super::{on_disk, picture};
use crate::common::{Person, TestServer, answer};
use futures::{StreamExt as _, stream::FuturesUnordered};
use image::ImageFormat;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const FILE: &str = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n";

async fn post(person: &Person, body: Vec<u8>) -> (u16, Value) {
    let request = person.request(reqwest::Method::POST, "/uploads");
    answer(request.header("content-type", "multipart/form-data; boundary=b").body(body)).await
}

#[tokio::test]
async fn what_stands_around_a_file_is_bounded() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let rest = "\r\nhello\r\n--b--\r\n";
    let long = "x".repeat(70_000);
    for (what, body) in [
        ("a preamble", format!("{long}\r\n{FILE}{rest}")),
        ("a part's header", format!("{FILE}x-long: {long}\r\n{rest}")),
        ("a part's header that never ends", format!("{FILE}x-long: {long}")),
        ("another field", format!("--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{long}\r\n{FILE}{rest}")),
    ] {
        let (status, problem) = post(&ada, body.into_bytes()).await;
        assert_eq!((status, &problem["code"]), (413, &json!("too_large")), "{what}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("64 KiB"), "{problem}");
    }
    assert_eq!(on_disk(&server).len(), 0);
    let short = "x".repeat(50_000);
    for body in [format!("{short}\r\n{FILE}{rest}"), format!("{FILE}x-long: {short}\r\n{rest}")] {
        let (status, file) = post(&ada, body.into_bytes()).await;
        assert_eq!((status, &file["size"]), (201, &json!(5)), "{file}");
    }
    // What follows the file is passed over.
    let (status, file) = post(&ada, format!("{FILE}\r\nhello\r\n{FILE}x-long: {long}{long}").into_bytes()).await;
    assert_eq!((status, &file["size"]), (201, &json!(5)), "{file}");
}

/// An upload whose server has begun to listen, and of which nothing has come.
async fn begun(server: &TestServer, person: &Person) -> TcpStream {
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nhost: natter\r\nauthorization: Bearer {}\r\ncontent-length: 1000000\r\n\
         expect: 100-continue\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n",
        person.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test]
async fn whoever_begins_too_many_waits_also_before_a_word_has_come() {
    let server = TestServer::start_with(|config| config.rate_limits = true).await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let mut under_way = Vec::new();
    for _ in 0..6 {
        under_way.push(begun(&server, &ada).await);
    }
    let (status, problem) = ada.try_upload("a.txt", b"hello").await;
    assert_eq!((status, &problem["code"]), (429, &json!("rate_limited")), "{problem}");
    mira.upload("a.txt", b"hello").await;
    drop(under_way);
    while ada.try_upload("a.txt", b"hello").await.0 != 201 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn when_too_many_pictures_wait_the_answer_is_to_come_back() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let slow = picture(2_000, 2_000, ImageFormat::Png);
    let mut uploads: FuturesUnordered<_> = (0..50).map(|_| ada.try_upload("a.png", &slow)).collect();
    let (status, problem) = loop {
        match uploads.next().await.expect("nobody was sent away") {
            (201, _) => {}
            other => break other,
        }
    };
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("Too much is going on"), "{problem}");
}
