//! Moving read marks. A message that many people look at moves many marks at the same moment; all that
//! are wanted while the last commit was under way are stored by the next one.

use super::{Result, ServiceError};
use crate::{
    bus::{Bus, Hint},
    store::{MarkMove, ReadMark, Result as StoreResult, Store},
};
use natter::{ChannelId, UserId};
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

/// What became of marks that were to be moved, one by one or together.
type Moved = StoreResult<Vec<StoreResult<Option<ReadMark>>>>;

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
    let mut later = Vec::new();
    loop {
        let mut round = Round::of(later);
        if round.batch.is_empty() {
            match queue.recv().await {
                Some(wanted) => round.add(wanted),
                None => return,
            }
        }
        while round.has_room()
            && let Ok(wanted) = queue.try_recv()
        {
            round.add(wanted);
        }
        later = round.later;
        let (marks, answers): (Vec<_>, Vec<_>) = round.batch.into_iter().map(|one| (one.mark, one.answer)).unzip();
        let storing = |marks: Vec<MarkMove>| {
            let store = store.clone();
            async move { store.move_marks(&marks).await }
        };
        let now = match twice(storing, &marks).await {
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

/// What is stored together: the first mark of each person in each channel. What somebody wants later comes later.
#[derive(Default)]
struct Round {
    batch: Vec<Wanted>,
    later: Vec<Wanted>,
    seen: HashSet<(ChannelId, UserId)>,
}

impl Round {
    fn of(wanted: Vec<Wanted>) -> Self {
        let mut round = Self::default();
        for one in wanted {
            round.add(one);
        }
        round
    }

    fn add(&mut self, one: Wanted) {
        if self.batch.len() < BATCH && self.seen.insert((one.mark.channel_id, one.mark.user_id)) {
            self.batch.push(one);
        } else {
            self.later.push(one);
        }
    }

    /// Whoever wants much in one channel holds up nobody else, unless very much.
    fn has_room(&self) -> bool {
        self.batch.len() < BATCH && self.later.len() < QUEUE
    }
}

/// What fails is tried once more: to store marks twice does no harm, and they may have been stored.
async fn twice<F: Future<Output = Moved>>(store: impl Fn(Vec<MarkMove>) -> F, marks: &[MarkMove]) -> Moved {
    let first = store(marks.to_vec()).await;
    let failed: Vec<_> = match &first {
        Ok(now) => now.iter().zip(marks).filter(|(now, _)| now.is_err()).map(|(_, mark)| *mark).collect(),
        Err(error) => {
            tracing::warn!(%error, "read marks are stored once more");
            marks.to_vec()
        }
    };
    if failed.is_empty() {
        return first;
    }
    sleep(PAUSE).await;
    let again = store(failed).await;
    // Those that are stored have to be told, whatever becomes of the others.
    match (first, again) {
        (Ok(first), Ok(again)) => {
            let mut again = again.into_iter();
            Ok(first.into_iter().map(|now| if now.is_err() { again.next().unwrap_or(now) } else { now }).collect())
        }
        (Ok(first), Err(_)) => Ok(first),
        (Err(_), again) => again,
    }
}

fn hint(wanted: &MarkMove, now: ReadMark) -> Hint {
    let MarkMove { channel_id, user_id, back, .. } = *wanted;
    let ReadMark { seq, unread, mentions, rev, .. } = now;
    Hint::Read { user_id, channel_id, seq, unread, mentions, rev, back }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

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
            let Round { batch, later, .. } = Round::of(waiting);
            rounds.push(batch.iter().map(|one| one.mark.seq).collect::<Vec<_>>());
            waiting = later;
        }
        assert_eq!(rounds, [vec![1, 2], vec![3, 4], vec![2]]);
    }

    #[tokio::test]
    async fn what_is_stored_is_told_though_others_fail() {
        let marks: Vec<_> = (0..3)
            .map(|seq| MarkMove { channel_id: ChannelId::generate(), user_id: UserId::generate(), seq, back: false })
            .collect();
        let there = |seq| Ok(Some(ReadMark { seq, unread: 0, mentions: 0, rev: 9, moved: true }));
        let lost = || StoreError::Corrupt("away");
        // The second of three fails; then, alone, it fails, all fails, or it is stored.
        for (again, expected) in [(Some(false), "010"), (None, "010"), (Some(true), "000")] {
            let tried = std::cell::RefCell::new(Vec::new());
            let moved = twice(
                |marks| {
                    tried.borrow_mut().push(marks.iter().map(|mark| mark.seq).collect::<Vec<_>>());
                    let first = tried.borrow().len() == 1;
                    async move {
                        match (first, again) {
                            (true, _) => Ok(vec![there(0), Err(lost()), there(2)]),
                            (false, Some(true)) => Ok(vec![there(1)]),
                            (false, Some(false)) => Ok(vec![Err(lost())]),
                            (false, None) => Err(lost()),
                        }
                    }
                },
                &marks,
            );
            let moved: String = moved.await.unwrap().iter().map(|one| if one.is_ok() { '0' } else { '1' }).collect();
            assert_eq!(moved, expected);
            assert_eq!(*tried.borrow(), [vec![0, 1, 2], vec![1]]);
        }
        let tries = std::cell::Cell::new(0);
        let moved = twice(
            |marks| {
                tries.set(tries.get() + 1);
                let first = tries.get() == 1;
                async move { if first { Err(lost()) } else { Ok(marks.iter().map(|mark| there(mark.seq)).collect()) } }
            },
            &marks,
        );
        assert_eq!(moved.await.unwrap().len(), 3);
    }

    #[test]
    fn one_who_wants_much_leaves_room_for_others_and_not_for_ever() {
        let (mira, channel_id) = (UserId::generate(), ChannelId::generate());
        let wanted = |user_id, seq| {
            let (answer, _) = oneshot::channel();
            Wanted { mark: MarkMove { channel_id, user_id, seq, back: false }, answer }
        };
        let mut round = Round::of((0..QUEUE as u64).map(|seq| wanted(mira, seq)).collect());
        assert!(round.has_room());
        round.add(wanted(UserId::generate(), 1));
        assert_eq!((round.batch.len(), round.later.len()), (2, QUEUE - 1));
        round.add(wanted(mira, 1));
        assert!(!round.has_room(), "what waits is bounded");
        let mut full = Round::of((0..=BATCH as u64).map(|seq| wanted(UserId::generate(), seq)).collect());
        assert!(!full.has_room() && full.batch.len() == BATCH);
        let first = full.later[0].mark.user_id;
        full.add(wanted(first, 9));
        let seqs: Vec<_> = Round::of(full.later).batch.iter().map(|one| one.mark.seq).collect();
        assert_eq!(seqs, [BATCH as u64], "in turn");
    }
}
