//! The body of an upload on its way in. What reads forms keeps all that has come until it makes sense of
//! it; here it gets little at a time, and little in all before there is a file.

use axum::body::{Body, BodyDataStream, Bytes};
use futures::{Stream, StreamExt as _};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// What a form has around its file, and beside it.
pub const FORM_BYTES: usize = 64 * 1024;
/// Before the file, what is handed on at once: its header has to be found before too much of it has come.
const PIECE_BYTES: usize = 8 * 1024;
/// After this long, so many bytes a second have to have come on average: whoever sends a byte now and then
/// would hold a place for nothing.
const SLOW_FOR: Duration = Duration::from_secs(30);
const BYTES_A_SECOND: u64 = 16_000;

/// Why no more of a body is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("there is too much before the file")]
    Form,
    #[error("it comes too slowly")]
    Slow,
    #[error("it didn't arrive whole")]
    Broken,
}

pub struct Incoming {
    body: BodyDataStream,
    /// What has come and isn't handed on yet.
    rest: Bytes,
    before_the_file: usize,
    arrived: u64,
    waited: Waited,
    slow_for: Duration,
    file: FileBegun,
    /// A breath is taken after each piece: a body that comes quickly would be taken whole otherwise.
    breathe: bool,
}

/// For the other side alone: what we do with what has come isn't their slowness.
#[derive(Default)]
struct Waited {
    before: Duration,
    since: Option<Instant>,
}

impl Waited {
    fn so_far(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Says that from here on it is the file.
#[derive(Clone, Default)]
pub struct FileBegun(Arc<AtomicBool>);

impl FileBegun {
    pub fn say(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Incoming {
    pub fn new(body: Body) -> Self {
        Self {
            body: body.into_data_stream(),
            rest: Bytes::new(),
            before_the_file: 0,
            arrived: 0,
            waited: Waited::default(),
            slow_for: SLOW_FOR,
            file: FileBegun::default(),
            breathe: false,
        }
    }

    pub fn file(&self) -> FileBegun {
        self.file.clone()
    }

    /// Takes what still comes, for whoever listens only then.
    pub async fn discard(mut self, most: u64) {
        self.file.say();
        let mut passed = 0;
        while let Some(Ok(chunk)) = self.next().await {
            passed += chunk.len() as u64;
            if passed > most {
                return;
            }
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Stopped>>> {
        let next = self.body.poll_next_unpin(cx).map_err(|_| Stopped::Broken);
        if next.is_pending() {
            self.waited.since.get_or_insert_with(Instant::now);
            return next;
        }
        self.waited = Waited { before: self.waited.so_far(), since: None };
        if let Poll::Ready(Some(Ok(chunk))) = &next {
            self.arrived += chunk.len() as u64;
            let long = self.waited.before.saturating_sub(self.slow_for);
            if u128::from(self.arrived) * 1_000 < u128::from(BYTES_A_SECOND) * long.as_millis() {
                return Poll::Ready(Some(Err(Stopped::Slow)));
            }
        }
        next
    }

    fn piece(&mut self) -> Result<Bytes, Stopped> {
        if self.file.0.load(Ordering::Relaxed) {
            return Ok(std::mem::take(&mut self.rest));
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        self.before_the_file += piece.len();
        if self.before_the_file > FORM_BYTES { Err(Stopped::Form) } else { Ok(piece) }
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, Stopped>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.breathe) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            match std::task::ready!(self.poll_body(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                ended => return Poll::Ready(ended),
            }
        }
        self.breathe = true;
        Poll::Ready(Some(self.piece()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endless(chunk: usize) -> Incoming {
        let chunk = Bytes::from(vec![b'x'; chunk]);
        Incoming::new(Body::from_stream(futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()))))
    }

    /// All that is handed on without a breath.
    fn at_once(incoming: &mut Incoming) -> Vec<Result<usize, Stopped>> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut given = Vec::new();
        while let Poll::Ready(Some(piece)) = incoming.poll_next_unpin(&mut cx) {
            given.push(piece.map(|piece| piece.len()));
        }
        given
    }

    #[test]
    fn before_the_file_little_is_handed_on_and_little_at_once() {
        let mut incoming = endless(1_000_000);
        for _ in 0..8 {
            assert_eq!(at_once(&mut incoming), [Ok(PIECE_BYTES)]);
        }
        assert_eq!(at_once(&mut incoming), [Err(Stopped::Form)]);
    }

    /// What becomes of somebody who sends so much a hundred times, with a wait before each.
    async fn at_this_pace(chunk: usize, slow_for: Duration) -> Result<usize, Stopped> {
        let chunk = Bytes::from(vec![b'x'; chunk]);
        let chunks = futures::stream::iter(0..100).then(move |_| {
            let chunk = chunk.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(2)).await;
                Ok::<_, std::io::Error>(chunk)
            }
        });
        let mut incoming = Incoming::new(Body::from_stream(chunks));
        incoming.slow_for = slow_for;
        incoming.file().say();
        let mut taken = 0;
        while let Some(piece) = incoming.next().await {
            taken += piece?.len();
        }
        Ok(taken)
    }

    #[tokio::test]
    async fn whoever_sends_next_to_nothing_is_stopped_and_a_slow_line_is_not() {
        let soon = Duration::from_millis(20);
        assert_eq!(at_this_pace(1, soon).await, Err(Stopped::Slow));
        assert_eq!(at_this_pace(1, SLOW_FOR).await, Ok(100), "not before its time");
        assert_eq!(at_this_pace(1_000_000, soon).await, Ok(100_000_000));
    }

    #[tokio::test]
    async fn what_we_do_meanwhile_is_not_their_slowness() {
        let mut incoming = endless(10);
        incoming.slow_for = Duration::ZERO;
        incoming.file().say();
        for _ in 0..10 {
            assert_eq!(incoming.next().await.unwrap().unwrap().len(), 10);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn of_the_file_what_has_come_is_handed_on_and_no_more_at_once() {
        let mut incoming = endless(1_000_000);
        assert_eq!(at_once(&mut incoming), [Ok(PIECE_BYTES)]);
        incoming.file().say();
        assert_eq!(at_once(&mut incoming), [Ok(1_000_000 - PIECE_BYTES)]);
        for _ in 0..100 {
            assert_eq!(at_once(&mut incoming), [Ok(1_000_000)]);
        }
    }
}
