//! Files in a bucket. Needs a server that speaks S3 at `NATTER_TEST_S3_ENDPOINT`, such as moto's, that lets
//! anybody make a bucket; without one it says so and is passed over.

use super::{fetch, fetch_with, picture, send};
use crate::common::TestServer;
use image::ImageFormat;
use natter_server::config::{Bucket, Storage};
use serde_json::Value;

#[tokio::test]
async fn files_are_kept_in_a_bucket() {
    let Ok(endpoint) = std::env::var("NATTER_TEST_S3_ENDPOINT") else {
        eprintln!("PASSED OVER: no S3 server; NATTER_TEST_S3_ENDPOINT names one, see CONTRIBUTING.md");
        return;
    };
    let name = format!("natter-{}", natter::UploadId::generate());
    let bucket_url = format!("{endpoint}/{name}");
    let http = reqwest::Client::new();
    assert!(http.put(&bucket_url).send().await.unwrap().status().is_success());
    let bucket = Bucket {
        name,
        prefix: "chat/files".into(),
        endpoint: Some(endpoint),
        region: None,
        access_key: "key".into(),
        secret_key: "secret".into(),
    };
    let server = TestServer::start_with(|config| config.uploads.storage = Storage::Bucket(bucket)).await;
    let ada = server.register("ada").await;
    let channel = ada.create_channel("general").await;
    let keys = async || {
        let list = http.get(format!("{bucket_url}?list-type=2")).send().await.unwrap().text().await.unwrap();
        let keys = list.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };

    // Longer than one part.
    let long: Vec<u8> = (0..19_000_000_u32).map(|n| u8::try_from(n % 253).unwrap()).collect();
    let file = ada.upload("long.bin", &long).await;
    let photo = ada.upload("photo.jpg", &picture(1_000, 500, ImageFormat::Jpeg)).await;
    assert!(fetch(&ada, &file["url"]).await.bytes == long);
    let part = fetch_with(&ada, "GET", &file["url"], &[("range", "bytes=8388600-8388700")]).await;
    assert_eq!((part.status, part.bytes), (206, long[8_388_600..=8_388_700].to_vec()));
    assert_eq!(fetch(&ada, &photo["thumbnail_url"]).await.header("content-type"), "image/jpeg");
    let id = |upload: &Value| format!("chat/files/{}", upload["id"].as_str().unwrap());
    let mut expected = vec![id(&file), id(&photo), format!("{}.thumbnail", id(&photo))];
    expected.sort();
    assert_eq!(keys().await, expected);

    let message = send(&ada, channel, "", &[&file, &photo]).await;
    ada.does("DELETE", &format!("/messages/{}", message["id"].as_str().unwrap()), Value::Null).await;
    while !keys().await.is_empty() {
        tokio::task::yield_now().await;
    }
}
