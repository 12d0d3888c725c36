use super::{picture, send};
use crate::common::{Person, TestServer};
use image::ImageFormat;
use serde_json::{Value, json};

/// The ids of what somebody finds, oldest first.
async fn found(person: &Person, query: &str) -> Vec<Value> {
    let (status, page) = person.get(&format!("/search?{query}")).await;
    assert_eq!((status, &page["next"]), (200, &Value::Null), "{query}: {page}");
    page["items"].as_array().unwrap().iter().rev().map(|item| item["id"].clone()).collect()
}

async fn delete(person: &Person, message: &Value) {
    person.does("DELETE", &format!("/messages/{}", message["id"].as_str().unwrap()), Value::Null).await;
}

#[tokio::test]
async fn messages_are_found_by_what_they_carry() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let jun = server.register("jun").await;
    let mut pictures = Vec::new();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        pictures.push(send(&ada, channel, "", &[&ada.upload("a", &picture(30, 20, format)).await]).await);
    }
    let mut films = Vec::new();
    for film in [&include_bytes!("film.mp4")[..], include_bytes!("film.webm")] {
        films.push(send(&mira, channel, "watch", &[&mira.upload("film", film).await]).await);
    }
    // What it is called says nothing, and a drawing that could run something is no picture.
    let mut files = Vec::new();
    for (name, bytes) in [("notes.txt", &b"words"[..]), ("cat.png", b"<svg/>"), ("clip.mp4", b"%PDF-1.7 ")] {
        files.push(send(&ada, channel, "", &[&ada.upload(name, bytes).await]).await);
    }
    let cat = mira.upload("cat.png", &picture(30, 20, ImageFormat::Png)).await;
    let clip = mira.upload("clip.mp4", include_bytes!("film.mp4")).await;
    let both = send(&mira, channel, "see https://natter.test", &[&cat, &clip]).await;
    let link = ada.post(channel, "http://natter.test/cat.png").await;
    ada.post(channel, "an image, a video, a file and a link: cat.png").await;
    let id = |message: &Value| message["id"].clone();
    let ids = |some: &[&[Value]]| some.concat().iter().map(id).collect::<Vec<_>>();

    let (both, link) = ([both], [link]);
    for (query, expected) in [
        ("has=image", ids(&[&pictures, &both])),
        ("q=has:IMAGE+in:general+from:ada", ids(&[&pictures])),
        ("has=video", ids(&[&films, &both])),
        ("q=has:video+watch", ids(&[&films])),
        ("has=file", ids(&[&pictures, &films, &files, &both])),
        ("has=link", ids(&[&both, &link])),
        ("has=image,video", ids(&[&both])),
        ("has=link&has=file", ids(&[&both])),
        ("q=has:image+cat", ids(&[])),
    ] {
        assert_eq!(found(&mira, query).await, expected, "{query}");
        assert_eq!(found(&jun, query).await, ids(&[]), "{query}: by who isn't in the channel");
    }

    // Other words change nothing about what it carries, but for links.
    let path = format!("/messages/{}", both[0]["id"].as_str().unwrap());
    mira.does("PATCH", &path, json!({ "text": "" })).await;
    assert_eq!(found(&mira, "has=link").await, ids(&[&link]));
    assert_eq!(found(&mira, "has=image,video").await, ids(&[&both]));

    for message in [&pictures[0], &films[0], &files[0], &both[0], &link[0]] {
        delete(&ada, message).await;
    }
    for (query, expected) in [
        ("has=image", ids(&[&pictures[1..]])),
        ("has=video", ids(&[&films[1..]])),
        ("has=file", ids(&[&pictures[1..], &films[1..], &files[1..]])),
        ("has=link", ids(&[])),
    ] {
        assert_eq!(found(&mira, query).await, expected, "{query}, of what is left");
    }
    ada.does("DELETE", &format!("/channels/{channel}"), Value::Null).await;
    for query in ["has=image", "has=video", "has=file"] {
        assert_eq!(found(&mira, query).await, ids(&[]), "{query}, in a channel that is gone");
    }
}
