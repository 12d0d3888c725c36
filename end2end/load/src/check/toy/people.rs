//! What people do at the toy server: speak, listen, lose their connections, come and go.

use super::{Bug, CLIENTS, Job, Post, Task, Toy, uuid};
use crate::check::{Ack, Seen, Target, What};
use natter::{ChannelId, ErrorCode, MessageId, Ref};
use std::collections::{BTreeMap, BTreeSet};

impl Toy {
    pub(super) fn say(&mut self, client: usize) {
        let channel = self.channels[self.rng.usize(..self.channels.len())];
        if !self.members.contains(&(client, channel)) {
            return;
        }
        let reference = Ref(uuid(&mut self.rng));
        let entry = (reference, channel, format!("text {}", self.rng.u32(..)));
        self.people[client].outbox.push(entry.clone());
        if self.people[client].up {
            self.send(client, entry);
        }
    }

    fn send(&mut self, client: usize, (reference, channel, text): (Ref, ChannelId, String)) {
        let to = self.peer(client, channel).map_or(Target::Channel(channel), Target::Person);
        self.note(client, What::Sent { reference, to, text: text.clone() });
        let (connection, id) = (self.people[client].connection, MessageId(uuid(&mut self.rng)));
        let counter = self.counters.entry(channel).or_default();
        *counter += 1;
        let early = (self.bug == Bug::RevBeforeLock).then_some(*counter);
        let what = Task::Post(Post { id, channel, text, early });
        if self.bug == Bug::AckBeforeCommit {
            let posts =
                self.inbox.iter().filter_map(|job| if let Task::Post(post) = &job.what { Some(post) } else { None });
            let rev = self.revs[&channel] + posts.filter(|post| post.channel == channel).count() as u64 + 1;
            self.push(client, connection, What::Acked { reference, ack: Ack { id, channel, seq: rev, rev } });
        }
        self.inbox.push(Job { client, connection, reference, what });
    }

    pub(super) fn hear(&mut self, client: usize, some: usize) {
        for _ in 0..some {
            let Some(what) = self.people[client].queue.pop_front() else { return };
            self.note(client, what.clone());
            let person = &mut self.people[client];
            match what {
                What::Received(seen) => _ = person.known.entry(seen.channel).or_default().insert(seen.rev),
                What::Synced { channel, rev } => person.known.entry(channel).or_default().extend(1..=rev),
                What::Acked { reference, .. } => person.outbox.retain(|entry| entry.0 != reference),
                What::Refused { reference, code } if code != ErrorCode::Unavailable => {
                    person.outbox.retain(|entry| entry.0 != reference);
                }
                What::Resync { channel } if self.members.contains(&(client, channel)) => {
                    let history = self.history(channel);
                    self.people[client].known.insert(channel, (1..=history.rev).collect());
                    self.note(client, What::Reloaded(history));
                }
                _ => {}
            }
        }
    }

    pub(super) fn connect(&mut self, client: usize) {
        if self.people[client].up {
            return;
        }
        self.people[client].up = true;
        self.note(client, What::Connected);
        let channels: Vec<_> = self.channels.iter().copied().filter(|c| self.members.contains(&(client, *c))).collect();
        let connection = self.people[client].connection;
        let whole = |known: &BTreeSet<u64>| known.iter().zip(1..).take_while(|(rev, n)| *rev == n).count() as u64;
        let known = &self.people[client].known;
        let since: BTreeMap<_, _> = channels.iter().map(|c| (*c, known.get(c).map_or(0, whole))).collect();
        self.note(client, What::SyncAsked { since: since.clone() });
        for (channel, since) in since {
            if self.chance(8) {
                self.push(client, connection, What::Resync { channel });
                continue;
            }
            let history = self.history(channel);
            let omit = self.bug == Bug::SyncLeavesOut && self.chance(4);
            let stale = self.bug == Bug::ChangeNotInSync;
            let since_then = |seen: &Seen| if stale { seen.seq > since } else { seen.rev > since };
            let mut missed: Vec<_> = history.messages.into_iter().filter(since_then).collect();
            missed.sort_by_key(|seen| seen.rev);
            for seen in missed.into_iter().skip(usize::from(omit)) {
                self.push(client, connection, What::Received(seen));
            }
            self.push(client, connection, What::Synced { channel, rev: history.rev });
        }
        for entry in self.people[client].outbox.clone() {
            self.send(client, entry);
        }
    }

    pub(super) fn cut(&mut self, client: usize) {
        let person = &mut self.people[client];
        person.connection += 1;
        person.queue.clear();
        if std::mem::take(&mut person.up) {
            self.note(client, What::Disconnected);
        }
    }

    pub(super) fn crash(&mut self) {
        self.inbox.clear();
        (0..CLIENTS).for_each(|client| self.cut(client));
    }

    /// The last one leaves the last channel, or comes back.
    pub(super) fn move_member(&mut self) {
        let (client, channel) = (CLIENTS - 1, self.channels[2]);
        if self.members.remove(&(client, channel)) {
            self.people[client].outbox.retain(|entry| entry.1 != channel);
            self.people[client].queue.retain(|what| !matches!(what, What::Received(seen) if seen.channel == channel));
            self.note(client, What::LostAccess { channel });
        } else {
            self.members.insert((client, channel));
            self.note(client, What::MayRead { channel });
            let rev = self.history(channel).rev;
            self.note(client, What::Joined { channel, rev });
            self.people[client].known.insert(channel, (1..=rev).collect());
        }
    }
}
