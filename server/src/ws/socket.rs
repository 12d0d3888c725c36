//! The receiving side of a connection: tungstenite reads, and answers pings and the closing handshake
//! through the connection's [`Outbox`].

use crate::hub::{Closed, Outbox};
use bytes::Bytes;
use natter::input::FRAME_MAX_BYTES;
use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio_tungstenite::tungstenite::{
    Error, Message, WebSocket,
    protocol::{CloseFrame, Role, WebSocketConfig},
};

/// Chat frames are small; a larger buffer would be most of what an idle connection costs.
const BUFFER: usize = 512;

pub struct Socket(WebSocket<Wire>);

impl Socket {
    pub fn new(early: Vec<u8>, outbox: Arc<Outbox>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(FRAME_MAX_BYTES))
            .max_frame_size(Some(FRAME_MAX_BYTES));
        Self(WebSocket::from_partially_read(Wire(outbox), early, Role::Server, Some(config)))
    }

    /// The next message. After an error there is none any more.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        loop {
            match self.0.read() {
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.0.get_ref().0.stream().poll_read_ready(cx))?;
                }
                read => return Poll::Ready(read),
            }
        }
    }

    pub fn ping(&mut self) -> Result<(), Error> {
        self.0.send(Message::Ping(Bytes::new()))
    }

    /// Begins the closing handshake, or goes on with it.
    pub fn close(&mut self, frame: CloseFrame) -> Result<(), Error> {
        self.0.close(Some(frame))
    }
}

struct Wire(Arc<Outbox>);

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.stream().try_read(buffer)
    }
}

/// Takes whole frames, and those at once: what the socket has no room for waits in the outbox, in its bounds.
impl Write for Wire {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        if self.0.is_closed() == Some(Closed::Broken) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.0.control(Bytes::copy_from_slice(frame));
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
