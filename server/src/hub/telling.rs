//! Tells connections of changes whose details have to be read first, in order. Whoever delivers messages
//! doesn't wait for it.

use super::Hub;
use crate::store::{Change, Result as StoreResult, Store, StoreError};
use natter::{Channel, ChannelId, UserId, Visibility, wire::ServerFrame};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};
use uuid::Uuid;

/// Changes that wait to be told.
const WAITING: usize = 1_024;
/// How often it is tried to read what one of them is about while the database answers others, and the
/// pauses between: each is twice the one before.
const TRIES: u32 = 8;
const PAUSES: std::ops::RangeInclusive<Duration> = Duration::from_millis(250)..=Duration::from_secs(5);
/// How often a message may be quicker than the reading of its channel, one time after the other.
const RACES: u32 = 100;
/// People of whom it is read at once how they stand to a channel.
const PEOPLE: usize = 500;

/// Changes in line to be told.
#[derive(Default)]
pub(super) struct Telling {
    waiting: Mutex<VecDeque<Change>>,
    more: Notify,
}

impl Telling {
    /// Puts a change in line, which never waits. One that waits there already moves to the end: how things
    /// are is read when its turn comes. Where there is no room, it is given back.
    pub(super) fn add(&self, change: Change) -> Result<(), Change> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = waiting.iter().position(|known| *known == change) {
            waiting.remove(at);
        } else if waiting.len() >= WAITING {
            return Err(change);
        }
        waiting.push_back(change);
        drop(waiting);
        self.more.notify_one();
        Ok(())
    }

    async fn next(&self) -> Change {
        loop {
            let first = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            if let Some(change) = first {
                return change;
            }
            self.more.notified().await;
        }
    }

    /// Tells what is in line, for ever.
    pub(super) async fn run(&self, hub: &Hub, store: &dyn Store) {
        loop {
            let change = self.next().await;
            let mut trying = Trying::default();
            while let Err(error) = tell_one(hub, store, &change).await {
                // A crowd that comes back takes all connections: sending more people away would make it larger.
                let full = matches!(error, StoreError::Database(sqlx::Error::PoolTimedOut));
                let Some(pause) = trying.again(!full && store.journal_head().await.is_ok()) else {
                    tracing::error!(%error, ?change, "a change can't be told; those it concerns connect anew");
                    hub.reconnect(&change);
                    break;
                };
                tracing::warn!(%error, "a change can't be told yet");
                sleep(pause).await;
            }
        }
    }
}

/// How patient one is with something that failed.
struct Trying {
    failed: u32,
    pause: Duration,
}

impl Default for Trying {
    fn default() -> Self {
        Self { failed: 0, pause: *PAUSES.start() }
    }
}

impl Trying {
    /// After which pause to try again, if at all. A database that doesn't answer anything is waited for:
    /// meanwhile nobody who is sent away could come back.
    fn again(&mut self, answers: bool) -> Option<Duration> {
        self.failed += u32::from(answers);
        let pause = self.pause;
        self.pause = (pause * 2).min(*PAUSES.end());
        (self.failed < TRIES).then_some(pause)
    }
}

async fn tell_one(hub: &Hub, store: &dyn Store, change: &Change) -> StoreResult<()> {
    match *change {
        Change::DirectOpened { channel_id, ref users } => {
            for user_id in users {
                entered(hub, store, channel_id, *user_id).await?;
            }
        }
        Change::ChannelChanged { channel_id, hidden } => {
            // Each as they stand to it.
            for some in hub.present_in(channel_id).chunks(PEOPLE) {
                for (user_id, channel) in store.channel_of(channel_id, some).await? {
                    hub.show(user_id, channel).await;
                }
            }
            match from_outside(store, channel_id).await? {
                Some(channel) => hub.send_outside(channel_id, &ServerFrame::Channel { channel }).await,
                // Once more: what was being told meanwhile may have come after the first time.
                None if hidden => hub.send_outside(channel_id, &ServerFrame::ChannelRemoved { channel_id }).await,
                None => {}
            }
        }
        Change::Muted { channel_id, user_id } => {
            if hub.has_user(user_id)
                && let Some(channel) = store.channel(user_id, channel_id).await?.filter(|channel| channel.joined)
            {
                hub.show(user_id, channel).await;
            }
        }
        Change::UserChanged { user_id } => {
            if let Some(user) = store.user(user_id).await? {
                hub.send_to_everyone(&ServerFrame::User { user }).await;
            }
        }
        Change::ChannelCreated { channel_id, creator } => {
            entered(hub, store, channel_id, creator).await?;
            if let Some(channel) = from_outside(store, channel_id).await? {
                hub.send_outside(channel_id, &ServerFrame::Channel { channel }).await;
            }
        }
        Change::Joined { channel_id, user_id } => {
            member(hub, store, channel_id, user_id, true).await?;
            entered(hub, store, channel_id, user_id).await?;
        }
        Change::Left { channel_id, user_id } => {
            member(hub, store, channel_id, user_id, false).await?;
            if hub.has_user(user_id) {
                let frame = match from_outside(store, channel_id).await? {
                    Some(channel) => ServerFrame::Channel { channel },
                    None => ServerFrame::ChannelRemoved { channel_id },
                };
                hub.send_to_user(user_id, &frame).await;
            }
        }
        // Once more: what was being told while it was removed may have come after the first time.
        Change::ChannelRemoved { channel_id, visibility: Visibility::Public } => {
            hub.send_to_everyone(&ServerFrame::ChannelRemoved { channel_id }).await;
        }
        Change::ChannelRemoved { .. } | Change::SessionsEnded { .. } | Change::Unknown => {}
    }
    Ok(())
}

/// Shows somebody the channel they are in now. It is read after their connections began to receive
/// it, so that each message is in it or follows it. Where one was quicker, it is read again.
async fn entered(hub: &Hub, store: &dyn Store, channel_id: ChannelId, user_id: UserId) -> StoreResult<()> {
    for _ in 0..RACES {
        let channel = if hub.has_user(user_id) { store.channel(user_id, channel_id).await? } else { None };
        let Some(channel) = channel else { return Ok(()) };
        if hub.enter(user_id, &channel).await {
            return Ok(());
        }
    }
    // Or the database is behind what was told, as after a fail-over that lost commits.
    Err(StoreError::Corrupt("channels"))
}

async fn member(hub: &Hub, store: &dyn Store, channel_id: ChannelId, user_id: UserId, joined: bool) -> StoreResult<()> {
    if hub.sent_up_to(channel_id).is_some()
        && let Some(user) = store.user(user_id).await?
        && let Some(Channel { members, .. }) = store.channel(user_id, channel_id).await?
    {
        let frame = ServerFrame::Member { channel_id, user, joined, members };
        hub.send_to_channel(channel_id, &frame).await;
    }
    Ok(())
}

/// The channel as somebody who isn't in it sees it, if they do.
async fn from_outside(store: &dyn Store, channel_id: ChannelId) -> StoreResult<Option<Channel>> {
    let channel = store.channel(UserId(Uuid::nil()), channel_id).await?;
    Ok(channel.filter(|channel| channel.visibility == Visibility::Public))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(user_id: UserId) -> Change {
        Change::UserChanged { user_id }
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_each_of_it_waits_once() {
        let telling = Telling::default();
        let people: Vec<_> = (0..WAITING).map(|_| UserId::generate()).collect();
        for user_id in &people {
            telling.add(changed(*user_id)).unwrap();
        }
        let one_more = changed(UserId::generate());
        assert_eq!(telling.add(one_more.clone()), Err(one_more.clone()), "nobody waits for room");
        telling.add(changed(people[0])).unwrap();
        assert_eq!(telling.next().await, changed(people[1]));
        telling.add(one_more.clone()).unwrap();
        for user_id in people[2..].iter().chain(&people[..1]) {
            assert_eq!(telling.next().await, changed(*user_id));
        }
        assert_eq!(telling.next().await, one_more);
    }

    #[test]
    fn what_can_not_be_told_is_given_up_only_where_the_database_answers() {
        let mut trying = Trying::default();
        let pauses: Vec<_> = std::iter::from_fn(|| trying.again(true)).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        let mut trying = Trying::default();
        assert!((0..1_000).all(|_| trying.again(false).is_some()));
    }
}
