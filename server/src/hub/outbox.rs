use axum::extract::ws::Utf8Bytes;
use futures::task::AtomicWaker;
use natter::wire::close;
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Mutex,
    task::{Context, Poll},
};

/// What waits for one connection, at most; past either, the reader is too slow and is let go.
const MAX_FRAMES: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    TooSlow,
    SessionEnded,
    GoingAway,
}

impl Closed {
    pub const fn code(self) -> u16 {
        match self {
            Self::TooSlow => close::TOO_SLOW,
            Self::SessionEnded => close::NOT_ALLOWED,
            Self::GoingAway => close::GOING_AWAY,
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooSlow => "too slow: reconnect and sync",
            Self::SessionEnded => "session ended",
            Self::GoingAway => "going away: reconnect",
        }
    }
}

/// Frames ready to be sent. Each is serialised once and shared by all its receivers.
pub type Frames = VecDeque<Utf8Bytes>;

#[derive(Default)]
struct Waiting {
    frames: Frames,
    bytes: usize,
    closed: Option<Closed>,
}

/// The bounded queue between the hub and one socket, whose task alone waits for it.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    reader: AtomicWaker,
}

impl Outbox {
    /// Queues frames, or closes the connection as too slow. Never waits.
    pub fn push(&self, frames: &[Utf8Bytes]) {
        self.with(|waiting| {
            if waiting.closed.is_some() {
                return;
            }
            waiting.bytes += frames.iter().map(|frame| frame.len()).sum::<usize>();
            waiting.frames.extend(frames.iter().cloned());
            if waiting.frames.len() > MAX_FRAMES || waiting.bytes > MAX_BYTES {
                *waiting = Waiting { closed: Some(Closed::TooSlow), ..Waiting::default() };
            }
        });
        self.reader.wake();
    }

    /// Ends the connection; what was still queued is not delivered.
    pub fn close(&self, why: Closed) {
        self.with(|waiting| {
            if waiting.closed.is_none() {
                *waiting = Waiting { closed: Some(why), ..Waiting::default() };
            }
        });
        self.reader.wake();
    }

    /// Waits for frames and takes all there are, or says why the connection ends.
    pub async fn take(&self) -> Result<Frames, Closed> {
        poll_fn(|cx| self.poll_take(cx)).await
    }

    fn poll_take(&self, cx: &Context<'_>) -> Poll<Result<Frames, Closed>> {
        // First the waker, then the look: what comes between wakes.
        self.reader.register(cx.waker());
        self.with(|waiting| match waiting.closed {
            Some(why) => Poll::Ready(Err(why)),
            None if waiting.frames.is_empty() => Poll::Pending,
            None => {
                waiting.bytes = 0;
                Poll::Ready(Ok(std::mem::take(&mut waiting.frames)))
            }
        })
    }

    /// Whether, and why, the connection is to end.
    pub fn is_closed(&self) -> Option<Closed> {
        self.with(|waiting| waiting.closed)
    }

    /// Waits until the connection is to end. For while a write is stuck.
    pub async fn closed(&self) -> Closed {
        poll_fn(|cx| {
            self.reader.register(cx.waker());
            self.is_closed().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn with<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        // A panic while holding the lock can't leave the queue half changed.
        change(&mut self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_out_in_order_and_all_at_once() {
        let outbox = Outbox::default();
        outbox.push(&["a".into()]);
        outbox.push(&["b".into()]);
        assert_eq!(outbox.take().await.unwrap(), ["a", "b"].map(Utf8Bytes::from));
        outbox.push(&["c".into()]);
        assert_eq!(outbox.take().await.unwrap(), ["c"].map(Utf8Bytes::from));
    }

    #[tokio::test]
    async fn one_frame_too_many_closes_as_too_slow() {
        let outbox = Outbox::default();
        for _ in 0..MAX_FRAMES {
            outbox.push(&["x".into()]);
        }
        assert_eq!(outbox.take().await.unwrap().len(), MAX_FRAMES);
        for _ in 0..=MAX_FRAMES {
            outbox.push(&["x".into()]);
        }
        assert_eq!(outbox.take().await.unwrap_err(), Closed::TooSlow);
        assert_eq!(outbox.closed().await, Closed::TooSlow);
    }

    #[tokio::test]
    async fn a_megabyte_waiting_closes_as_too_slow() {
        let outbox = Outbox::default();
        let frame = Utf8Bytes::from("x".repeat(64 * 1024));
        for _ in 0..17 {
            outbox.push(std::slice::from_ref(&frame));
        }
        assert_eq!(outbox.take().await.unwrap_err(), Closed::TooSlow);
    }

    #[tokio::test]
    async fn closing_drops_what_was_queued_and_the_first_reason_stays() {
        let outbox = Outbox::default();
        outbox.push(&["secret".into()]);
        outbox.close(Closed::SessionEnded);
        outbox.close(Closed::GoingAway);
        assert_eq!(outbox.take().await.unwrap_err(), Closed::SessionEnded);
    }
}
