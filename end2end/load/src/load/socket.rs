//! A connection that costs little: no buffer of its own while nothing is on its way.

use super::frame::{BadFrame, Frame, Inbox, pong, text};
use natter::wire::{ClientFrame, ServerFrame};
use std::{cell::RefCell, io, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
    time::timeout,
};

/// What a thread reads into, for whichever of its connections has something.
const BUFFER: usize = 64 * 1024;
const HEAD_MAX: usize = 8 * 1024;
const OPEN_WITHIN: Duration = Duration::from_mins(1);

thread_local! {
    static INTO: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the server answered {0}")]
    Refused(String),
    #[error("nothing came within {} s", OPEN_WITHIN.as_secs())]
    Late,
    #[error(transparent)]
    Frame(#[from] BadFrame),
    #[error("it closed at once ({0:?})")]
    Closed(Option<u16>),
    #[error("its first frame wasn't `ready`")]
    NotReady,
}

pub struct Socket {
    reader: OwnedReadHalf,
    writer: Writer,
    inbox: Inbox,
}

/// Writes whole frames; shared between whoever sends and the reader, who answers pings.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<OwnedWriteHalf>>);

impl Writer {
    pub async fn send(&self, frame: &ClientFrame) -> io::Result<()> {
        self.raw(&text(serde_json::to_string(frame)?.as_bytes())).await
    }

    pub async fn raw(&self, frame: &[u8]) -> io::Result<()> {
        self.0.lock().await.write_all(frame).await
    }
}

/// What reading led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Some,
    Closed(Option<u16>),
}

impl Socket {
    /// Connects to a node and waits for `ready`.
    pub async fn open(server: &str, token: &str) -> Result<(Self, ServerFrame), OpenError> {
        timeout(OPEN_WITHIN, Self::shake_hands(server, token)).await.unwrap_or(Err(OpenError::Late))
    }

    async fn shake_hands(server: &str, token: &str) -> Result<(Self, ServerFrame), OpenError> {
        let host = server.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bmF0dGVyIGxvYWQgdG9vbA==\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let (reader, writer) = stream.into_split();
        let early = head(&reader).await?;
        let mut socket = Self { reader, writer: Writer(Arc::new(Mutex::new(writer))), inbox: Inbox::default() };
        let mut first = None;
        let keep = |first: &mut Option<_>, frame: Frame<'_>| match frame {
            Frame::Text(text) if first.is_none() => *first = Some(ServerFrame::parse(text)),
            _ => {}
        };
        socket.inbox.feed(&early, |frame| keep(&mut first, frame))?;
        while first.is_none() {
            if let Read::Closed(code) = socket.read(|text| keep(&mut first, Frame::Text(text))).await? {
                return Err(OpenError::Closed(code));
            }
        }
        match first {
            Some(Ok(ready @ ServerFrame::Ready { .. })) => Ok((socket, ready)),
            _ => Err(OpenError::NotReady),
        }
    }

    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Waits until something comes and hands over each text in it.
    pub async fn read(&mut self, mut on: impl FnMut(&[u8])) -> io::Result<Read> {
        self.reader.readable().await?;
        let (mut ping, mut end) = (None, None);
        let read = INTO.with_borrow_mut(|buffer| {
            let read = self.reader.try_read(buffer)?;
            let fed = self.inbox.feed(&buffer[..read], |frame| match frame {
                Frame::Text(text) => on(text),
                Frame::Ping(payload) => ping = Some(pong(payload)),
                Frame::Close(code) => end = Some(code),
                Frame::Other => {}
            });
            fed.map_err(io::Error::other).map(|()| read)
        });
        if let Some(pong) = ping {
            self.writer.raw(&pong).await?;
        }
        match (end, read) {
            (Some(code), _) => Ok(Read::Closed(code)),
            (None, Ok(0)) => Ok(Read::Closed(None)),
            (None, Ok(_)) => Ok(Read::Some),
            (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Some),
            (None, Err(error)) => Err(error),
        }
    }
}

/// Reads the answer's head; what follows it belongs to the WebSocket.
async fn head(reader: &OwnedReadHalf) -> Result<Vec<u8>, OpenError> {
    let mut read = Vec::new();
    loop {
        reader.readable().await?;
        match reader.try_read_buf(&mut read) {
            Ok(0) => return Err(OpenError::Refused("nothing, and hung up".into())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let line = read.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line).into_owned();
            return if line.contains(" 101 ") { Ok(read.split_off(end + 4)) } else { Err(OpenError::Refused(line)) };
        }
        if read.len() > HEAD_MAX {
            return Err(OpenError::Refused("a head without end".into()));
        }
    }
}
