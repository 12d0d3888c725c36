use super::{chunk, contains, fetch, picture};
use crate::common::{Person, TestServer};
use image::{GenericImageView as _, ImageFormat};
use serde_json::{Value, json};
use std::io::Cursor;

async fn ada() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    (server, ada)
}

fn size_of(bytes: &[u8]) -> (u32, u32) {
    image::load_from_memory(bytes).unwrap().dimensions()
}

/// A JPEG as a phone takes it: lying on its side, saying so, and where it was.
fn from_a_phone(width: u32, height: u32) -> Vec<u8> {
    let jpeg = picture(width, height, ImageFormat::Jpeg);
    // TIFF, little endian: one entry, the orientation 6, and behind it what a camera adds.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend(b"GPSLatitude 48.8577 Acme Phone 12");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat()
}

#[tokio::test]
async fn a_photo_is_turned_upright_and_forgets_where_it_was_taken() {
    let (_server, ada) = ada().await;
    let given = from_a_phone(900, 400);
    assert!(contains(&given, "48.8577"));
    let file = ada.upload("IMG_1.jpg", &given).await;
    let about = (&file["media_type"], &file["width"], &file["height"], &file["filename"]);
    assert_eq!(about, (&json!("image/jpeg"), &json!(400), &json!(900), &json!("IMG_1.jpg")));
    let kept = fetch(&ada, &file["url"]).await;
    assert_eq!((size_of(&kept.bytes), file["size"].as_u64()), ((400, 900), Some(kept.bytes.len() as u64)));
    let small = fetch(&ada, &file["thumbnail_url"]).await;
    assert_eq!(size_of(&small.bytes), (320, 720));
    for bytes in [&kept.bytes, &small.bytes] {
        assert!(!contains(bytes, "48.8577") && !contains(bytes, "Acme") && !contains(bytes, "Exif"));
    }
    assert_eq!((kept.header("content-type"), kept.header("x-content-type-options")), ("image/jpeg", "nosniff"));
    assert_eq!(kept.header("content-disposition"), "inline; filename*=UTF-8''IMG_1.jpg");
}

#[tokio::test]
async fn each_kind_of_picture_is_kept_as_what_it_is() {
    let (_server, ada) = ada().await;
    for (format, media_type) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let given = picture(800, 600, format);
        let hidden = [&given[..], b"PK\x03\x04<script>alert(1)</script>"].concat();
        let file = ada.upload("a", &hidden).await;
        assert_eq!(
            (&file["media_type"], &file["width"], &file["height"]),
            (&json!(media_type), &json!(800), &json!(600))
        );
        let kept = fetch(&ada, &file["url"]).await;
        assert_eq!((size_of(&kept.bytes), kept.header("content-type")), ((800, 600), media_type));
        assert!(!contains(&kept.bytes, "<script>"), "{media_type}: what stood behind the end");
        if format != ImageFormat::Jpeg {
            let (before, after) =
                (image::load_from_memory(&given).unwrap(), image::load_from_memory(&kept.bytes).unwrap());
            assert_eq!(before.to_rgb8(), after.to_rgb8(), "{media_type}: the same pixels");
        }
        assert_eq!(size_of(&fetch(&ada, &file["thumbnail_url"]).await.bytes), (720, 540));
    }
}

#[tokio::test]
async fn a_script_in_a_picture_s_comments_is_gone() {
    let (_server, ada) = ada().await;
    let script = "<script>alert(document.domain)</script>";
    let (jpeg, png) = (picture(80, 60, ImageFormat::Jpeg), picture(80, 60, ImageFormat::Png));
    let length = u16::try_from(script.len() + 2).unwrap().to_be_bytes();
    let jpeg = [&jpeg[..2], b"\xff\xfe", &length, script.as_bytes(), &jpeg[2..]].concat();
    let text = chunk(b"tEXt", format!("Comment\0{script}").as_bytes());
    // Behind the signature and the header.
    let png = [&png[..33], &text, &png[33..]].concat();
    for (name, given, media_type) in [("a.html", jpeg, "image/jpeg"), ("b.html", png, "image/png")] {
        assert!(contains(&given, script));
        let file = ada.upload(name, &given).await;
        assert_eq!((&file["media_type"], &file["width"]), (&json!(media_type), &json!(80)));
        for url in [&file["url"], &file["thumbnail_url"]] {
            let kept = fetch(&ada, url).await;
            assert!(!contains(&kept.bytes, "<script>") && size_of(&kept.bytes) == (80, 60), "{media_type}");
        }
    }
}

#[tokio::test]
async fn what_one_can_see_through_stays_so_also_when_small() {
    let (_server, ada) = ada().await;
    let glass = image::RgbaImage::from_pixel(900, 900, image::Rgba([10, 200, 30, 100]));
    let mut bytes = Cursor::new(Vec::new());
    glass.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let file = ada.upload("glass.png", &bytes.into_inner()).await;
    let small = fetch(&ada, &file["thumbnail_url"]).await;
    assert_eq!(small.header("content-type"), "image/webp");
    assert_eq!(image::load_from_memory(&small.bytes).unwrap().to_rgba8().get_pixel(9, 9).0, [10, 200, 30, 100]);
}

fn moving(comment: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 20, 10, &[0, 0, 0, 255, 0, 0]).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    encoder.write_raw_extension(gif::AnyExtension(0xFE), &[comment.as_bytes()]).unwrap();
    for colour in [0, 1, 0] {
        let frame =
            gif::Frame { width: 20, height: 10, buffer: vec![colour; 200].into(), delay: 7, ..gif::Frame::default() };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[tokio::test]
async fn a_moving_picture_keeps_moving_without_its_comments() {
    let (_server, ada) = ada().await;
    let file = ada.upload("wave.gif", &moving("taken in Paris")).await;
    let kept = fetch(&ada, &file["url"]).await.bytes;
    assert!(!contains(&kept, "Paris"));
    let mut decoder = gif::DecodeOptions::new().read_info(&kept[..]).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        frames.push((frame.delay, frame.buffer[0]));
    }
    assert_eq!((frames, decoder.repeat()), (vec![(7, 0), (7, 1), (7, 0)], gif::Repeat::Infinite));
}

/// `film.webm` and `film.mp4` are a second of a canvas of 160 by 120, as Chromium's `MediaRecorder` made them.
#[tokio::test]
async fn a_short_film_made_by_a_browser_is_measured_and_served() {
    let (_server, ada) = ada().await;
    for (name, bytes, media_type, duration) in [
        ("film.webm", &include_bytes!("film.webm")[..], "video/webm", 913),
        ("film.mp4", &include_bytes!("film.mp4")[..], "video/mp4", 941),
    ] {
        let file = ada.upload(name, bytes).await;
        let about = (&file["media_type"], &file["width"], &file["height"], &file["thumbnail_url"]);
        assert_eq!(about, (&json!(media_type), &json!(160), &json!(120), &Value::Null), "{file}");
        assert_eq!(file["duration"], json!(duration), "{name}");
        let kept = fetch(&ada, &file["url"]).await;
        assert_eq!((kept.bytes.len(), kept.header("content-type")), (bytes.len(), media_type));
        assert!(kept.header("content-disposition").starts_with("inline"));
    }
}
