//! People and what they may, live: what changes about it reaches open connections at once.

mod messages;
mod standing;

use crate::common::{Person, Socket};
use natter::ChannelId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Everything up to that text.
async fn until(socket: &mut Socket, text: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        let frame = socket.value().await;
        if frame["text"] == text {
            return seen;
        }
        seen.push(frame);
    }
}

/// What access allowed ends within a second, and so does everything else that is told of it.
async fn within_a_second<T>(news: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(1), news).await.expect("within a second")
}

async fn private(admin: &Person, name: &str) -> ChannelId {
    let made = admin.does("POST", "/channels", json!({ "name": name, "visibility": "private" })).await;
    serde_json::from_value(made["id"].clone()).unwrap()
}

fn of_kind<'a>(frames: &'a [Value], kind: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["type"] == kind).collect()
}
