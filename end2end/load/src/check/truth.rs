//! What the histories say in the end, and whether they can be true at all.

use super::{History, Seen, Violation};
use natter::{ChannelId, MessageId, Ref, UserId};
use std::collections::{BTreeMap, HashMap, btree_map::Entry};

#[derive(Default)]
pub struct Truth {
    channels: BTreeMap<ChannelId, Known>,
}

#[derive(Default)]
struct Known {
    by_rev: BTreeMap<u64, Seen>,
    /// The final one; `None` for a channel that is gone, of which each sees what others saw.
    rev: Option<u64>,
}

impl Truth {
    pub fn of(finals: &[History], violations: &mut Vec<Violation>) -> Self {
        let mut truth = Self::default();
        for history in finals {
            well_formed(history, violations);
            let by_rev = history.messages.iter().map(|seen| (seen.rev, seen.clone())).collect();
            match truth.channels.entry(history.channel) {
                Entry::Vacant(place) => {
                    place.insert(Known { by_rev, rev: Some(history.rev) });
                }
                Entry::Occupied(first) => {
                    let known = first.get();
                    let differs = (1..=history.rev.max(known.rev.unwrap_or(0)))
                        .find(|rev| known.by_rev.get(rev) != by_rev.get(rev));
                    if let Some(rev) = differs {
                        violations.push(Violation::HistoriesDiffer { channel: history.channel, rev });
                    }
                }
            }
        }
        truth.unique(violations);
        truth
    }

    /// No message and no sender's `ref` is there twice, in whatever channels.
    fn unique(&self, violations: &mut Vec<Violation>) {
        let mut ids: HashMap<MessageId, &Seen> = HashMap::new();
        let mut refs: HashMap<(UserId, Ref), &Seen> = HashMap::new();
        for seen in self.messages() {
            if let Some(first) = ids.insert(seen.id, seen) {
                violations.push(Violation::Twice { id: seen.id, seqs: [first.seq, seen.seq] });
                continue;
            }
            let Some(reference) = seen.reference else { continue };
            if let Some(first) = refs.insert((seen.sender, reference), seen) {
                let ids = [first.id, seen.id];
                violations.push(Violation::TwoOfOneRef { sender: seen.sender, reference, ids });
            }
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = &Seen> {
        self.channels.values().flat_map(|known| known.by_rev.values())
    }

    pub fn len(&self) -> u64 {
        self.messages().count() as u64
    }

    pub fn has(&self, channel: ChannelId) -> bool {
        self.rev(channel).is_some()
    }

    pub fn rev(&self, channel: ChannelId) -> Option<u64> {
        self.channels.get(&channel)?.rev
    }

    pub fn at(&self, channel: ChannelId, rev: u64) -> Option<&Seen> {
        self.channels.get(&channel)?.by_rev.get(&rev)
    }

    /// Holds what a client saw against it.
    pub fn compare(&mut self, client: &str, seen: &Seen, violations: &mut Vec<Violation>) {
        let (channel, rev) = (seen.channel, seen.rev);
        let known = self.channels.entry(channel).or_default();
        match known.by_rev.get(&rev) {
            Some(other) if other == seen => {}
            Some(_) => violations.push(Violation::Disagrees { client: client.to_owned(), channel, rev, id: seen.id }),
            None if known.rev.is_none() => _ = known.by_rev.insert(rev, seen.clone()),
            None => violations.push(Violation::Phantom { client: client.to_owned(), channel, rev }),
        }
    }
}

fn well_formed(history: &History, violations: &mut Vec<Violation>) {
    let channel = history.channel;
    let mut expected = 1;
    for seen in &history.messages {
        if seen.rev != expected || seen.seq != seen.rev || seen.channel != channel {
            violations.push(Violation::Gap { channel, rev: expected });
        }
        expected = seen.rev + 1;
    }
    if history.rev + 1 != expected {
        violations.push(Violation::Gap { channel, rev: expected.min(history.rev) });
    }
}
