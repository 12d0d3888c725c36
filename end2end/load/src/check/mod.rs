//! The judge of a run: given what every client saw and what the server has in the end, it says which
//! promises of `docs/protocol.md` were not kept. Pure: it does no I/O and knows no clock.

mod changes;
mod event;
mod reader;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
mod truth;
mod violation;
mod writers;

pub use event::{Ack, Change, Event, Evidence, History, Log, Seen, Target, What};
pub use violation::Violation;

use changes::Changes;
use natter::ChannelId;
use std::collections::BTreeSet;
use truth::Truth;

/// What a look at the evidence led to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Empty when every promise was kept.
    pub violations: Vec<Violation>,
    /// What was looked at: a verdict on nothing says nothing.
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sent: u64,
    /// Of these, to one person.
    pub privately: u64,
    /// Sent again, since nothing was known of the first time.
    pub retried: u64,
    pub acked: u64,
    pub refused: u64,
    /// Changes that were asked for, acknowledged and refused; of the rest nobody knows.
    pub asked: u64,
    pub changed: u64,
    pub denied: u64,
    pub received: u64,
    pub connections: u64,
    pub syncs: u64,
    pub resyncs: u64,
    /// Live frames that left out a revision, which a `sync` made good.
    pub skips: u64,
    /// Messages in the final histories.
    pub stored: u64,
}

/// Looks at everything.
pub fn check(evidence: &Evidence) -> Verdict {
    let mut violations = Vec::new();
    let mut counts = Counts::default();
    let mut truth = Truth::of(evidence, &mut violations);
    counts.stored = truth.len();
    for channel in spoken_of(evidence) {
        if !truth.has(channel) && !evidence.removed.contains(&channel) {
            violations.push(Violation::NoHistory { channel });
        }
    }
    let changes = Changes::of(evidence, &mut counts);
    changes.acknowledged(evidence, &mut truth, &mut violations);
    for log in &evidence.logs {
        reader::check(log, evidence, &truth, &mut violations, &mut counts);
    }
    let fates = writers::check(evidence, &truth, &changes, &mut violations, &mut counts);
    changes.judge(&truth, &fates, &mut violations);
    Verdict { violations, counts }
}

/// Where somebody sent something, or was told that it is.
fn spoken_of(evidence: &Evidence) -> BTreeSet<ChannelId> {
    let events = evidence.logs.iter().flat_map(|log| &log.events);
    let channels = events.filter_map(|event| match event.what {
        What::Sent { to: Target::Channel(channel), .. } => Some(channel),
        What::Acked { ack, .. } => Some(ack.channel),
        _ => None,
    });
    channels.collect()
}
