//! What became of messages after they were posted: edits, deletions and reactions. Each message's states,
//! as far as anyone saw them, have to follow from each other by what was asked for, one change a revision:
//! by all that was acknowledged, by what nobody knows the outcome of at most once, and by nothing else.

mod replay;

use super::{Ack, Change, Counts, Evidence, Seen, Violation, What, truth::Truth, writers::Fates};
use natter::{ChannelId, MessageId, Ref, UserId};
use replay::Replay;
use std::{cell::Cell, collections::HashMap};

/// One change that somebody asked for.
struct Ask {
    client: String,
    user: UserId,
    reference: Ref,
    message: MessageId,
    change: Change,
    outcome: Cell<Outcome>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// No answer came: it was done once or not at all.
    Unknown,
    /// The same, and a state shows that it was done.
    Found,
    Acked(Ack),
    Refused,
}

impl Ask {
    fn ack(&self) -> Option<Ack> {
        if let Outcome::Acked(ack) = self.outcome.get() { Some(ack) } else { None }
    }

    /// Whether a message looks as it does right after this.
    fn is_shown_by(&self, seen: &Seen) -> bool {
        match &self.change {
            Change::Edit { text } => seen.edited && seen.text == *text,
            Change::Delete => seen.deleted,
            Change::React { emoji, on } => seen.reactions().contains(&(emoji, self.user)) == *on,
        }
    }

    fn not_done(&self, ack: Ack) -> Violation {
        Violation::NotDone { client: self.client.clone(), reference: self.reference, ack }
    }
}

#[derive(Default)]
pub struct Changes {
    asks: Vec<Ask>,
    places: HashMap<(UserId, Ref), usize>,
}

impl Changes {
    pub fn of(evidence: &Evidence, counts: &mut Counts) -> Self {
        let mut changes = Self::default();
        for log in &evidence.logs {
            for event in &log.events {
                let (reference, outcome) = match &event.what {
                    What::Asked { reference, message, change } => {
                        counts.asked += 1;
                        changes.places.insert((log.user, *reference), changes.asks.len());
                        changes.asks.push(Ask {
                            client: log.name.clone(),
                            user: log.user,
                            reference: *reference,
                            message: *message,
                            change: change.clone(),
                            outcome: Cell::new(Outcome::Unknown),
                        });
                        continue;
                    }
                    What::Acked { reference, ack } => (*reference, Outcome::Acked(*ack)),
                    What::Refused { reference, .. } => (*reference, Outcome::Refused),
                    _ => continue,
                };
                let Some(place) = changes.places.get(&(log.user, reference)) else { continue };
                counts.changed += u64::from(matches!(outcome, Outcome::Acked(_)));
                counts.denied += u64::from(outcome == Outcome::Refused);
                changes.asks[*place].outcome.set(outcome);
            }
        }
        changes
    }

    pub fn include(&self, user: UserId, reference: Ref) -> bool {
        self.places.contains_key(&(user, reference))
    }

    /// Looks whether what was acknowledged is there, and where the message got by it.
    pub fn acknowledged(&self, evidence: &Evidence, truth: &mut Truth, violations: &mut Vec<Violation>) {
        for ask in &self.asks {
            let Some(ack) = ask.ack().filter(|ack| !evidence.removed.contains(&ack.channel)) else { continue };
            let (client, reference) = (ask.client.clone(), ask.reference);
            match truth.message(ack.channel, ask.message) {
                None => violations.push(Violation::AckedMissing { client, reference, ack }),
                Some(seen) if ack.id != seen.id || ack.seq != seen.seq || ack.rev < seen.seq => {
                    let other = Ack { id: seen.id, channel: seen.channel, seq: seen.seq, rev: seen.rev };
                    violations.push(Violation::AckContradicted { client, reference, ack, other });
                }
                Some(seen) if ack.rev > seen.rev => {
                    violations.push(Violation::AckedMissing { client, reference, ack });
                }
                Some(_) => truth.claim(ack.channel, ack.rev, ack.id, violations),
            }
        }
    }

    /// Goes through the states of each message.
    pub fn judge(mut self, truth: &Truth, fates: &Fates, violations: &mut Vec<Violation>) {
        let mut of: HashMap<MessageId, Vec<Ask>> = HashMap::new();
        for ask in std::mem::take(&mut self.asks) {
            of.entry(ask.message).or_default().push(ask);
        }
        for (channel, rev) in truth.channels() {
            let mut unknown = 0;
            for (id, states) in truth.states(channel) {
                let asks = of.remove(&id).unwrap_or_default();
                let posted = states[0].reference.and_then(|reference| fates.get(&(states[0].sender, reference)));
                let Some(fate) = posted else { continue };
                unknown += Replay { channel, truth, asks: &asks, violations, unseen: 0 }.run(&fate.text, &states);
            }
            unexplained(channel, rev, unknown, truth, violations);
        }
    }
}

/// Revisions that no message is known to have had may be of changes whose outcome nobody knows.
fn unexplained(channel: ChannelId, rev: u64, unknown: usize, truth: &Truth, violations: &mut Vec<Violation>) {
    let free: Vec<_> = (1..=rev).filter(|rev| truth.owner(channel, *rev).is_none()).collect();
    if free.len() > unknown
        && let Some(&rev) = free.first()
    {
        violations.push(Violation::Gap { channel, rev });
    }
}
