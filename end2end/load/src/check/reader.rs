//! What one client received, in its order.

use super::{Counts, Event, Evidence, History, Log, Seen, Violation, What, truth::Truth};
use natter::ChannelId;
use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// Everything from `from` up to here is known.
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
    fn learn(&mut self, rev: u64) {
        self.known.insert(rev);
        self.advance();
    }

    fn advance(&mut self) {
        while self.known.contains(&(self.whole + 1)) {
            self.whole += 1;
        }
    }

    fn missing(&self, upto: u64) -> Vec<u64> {
        (self.whole + 1..=upto).filter(|rev| !self.known.contains(rev)).collect()
    }
}

pub fn check(log: &Log, evidence: &Evidence, truth: &mut Truth, violations: &mut Vec<Violation>, counts: &mut Counts) {
    let mut reader = Reader { log, grace: evidence.grace, truth, violations, counts, places: BTreeMap::new() };
    for event in &log.events {
        reader.take(event);
    }
    reader.end();
}

struct Reader<'a> {
    log: &'a Log,
    grace: Duration,
    truth: &'a mut Truth,
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
                place.whole = place.from.unwrap_or(0);
            }
            What::Reloaded(history) => self.reloaded(history, event.at),
            What::Joined { channel, rev } => {
                let place = self.place(*channel);
                if place.lost_at.is_none() {
                    place.may_read = true;
                }
                if place.from.is_none() {
                    place.from = Some(*rev);
                    place.whole = *rev;
                    place.advance();
                }
            }
            What::MayRead { channel } => *self.place(*channel) = Place { may_read: true, ..Place::default() },
            What::LostAccess { channel } => {
                let place = self.place(*channel);
                place.from = None;
                place.may_read = false;
                place.lost_at = Some(event.at);
            }
            What::Sent { .. } | What::Acked { .. } | What::Refused { .. } => {}
        }
    }

    fn received(&mut self, seen: &Seen, at: Duration) {
        self.counts.received += 1;
        let (channel, rev) = (seen.channel, seen.rev);
        if !self.may_read(channel, rev, at) {
            return;
        }
        self.truth.compare(&self.log.name, seen, self.violations);
        let client = self.log.name.clone();
        let place = self.place(channel);
        let line = &mut place.line;
        let (known, high, explained) = (place.known.contains(&rev), line.high, line.syncing > 0);
        let settled = rev <= line.settled;
        line.high = high.max(rev);
        place.learn(rev);
        let in_channel = place.from.is_some();
        if known && !explained && !settled && in_channel {
            self.violations.push(Violation::Repeated { client, channel, rev });
        } else if !known && rev < high && !explained {
            self.violations.push(Violation::OutOfOrder { client, channel, rev, after: high });
        } else if high > 0 && rev > high + 1 && !explained && !self.place(channel).known.contains(&(rev - 1)) {
            self.counts.skips += 1;
        }
    }

    fn reloaded(&mut self, history: &History, at: Duration) {
        let channel = history.channel;
        if !self.may_read(channel, history.rev, at) {
            return;
        }
        for seen in &history.messages {
            self.truth.compare(&self.log.name, seen, self.violations);
            self.place(channel).learn(seen.rev);
        }
        let line = &mut self.place(channel).line;
        line.settled = line.settled.max(history.rev);
        self.whole_up_to(channel, history.rev);
    }

    /// Something claims that everything up to `rev` has come.
    fn whole_up_to(&mut self, channel: ChannelId, rev: u64) {
        let client = self.log.name.clone();
        let place = self.place(channel);
        if place.from.is_none() {
            return;
        }
        let missing = place.missing(rev);
        if !missing.is_empty() {
            self.violations.push(Violation::Short { client, channel, rev, missing });
        } else if self.truth.rev(channel).is_some_and(|last| last < rev) {
            self.violations.push(Violation::Phantom { client, channel, rev });
        }
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
        for (&channel, place) in self.places.iter().filter(|(_, place)| place.from.is_some()) {
            let Some(last) = self.truth.rev(channel) else { continue };
            let revs = place.missing(last);
            if !revs.is_empty() {
                self.violations.push(Violation::Missed { client: self.log.name.clone(), channel, revs });
            }
        }
    }

    fn place(&mut self, channel: ChannelId) -> &mut Place {
        self.places.entry(channel).or_default()
    }
}
