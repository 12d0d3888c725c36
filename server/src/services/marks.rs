//! Moving read marks. A message that many people look at moves many marks at the same moment; all that
//! are wanted while the last commit was under way are stored by the next one.

use super::{Result, ServiceError};
use crate::{
    bus::{Bus, Hint},
    store::{MarkMove, ReadMark, Result as StoreResult, Store},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::sleep,
};

/// Marks waiting to be stored; beyond it their readers wait.
const QUEUE: usize = 1_024;
/// Marks in one transaction.
const BATCH: usize = 256;
const PAUSE: Duration = Duration::from_millis(250);

struct Wanted {
    mark: MarkMove,
    answer: oneshot::Sender<Result<Option<ReadMark>>>,
}

/// The way to whoever stores them.
pub struct Marks(mpsc::Sender<Wanted>);

impl Marks {
    /// Starts storing; ends, with nothing left undone, when the value is dropped.
    pub fn start(store: Arc<dyn Store>, bus: Arc<dyn Bus>) -> (Self, JoinHandle<()>) {
        let (queue, wanted) = mpsc::channel(QUEUE);
        (Self(queue), tokio::spawn(write(store, bus, wanted)))
    }

    /// Moves a mark, and tells all its reader's connections once it is stored. None if they aren't in there.
    pub async fn move_to(&self, mark: MarkMove) -> Result<Option<ReadMark>> {
        let (answer, stored) = oneshot::channel();
        self.0.send(Wanted { mark, answer }).await.map_err(|_| ServiceError::Overloaded)?;
        stored.await.unwrap_or(Err(ServiceError::Overloaded))
    }
}

async fn write(store: Arc<dyn Store>, bus: Arc<dyn Bus>, mut queue: mpsc::Receiver<Wanted>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while !waiting.is_empty() || queue.recv_many(&mut waiting, BATCH).await > 0 {
        // Whoever wants much in one channel holds up nobody else.
        while waiting.len() < BATCH
            && let Ok(wanted) = queue.try_recv()
        {
            waiting.push(wanted);
        }
        let (batch, later) = once_each(waiting);
        waiting = later;
        let (marks, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.mark, one.answer)).unzip();
        let now = match twice(|| store.move_marks(&marks)).await {
            Ok(now) => now,
            Err(error) => {
                tracing::error!(%error, marks = marks.len(), "read marks could not be stored");
                for answer in answers {
                    let _ = answer.send(Err(ServiceError::Overloaded));
                }
                continue;
            }
        };
        let moved = marks.iter().zip(&now).filter_map(|(mark, now)| Some(hint(mark, (*now.as_ref().ok()?)?)));
        bus.publish(moved.collect()).await;
        for (answer, now) in answers.into_iter().zip(now) {
            // Whoever asked may have gone; the mark is stored all the same.
            let _ = answer.send(now.map_err(ServiceError::from));
        }
    }
}

/// What fails is tried once more: to store marks twice does no harm, and they may have been stored.
async fn twice<T, F: Future<Output = StoreResult<T>>>(store: impl Fn() -> F) -> StoreResult<T> {
    match store().await {
        Err(error) => {
            tracing::warn!(%error, "read marks are stored once more");
            sleep(PAUSE).await;
            store().await
        }
        stored => stored,
    }
}

/// The first of each person in each channel, and the rest: what somebody wants later comes later.
fn once_each(wanted: Vec<Wanted>) -> (Vec<Wanted>, Vec<Wanted>) {
    let mut seen = HashSet::new();
    wanted.into_iter().partition(|one| seen.insert((one.mark.channel_id, one.mark.user_id)))
}

fn hint(wanted: &MarkMove, now: ReadMark) -> Hint {
    let MarkMove { channel_id, user_id, back, .. } = *wanted;
    let ReadMark { seq, unread, mentions, rev, .. } = now;
    Hint::Read { user_id, channel_id, seq, unread, mentions, rev, back }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::{ChannelId, UserId};

    #[test]
    fn what_somebody_wants_twice_in_a_channel_is_done_one_after_the_other() {
        let (mira, tomas, channel_id) = (UserId::generate(), UserId::generate(), ChannelId::generate());
        let wanted = [(mira, 1, false), (tomas, 2, false), (mira, 3, false), (mira, 2, true), (tomas, 4, false)];
        let wanted = wanted.map(|(user_id, seq, back)| {
            let (answer, _) = oneshot::channel();
            Wanted { mark: MarkMove { channel_id, user_id, seq, back }, answer }
        });
        let mut rounds = Vec::new();
        let mut waiting = Vec::from(wanted);
        while !waiting.is_empty() {
            let (batch, later) = once_each(waiting);
            rounds.push(batch.iter().map(|one| one.mark.seq).collect::<Vec<_>>());
            waiting = later;
        }
        assert_eq!(rounds, [vec![1, 2], vec![3, 4], vec![2]]);
    }
}
