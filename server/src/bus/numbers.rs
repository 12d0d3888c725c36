//! Which payloads of other nodes have arrived. Each node numbers its own, those included that it could
//! not hand to the broker; so a hole tells that something is missing, and silence that something may be.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Nodes say who is there every ten seconds: what doesn't, for this long, has gone or isn't heard.
const SILENCE: Duration = Duration::from_secs(25);
/// A node that came to its end without a word isn't waited for any longer than this.
const FORGOTTEN: Duration = Duration::from_hours(1);
/// Nodes that are remembered: far more than there are.
const NODES: usize = 10_000;

#[derive(Default)]
pub struct Numbers {
    last: HashMap<Uuid, (u64, Instant)>,
}

impl Numbers {
    /// A payload has come. True if others of that node should have come before it, as far as is known:
    /// also the first that is heard of a node, unless it is its first.
    pub fn hear(&mut self, node: Uuid, number: u64, now: Instant) -> bool {
        let expected = self.last.get(&node).map_or(1, |(last, _)| last + 1);
        if self.last.len() < NODES || self.last.contains_key(&node) {
            self.last.insert(node, (number.max(expected - 1), now));
        }
        number > expected
    }

    /// A node said that it ends: nothing of it is missed any more.
    pub fn part(&mut self, node: Uuid) {
        self.last.remove(&node);
    }

    /// True while a node is silent: what it says meanwhile is missed.
    pub fn miss(&mut self, now: Instant) -> bool {
        self.last.retain(|_, (_, heard)| now.saturating_duration_since(*heard) < FORGOTTEN);
        self.last.values().any(|(_, heard)| now.saturating_duration_since(*heard) >= SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_noticed_once_and_what_comes_twice_is_none() {
        let (mut numbers, node, now) = (Numbers::default(), Uuid::now_v7(), Instant::now());
        assert!(!numbers.hear(node, 1, now) && !numbers.hear(node, 2, now));
        assert!(numbers.hear(node, 4, now));
        assert!(!numbers.hear(node, 5, now) && !numbers.hear(node, 4, now) && !numbers.hear(node, 6, now));
    }

    #[test]
    fn who_is_first_heard_in_the_middle_said_something_before() {
        let (mut numbers, now) = (Numbers::default(), Instant::now());
        assert!(numbers.hear(Uuid::now_v7(), 2, now));
        assert!(!numbers.hear(Uuid::now_v7(), 1, now));
    }

    #[test]
    fn a_node_that_is_silent_is_missed_until_it_speaks_or_is_known_to_have_gone() {
        let (mut numbers, node, began) = (Numbers::default(), Uuid::now_v7(), Instant::now());
        numbers.hear(node, 1, began);
        assert!(!numbers.miss(began + SILENCE / 2));
        assert!(numbers.miss(began + SILENCE) && numbers.miss(began + 10 * SILENCE));
        assert!(numbers.hear(node, 3, began + 10 * SILENCE), "it said something meanwhile");
        assert!(!numbers.miss(began + 10 * SILENCE));
        numbers.part(node);
        assert!(!numbers.miss(began + 20 * SILENCE));
        numbers.hear(node, 1, began);
        assert!(!numbers.miss(began + FORGOTTEN), "for ever is too long");
    }
}
