//! A server that dies in the middle of an upload.

use crate::{common::PASSWORD, process::run};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Everything in a folder, its database aside.
fn left(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name().into_string().unwrap())).unwrap();
        if path.is_dir() {
            names.extend(left(&path));
        } else if !name.starts_with("natter.db") && name != "signing.key" {
            names.push(name);
        }
    }
    names
}

#[tokio::test]
async fn killed_in_the_middle_of_an_upload_nothing_of_it_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = run(dir.path()).await;
    let address = server.address.clone();
    let http = reqwest::Client::new();
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let registered = http.post(format!("http://{address}/api/v1/auth/register")).json(&credentials).send().await;
    let ada: Value = registered.unwrap().json().await.unwrap();
    let token = ada["access_token"].as_str().unwrap();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nhost: natter\r\nauthorization: Bearer {token}\r\ncontent-length: 20000000\r\n\
         expect: 100-continue\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 25]).await.unwrap();
    // More than stays on the way: most of it has arrived when all of it has been handed over.
    let begin = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    stream.write_all(begin.as_bytes()).await.unwrap();
    stream.write_all(&vec![7; 19_000_000]).await.unwrap();
    server.child.kill().await.unwrap();
    assert_eq!(left(dir.path()), Vec::<String>::new(), "what is on its way has no name");

    // One that died while a file was put into its place leaves half of it beside that.
    let id = natter::UploadId::generate();
    let halves = [(format!("{id}#1"), 25), (format!("{}#1", natter::UploadId::generate()), 1)];
    for (name, hours) in &halves {
        let file = std::fs::File::create(dir.path().join("uploads").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_hours(*hours)).unwrap();
    }
    let server = run(dir.path()).await;
    let address = &server.address;
    let half = http.get(format!("http://{address}/api/v1/uploads/{id}/a")).bearer_auth(token).send().await.unwrap();
    assert_eq!(half.status(), 404);
    // The newer one may be another node's that goes on.
    while left(dir.path()).contains(&halves[0].0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(left(dir.path()), [halves[1].0.clone()]);
}
