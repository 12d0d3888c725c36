//! What one client received, in its order.

use super::{Counts, Event, Evidence, History, Log, Seen, Violation, What, truth::Truth};
use natter::{ChannelId, MessageId};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// How a client stands to a channel.
#[derive(Default)]
struct Place {
    /// What follows this rev has to reach it; `None` while it isn't in the channel.
    from: Option<u64>,
    may_read: bool,
    lost_at: Option<Duration>,
    known: BTreeSet<u64>,
    /// The newest state of each message that has come: what it covers up needn't come any more.
    newest: HashMap<MessageId, u64>,
    /// Everything from `from` up to here is known, or covered up.
    whole: u64,
    line: Line,
}

/// One connection's view of one channel.
#[derive(Default)]
struct Line {
    /// The highest rev that has come.
    high: u64,
    /// Answers to `sync` that are still to come.
    syncing: u32,
    /// What a `sync` or a page brought may come live once more, up to here.
    settled: u64,
}

impl Place {
    fn learn(&mut self, seen: &Seen) {
        self.known.insert(seen.rev);
        let newest = self.newest.entry(seen.id).or_default();
        *newest = seen.rev.max(*newest);
    }

    fn lose(&mut self, at: Duration) {
        self.from = None;
        self.may_read = false;
        self.lost_at = self.lost_at.or(Some(at));
    }

    /// A revision that nobody knows anything of can't be missed: it is looked at elsewhere whether there may be
    /// one.
    fn lacks(&self, truth: &Truth, channel: ChannelId, rev: u64) -> bool {
        let owner = truth.owner(channel, rev);
        owner.is_some_and(|id| self.newest.get(&id).is_none_or(|newest| *newest < rev))
    }

    fn missing(&mut self, truth: &Truth, channel: ChannelId, upto: u64) -> Vec<u64> {
        while self.whole < upto && !self.lacks(truth, channel, self.whole + 1) {
            self.whole += 1;
        }
        (self.whole + 1..=upto).filter(|rev| self.lacks(truth, channel, *rev)).collect()
    }
}

pub fn check(log: &Log, evidence: &Evidence, truth: &Truth, violations: &mut Vec<Violation>, counts: &mut Counts) {
    let mut reader = Reader { log, grace: evidence.grace, truth, violations, counts, places: BTreeMap::new() };
    // Private messages have to reach both, whatever they were told of the conversation.
    for channel in truth.directs_of(log.user) {
        let place = Place { from: Some(0), may_read: true, ..Place::default() };
        reader.places.insert(channel, place);
    }
    for event in &log.events {
        reader.take(event);
    }
    reader.end();
}

struct Reader<'a> {
    log: &'a Log,
    grace: Duration,
    truth: &'a Truth,
    violations: &'a mut Vec<Violation>,
    counts: &'a mut Counts,
    places: BTreeMap<ChannelId, Place>,
}

impl Reader<'_> {
    fn take(&mut self, event: &Event) {
        match &event.what {
            What::Connected | What::Disconnected => {
                self.counts.connections += u64::from(event.what == What::Connected);
                self.places.values_mut().for_each(|place| place.line = Line::default());
            }
            What::Received(seen) => self.received(seen, event.at),
            What::SyncAsked { since } => {
                self.counts.syncs += 1;
                for channel in since.keys() {
                    self.place(*channel).line.syncing += 1;
                }
            }
            What::SyncFailed => self.places.values_mut().for_each(|place| place.line.syncing = 0),
            What::Synced { channel, rev } => {
                let line = &mut self.place(*channel).line;
                line.syncing = line.syncing.saturating_sub(1);
                line.settled = line.settled.max(*rev);
                self.whole_up_to(*channel, *rev);
            }
            What::Resync { channel } => {
                self.counts.resyncs += 1;
                let place = self.place(*channel);
                place.line.syncing = place.line.syncing.saturating_sub(1);
                place.known.clear();
                place.newest.clear();
                place.whole = place.from.unwrap_or(0);
            }
            What::Reloaded(history) => self.reloaded(history, event.at),
            What::Joined { channel, rev } => self.joined(*channel, *rev),
            What::MayRead { channel } => *self.place(*channel) = Place { may_read: true, ..Place::default() },
            What::LostAccess { channel } => {
                let place = self.place(*channel);
                place.lost_at = None;
                place.lose(event.at);
            }
            What::LoggedOut => self.places.values_mut().for_each(|place| place.lose(event.at)),
            What::Sent { .. } | What::Asked { .. } | What::Acked { .. } | What::Refused { .. } => {}
        }
    }

    fn joined(&mut self, channel: ChannelId, rev: u64) {
        if self.truth.direct_of(channel, self.log.user) == Some(false) {
            return self.violations.push(Violation::Overheard { client: self.log.name.clone(), channel, rev });
        }
        let place = self.place(channel);
        if place.lost_at.is_none() {
            place.may_read = true;
        }
        if place.from.is_none() {
            place.from = Some(rev);
            place.whole = rev;
        }
    }

    fn received(&mut self, seen: &Seen, at: Duration) {
        self.counts.received += 1;
        let (channel, rev) = (seen.channel, seen.rev);
        if !self.may_see(seen) || !self.may_read(channel, rev, at) {
            return;
        }
        let client = self.log.name.clone();
        let place = self.place(channel);
        let line = &mut place.line;
        let (known, high, explained) = (place.known.contains(&rev), line.high, line.syncing > 0);
        let settled = rev <= line.settled;
        line.high = high.max(rev);
        place.learn(seen);
        let in_channel = place.from.is_some();
        if explained || settled {
            return;
        }
        if known && in_channel {
            self.violations.push(Violation::Repeated { client, channel, rev });
        } else if !known && rev < high {
            self.violations.push(Violation::OutOfOrder { client, channel, rev, after: high });
        } else if high > 0 && rev > high + 1 && !place.known.contains(&(rev - 1)) {
            self.counts.skips += 1;
        }
    }

    fn reloaded(&mut self, history: &History, at: Duration) {
        let channel = history.channel;
        if !history.messages.iter().all(|seen| self.may_see(seen)) || !self.may_read(channel, history.rev, at) {
            return;
        }
        let place = self.place(channel);
        history.messages.iter().for_each(|seen| place.learn(seen));
        place.line.settled = place.line.settled.max(history.rev);
        self.whole_up_to(channel, history.rev);
    }

    /// Something claims that everything up to `rev` has come.
    fn whole_up_to(&mut self, channel: ChannelId, rev: u64) {
        let (client, truth) = (self.log.name.clone(), self.truth);
        let place = self.place(channel);
        if place.from.is_none() {
            return;
        }
        let missing = place.missing(truth, channel, rev);
        if !missing.is_empty() {
            self.violations.push(Violation::Short { client, channel, rev, missing });
        } else if truth.rev(channel).is_some_and(|last| last < rev) {
            self.violations.push(Violation::Phantom { client, channel, rev });
        }
    }

    /// Whether a private message is its reader's at all.
    fn may_see(&mut self, seen: &Seen) -> bool {
        let allowed = seen.is_for(self.log.user);
        if !allowed {
            let (client, channel, rev) = (self.log.name.clone(), seen.channel, seen.rev);
            self.violations.push(Violation::Overheard { client, channel, rev });
        }
        allowed
    }

    fn may_read(&mut self, channel: ChannelId, rev: u64, at: Duration) -> bool {
        let (grace, client) = (self.grace, self.log.name.clone());
        let place = self.place(channel);
        let late = place.lost_at.map(|lost| at.saturating_sub(lost));
        let allowed = place.may_read || late.is_some_and(|late| late <= grace);
        if !allowed {
            self.violations.push(Violation::NoRight { client, channel, rev, late });
        }
        allowed
    }

    fn end(&mut self) {
        if !self.log.complete {
            return;
        }
        for (&channel, place) in self.places.iter_mut().filter(|(_, place)| place.from.is_some()) {
            let Some(last) = self.truth.rev(channel) else { continue };
            let revs = place.missing(self.truth, channel, last);
            if !revs.is_empty() {
                self.violations.push(Violation::Missed { client: self.log.name.clone(), channel, revs });
            }
        }
    }

    fn place(&mut self, channel: ChannelId) -> &mut Place {
        self.places.entry(channel).or_default()
    }
}
