//! Where the connections of a run note what comes, cheaply and from several threads.

use super::report::Spread;
use hdrhistogram::Histogram;
use natter::Ref;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Messages whose send times are remembered at once.
const REMEMBERED: usize = 1 << 20;
/// So that threads don't wait for each other.
const SHARDS: usize = 8;

/// A `ref` carries the number of its message, which leads to its send time: no clock is in the text,
/// and nothing has to be looked up in a table.
pub struct Board {
    run: u64,
    began: Instant,
    next: AtomicU64,
    times: Box<[AtomicU64]>,
    shards: [Mutex<Latencies>; SHARDS],
    pub acked: AtomicU64,
    pub refused: AtomicU64,
    pub delivered: AtomicU64,
    pub closed: AtomicU64,
    /// When the latest ack and the latest delivery came, in nanoseconds.
    last: [AtomicU64; 2],
}

struct Latencies {
    acks: Histogram<u64>,
    deliveries: Histogram<u64>,
}

/// What one read from one connection brought, to be noted at once.
#[derive(Default)]
pub struct Batch {
    acks: Vec<Ref>,
    deliveries: Vec<Ref>,
}

impl Batch {
    pub fn ack(&mut self, reference: Option<Ref>) {
        self.acks.extend(reference);
    }

    pub fn delivery(&mut self, reference: Option<Ref>) {
        self.deliveries.extend(reference);
    }
}

impl Board {
    pub fn new() -> Self {
        let latencies = || Mutex::new(Latencies { acks: histogram(), deliveries: histogram() });
        Self {
            run: fastrand::u64(..),
            began: Instant::now(),
            next: AtomicU64::new(0),
            times: (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect(),
            shards: std::array::from_fn(|_| latencies()),
            acked: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            closed: AtomicU64::new(0),
            last: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    /// Claims the next message, if fewer than `most` have been sent. `due`: when it should go out,
    /// from which its latencies count, however late it is.
    pub fn claim(&self, most: u64, due: Instant) -> Option<Ref> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= most {
            self.next.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        self.slot(number).store(nanos(due.saturating_duration_since(self.began)), Ordering::Relaxed);
        Some(Ref(Uuid::from_u64_pair(self.run, number)))
    }

    pub fn sent(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below the number of slots")]
    fn slot(&self, number: u64) -> &AtomicU64 {
        &self.times[(number % REMEMBERED as u64) as usize]
    }

    /// Notes what connection number `connection` has read just now.
    pub fn note(&self, connection: usize, batch: &mut Batch) {
        let now = nanos(self.began.elapsed());
        let mut shard = self.shards[connection % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        let Latencies { acks, deliveries } = &mut *shard;
        for (references, histogram, count, last) in [
            (&mut batch.acks, acks, &self.acked, &self.last[0]),
            (&mut batch.deliveries, deliveries, &self.delivered, &self.last[1]),
        ] {
            if references.is_empty() {
                continue;
            }
            let mut own = 0;
            for reference in references.drain(..) {
                let (run, number) = reference.0.as_u64_pair();
                if run == self.run {
                    own += 1;
                    histogram.saturating_record(now.saturating_sub(self.slot(number).load(Ordering::Relaxed)));
                }
            }
            count.fetch_add(own, Ordering::Relaxed);
            last.fetch_max(now, Ordering::Relaxed);
        }
    }

    /// From the beginning to the latest ack, and to the latest delivery.
    pub fn spans(&self) -> [Duration; 2] {
        [0, 1].map(|which| Duration::from_nanos(self.last[which].load(Ordering::Relaxed)))
    }

    /// Of the acks, and of the deliveries.
    pub fn latencies(&self) -> [Spread; 2] {
        let (mut acks, mut deliveries) = (histogram(), histogram());
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            // All have the same bounds, so none is out of another's.
            let _ = acks.add(&shard.acks);
            let _ = deliveries.add(&shard.deliveries);
        }
        [Spread::of(&acks), Spread::of(&deliveries)]
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

/// Nanoseconds up to two minutes, to three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 120_000_000_000, 3).unwrap_or_else(|_| unreachable!("the bounds are in order"))
}

pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_known_again_and_nothing_else() {
        let board = Board::new();
        let due = Instant::now();
        let first = board.claim(2, due).unwrap();
        let second = board.claim(2, due).unwrap();
        assert!(board.claim(2, due).is_none() && board.sent() == 2);
        let mut batch = Batch::default();
        batch.ack(Some(first));
        for reference in [Some(first), Some(second), Some(Ref::generate()), None] {
            batch.delivery(reference);
        }
        board.note(3, &mut batch);
        let counted = [&board.acked, &board.delivered].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counted, [1, 2]);
        assert_eq!(board.latencies().map(|spread| spread.count), [1, 2]);
        board.note(3, &mut batch);
        assert_eq!(board.delivered.load(Ordering::Relaxed), 2, "a batch is noted once");
    }
}
