//! What the histories say in the end, what anyone saw on the way there, and whether it can be true at all.

use super::{Evidence, History, Seen, Violation, What};
use natter::{ChannelId, MessageId, Ref, UserId};
use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry};

#[derive(Default)]
pub struct Truth {
    channels: BTreeMap<ChannelId, Known>,
}

#[derive(Default)]
struct Known {
    /// The final one; `None` for a channel that is gone, of which each sees what others saw.
    rev: Option<u64>,
    /// Each message as it was last; more than one where it stands at two places.
    last: Vec<Seen>,
    places: HashMap<MessageId, usize>,
    /// Each state that anyone saw. Later changes may have covered it up.
    states: BTreeMap<u64, Seen>,
    /// Which message a revision belongs to, as far as anyone knows.
    owners: BTreeMap<u64, MessageId>,
    /// Whose conversation it is, if it is a direct.
    people: Option<BTreeSet<UserId>>,
}

impl Truth {
    pub fn of(evidence: &Evidence, violations: &mut Vec<Violation>) -> Self {
        let mut truth = Self::default();
        for history in &evidence.finals {
            well_formed(history, violations);
            match truth.channels.entry(history.channel) {
                Entry::Vacant(place) => place.insert(Known::of(history)).look(violations),
                Entry::Occupied(first) => {
                    if let Some(rev) = first.get().differs(history) {
                        violations.push(Violation::HistoriesDiffer { channel: history.channel, rev });
                    }
                }
            }
        }
        truth.unique(violations);
        for log in &evidence.logs {
            for event in &log.events {
                match &event.what {
                    What::Received(seen) => truth.observe(&log.name, seen, violations),
                    What::Reloaded(history) => {
                        history.messages.iter().for_each(|seen| truth.observe(&log.name, seen, violations));
                    }
                    _ => {}
                }
            }
        }
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

    /// Holds what a client saw against what is known, and learns what isn't.
    fn observe(&mut self, client: &str, seen: &Seen, violations: &mut Vec<Violation>) {
        let (channel, rev) = (seen.channel, seen.rev);
        let known = self.channels.entry(channel).or_default();
        match known.states.get(&rev) {
            Some(other) if other == seen => {}
            Some(_) => violations.push(Violation::Disagrees { client: client.to_owned(), channel, rev, id: seen.id }),
            None if known.may_have_been(seen) => known.learn(seen, violations),
            None => violations.push(Violation::Phantom { client: client.to_owned(), channel, rev }),
        }
    }

    /// An `ack` says that a message was at that revision.
    pub fn claim(&mut self, channel: ChannelId, rev: u64, id: MessageId, violations: &mut Vec<Violation>) {
        if let Some(known) = self.channels.get_mut(&channel) {
            known.claim(channel, rev, id, violations);
        }
    }

    /// All messages as they are in the end.
    pub fn messages(&self) -> impl Iterator<Item = &Seen> {
        self.channels.values().flat_map(|known| &known.last)
    }

    pub fn message(&self, channel: ChannelId, id: MessageId) -> Option<&Seen> {
        let known = self.channels.get(&channel)?;
        known.last.get(*known.places.get(&id)?)
    }

    /// The states of each message of a channel that anyone saw, by their revisions.
    pub fn states(&self, channel: ChannelId) -> HashMap<MessageId, Vec<&Seen>> {
        let mut states: HashMap<_, Vec<_>> = HashMap::new();
        for seen in self.channels.get(&channel).into_iter().flat_map(|known| known.states.values()) {
            states.entry(seen.id).or_default().push(seen);
        }
        states
    }

    pub fn len(&self) -> u64 {
        self.messages().count() as u64
    }

    pub fn has(&self, channel: ChannelId) -> bool {
        self.rev(channel).is_some()
    }

    /// The channels whose histories were read, and how far they got.
    pub fn channels(&self) -> impl Iterator<Item = (ChannelId, u64)> {
        self.channels.iter().filter_map(|(channel, known)| Some((*channel, known.rev?)))
    }

    pub fn rev(&self, channel: ChannelId) -> Option<u64> {
        self.channels.get(&channel)?.rev
    }

    /// Which message changed at that revision, if anyone knows.
    pub fn owner(&self, channel: ChannelId, rev: u64) -> Option<MessageId> {
        self.channels.get(&channel)?.owners.get(&rev).copied()
    }

    /// Whether a channel is a direct between others; None where it isn't one.
    pub fn direct_of(&self, channel: ChannelId, user: UserId) -> Option<bool> {
        Some(self.channels.get(&channel)?.people.as_ref()?.contains(&user))
    }

    /// All that is known to be somebody's.
    pub fn directs_of(&self, user: UserId) -> Vec<ChannelId> {
        let of = |known: &Known| known.people.as_ref().is_some_and(|people| people.contains(&user));
        self.channels.iter().filter(|(_, known)| of(known)).map(|(channel, _)| *channel).collect()
    }
}

impl Known {
    fn of(history: &History) -> Self {
        let places = history.messages.iter().enumerate().map(|(place, seen)| (seen.id, place)).collect();
        Self { rev: Some(history.rev), last: history.messages.clone(), places, ..Self::default() }
    }

    fn look(&mut self, violations: &mut Vec<Violation>) {
        for seen in self.last.clone() {
            self.learn(&seen, violations);
        }
    }

    /// The first revision at which another reading of the final history has something else.
    fn differs(&self, history: &History) -> Option<u64> {
        let by_rev =
            |messages: &[Seen]| messages.iter().map(|seen| (seen.rev, seen.clone())).collect::<BTreeMap<_, _>>();
        let (mine, other) = (by_rev(&self.last), by_rev(&history.messages));
        (1..=history.rev.max(self.rev.unwrap_or(0))).find(|rev| mine.get(rev) != other.get(rev))
    }

    /// What isn't in the history any more has to have changed since.
    fn may_have_been(&self, seen: &Seen) -> bool {
        let last = self.places.get(&seen.id).map(|place| &self.last[*place]);
        self.rev.is_none() || last.is_some_and(|last| last.rev > seen.rev && last.seq == seen.seq)
    }

    fn learn(&mut self, seen: &Seen, violations: &mut Vec<Violation>) {
        let (channel, rev, id) = (seen.channel, seen.rev, seen.id);
        if seen.deleted && !(seen.text.is_empty() && seen.reactions.is_empty() && seen.attachments == 0) {
            violations.push(Violation::Undead { channel, rev, id });
        }
        if seen.reactions.iter().map(|(_, users)| users.len()).sum::<usize>() != seen.reactions().len() {
            violations.push(Violation::ReactedTwice { channel, rev, id });
        }
        for rev in [seen.seq, rev] {
            self.claim(channel, rev, id, violations);
        }
        if let Some(receiver) = seen.receiver {
            self.people.get_or_insert_default().extend([seen.sender, receiver]);
        }
        if self.rev.is_none() {
            match self.places.entry(id) {
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(self.last.len());
                    self.last.push(seen.clone());
                }
                std::collections::hash_map::Entry::Occupied(place) => {
                    let last = &mut self.last[*place.get()];
                    if last.rev < rev {
                        *last = seen.clone();
                    }
                }
            }
        }
        self.states.insert(rev, seen.clone());
    }

    fn claim(&mut self, channel: ChannelId, rev: u64, id: MessageId, violations: &mut Vec<Violation>) {
        let owner = *self.owners.entry(rev).or_insert(id);
        if owner != id {
            violations.push(Violation::Shared { channel, rev, ids: [owner, id] });
        }
    }
}

/// Messages stand in the order in which they were posted, each has a revision of its own, and the last of
/// these is the channel's. What lies between is looked at when all is known that was asked for.
fn well_formed(history: &History, violations: &mut Vec<Violation>) {
    let channel = history.channel;
    let (mut before, mut revs) = (0, BTreeSet::new());
    for seen in &history.messages {
        let fresh = revs.insert(seen.rev);
        if seen.seq <= before || seen.rev < seen.seq || !fresh || seen.channel != channel {
            violations.push(Violation::Gap { channel, rev: seen.rev });
        }
        before = seen.seq;
    }
    let last = revs.last().copied().unwrap_or(0);
    if history.rev != last {
        violations.push(Violation::Gap { channel, rev: history.rev.max(last) });
    }
}
