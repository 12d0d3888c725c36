//! Files over HTTP: taking them in, serving them, and who may have them.

mod access;
mod bucket;
mod crash;
mod forms;
mod found;
mod hostile;
mod moving;
mod pictures;
mod serving;

use crate::common::{Person, TestServer};
use serde_json::{Value, json};
use std::{collections::BTreeSet, io::Cursor};

/// What a download answers: status, headers and bytes.
struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn fetch_with(person: &Person, method: &str, url: &Value, headers: &[(&str, &str)]) -> Got {
    let url = format!("{}{}", person.base, url.as_str().unwrap());
    let mut request = person.http.request(method.parse().unwrap(), url).bearer_auth(&person.token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Got { status, headers, bytes: answer.bytes().await.unwrap().to_vec() }
}

async fn fetch(person: &Person, url: &Value) -> Got {
    fetch_with(person, "GET", url, &[]).await
}

/// A picture with something in it.
fn picture(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let colours = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x, y, x ^ y].map(|value| u8::try_from(value % 256).unwrap()))
    });
    let mut bytes = Cursor::new(Vec::new());
    colours.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

/// A part of a PNG.
fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let named = [kind, data].concat();
    let sum = named.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    });
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &named, &(!sum).to_be_bytes()].concat()
}

/// A message with files; has to be taken.
async fn send(person: &Person, channel: natter::ChannelId, text: &str, files: &[&Value]) -> Value {
    let files: Vec<_> = files.iter().map(|file| &file["id"]).collect();
    let body = json!({ "text": text, "attachments": files });
    person.does("POST", &format!("/channels/{channel}/messages"), body).await
}

/// The names of what is kept, wherever it is kept.
fn on_disk(server: &TestServer) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![server.config.data_dir.join("uploads")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                names.insert(entry.file_name().into_string().unwrap());
            }
        }
    }
    names
}
