//! `GET /metrics`: what it says, and to whom.

use crate::common::{Person, TestServer};
use serde_json::json;

async fn metrics(server: &TestServer, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = server.http.get(format!("{}/metrics", server.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The value of one series, by how its line begins.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn figures_follow_what_happens() {
    let (server, ada, mira, channel) = TestServer::with_channel().await;
    let mut socket = mira.connect().await;
    ada.post(channel, "counted, but not shown").await;
    socket.next("message").await;
    socket.send(channel, "another").await;
    socket.next("ack").await;
    assert_eq!(ada.get("/nowhere-in-particular").await.0, 404);
    let (status, text) = metrics(&server, &[]).await;
    assert_eq!(status, 200);
    for (series, least) in [
        ("natter_connections", 1.0),
        ("natter_people_online", 1.0),
        ("natter_messages_stored_total", 2.0),
        ("natter_frames_delivered_total", 2.0),
        ("natter_frames_received_total", 1.0),
        ("natter_commit_seconds_count", 2.0),
        ("natter_commit_messages_sum", 2.0),
        (r#"natter_http_requests_total{method="POST",route="/api/v1/channels/{id}/messages",status="201"}"#, 1.0),
        (r#"natter_http_request_seconds_count{method="POST",route="/api/v1/channels/{id}/messages"}"#, 1.0),
    ] {
        assert!(value(&text, series) >= least, "{series}: {}", value(&text, series));
    }
    if cfg!(target_os = "linux") {
        assert!(value(&text, "process_resident_memory_bytes") > 1e6 && value(&text, "process_open_fds") > 3.0);
        assert!(value(&text, "process_cpu_seconds_total") > 0.0);
    }
    let id = channel.to_string();
    for secret in ["counted, but", "mira", "nowhere-in-particular", id.as_str()] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    drop(socket);
    for _ in 0..100 {
        if value(&metrics(&server, &[]).await.1, "natter_connections") == 0.0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (_, text) = metrics(&server, &[]).await;
    assert!(value(&text, "natter_connections") == 0.0);
    assert!(value(&text, r#"natter_connections_ended_total{code="1006"}"#) >= 1.0);
}

#[tokio::test]
async fn figures_are_for_admins_this_machine_and_who_has_the_token() {
    let token = "of the monitoring system";
    let server = TestServer::start_with(|config| config.metrics_token = Some(token.into())).await;
    let (ada, mira) = (server.register("ada").await, server.register("mira").await);
    let bearer = |person: &Person| format!("Bearer {}", person.token);
    // A proxy on this machine asks for somebody elsewhere.
    let elsewhere = ("x-forwarded-for", "192.0.2.7");
    assert_eq!(metrics(&server, &[]).await.0, 200);
    for (header, status) in [
        (None, 401),
        (Some("Bearer something else entirely".to_owned()), 401),
        (Some(bearer(&mira)), 403),
        (Some(bearer(&ada)), 200),
        (Some(format!("Bearer {token}")), 200),
    ] {
        let mut headers = vec![elsewhere];
        headers.extend(header.as_deref().map(|header| ("authorization", header)));
        let (answered, text) = metrics(&server, &headers).await;
        assert_eq!(answered, status, "{header:?}");
        assert_eq!(text.contains("natter_connections"), status == 200, "{header:?}");
    }
    for name in ["forwarded", "via", "x-real-ip", "x-forwarded-host"] {
        assert_eq!(metrics(&server, &[(name, "for=192.0.2.7")]).await.0, 401, "{name}");
    }
    ada.does("PATCH", &format!("/users/{}", mira.id()), json!({ "role": "admin" })).await;
    assert_eq!(metrics(&server, &[elsewhere, ("authorization", &bearer(&mira))]).await.0, 200);
}
