//! What reconnecting clients missed, read once for all of them.

use super::Frame;
use crate::store::{MessageStore, Result};
use natter::{ChannelId, wire::ServerFrame};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

/// A gap brings at most this many messages; past it, reloading is cheaper.
const MOST: u32 = 1_000;
/// How long a reading is kept for those who come right after: restarts bring them within seconds.
const KEPT: Duration = Duration::from_secs(5);
/// Readings kept at once, and the bytes of all of them. One that there is no room for is shared by those
/// who wait for it.
const READINGS: usize = 256;
const BYTES: usize = 32 * 1024 * 1024;

/// Everything of a channel between two revisions.
struct Reading {
    since: u64,
    upto: u64,
    /// `None`: more than a gap brings.
    frames: Option<Vec<(u64, Frame)>>,
    at: Instant,
    /// Its part of the room that there is for all.
    room: Option<OwnedSemaphorePermit>,
}

/// What somebody missed.
#[derive(Debug, PartialEq, Eq)]
pub enum Gap {
    /// These frames, and then they are at that revision.
    Frames(Vec<Frame>, u64),
    /// More than is worth sending, or from a future that never was.
    Resync,
}

type Slot = Arc<tokio::sync::Mutex<Option<Reading>>>;

pub struct Gaps {
    store: Arc<dyn MessageStore>,
    /// In bytes.
    room: Arc<Semaphore>,
    slots: Mutex<HashMap<ChannelId, Slot>>,
}

impl Gaps {
    pub fn new(store: Arc<dyn MessageStore>) -> Self {
        Self::with_room(store, BYTES)
    }

    fn with_room(store: Arc<dyn MessageStore>, bytes: usize) -> Self {
        Self { store, room: Arc::new(Semaphore::new(bytes)), slots: Mutex::default() }
    }

    /// What happened in a channel after `since`, at least up to `head`; whether they may know is the
    /// caller's to decide. Those who ask for the same channel meanwhile wait for one reading.
    pub async fn since(&self, channel_id: ChannelId, since: u64, head: u64) -> Result<Gap> {
        let slot = self.slot(channel_id);
        let mut kept = slot.lock().await;
        let gap = if let Some(reading) = kept.as_ref().filter(|reading| reading.serves(since, head)) {
            reading.gap(since)
        } else {
            // The one before makes room.
            *kept = None;
            let reading = self.read(channel_id, since).await?;
            let gap = if since > reading.upto { Gap::Resync } else { reading.gap(since) };
            *kept = Some(reading);
            forget_later(&slot, KEPT);
            gap
        };
        // Whoever else has the slot, beside this one and the list, waits for what is in it.
        let shared = Arc::strong_count(&slot) > 2;
        kept.take_if(|reading| reading.room.is_none() && !shared);
        Ok(gap)
    }

    async fn read(&self, channel_id: ChannelId, since: u64) -> Result<Reading> {
        let changes = self.store.changes(channel_id, since, MOST).await?;
        let frames =
            changes.items.into_iter().map(|message| (message.rev, Frame::new(&ServerFrame::carrying(message))));
        let frames: Option<Vec<_>> = changes.next.is_none().then(|| frames.collect());
        let bytes: usize = frames.iter().flatten().map(|(_, frame)| frame.len()).sum();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(bytes).ok();
        Ok(Reading { since, upto: changes.rev, frames, at: Instant::now(), room })
    }

    fn slot(&self, channel_id: ChannelId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= READINGS {
            // Those in use are held by somebody else as well.
            slots.retain(|_, slot| {
                Arc::strong_count(slot) > 1
                    || slot
                        .try_lock()
                        .is_ok_and(|kept| kept.as_ref().is_some_and(|reading| reading.at.elapsed() < KEPT))
            });
        }
        if slots.len() >= READINGS && !slots.contains_key(&channel_id) {
            return Slot::default();
        }
        slots.entry(channel_id).or_default().clone()
    }
}

/// Takes out what is in it when nobody is served from that any more.
fn forget_later(slot: &Slot, after: Duration) {
    let slot = Arc::downgrade(slot);
    tokio::spawn(async move {
        sleep(after).await;
        if let Some(slot) = slot.upgrade() {
            slot.lock().await.take_if(|reading| reading.at.elapsed() >= KEPT);
        }
    });
}

impl Reading {
    fn serves(&self, since: u64, head: u64) -> bool {
        let from = match self.frames {
            Some(_) => (self.since..=self.upto).contains(&since),
            // Too much for this one is too much for whoever missed more.
            None => since <= self.since,
        };
        from && self.upto >= head && self.at.elapsed() < KEPT
    }

    fn gap(&self, since: u64) -> Gap {
        let Some(frames) = &self.frames else { return Gap::Resync };
        let missed = frames.iter().filter(|(rev, _)| *rev > since).map(|(_, frame)| frame.clone());
        Gap::Frames(missed.collect(), self.upto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Anchor, Appended, NewChannel, NewMessage, NewUser, Revised, Revision, StoreError, sqlite::SqliteStore,
    };
    use async_trait::async_trait;
    use futures::future::join_all;
    use natter::{
        Message, MessageId, MessagePage, PostPolicy, Timestamp, UserId, Visibility, markdown::Mentions,
        message::Changes,
    };
    use std::sync::atomic::{AtomicUsize, Ordering};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// A channel with that many messages.
    async fn channel(dir: &std::path::Path, count: usize, text: &str) -> (Arc<SqliteStore>, ChannelId) {
        use crate::store::{AccountStore as _, ChannelStore as _, MessageStore as _};
        let store = Arc::new(SqliteStore::open(&dir.join("natter.db")).await.unwrap());
        let (id, sender_id) = (ChannelId::generate(), UserId::generate());
        let ada = NewUser { id: sender_id, username: "ada".into(), password_hash: String::new(), created_at: NOW };
        store.create_user(ada, None).await.unwrap();
        let (visibility, post_policy) = (Visibility::Public, PostPolicy::Everyone);
        let new =
            NewChannel { id, name: "general".into(), topic: String::new(), visibility, post_policy, created_at: NOW };
        store.create_channel(new, sender_id).await.unwrap();
        let message = |n| NewMessage {
            id: MessageId::generate(),
            channel_id: id,
            sender_id,
            reference: None,
            text: format!("{text}{n}"),
            mentions: Mentions::default(),
            reply_to: None,
            attachments: Vec::new(),
            timestamp: NOW,
        };
        store.append(&(1..=count).map(message).collect::<Vec<_>>()).await.unwrap();
        (store, id)
    }

    fn missed(gap: Gap) -> (usize, u64) {
        match gap {
            Gap::Frames(frames, rev) => (frames.len(), rev),
            Gap::Resync => panic!("resync"),
        }
    }

    #[tokio::test]
    async fn those_who_missed_less_are_served_from_what_was_read() {
        use crate::store::MessageStore as _;
        let dir = tempfile::tempdir().unwrap();
        let (store, id) = channel(dir.path(), 10, "m").await;
        let gaps = Gaps::new(store.clone());
        assert_eq!(missed(gaps.since(id, 2, 10).await.unwrap()), (8, 10));
        // From here on a reading would fail.
        store.close().await;
        assert_eq!(missed(gaps.since(id, 2, 10).await.unwrap()), (8, 10));
        assert_eq!(missed(gaps.since(id, 10, 10).await.unwrap()), (0, 10));
        assert!(gaps.since(id, 1, 10).await.is_err(), "more was missed than had been read");
        assert!(gaps.since(id, 2, 11).await.is_err(), "more has been sent since");
    }

    #[tokio::test]
    async fn too_much_and_the_future_are_for_reloading() {
        let dir = tempfile::tempdir().unwrap();
        let (store, id) = channel(dir.path(), MOST as usize + 5, "m").await;
        let gaps = Gaps::new(store);
        assert_eq!(gaps.since(id, 4, 0).await.unwrap(), Gap::Resync);
        assert_eq!(missed(gaps.since(id, 5, 0).await.unwrap()).0, MOST as usize);
        assert_eq!(gaps.since(id, 5_000, 0).await.unwrap(), Gap::Resync);
    }

    /// Counts what is read of a store.
    struct Counting(Arc<SqliteStore>, AtomicUsize);

    #[async_trait]
    impl MessageStore for Counting {
        async fn changes(&self, id: ChannelId, since: u64, limit: u32) -> Result<Changes> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.changes(id, since, limit).await
        }
        async fn append(&self, _: &[NewMessage]) -> Result<Vec<Appended>> {
            unread()
        }
        async fn revise(&self, _: Revision) -> Result<Revised> {
            unread()
        }
        async fn message(&self, _: MessageId) -> Result<Option<Message>> {
            unread()
        }
        async fn page(&self, _: ChannelId, _: Anchor, _: u32) -> Result<MessagePage> {
            unread()
        }
        async fn forget_epoch(&self) -> Result<()> {
            unread()
        }
        async fn erase(&self) -> Result<()> {
            unread()
        }
        fn epoch(&self) -> &str {
            self.0.epoch()
        }
        async fn check(&self) -> Result<()> {
            unread()
        }
        async fn close(&self) {}
    }

    fn unread<T>() -> Result<T> {
        Err(StoreError::Corrupt("gaps read changes only"))
    }

    #[tokio::test]
    async fn a_crowd_shares_one_reading_however_large_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (store, id) = channel(dir.path(), 500, &"x".repeat(3_000)).await;
        for (room, readings) in [(BYTES, 1), (100_000, 2)] {
            let store = Arc::new(Counting(store.clone(), AtomicUsize::new(0)));
            let gaps = Gaps::with_room(store.clone(), room);
            // All at once, and one more when nobody waits any more.
            let crowd = join_all((0..50).map(|_| gaps.since(id, 0, 500))).await;
            assert!(crowd.into_iter().all(|gap| missed(gap.unwrap()) == (500, 500)));
            assert_eq!(store.1.load(Ordering::Relaxed), 1, "with room for {room} bytes");
            assert_eq!(missed(gaps.since(id, 0, 500).await.unwrap()), (500, 500));
            assert_eq!(store.1.load(Ordering::Relaxed), readings, "with room for {room} bytes");
            assert!((gaps.room.available_permits() < room) == (readings == 1));
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_for_ever() {
        let slot = Slot::default();
        let at = Instant::now().checked_sub(KEPT).unwrap();
        *slot.lock().await = Some(Reading { since: 0, upto: 0, frames: None, at, room: None });
        forget_later(&slot, Duration::ZERO);
        while slot.lock().await.is_some() {
            tokio::task::yield_now().await;
        }
    }
}
