//! What one connection is sent: straight to its socket while that takes it, else in a bounded queue.

use super::Frame;
use bytes::{Buf as _, Bytes};
use futures::task::AtomicWaker;
use natter::wire::close;
use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, ErrorKind, IoSlice},
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// What waits for one connection, at most; past either, the reader is too slow and is let go.
const MAX_FRAMES: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;
/// Frames handed to the system in one call.
const AT_ONCE: usize = 64;

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    TooSlow,
    SessionEnded,
    GoingAway,
    /// The socket takes nothing any more: there is nobody to be told.
    Broken,
}

impl Closed {
    pub const fn code(self) -> u16 {
        match self {
            Self::TooSlow => close::TOO_SLOW,
            Self::SessionEnded => close::NOT_ALLOWED,
            Self::GoingAway | Self::Broken => close::GOING_AWAY,
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooSlow => "too slow: reconnect and sync",
            Self::SessionEnded => "session ended",
            Self::GoingAway | Self::Broken => "going away: reconnect",
        }
    }
}

#[derive(Default)]
struct Waiting {
    /// What the socket hasn't taken yet; of the first perhaps only the rest.
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// A part of the first is with the socket: the rest has to follow, whatever happens.
    begun: bool,
    /// How much of both are the connection's own answers, which may be as large as they are.
    own: (usize, usize),
    /// Since when something has been waiting.
    since: Option<Instant>,
    /// The first frame hasn't been said yet: all others wait for it.
    held: bool,
    closed: Option<Closed>,
}

/// The sending side of one connection. Anybody may push to it; the connection's own task alone waits
/// for what had to wait.
pub struct Outbox {
    stream: TcpStream,
    waiting: Mutex<Waiting>,
    task: AtomicWaker,
}

impl Outbox {
    /// Nothing goes out before [`begin`](Self::begin).
    pub fn new(stream: TcpStream) -> Self {
        let waiting = Mutex::new(Waiting { held: true, ..Waiting::default() });
        Self { stream, waiting, task: AtomicWaker::new() }
    }

    /// The socket, to read from.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends frames, or queues them, or closes the connection as too slow. Never waits.
    pub fn push(&self, frames: &[Frame]) {
        if self.with(|waiting| waiting.push(&self.stream, frames.iter().map(Frame::bytes))) {
            self.task.wake();
        }
    }

    /// Sends the connection's first frame, and after it what has been pushed meanwhile.
    pub fn begin(&self, first: &Frame) {
        self.with(|waiting| {
            if waiting.closed.is_none() {
                waiting.held = false;
                waiting.own = (waiting.own.0 + 1, waiting.own.1 + first.len());
                waiting.bytes += first.len();
                waiting.frames.push_front(first.bytes().clone());
                waiting.since = Some(Instant::now());
                // What goes wrong closes it.
                let _ = waiting.send(&self.stream);
            }
        });
    }

    /// Sends the connection's own answers; how many of them wait is for its task to bound.
    pub fn say(&self, frames: &[Frame]) {
        self.with(|waiting| {
            let before = (waiting.frames.len(), waiting.bytes);
            waiting.send_or_queue(&self.stream, frames.iter().map(Frame::bytes));
            waiting.own.0 += waiting.frames.len().saturating_sub(before.0);
            waiting.own.1 += waiting.bytes.saturating_sub(before.1);
        });
    }

    /// Sends a control frame, also when the connection is being closed.
    pub fn control(&self, frame: Bytes) {
        let news = self.with(|waiting| {
            if waiting.closed == Some(Closed::Broken) {
                return false;
            }
            let before = waiting.closed.take();
            let news = waiting.push(&self.stream, std::iter::once(&frame));
            waiting.closed = before.or(waiting.closed);
            news
        });
        // It comes while something is read: the task may have looked already whether anything waits.
        if news {
            self.task.wake();
        }
    }

    /// Ends the connection; what was still queued is not delivered.
    pub fn close(&self, why: Closed) {
        if self.with(|waiting| waiting.close(why)) {
            self.task.wake();
        }
    }

    /// Ends the connection if anything is still queued: some of it may be what its reader may not see any
    /// more. Whoever has got it all goes on.
    pub fn close_if_waiting(&self, why: Closed) {
        if self.with(|waiting| !waiting.frames.is_empty() && waiting.close(why)) {
            self.task.wake();
        }
    }

    /// Whether, and why, the connection is to end.
    pub fn is_closed(&self) -> Option<Closed> {
        self.with(|waiting| waiting.closed)
    }

    /// Whether something has been waiting for so long.
    pub fn is_stuck_for(&self, time: Duration) -> bool {
        self.with(|waiting| waiting.since.is_some_and(|since| since.elapsed() >= time))
    }

    /// Sends what waits whenever the socket takes it, until the connection is to end.
    pub async fn ended(&self) -> Closed {
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(Err(closed)) => Poll::Ready(closed),
            _ => Poll::Pending,
        })
        .await
    }

    /// Waits until nothing waits any more, or the connection is to end.
    pub async fn sent(&self) -> Result<(), Closed> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Waits until nothing waits any more, although the connection is to end.
    pub async fn rest_sent(&self) {
        poll_fn(|cx| self.poll_rest(cx).map(|_| ())).await;
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        // First the waker, then the look: what comes between wakes.
        self.task.register(cx.waker());
        if let Some(closed) = self.is_closed() {
            return Poll::Ready(Err(closed));
        }
        self.poll_rest(cx).map_err(|_| Closed::Broken)
    }

    fn poll_rest(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.with(|waiting| waiting.send(&self.stream))? {
            ready!(self.stream.poll_write_ready(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        // A panic while holding the lock can't leave the queue half changed.
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Waiting {
    /// True when the connection's task has to know.
    fn push<'a>(&mut self, stream: &TcpStream, frames: impl Iterator<Item = &'a Bytes> + Clone) -> bool {
        let news = self.send_or_queue(stream, frames);
        let frames = self.frames.len().saturating_sub(self.own.0);
        let bytes = self.bytes.saturating_sub(self.own.1);
        if frames > MAX_FRAMES || bytes > MAX_BYTES {
            self.close(Closed::TooSlow);
            return true;
        }
        news
    }

    /// The same, without a bound.
    fn send_or_queue<'a>(&mut self, stream: &TcpStream, frames: impl Iterator<Item = &'a Bytes> + Clone) -> bool {
        if self.closed.is_some() {
            return false;
        }
        let mut written = 0;
        let idle = self.frames.is_empty() && !self.held;
        if idle {
            let Ok(bytes) = write(stream, frames.clone()) else {
                self.close(Closed::Broken);
                return true;
            };
            written = bytes;
        }
        for frame in frames {
            if written >= frame.len() {
                written -= frame.len();
                continue;
            }
            self.begun |= written > 0;
            let rest = frame.slice(std::mem::take(&mut written)..);
            self.bytes += rest.len();
            self.frames.push_back(rest);
        }
        let waits = idle && !self.frames.is_empty();
        if waits {
            self.since = Some(Instant::now());
        }
        waits
    }

    /// False if it was closed already.
    fn close(&mut self, why: Closed) -> bool {
        if self.closed.is_some() {
            return false;
        }
        self.closed = Some(why);
        self.held = false;
        self.frames.truncate(usize::from(self.begun && why != Closed::Broken));
        self.bytes = self.frames.iter().map(Bytes::len).sum();
        self.own = (0, 0);
        true
    }

    /// Hands to the socket what it takes; true when nothing is left.
    fn send(&mut self, stream: &TcpStream) -> io::Result<bool> {
        while !self.frames.is_empty() {
            let mut written = match write(stream, self.frames.iter()) {
                Ok(written) => written,
                Err(error) => {
                    self.close(Closed::Broken);
                    self.frames.clear();
                    return Err(error);
                }
            };
            if written == 0 {
                return Ok(false);
            }
            self.bytes -= written;
            self.begun = false;
            while let Some(frame) = self.frames.front_mut().filter(|_| written > 0) {
                if written < frame.len() {
                    frame.advance(std::mem::take(&mut written));
                    self.begun = true;
                } else {
                    written -= frame.len();
                    self.frames.pop_front();
                }
            }
        }
        // An idle connection keeps no memory for it.
        *self = Self { closed: self.closed, ..Self::default() };
        Ok(true)
    }
}

/// Writes what the socket takes right now of these; answers how many bytes that was.
fn write<'a>(stream: &TcpStream, mut frames: impl Iterator<Item = &'a Bytes>) -> io::Result<usize> {
    let mut written = 0;
    loop {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let (mut count, mut wanted) = (0, 0);
        for (slice, frame) in slices.iter_mut().zip(&mut frames) {
            *slice = IoSlice::new(frame);
            count += 1;
            wanted += frame.len();
        }
        let taken = match slices.get(..count) {
            None | Some([]) => return Ok(written),
            Some([one]) => stream.try_write(one),
            Some(several) => stream.try_write_vectored(several),
        };
        match taken {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(taken) => {
                written += taken;
                if taken < wanted {
                    return Ok(written);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(written),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
