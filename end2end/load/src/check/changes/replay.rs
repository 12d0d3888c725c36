//! One message, from one state that somebody saw to the next.

use super::{Ask, Outcome};
use crate::check::{Change, Seen, Violation, truth::Truth};
use natter::{ChannelId, UserId};
use std::collections::BTreeSet;

/// What of a message changes by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Words,
    Deletion,
    Reaction(&'a str, UserId),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Words(&'a str),
    Is(bool),
}

struct State<'a> {
    rev: u64,
    text: &'a str,
    deleted: bool,
    reactions: BTreeSet<(&'a str, UserId)>,
}

impl<'a> State<'a> {
    fn of(seen: &'a Seen) -> Self {
        Self { rev: seen.rev, text: &seen.text, deleted: seen.deleted, reactions: seen.reactions() }
    }

    fn value(&self, part: Part<'_>) -> Value<'a> {
        match part {
            Part::Words => Value::Words(self.text),
            Part::Deletion => Value::Is(self.deleted),
            Part::Reaction(emoji, user) => Value::Is(self.reactions.contains(&(emoji, user))),
        }
    }
}

impl Ask {
    fn part(&self) -> Part<'_> {
        match &self.change {
            Change::Edit { .. } => Part::Words,
            Change::Delete => Part::Deletion,
            Change::React { emoji, .. } => Part::Reaction(emoji, self.user),
        }
    }

    fn value(&self) -> Value<'_> {
        match &self.change {
            Change::Edit { text } => Value::Words(text),
            Change::Delete => Value::Is(true),
            Change::React { on, .. } => Value::Is(*on),
        }
    }

    /// The revision of its `ack`, if that lies in between.
    fn within(&self, (after, upto): (u64, u64)) -> Option<u64> {
        self.ack().map(|ack| ack.rev).filter(|rev| after < *rev && *rev <= upto)
    }
}

pub struct Replay<'a> {
    pub channel: ChannelId,
    pub truth: &'a Truth,
    /// All that was ever asked of this message.
    pub asks: &'a [Ask],
    pub violations: &'a mut Vec<Violation>,
    /// Changes without an answer that were done, and not at a revision of which a state is known.
    pub unseen: usize,
}

impl Replay<'_> {
    /// `states`: by their revisions; the last one is the message as it is in the end.
    /// Answers how many revisions changes without an answer may have taken that nobody saw.
    pub fn run(mut self, posted: &str, states: &[&Seen]) -> usize {
        let Some(first) = states.first() else { return 0 };
        let mut before = State { rev: first.seq, text: posted, deleted: false, reactions: BTreeSet::new() };
        for seen in states {
            self.shows(seen);
            if seen.rev > seen.seq {
                self.step(&before, seen);
            } else if seen.deleted || seen.edited || !seen.reactions.is_empty() {
                self.violations.push(Violation::Invented { channel: self.channel, rev: seen.rev, id: seen.id });
            }
            before = State::of(seen);
        }
        self.unseen + self.count(Outcome::Unknown)
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.asks.iter().filter(|ask| ask.outcome.get() == outcome).count()
    }

    /// What was acknowledged at the revision of a state has to be seen in it.
    fn shows(&mut self, seen: &Seen) {
        let at = self.asks.iter().filter_map(|ask| Some((ask, ask.ack().filter(|ack| ack.rev == seen.rev)?)));
        let absent = at.filter(|(ask, _)| !ask.is_shown_by(seen)).map(|(ask, ack)| ask.not_done(ack));
        self.violations.extend(absent);
    }

    fn step(&mut self, before: &State<'_>, seen: &Seen) {
        let (channel, id, span) = (self.channel, seen.id, (before.rev, seen.rev));
        if before.deleted {
            return self.violations.push(Violation::Undead { channel, rev: seen.rev, id });
        }
        let after = State::of(seen);
        let mut parts = BTreeSet::from([Part::Deletion]);
        // Of what is deleted, nothing is left to look at.
        if !after.deleted {
            parts.insert(Part::Words);
            parts.extend(before.reactions.union(&after.reactions).map(|(emoji, user)| Part::Reaction(emoji, *user)));
        }
        let changes = parts.iter().filter(|part| before.value(**part) != after.value(**part)).count();
        // What was done and undone is in neither.
        let asks = self.asks;
        if !after.deleted {
            parts.extend(asks.iter().filter(|ask| ask.within(span).is_some()).map(Ask::part));
        }
        let found = self.count(Outcome::Found);
        for part in parts {
            self.explain(part, before.value(part), after.value(part), span, seen);
        }
        let acked = asks.iter().any(|ask| ask.ack().is_some_and(|ack| ack.rev == seen.rev));
        self.unseen += (self.count(Outcome::Found) - found).saturating_sub(usize::from(!acked));
        let mine = |rev: &u64| self.truth.owner(channel, *rev).is_none_or(|owner| owner == id);
        let revs = (span.0 + 1..=span.1).filter(mine).count();
        if changes > revs || (changes == 0 && revs == 1) {
            self.violations.push(Violation::Miscounted { channel, revs: [span.0, span.1], id, changes });
        }
    }

    /// How one part got from what it was to what it is.
    fn explain(&mut self, part: Part<'_>, was: Value<'_>, is: Value<'_>, span: (u64, u64), seen: &Seen) {
        let asks = self.asks;
        let of = || asks.iter().filter(|ask| ask.part() == part);
        let last = of().filter_map(|ask| Some((ask.within(span)?, ask))).max_by_key(|(rev, _)| *rev);
        if last.map_or(was, |(_, ask)| ask.value()) == is {
            return;
        }
        let found = |outcome| of().find(|ask| ask.outcome.get() == outcome && ask.value() == is);
        if let Some(ask) = found(Outcome::Unknown) {
            return ask.outcome.set(Outcome::Found);
        }
        let violation = if let Some((ask, ack)) = last.and_then(|(_, ask)| Some((ask, ask.ack()?))) {
            ask.not_done(ack)
        } else if let Some(ask) = found(Outcome::Refused) {
            Violation::RefusedYetStored { client: ask.client.clone(), reference: ask.reference }
        } else {
            Violation::Invented { channel: self.channel, rev: seen.rev, id: seen.id }
        };
        self.violations.push(violation);
    }
}
