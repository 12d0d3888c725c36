//! Pictures that move, or that are copied part by part: whole, damaged, and with something hidden in them.

use super::{chunk, contains, fetch, picture};
use crate::common::TestServer;
use image::{AnimationDecoder as _, ImageFormat, codecs::png::PngDecoder, codecs::webp::WebPDecoder};
use serde_json::json;
use std::io::Cursor;

const PLACE: &str = "48.8577 Acme Phone";

/// A part of a WebP.
fn part(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    let padding: &[u8] = if body.len() % 2 == 1 { b"\0" } else { b"" };
    [kind, &length.to_le_bytes()[..], body, padding].concat()
}

fn riff(parts: &[Vec<u8>]) -> Vec<u8> {
    let body = [&b"WEBP"[..], &parts.concat()].concat();
    [&b"RIFF"[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

/// Three frames of 40 by 30, and where it was taken.
fn webp() -> Vec<u8> {
    let still = picture(40, 30, ImageFormat::WebP);
    let frame = [&[0, 0, 0, 0, 0, 0, 39, 0, 0, 29, 0, 0, 100, 0, 0, 2], &still[12..]].concat();
    let frame = part(b"ANMF", &frame);
    let head = part(b"VP8X", &[0b0000_1010, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
    let exif = part(b"EXIF", PLACE.as_bytes());
    riff(&[head, part(b"ANIM", &[0; 6]), frame.clone(), frame.clone(), frame, exif])
}

/// The same as a PNG.
fn apng() -> Vec<u8> {
    let still = picture(40, 30, ImageFormat::Png);
    let (mut data, mut at) = (Vec::new(), 33);
    while still[at + 4..at + 8] != *b"IEND" {
        let length = u32::from_be_bytes(still[at..at + 4].try_into().unwrap()) as usize;
        data.extend_from_slice(&still[at + 8..at + 8 + length]);
        at += 12 + length;
    }
    let control = |number: u32| {
        let sizes = [number, 40, 30, 0, 0].map(u32::to_be_bytes).concat();
        chunk(b"fcTL", &[&sizes[..], &[0, 1, 0, 10, 0, 0]].concat())
    };
    let frame = |number: u32| chunk(b"fdAT", &[&number.to_be_bytes()[..], &data].concat());
    let text = chunk(b"tEXt", format!("Comment\0{PLACE}").as_bytes());
    let moving = chunk(b"acTL", &[0, 0, 0, 3, 0, 0, 0, 0]);
    let frames = [control(0), chunk(b"IDAT", &data), control(1), frame(2), control(3), frame(4)].concat();
    [&still[..33], &moving, &text, &frames, &chunk(b"IEND", b"")].concat()
}

#[tokio::test]
async fn a_moving_picture_of_either_kind_keeps_moving_and_nothing_else() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    for (given, media_type) in [(webp(), "image/webp"), (apng(), "image/png")] {
        assert!(contains(&given, PLACE));
        let file = ada.upload("wave", &given).await;
        let about = (&file["media_type"], &file["width"], &file["height"]);
        assert_eq!(about, (&json!(media_type), &json!(40), &json!(30)), "{file}");
        let kept = fetch(&ada, &file["url"]).await.bytes;
        assert!(!contains(&kept, PLACE), "{media_type}");
        let reader = Cursor::new(kept);
        let frames = match media_type {
            "image/webp" => WebPDecoder::new(reader).unwrap().into_frames().collect_frames(),
            _ => PngDecoder::new(reader).unwrap().apng().unwrap().into_frames().collect_frames(),
        };
        assert_eq!(frames.unwrap().len(), 3, "{media_type}");
        let small = fetch(&ada, &file["thumbnail_url"]).await.bytes;
        assert!(image::load_from_memory(&small).is_ok() && !contains(&small, PLACE));
    }
}

#[tokio::test]
async fn a_damaged_picture_is_its_sender_s_and_no_outage() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let (webp, apng, still) = (webp(), apng(), picture(40, 30, ImageFormat::WebP));
    let lying = riff(&[still[12..].to_vec(), [&b"EXIF\xff\0\0\0"[..], b"no more"].concat()]);
    for (what, bytes) in [
        ("a WebP without its last frame", &webp[..webp.len() * 2 / 3]),
        ("a WebP with a part that ends too soon", &lying),
        ("a PNG without its last frame", &apng[..apng.len() - 100]),
        ("a PNG without its end", &apng[..apng.len() - 12]),
    ] {
        let (status, problem) = ada.try_upload("wave", bytes).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("file")), "{what}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("damaged"), "{what}: {problem}");
    }
}

#[tokio::test]
async fn a_webp_without_its_last_empty_byte_is_whole() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let odd = |bytes: &Vec<u8>| bytes[16] % 2 == 1;
    let padded = (20..60).map(|side| picture(side, side, ImageFormat::WebP)).find(odd).expect("one of them is odd");
    let mut given = padded[..padded.len() - 1].to_vec();
    for counted in [padded.len() - 8, given.len() - 8] {
        given[4..8].copy_from_slice(&u32::try_from(counted).unwrap().to_le_bytes());
        let file = ada.upload("a.webp", &given).await;
        assert_eq!(file["media_type"], "image/webp");
        assert_eq!(fetch(&ada, &file["url"]).await.bytes, padded, "with all that belongs to it");
    }
}
