use super::{chunk, fetch, on_disk, picture};
use crate::common::{TestServer, answer, dot};
use image::ImageFormat;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The beginning of a PNG that says it is so large.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let head = chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), b"\x08\x02\0\0\0"].concat());
    [&b"\x89PNG\r\n\x1a\n"[..], &head, &chunk(b"IDAT", b"")].concat()
}

#[tokio::test]
async fn a_picture_of_50_000_by_50_000_pixels_is_refused_before_it_is_decoded() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    for (width, height) in [(50_000, 50_000), (12_001, 10), (10_000, 5_001)] {
        let (status, problem) = ada.try_upload("bomb.png", &claiming(width, height)).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("file")), "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("12,000 pixels") && detail.contains(&format!("{width} × {height}")), "{detail}");
    }
    assert_eq!(on_disk(&server).len(), 0);
}

#[tokio::test]
async fn what_only_begins_like_a_picture_is_refused() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let whole = picture(200, 200, ImageFormat::Png);
    for bytes in [
        &b"GIF89a/*<script>alert(1)</script>*/"[..],
        &whole[..whole.len() / 2],
        b"\xff\xd8\xff\xe0 hello",
        &claiming(0, 0),
    ] {
        let (status, problem) = ada.try_upload("a.png", bytes).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("file")), "{problem}");
    }
    assert_eq!(on_disk(&server).len(), 0);
}

#[tokio::test]
async fn what_could_run_is_a_download_in_a_sandbox() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(document.cookie)</script></svg>";
    for (name, bytes) in [
        ("cat.svg", svg),
        ("cat.png", "<!DOCTYPE html><script>alert(1)</script>"),
        ("page.html", "  <html><body onload=alert(1)>"),
        ("feed.xml", "<?xml version=\"1.0\"?><a xmlns:html=\"http://www.w3.org/1999/xhtml\"/>"),
    ] {
        let file = ada.upload(name, bytes.as_bytes()).await;
        assert_eq!((&file["media_type"], file.get("thumbnail_url")), (&json!("application/octet-stream"), None));
        let got = fetch(&ada, &file["url"]).await;
        assert_eq!((got.status, got.bytes.as_slice()), (200, bytes.as_bytes()), "as it came");
        assert_eq!(got.header("content-type"), "application/octet-stream");
        assert_eq!(got.header("content-disposition"), format!("attachment; filename*=UTF-8''{name}"));
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        let policy = got.header("content-security-policy");
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(got.header("cross-origin-resource-policy"), "same-origin");
    }
    let text = ada.upload("notes.html", b"just words").await;
    let got = fetch(&ada, &text["url"]).await;
    assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    assert!(got.header("content-disposition").starts_with("attachment"));
}

#[tokio::test]
async fn what_a_file_is_said_to_be_is_not_believed() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>";
    for (claim, bytes, kept, shown) in [
        ("image/png", &page[..], "application/octet-stream", "attachment"),
        ("image/svg+xml", page, "application/octet-stream", "attachment"),
        ("text/html", &dot(), "image/png", "inline"),
        ("video/mp4", b"just words", "text/plain", "attachment"),
    ] {
        let head = format!(
            "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\ncontent-type: {claim}\r\n\r\n"
        );
        let request =
            ada.request(reqwest::Method::POST, "/uploads").body([head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat());
        let (status, file) = answer(request.header("content-type", "multipart/form-data; boundary=b")).await;
        assert_eq!((status, &file["media_type"]), (201, &json!(kept)), "{claim}: {file}");
        let got = fetch(&ada, &file["url"]).await;
        assert!(got.header("content-type").starts_with(kept), "{claim}");
        assert!(got.header("content-disposition").starts_with(shown), "{claim}");
    }
}

#[tokio::test]
async fn a_name_leads_nowhere_else() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    for (name, kept) in [
        ("../../../natter.db", "natter.db"),
        ("..\\\\..\\\\signing.key", "signing.key"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        ("a\u{202E}gnp.exe", "agnp.exe"),
        ("thumbnail", "thumbnail_"),
    ] {
        let file = ada.upload(name, &dot()).await;
        assert_eq!((&file["filename"], &file["media_type"]), (&json!(kept), &json!("image/png")), "{name}");
        assert_eq!(fetch(&ada, &file["url"]).await.header("content-type"), "image/png");
    }
    let ids = on_disk(&server);
    let plain =
        |name: &String| name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') || name.ends_with(".thumbnail");
    assert!(ids.len() == 12 && ids.iter().all(plain), "names never reach the disk: {ids:?}");
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let server = TestServer::start_with(|config| {
        config.uploads.file_max = 1_000_000;
        config.uploads.video_max = 1_000_000;
    })
    .await;
    let ada = server.register("ada").await;
    for field in ["file", "other"] {
        let stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let head = format!(
            "POST /api/v1/uploads HTTP/1.1\r\nhost: natter\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\
             content-type: multipart/form-data; boundary=b\r\n\r\n",
            ada.token
        );
        let begin = format!("--b\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n");
        let begin = format!("{head}{:x}\r\n{begin}\r\n", begin.len());
        let endless = tokio::spawn(async move {
            write.write_all(begin.as_bytes()).await?;
            let chunk = [&b"10000\r\n"[..], &vec![b'x'; 0x10000], b"\r\n"].concat();
            loop {
                write.write_all(&chunk).await?;
            }
            #[expect(unreachable_code, reason = "says what the block answers")]
            Ok::<(), std::io::Error>(())
        });
        let mut answer = vec![0; 12];
        read.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413", "{field}");
        endless.await.unwrap().unwrap_err();
    }
    assert_eq!(on_disk(&server).len(), 0);
    let (_, problem) = ada.try_upload("a", &vec![0; 1_100_000]).await;
    assert_eq!(problem["code"], "too_large", "said beforehand: {problem}");
}

#[tokio::test]
async fn whoever_hangs_up_in_the_middle_leaves_nothing() {
    let server = TestServer::start().await;
    let ada = server.register("ada").await;
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nhost: natter\r\nauthorization: Bearer {}\r\ncontent-length: 1000000\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nhalf",
        ada.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    // One that comes after it, and is done.
    let file = ada.upload("a.txt", b"hello").await;
    assert_eq!(on_disk(&server).into_iter().collect::<Vec<_>>(), [file["id"].as_str().unwrap()]);
    assert_eq!(server.store().await.uploaded_bytes(ada.id()).await.unwrap(), 5);
}
