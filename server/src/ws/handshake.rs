//! The opening handshake (RFC 6455, 4.2). Done here rather than by Axum's extractor, which hides the
//! socket behind a stream of messages: the hub writes to it directly.

use crate::error::ApiError;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What the kernel keeps for a reader, in bytes (it takes twice this). Enough for a burst to somebody far
/// away: at 100 ms, 5 MB a second.
const SEND_BUFFER: usize = 256 * 1024;

/// A request to speak WebSocket from here on.
pub struct Handshake {
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

/// A socket that speaks WebSocket, and what came on it together with the request.
pub struct Upgraded {
    pub stream: TcpStream,
    pub early: Vec<u8>,
}

impl<S: Sync> FromRequestParts<S> for Handshake {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let headers = &parts.headers;
        let asked = has_token(headers, &header::CONNECTION, "upgrade")
            && has_token(headers, &header::UPGRADE, "websocket")
            && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
        let accept =
            headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked).map(|key| derive_accept_key(key.as_bytes()));
        let accept = accept.and_then(|accept| HeaderValue::try_from(accept).ok());
        match accept.zip(parts.extensions.remove::<OnUpgrade>()) {
            Some((accept, upgrade)) => Ok(Self { accept, upgrade }),
            None => Err(ApiError::unreadable("This address takes WebSocket connections only (version 13).")),
        }
    }
}

impl Handshake {
    /// What is answered, in which subprotocol, and the wait for the socket.
    pub fn accept(self, protocol: Option<&'static str>) -> (Response, impl Future<Output = Option<Upgraded>> + Send) {
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        if let Some(protocol) = protocol {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        (response, async move {
            // An error: it hung up first.
            let parts = self.upgrade.await.ok()?.downcast::<TokioIo<TcpStream>>().ok()?;
            let stream = parts.io.into_inner();
            // Else the kernel would hold megabytes for a reader who doesn't read, before anyone notices.
            let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
            // A copy of what there is, mostly nothing: converted, it would be all of hyper's buffer of 8 KiB,
            // and the socket would read into that for as long as it lives.
            Some(Upgraded { stream, early: parts.read_buf.to_vec() })
        })
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|found| found.trim().eq_ignore_ascii_case(token))
}
