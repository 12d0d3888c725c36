//! What became of what was sent.

use super::{Ack, Counts, Evidence, Log, Seen, Target, Violation, What, changes::Changes, truth::Truth};
use natter::{ChannelId, Ref, UserId};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// All that is known of one `ref`.
pub struct Fate {
    to: Target,
    pub text: String,
    /// When it was sent (+1) and refused (-1), in order.
    attempts: Vec<(Duration, i64)>,
    acks: Vec<Ack>,
}

impl Fate {
    /// Whether the server had said of every attempt that it changed nothing, and the message first seen
    /// at `seen` wasn't made by a later one.
    fn denied(&self, seen: Duration) -> bool {
        let mut open = 0;
        for (place, (_, what)) in self.attempts.iter().enumerate() {
            open += what;
            let next = self.attempts.get(place + 1).map_or(Duration::MAX, |(when, _)| *when);
            if open == 0 && (seen < next || next == Duration::MAX) {
                return true;
            }
        }
        false
    }

    /// Whether an `ack` has the numbers of that message. One that was sent again may be told how far its
    /// message has got by then.
    fn is_told_of(&self, ack: Ack, seen: &Seen, truth: &Truth) -> bool {
        let sent = self.attempts.iter().filter(|(_, what)| *what > 0).count();
        let later = || sent > 1 && ack.rev > ack.seq && truth.owner(ack.channel, ack.rev).is_none_or(|id| id == ack.id);
        (ack.id, ack.channel, ack.seq) == (seen.id, seen.channel, seen.seq) && (ack.rev == ack.seq || later())
    }
}

/// By sender and `ref`.
pub type Fates = HashMap<(UserId, Ref), Fate>;

/// Answers what is known of all messages that were sent.
pub fn check(
    evidence: &Evidence,
    truth: &Truth,
    changes: &Changes,
    violations: &mut Vec<Violation>,
    counts: &mut Counts,
) -> Fates {
    let mut fates = Fates::new();
    for log in &evidence.logs {
        follow(log, &mut fates, changes, violations, counts);
        in_order(log, violations);
    }
    let observed = first_seen(evidence);
    for log in &evidence.logs {
        judge(log, evidence, truth, &fates, &observed, violations);
    }
    for seen in truth.messages() {
        let fate = seen.reference.and_then(|reference| fates.get(&(seen.sender, reference)));
        let new = seen.rev == seen.seq;
        if fate.is_none_or(|fate| !seen.is_at(fate.to) || (new && fate.text != seen.text)) {
            violations.push(Violation::Invented { channel: seen.channel, rev: seen.rev, id: seen.id });
        }
    }
    fates
}

fn follow(log: &Log, fates: &mut Fates, changes: &Changes, violations: &mut Vec<Violation>, counts: &mut Counts) {
    let client = || log.name.clone();
    for event in &log.events {
        match &event.what {
            What::Sent { reference, to, text } => {
                let fate = fates.entry((log.user, *reference)).or_insert_with(|| Fate {
                    to: *to,
                    text: text.clone(),
                    attempts: Vec::new(),
                    acks: Vec::new(),
                });
                counts.sent += u64::from(fate.attempts.is_empty());
                counts.privately += u64::from(fate.attempts.is_empty() && matches!(to, Target::Person(_)));
                counts.retried += u64::from(!fate.attempts.is_empty());
                fate.attempts.push((event.at, 1));
            }
            What::Acked { reference, ack } => match fates.get_mut(&(log.user, *reference)) {
                None if changes.include(log.user, *reference) => {}
                None => violations.push(Violation::AckUnasked { client: client(), reference: *reference }),
                Some(fate) => {
                    counts.acked += u64::from(fate.acks.is_empty());
                    fate.acks.push(*ack);
                }
            },
            What::Refused { reference, .. } => {
                if let Some(fate) = fates.get_mut(&(log.user, *reference)) {
                    counts.refused += 1;
                    fate.attempts.push((event.at, -1));
                }
            }
            _ => {}
        }
    }
}

/// When each `ref` was first seen as a message by anyone; those that were only read in the end come
/// at the end of time.
fn first_seen(evidence: &Evidence) -> HashMap<(UserId, Ref), Duration> {
    let mut first = HashMap::new();
    let mut note = |seen: &Seen, at: Duration| {
        if let Some(reference) = seen.reference {
            let when = first.entry((seen.sender, reference)).or_insert(at);
            *when = at.min(*when);
        }
    };
    for event in evidence.logs.iter().flat_map(|log| &log.events) {
        match &event.what {
            What::Received(seen) => note(seen, event.at),
            What::Reloaded(history) => history.messages.iter().for_each(|seen| note(seen, event.at)),
            _ => {}
        }
    }
    evidence.finals.iter().flat_map(|history| &history.messages).for_each(|seen| note(seen, Duration::MAX));
    first
}

fn judge(
    log: &Log,
    evidence: &Evidence,
    truth: &Truth,
    fates: &Fates,
    observed: &HashMap<(UserId, Ref), Duration>,
    violations: &mut Vec<Violation>,
) {
    let mut judged = HashSet::new();
    for event in &log.events {
        let What::Sent { reference, .. } = event.what else { continue };
        let Some(fate) = fates.get(&(log.user, reference)) else { continue };
        if !judged.insert(reference) {
            continue;
        }
        let client = || log.name.clone();
        if observed.get(&(log.user, reference)).is_some_and(|at| fate.denied(*at)) {
            violations.push(Violation::RefusedYetStored { client: client(), reference });
        }
        let contradicted = |ack, seen: &Seen| {
            let other = Ack { id: seen.id, channel: seen.channel, seq: seen.seq, rev: seen.rev };
            Violation::AckContradicted { client: client(), reference, ack, other }
        };
        let stands = |seen: &&Seen| seen.sender == log.user && seen.reference == Some(reference);
        for &ack in &fate.acks {
            match truth.message(ack.channel, ack.id).filter(stands) {
                Some(seen) if fate.is_told_of(ack, seen, truth) => {}
                Some(seen) => violations.push(contradicted(ack, seen)),
                None if evidence.removed.contains(&ack.channel) => {}
                None => violations.push(match truth.messages().find(stands) {
                    Some(seen) => contradicted(ack, seen),
                    None => Violation::AckedMissing { client: client(), reference, ack },
                }),
            }
        }
    }
}

/// What a client sent once each, on one connection and to one channel, is stored in that order.
fn in_order(log: &Log, violations: &mut Vec<Violation>) {
    let mut attempts: HashMap<Ref, u32> = HashMap::new();
    for event in &log.events {
        if let What::Sent { reference, .. } = event.what {
            *attempts.entry(reference).or_default() += 1;
        }
    }
    let mut place: HashMap<Ref, usize> = HashMap::new();
    let mut latest: HashMap<ChannelId, (usize, u64, Ref)> = HashMap::new();
    for (index, event) in log.events.iter().enumerate() {
        match &event.what {
            What::Connected | What::Disconnected => {
                place.clear();
                latest.clear();
            }
            What::Sent { reference, .. } if attempts.get(reference) == Some(&1) => {
                place.insert(*reference, index);
            }
            What::Acked { reference, ack } => {
                let Some(sent) = place.remove(reference) else { continue };
                if let Some(&(before, rev, other)) = latest.get(&ack.channel)
                    && (before < sent) != (rev < ack.rev)
                {
                    let (client, channel) = (log.name.clone(), ack.channel);
                    violations.push(Violation::Overtaken { client, channel, first: other, second: *reference });
                }
                latest.insert(ack.channel, (sent, ack.rev, *reference));
            }
            _ => {}
        }
    }
}
