//! The judge of a run: given what every client saw and what the server has in the end, it says which
//! promises of `docs/protocol.md` were not kept. Pure: it does no I/O and knows no clock.

mod event;
mod reader;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
mod truth;
mod violation;
mod writers;

pub use event::{Ack, Event, Evidence, History, Log, Seen, What};
pub use violation::Violation;

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
    /// Sent again, since nothing was known of the first time.
    pub retried: u64,
    pub acked: u64,
    pub refused: u64,
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
    let mut truth = Truth::of(&evidence.finals, &mut violations);
    counts.stored = truth.len();
    for channel in written(evidence) {
        if !truth.has(channel) && !evidence.removed.contains(&channel) {
            violations.push(Violation::NoHistory { channel });
        }
    }
    for log in &evidence.logs {
        reader::check(log, evidence, &mut truth, &mut violations, &mut counts);
    }
    writers::check(evidence, &truth, &mut violations, &mut counts);
    Verdict { violations, counts }
}

fn written(evidence: &Evidence) -> BTreeSet<ChannelId> {
    let events = evidence.logs.iter().flat_map(|log| &log.events);
    let sent =
        events.filter_map(|event| if let What::Sent { channel, .. } = event.what { Some(channel) } else { None });
    sent.collect()
}
