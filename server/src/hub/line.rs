//! Puts numbered things back in order.

use std::collections::BTreeMap;

/// Things that may wait for an earlier one. Beyond it the latest are dropped: the database has them.
const EARLY_MAX: usize = 1_024;

/// Lets each number through once and in turn. What comes before its turn waits; what came already is
/// dropped. Knows nothing of time: whoever sees a [`gap`](Self::gap) that stays reads the truth and
/// [`fill`](Self::fill)s it.
#[derive(Debug)]
pub struct Line<T> {
    /// The last number that had its turn; `None` until the beginning is known.
    at: Option<u64>,
    early: BTreeMap<u64, T>,
}

impl<T> Line<T> {
    /// A line whose beginning isn't known yet: everything waits.
    pub const fn new() -> Self {
        Self { at: None, early: BTreeMap::new() }
    }

    /// Begins after `at`, unless it has begun. Returns whose turn it is now.
    pub fn start(&mut self, at: u64) -> Vec<T> {
        if self.at.is_none() {
            self.at = Some(at);
        }
        self.due()
    }

    /// Takes a thing and returns whose turn it is now.
    pub fn offer(&mut self, number: u64, thing: T) -> Vec<T> {
        if self.at.is_none_or(|at| number > at) {
            self.early.insert(number, thing);
        }
        let due = self.due();
        if self.early.len() > EARLY_MAX {
            self.early.pop_last();
        }
        due
    }

    /// Takes what the truth has up to `upto`, in order, and returns whose turn it is now. A number
    /// that isn't in it has been replaced by a later one.
    pub fn fill(&mut self, truth: impl IntoIterator<Item = (u64, T)>, upto: u64) -> Vec<T> {
        let at = self.at.unwrap_or(0);
        if upto <= at && self.at.is_some() {
            return Vec::new();
        }
        let mut due: Vec<_> =
            truth.into_iter().filter(|(number, _)| (at + 1..=upto).contains(number)).map(|(_, thing)| thing).collect();
        self.at = Some(upto);
        due.extend(self.due());
        due
    }

    /// The last number before a hole that something waits behind.
    pub fn gap(&self) -> Option<u64> {
        self.at.filter(|_| !self.early.is_empty())
    }

    pub const fn at(&self) -> Option<u64> {
        self.at
    }

    fn due(&mut self) -> Vec<T> {
        let Some(mut at) = self.at else { return Vec::new() };
        let mut due = Vec::new();
        while let Some(first) = self.early.first_entry() {
            match *first.key() {
                number if number <= at => _ = first.remove(),
                number if number == at + 1 => {
                    due.push(first.remove());
                    at = number;
                }
                _ => break,
            }
        }
        self.at = Some(at);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: u64) -> Line<u64> {
        let mut line = Line::new();
        line.start(at);
        line
    }

    #[test]
    fn each_number_has_one_turn_in_order() {
        let mut line = line(4);
        assert_eq!(line.offer(5, 5), [5]);
        assert!(line.offer(5, 5).is_empty(), "came already");
        assert!(line.offer(8, 8).is_empty() && line.offer(7, 7).is_empty());
        assert_eq!(line.gap(), Some(5));
        assert_eq!(line.offer(6, 6), [6, 7, 8]);
        assert_eq!(line.gap(), None);
    }

    #[test]
    fn everything_waits_until_the_beginning_is_known() {
        let mut line = Line::new();
        assert!(line.offer(9, 9).is_empty() && line.offer(8, 8).is_empty());
        assert_eq!(line.gap(), None, "nobody can tell yet");
        assert_eq!(line.start(8), [9]);
        assert!(line.start(3).is_empty());
        assert_eq!(line.at(), Some(9));
    }

    #[test]
    fn the_truth_closes_a_hole_and_skips_what_was_replaced() {
        let mut line = line(4);
        for early in [7, 10] {
            assert!(line.offer(early, early).is_empty());
        }
        // 5 was replaced by 6; 9 isn't there yet.
        assert_eq!(line.fill([(3, 3), (6, 6), (7, 7), (8, 8)], 8), [6, 7, 8]);
        assert_eq!((line.at(), line.gap()), (Some(8), Some(8)));
        assert!(line.fill([(6, 6)], 6).is_empty(), "an older answer changes nothing");
        assert_eq!(line.offer(9, 9), [9, 10]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut line = line(0);
        for number in 2..5_000 {
            assert!(line.offer(number, number).is_empty());
        }
        assert_eq!(line.offer(1, 1).len(), EARLY_MAX + 1);
    }
}
