//! Read marks and messages for later, which reach people's other devices by hints alone. Where hints
//! were lost, what moved meanwhile is read from the database and told again.

use crate::bus::Hint;
use natter::{ChannelId, ScheduledId, UserId};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// The least between two readings.
const READ_EVERY: Duration = Duration::from_secs(5);
/// A hint comes, or is missed, sooner than this after its commit.
const LATEST: Duration = Duration::from_mins(1);

/// What somebody is told of their own.
#[derive(PartialEq, Eq, Hash)]
enum Own {
    Mark(UserId, ChannelId),
    Later(ScheduledId),
}

fn own(hint: &Hint) -> Option<Own> {
    match hint {
        Hint::Read { user_id, channel_id, .. } => Some(Own::Mark(*user_id, *channel_id)),
        Hint::Scheduled { scheduled, .. } => Some(Own::Later(scheduled.id)),
        _ => None,
    }
}

/// Knows what may have been missed, and since when. Times are the database's own marks, see
/// [`changed_since`](crate::store::SharedStore::changed_since).
pub(super) struct Marks {
    /// A reading is wanted.
    lost: bool,
    /// Hints may have been lost since the last reading began.
    anew: bool,
    /// The reading under way is the first after a loss.
    first: bool,
    /// The reading under way, and what was told during it: newer than what it may bring.
    reading: Option<(u64, HashSet<Own>)>,
    read_at: Option<Instant>,
    /// How far the last reading went, if what was told meanwhile left something open.
    open: Option<u64>,
    /// All that was committed before the first was told; the second will take its place.
    told: Option<[u64; 2]>,
    latest: u64,
    turned: Instant,
}

impl Marks {
    pub fn new(now: Instant) -> Self {
        Self {
            lost: false,
            anew: false,
            first: false,
            reading: None,
            read_at: None,
            open: None,
            told: None,
            latest: 0,
            turned: now,
        }
    }

    pub fn lose(&mut self) {
        // Before it is known where the database stands hardly anybody is connected who could have missed anything:
        // the broker isn't there yet, that is all.
        let known = self.told.is_some();
        self.lost |= known;
        self.anew |= known;
    }

    /// The database stands there.
    pub fn at(&mut self, mark: u64, now: Instant) {
        self.latest = mark;
        match &mut self.told {
            // Nobody was connected before.
            None => self.told = Some([mark; 2]),
            // After a fail-over that lost transactions.
            Some(told) if mark < told[1] => *told = told.map(|before| before.min(mark)),
            Some(told) => {
                if !self.lost && self.reading.is_none() && now.saturating_duration_since(self.turned) >= LATEST {
                    *told = [told[1], mark];
                    self.turned = now;
                }
            }
        }
    }

    /// Begins a reading, if one is due; says of what.
    pub fn begin(&mut self, now: Instant) -> Option<u64> {
        let [since, _] = self.told?;
        let rested = self.read_at.is_none_or(|at| now.saturating_duration_since(at) >= READ_EVERY);
        if !self.lost || self.reading.is_some() || !rested {
            return None;
        }
        self.lost = false;
        self.first = std::mem::take(&mut self.anew);
        self.reading = Some((self.latest, HashSet::new()));
        self.read_at = Some(now);
        Some(since)
    }

    /// Something is being told.
    pub fn tell(&mut self, hint: &Hint) {
        if let Some((_, newer)) = &mut self.reading {
            newer.extend(own(hint));
        }
    }

    /// Ends the reading; answers what of it is to be told. `None`: it failed.
    pub fn end(&mut self, read: Option<Vec<Hint>>) -> Vec<Hint> {
        let Some((upto, newer)) = self.reading.take() else { return Vec::new() };
        let Some(mut hints) = read else {
            self.lost = true;
            self.anew |= self.first;
            return Vec::new();
        };
        let read = hints.len();
        hints.retain(|hint| own(hint).is_none_or(|own| !newer.contains(&own)));
        // What was told meanwhile may be the older of the two, come late: a second reading says. No hint is later than
        // that one, and where people read all the time, none would ever be the last.
        let (sure, open) = match (hints.len() < read, self.open) {
            (false, _) => (Some(upto), None),
            (true, before) if self.first => (before, Some(upto)),
            (true, before) => (before, None),
        };
        self.open = open;
        self.lost |= open.is_some();
        if let Some((told, sure)) = self.told.as_mut().zip(sure) {
            // What was committed before it began is told with it.
            *told = told.map(|before| before.max(sure.min(self.latest)));
        }
        hints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(channel_id: ChannelId, seq: u64) -> Hint {
        let user_id = UserId(uuid::Uuid::nil());
        Hint::Read { user_id, channel_id, seq, unread: 0, mentions: 0, rev: 0, back: false }
    }

    #[test]
    fn only_what_was_lost_is_read_and_from_before_it_was() {
        let began = Instant::now();
        let mut marks = Marks::new(began);
        marks.lose();
        marks.at(10, began);
        assert_eq!(marks.begin(began), None, "nobody was connected before");
        marks.lose();
        marks.at(20, began + LATEST);
        marks.at(30, began + 2 * LATEST);
        assert_eq!(marks.begin(began), Some(10), "while something is missing, nothing counts as told");
        assert!(marks.end(Some(Vec::new())).is_empty());
        assert_eq!(marks.begin(began + READ_EVERY), None);
        marks.lose();
        assert_eq!(marks.begin(began + READ_EVERY / 2), None, "not all the time");
        assert_eq!(marks.begin(began + READ_EVERY), Some(30));
        marks.end(Some(Vec::new()));
        marks.at(40, began + 3 * LATEST);
        marks.at(50, began + 3 * LATEST);
        marks.lose();
        assert_eq!(marks.begin(began + 3 * LATEST), Some(30), "a hint may have been missed without being noticed yet");
    }

    #[test]
    fn what_fails_is_read_again() {
        let began = Instant::now();
        let mut marks = Marks::new(began);
        marks.at(10, began);
        marks.lose();
        assert_eq!(marks.begin(began), Some(10));
        marks.at(20, began);
        assert!(marks.end(None).is_empty());
        assert_eq!(marks.begin(began + READ_EVERY), Some(10));
    }

    #[test]
    fn what_was_told_meanwhile_is_not_told_as_it_was_before() {
        let began = Instant::now();
        let mut marks = Marks::new(began);
        marks.at(10, began);
        marks.lose();
        marks.begin(began);
        let (one, other) = (ChannelId::generate(), ChannelId::generate());
        marks.tell(&read(one, 5));
        let told = marks.end(Some(vec![read(one, 4), read(other, 4)]));
        assert!(matches!(&told[..], [Hint::Read { channel_id, .. }] if *channel_id == other), "{told:?}");
        assert_eq!(marks.begin(began + READ_EVERY), Some(10), "which of the two is newer is read once more");
    }

    #[test]
    fn where_people_read_all_the_time_readings_come_to_an_end() {
        let began = Instant::now();
        let mut marks = Marks::new(began);
        marks.at(10, began);
        marks.lose();
        let channel_id = ChannelId::generate();
        for (round, since) in (0..).zip([10, 10]) {
            marks.at(20 + round * 10, began);
            assert_eq!(marks.begin(began + READ_EVERY * u32::try_from(round).unwrap()), Some(since));
            marks.tell(&read(channel_id, 5 + round));
            assert!(marks.end(Some(vec![read(channel_id, 4)])).is_empty());
        }
        assert_eq!(marks.begin(began + READ_EVERY * 2), None);
        marks.lose();
        assert_eq!(marks.begin(began + READ_EVERY * 2), Some(20), "what was read twice is told");
        marks.tell(&read(channel_id, 9));
        marks.end(Some(vec![read(channel_id, 8)]));
        marks.lose();
        for since in [20, 30] {
            let now = began + READ_EVERY * u32::try_from(since / 10 + 1).unwrap();
            assert_eq!(marks.begin(now), Some(since), "each loss has a second reading");
            marks.at(since + 20, began);
            marks.tell(&read(channel_id, 9));
            marks.end(Some(vec![read(channel_id, 8)]));
        }
        assert_eq!(marks.begin(began + READ_EVERY * 9), None);
    }

    #[test]
    fn a_database_that_lost_transactions_is_asked_from_where_it_is() {
        let began = Instant::now();
        let mut marks = Marks::new(began);
        marks.at(100, began);
        marks.at(50, began);
        marks.lose();
        assert_eq!(marks.begin(began), Some(50));
    }
}
