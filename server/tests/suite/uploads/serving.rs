use super::{fetch, fetch_with, picture};
use crate::common::{TestServer, answer};
use image::ImageFormat;
use serde_json::{Value, json};

#[tokio::test]
async fn parts_of_a_file_are_served() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let file = ada.upload("numbers", &bytes).await;
    let url = &file["url"];
    let whole = fetch(&ada, url).await;
    assert_eq!((whole.status, &whole.bytes), (200, &bytes));
    assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", "100000"));
    assert_eq!(whole.header("cache-control"), "private, no-cache");
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=10-19", 10..20),
        ("bytes=99990-", 99_990..100_000),
        ("bytes=-5", 99_995..100_000),
        // All of it is a part, too, for whoever asks for one: so a browser learns that it can jump.
        ("bytes=0-", 0..100_000),
        ("bytes=0-99999", 0..100_000),
        ("bytes=0-999999", 0..100_000),
        ("bytes=-100000", 0..100_000),
    ] {
        let part = fetch_with(&ada, "GET", url, &[("range", range)]).await;
        assert_eq!((part.status, part.bytes == bytes[expected.clone()]), (206, true), "{range}");
        let place = format!("bytes {}-{}/100000", expected.start, expected.end - 1);
        assert_eq!((part.header("content-range"), part.header("etag")), (place.as_str(), whole.header("etag")));
        assert_eq!(part.header("content-length"), expected.len().to_string());
    }
    let behind = fetch_with(&ada, "GET", url, &[("range", "bytes=100000-")]).await;
    assert_eq!((behind.status, behind.header("content-range")), (416, "bytes */100000"));
    let several = fetch_with(&ada, "GET", url, &[("range", "bytes=0-1,5-6")]).await;
    assert_eq!((several.status, several.bytes.len()), (200, 100_000));
    let other = fetch_with(&ada, "GET", url, &[("range", "bytes=0-1"), ("if-range", "\"another\"")]).await;
    assert_eq!((other.status, other.bytes.len()), (200, 100_000));
    let same = [("range", "bytes=0-1"), ("if-range", whole.header("etag"))];
    assert_eq!(fetch_with(&ada, "GET", url, &same).await.status, 206);
    let known = fetch_with(&ada, "GET", url, &[("if-none-match", whole.header("etag"))]).await;
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    for headers in [&[][..], &[("range", "bytes=0-")], &[("range", "bytes=5-9")]] {
        let head = fetch_with(&ada, "HEAD", url, headers).await;
        assert_eq!((head.status, head.header("content-length"), head.bytes.len()), (200, "100000", 0));
        assert_eq!(head.header("content-range"), "", "only GET has parts");
    }
}

#[tokio::test]
async fn thumbnails_are_served_in_parts_too() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let file = ada.upload("a.jpg", &picture(900, 300, ImageFormat::Jpeg)).await;
    let whole = fetch(&ada, &file["thumbnail_url"]).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, "image/jpeg"));
    let part = fetch_with(&ada, "GET", &file["thumbnail_url"], &[("range", "bytes=2-9")]).await;
    assert_eq!((part.status, &part.bytes[..]), (206, &whole.bytes[2..10]));
    let all = fetch_with(&ada, "GET", &file["thumbnail_url"], &[("range", "bytes=0-")]).await;
    assert_eq!((all.status, all.bytes == whole.bytes), (206, true));
    assert_eq!(all.header("content-range"), format!("bytes 0-{}/{}", all.bytes.len() - 1, all.bytes.len()));
    assert_ne!(whole.header("etag"), fetch(&ada, &file["url"]).await.header("etag"));
    let text = ada.upload("a.txt", b"hello").await;
    assert_eq!(text["thumbnail_url"], Value::Null);
    let missing = json!(format!("/api/v1/uploads/{}/thumbnail", text["id"].as_str().unwrap()));
    assert_eq!(fetch(&ada, &missing).await.status, 404);
}

#[tokio::test]
async fn what_isn_t_a_form_with_a_file_is_refused() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let post = |kind: &str, body: &'static str| {
        answer(ada.request(reqwest::Method::POST, "/uploads").header("content-type", kind).body(body))
    };
    for kind in ["application/json", "image/png", "multipart/form-data"] {
        let (status, problem) = post(kind, "{}").await;
        assert_eq!((status, &problem["code"]), (415, &json!("unsupported_media_type")), "{kind}");
    }
    let form = "multipart/form-data; boundary=b";
    let other = "--b\r\ncontent-disposition: form-data; name=\"other\"; filename=\"a\"\r\n\r\nhello\r\n--b--\r\n";
    let empty = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\r\n--b--\r\n";
    let cut_off = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhel";
    for body in [other, empty, cut_off, "--b--\r\n", "nothing like it"] {
        let (status, problem) = post(form, body).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("file")), "{body}: {problem}");
    }
    assert_eq!(super::on_disk(&server).len(), 0);
}

#[tokio::test]
async fn each_kind_has_its_bound_and_everyone_a_quota() {
    let server = TestServer::start_with(|config| {
        config.uploads.file_max = 20_000;
        config.uploads.video_max = 40_000;
        config.uploads.quota = 70_000;
    })
    .await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let mut video = b"\0\0\0\x18ftypisom\0\0\0\0isomiso2\0\0\0\x08moov\0\0\x80\x00mdat".to_vec();
    video.resize(40 + 32_768 - 8, 0);
    let kept = ada.upload("film.mp4", &video).await;
    assert_eq!((&kept["media_type"], &kept["size"]), (&json!("video/mp4"), &json!(video.len())));
    let large = vec![1; 60_000];
    for (bytes, what) in [
        (&large[..], "A file has at most 20 KB."),
        (&[&picture(8, 8, ImageFormat::Png)[..], &large].concat(), "A picture has at most 20 KB."),
        (&[&video[..], &[0; 9_000]].concat(), "A video has at most 40 KB."),
    ] {
        let (status, problem) = ada.try_upload("x", bytes).await;
        assert_eq!((status, &problem["code"], &problem["detail"]), (413, &json!("too_large"), &json!(what)));
    }
    ada.upload("two", &vec![1; 18_000]).await;
    ada.upload("three", &vec![1; 18_000]).await;
    let (status, problem) = ada.try_upload("four", &[1; 2_000]).await;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("70 KB")), (413, true), "{problem}");
    ada.upload("little", &[1; 100]).await;
    mira.upload("hers", &vec![1; 18_000]).await;
}

#[tokio::test]
async fn a_full_disk_or_a_missing_folder_is_told_and_leaves_nothing() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let folder = server.config.data_dir.join("uploads");
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let (status, problem) = ada.try_upload("a.txt", b"hello").await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
    assert_eq!(server.store().await.uploaded_bytes(ada.id()).await.unwrap(), 0);
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    ada.upload("a.txt", b"hello").await;
}
