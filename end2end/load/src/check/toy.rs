//! A chat server the size of a hand, with clients that behave, crashes and lost connections, and
//! bugs that can be switched on: what the checker has to find.

mod people;

use super::{Ack, Event, Evidence, History, Log, Seen, What};
use fastrand::Rng;
use natter::{ChannelId, ErrorCode, MessageId, Ref, UserId};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    None,
    AckBeforeCommit,
    DeliveryBeforeCommit,
    NoDedupe,
    DoubledCommit,
    GlobalRev,
    RevBeforeLock,
    DeliveryWithoutRights,
    DroppedEvent,
    ReorderedEvents,
    RepeatedEvent,
    ErrorThoughStored,
    SyncLeavesOut,
    AckOfAnother,
    TextMixedUp,
    CommitLostInCrash,
}

const STEP: Duration = Duration::from_millis(10);
const GRACE: Duration = Duration::from_millis(200);
const STEPS: u32 = 600;
const CLIENTS: usize = 4;

#[derive(Clone)]
struct Post {
    client: usize,
    connection: u32,
    id: MessageId,
    reference: Ref,
    channel: ChannelId,
    text: String,
    early: Option<u64>,
}

struct Person {
    log: Log,
    connection: u32,
    up: bool,
    queue: VecDeque<What>,
    outbox: Vec<(Ref, ChannelId, String)>,
    known: BTreeMap<ChannelId, BTreeSet<u64>>,
}

pub struct Toy {
    rng: Rng,
    bug: Bug,
    at: Duration,
    channels: Vec<ChannelId>,
    people: Vec<Person>,
    members: HashSet<(usize, ChannelId)>,
    stored: BTreeMap<ChannelId, Vec<Seen>>,
    inbox: Vec<Post>,
    /// What bugs count on beside the histories.
    counters: BTreeMap<ChannelId, u64>,
    global: u64,
}

/// Plays a run and hands over what was seen.
pub fn play(seed: u64, bug: Bug) -> Evidence {
    let mut rng = Rng::with_seed(seed);
    let channels: Vec<_> = (0..3).map(|_| ChannelId(uuid(&mut rng))).collect();
    let people = (0..CLIENTS).map(|n| Person {
        log: Log { name: format!("p{n}"), user: UserId(uuid(&mut rng)), events: Vec::new(), complete: true },
        connection: 0,
        up: false,
        queue: VecDeque::new(),
        outbox: Vec::new(),
        known: BTreeMap::new(),
    });
    let people = people.collect();
    let stored = channels.iter().map(|channel| (*channel, Vec::new())).collect();
    let (members, inbox, counters) = (HashSet::new(), Vec::new(), BTreeMap::new());
    let mut toy = Toy { rng, bug, at: Duration::ZERO, channels, people, members, stored, inbox, counters, global: 0 };
    for client in 0..CLIENTS {
        for channel in toy.channels.clone() {
            toy.members.insert((client, channel));
            toy.note(client, What::Joined { channel, rev: 0 });
        }
    }
    (0..STEPS).for_each(|_| toy.step());
    toy.finish()
}

fn uuid(rng: &mut Rng) -> uuid::Uuid {
    uuid::Uuid::from_u128(rng.u128(..))
}

impl Toy {
    fn note(&mut self, client: usize, what: What) {
        self.people[client].log.events.push(Event { at: self.at, what });
    }

    fn chance(&mut self, of: u32) -> bool {
        self.rng.u32(..of) == 0
    }

    fn step(&mut self) {
        self.at += STEP;
        let client = self.rng.usize(..CLIENTS);
        match self.rng.u32(..100) {
            0..20 => self.say(client),
            20..40 => self.commit(),
            40..90 => {
                let some = self.rng.usize(1..12);
                self.hear(client, some);
            }
            90..93 => self.cut(client),
            93..98 => self.connect(client),
            98 => self.move_member(),
            _ => self.crash(),
        }
    }

    fn push(&mut self, client: usize, connection: u32, what: What) {
        let person = &mut self.people[client];
        if person.up && person.connection == connection {
            person.queue.push_back(what);
        }
    }

    fn commit(&mut self) {
        let mut batch = std::mem::take(&mut self.inbox);
        if self.bug == Bug::RevBeforeLock && self.chance(4) {
            self.rng.shuffle(&mut batch);
        }
        let again = self.bug == Bug::DoubledCommit && self.chance(20);
        for (second, post) in batch.iter().map(|post| (false, post)).chain(batch.iter().map(|post| (true, post))) {
            if again || !second {
                self.store(post, second);
            }
        }
    }

    fn store(&mut self, post: &Post, again: bool) {
        let sender = self.people[post.client].log.user;
        let same = |seen: &&Seen| seen.sender == sender && seen.reference == Some(post.reference);
        let known = self.stored.values().flatten().find(same).cloned();
        let dedupe = self.bug != Bug::NoDedupe && !again;
        if let Some(seen) = known.filter(|_| dedupe) {
            return self.acknowledge(post, &seen);
        }
        if !self.members.contains(&(post.client, post.channel)) {
            let what = What::Refused { reference: post.reference, code: ErrorCode::Forbidden };
            return self.push(post.client, post.connection, what);
        }
        self.global += 1;
        let next = self.stored[&post.channel].len() as u64 + 1;
        let rev = match self.bug {
            Bug::GlobalRev => self.global,
            Bug::RevBeforeLock => post.early.unwrap_or(next),
            _ => next,
        };
        let (id, channel, reference) = (post.id, post.channel, Some(post.reference));
        let seen = Seen { id, channel, seq: rev, rev, reference, sender, text: post.text.clone() };
        let lost = matches!(self.bug, Bug::DeliveryBeforeCommit | Bug::CommitLostInCrash) && self.chance(40);
        if !lost {
            self.stored.entry(channel).or_default().push(seen.clone());
        }
        self.publish(&seen, lost);
        if self.bug == Bug::ErrorThoughStored && self.chance(20) {
            let what = What::Refused { reference: post.reference, code: ErrorCode::Unavailable };
            self.push(post.client, post.connection, what);
        } else if !lost || self.bug == Bug::CommitLostInCrash {
            self.acknowledge(post, &seen);
        }
        if lost {
            self.crash();
        }
    }

    fn acknowledge(&mut self, post: &Post, seen: &Seen) {
        let mut ack = Ack { id: seen.id, channel: seen.channel, seq: seen.seq, rev: seen.rev };
        if self.bug == Bug::AckOfAnother && self.chance(20) {
            ack.rev += 1;
        }
        if self.bug != Bug::AckBeforeCommit {
            self.push(post.client, post.connection, What::Acked { reference: post.reference, ack });
            if self.bug == Bug::CommitLostInCrash {
                self.hear(post.client, usize::MAX);
            }
        }
    }

    fn publish(&mut self, seen: &Seen, at_once: bool) {
        for client in 0..CLIENTS {
            let listens = self.members.contains(&(client, seen.channel)) || self.bug == Bug::DeliveryWithoutRights;
            if !listens || (self.bug == Bug::DroppedEvent && self.chance(20)) {
                continue;
            }
            let mut seen = seen.clone();
            if self.bug == Bug::TextMixedUp && self.chance(50) {
                seen.text = "of another".into();
            }
            let connection = self.people[client].connection;
            let twice = self.bug == Bug::RepeatedEvent && self.chance(20);
            self.push(client, connection, What::Received(seen.clone()));
            if twice {
                self.push(client, connection, What::Received(seen));
            }
            let queue = &mut self.people[client].queue;
            if self.bug == Bug::ReorderedEvents && queue.len() > 1 && self.rng.u32(..20) == 0 {
                let last = queue.len() - 1;
                queue.swap(last - 1, last);
            }
            if at_once {
                self.hear(client, usize::MAX);
            }
        }
    }

    fn history(&self, channel: ChannelId) -> History {
        let mut messages = self.stored[&channel].clone();
        messages.sort_by_key(|seen| seen.rev);
        History { channel, rev: messages.last().map_or(0, |seen| seen.rev), messages }
    }

    fn finish(mut self) -> Evidence {
        // A few rounds: what a refusal put off is tried again.
        for _ in 0..3 {
            self.commit();
            for client in 0..CLIENTS {
                self.connect(client);
                self.hear(client, usize::MAX);
            }
        }
        for _ in 0..3 {
            self.commit();
            (0..CLIENTS).for_each(|client| self.hear(client, usize::MAX));
        }
        let finals = self.channels.iter().map(|channel| self.history(*channel)).collect();
        let logs = self.people.into_iter().map(|person| person.log).collect();
        Evidence { logs, finals, removed: BTreeSet::new(), grace: GRACE }
    }
}
