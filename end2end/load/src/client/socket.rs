//! A WebSocket to a node, opened with a bounded wait.

use super::Plan;
use futures::{SinkExt as _, StreamExt as _};
use natter::wire::ServerFrame;
use serde::Serialize;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, header::AUTHORIZATION},
    },
};

const WITHIN: Duration = Duration::from_secs(5);

pub struct Socket(WebSocketStream<TcpStream>);

/// How an attempt to connect failed.
pub enum Failure {
    /// The server doesn't want this session any more.
    Unwanted,
    Other,
}

/// What came of reading.
pub enum Heard {
    Frame(Box<ServerFrame>),
    /// Something that concerns nobody: a WebSocket ping, a frame of an unknown type.
    Nothing,
    End(Option<u16>),
}

impl Socket {
    pub async fn open(plan: &Plan, node: &str) -> Result<Self, Failure> {
        timeout(WITHIN, Self::connect(plan, node)).await.unwrap_or(Err(Failure::Other))
    }

    async fn connect(plan: &Plan, node: &str) -> Result<Self, Failure> {
        let host = node.trim_start_matches("http://");
        let stream = tcp(host, plan.receive_buffer).await.map_err(|_| Failure::Other)?;
        let mut request = format!("ws://{host}/api/v1/ws").into_client_request().map_err(|_| Failure::Other)?;
        let token = HeaderValue::from_str(&format!("Bearer {}", plan.person.token)).map_err(|_| Failure::Unwanted)?;
        request.headers_mut().insert(AUTHORIZATION, token);
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) if answer.status() == 401 => Err(Failure::Unwanted),
            Err(_) => Err(Failure::Other),
        }
    }

    /// Nothing is lost when this is dropped while it waits.
    pub async fn hear(&mut self) -> Heard {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => {
                ServerFrame::parse(text.as_bytes()).map_or(Heard::Nothing, |frame| Heard::Frame(Box::new(frame)))
            }
            Some(Ok(Message::Close(close))) => Heard::End(close.map(|close| close.code.into())),
            Some(Ok(_)) => Heard::Nothing,
            Some(Err(_)) | None => Heard::End(None),
        }
    }

    /// False when the connection is gone, or takes nothing any more.
    pub async fn say(&mut self, frame: &impl Serialize) -> bool {
        let Ok(json) = serde_json::to_string(frame) else { return false };
        matches!(timeout(WITHIN, self.0.send(Message::text(json))).await, Ok(Ok(())))
    }
}

async fn tcp(host: &str, receive_buffer: Option<u32>) -> io::Result<TcpStream> {
    let address: SocketAddr = host.parse().map_err(io::Error::other)?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
