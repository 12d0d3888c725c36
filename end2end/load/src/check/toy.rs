//! A chat server the size of a hand, with clients that behave, crashes and lost connections, and
//! bugs that can be switched on: what the checker has to find.

mod changes;
mod people;

use super::{Ack, Change, Event, Evidence, History, Log, Seen, What};
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
    EditLost,
    EditWithoutRev,
    EditLostInCrash,
    EditOfRefusedStored,
    EditUndoneByReaction,
    DeleteKeepsText,
    DeletedStaysOpen,
    ReactionDoubled,
    ReactionLost,
    ReactionOfAnother,
    ChangeTakesTwoRevs,
    ChangeNotInSync,
    ChangeNotLive,
    ChangeMixedUp,
    DirectToThird,
    DirectInAnother,
}

const STEP: Duration = Duration::from_millis(10);
const GRACE: Duration = Duration::from_millis(200);
const STEPS: u32 = 1_500;
const CLIENTS: usize = 4;

/// What a client asked for, in line.
#[derive(Clone)]
struct Job {
    client: usize,
    connection: u32,
    reference: Ref,
    what: Task,
}

#[derive(Clone)]
enum Task {
    Post(Post),
    Change(MessageId, Change),
}

#[derive(Clone)]
struct Post {
    id: MessageId,
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
    /// The last channel is the direct of these two, the first ones.
    direct: ChannelId,
    /// Messages as they are, and the channel's number.
    stored: BTreeMap<ChannelId, Vec<Seen>>,
    revs: BTreeMap<ChannelId, u64>,
    inbox: Vec<Job>,
    /// What bugs count on beside the histories.
    counters: BTreeMap<ChannelId, u64>,
    global: u64,
}

/// Plays a run and hands over what was seen.
pub fn play(seed: u64, bug: Bug) -> Evidence {
    let mut rng = Rng::with_seed(seed);
    let channels: Vec<_> = (0..4).map(|_| ChannelId(uuid(&mut rng))).collect();
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
    let revs = channels.iter().map(|channel| (*channel, 0)).collect();
    let mut toy = Toy {
        rng,
        bug,
        at: Duration::ZERO,
        direct: channels[3],
        channels,
        people,
        members: HashSet::new(),
        stored,
        revs,
        inbox: Vec::new(),
        counters: BTreeMap::new(),
        global: 0,
    };
    for client in 0..CLIENTS {
        for channel in toy.channels.clone() {
            if channel == toy.direct && client > 1 {
                continue;
            }
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
            0..14 => self.say(client),
            14..28 => self.change(client),
            28..44 => self.commit(),
            44..90 => {
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
        for (second, job) in batch.iter().map(|job| (false, job)).chain(batch.iter().map(|job| (true, job))) {
            match &job.what {
                Task::Post(post) if again || !second => self.store(job, post, second),
                Task::Change(id, change) if !second => self.revise(job, *id, change),
                _ => {}
            }
        }
    }

    fn store(&mut self, job: &Job, post: &Post, again: bool) {
        let sender = self.people[job.client].log.user;
        let same = |seen: &&Seen| seen.sender == sender && seen.reference == Some(job.reference);
        let known = self.stored.values().flatten().find(same).cloned();
        let dedupe = self.bug != Bug::NoDedupe && !again;
        if let Some(seen) = known.filter(|_| dedupe) {
            return self.acknowledge(job, &seen);
        }
        if !self.members.contains(&(job.client, post.channel)) {
            return self.refuse(job, ErrorCode::Forbidden);
        }
        self.global += 1;
        let channel = self.where_it_goes(post);
        let next = self.revs[&channel] + 1;
        let rev = match self.bug {
            Bug::GlobalRev => self.global,
            Bug::RevBeforeLock => post.early.unwrap_or(next),
            _ => next,
        };
        let seen = Seen {
            id: post.id,
            channel,
            seq: rev,
            rev,
            reference: Some(job.reference),
            sender,
            receiver: self.peer(job.client, post.channel),
            text: post.text.clone(),
            edited: false,
            deleted: false,
            attachments: 0,
            reactions: Vec::new(),
        };
        let lost = matches!(self.bug, Bug::DeliveryBeforeCommit | Bug::CommitLostInCrash) && self.chance(40);
        if !lost {
            self.stored.entry(channel).or_default().push(seen.clone());
            self.revs.entry(channel).and_modify(|last| *last = rev.max(*last));
        }
        self.publish(&seen, lost);
        if self.bug == Bug::ErrorThoughStored && self.chance(20) {
            self.refuse(job, ErrorCode::Unavailable);
        } else if !lost || self.bug == Bug::CommitLostInCrash {
            self.acknowledge(job, &seen);
        }
        if lost {
            self.crash();
        }
    }

    fn where_it_goes(&mut self, post: &Post) -> ChannelId {
        let astray = self.bug == Bug::DirectInAnother && post.channel == self.direct && self.chance(4);
        if astray { self.channels[0] } else { post.channel }
    }

    /// The other one in the direct.
    fn peer(&self, client: usize, channel: ChannelId) -> Option<UserId> {
        (channel == self.direct).then(|| self.people[1 - client].log.user)
    }

    fn refuse(&mut self, job: &Job, code: ErrorCode) {
        self.push(job.client, job.connection, What::Refused { reference: job.reference, code });
    }

    fn acknowledge(&mut self, job: &Job, seen: &Seen) {
        let is_post = matches!(job.what, Task::Post(_));
        let mut ack = Ack { id: seen.id, channel: seen.channel, seq: seen.seq, rev: seen.rev };
        if is_post && self.bug == Bug::AckOfAnother && self.chance(20) {
            ack.rev += 1;
        }
        if !(is_post && self.bug == Bug::AckBeforeCommit) {
            self.push(job.client, job.connection, What::Acked { reference: job.reference, ack });
            if matches!(self.bug, Bug::CommitLostInCrash | Bug::EditLostInCrash) {
                self.hear(job.client, usize::MAX);
            }
        }
    }

    fn publish(&mut self, seen: &Seen, at_once: bool) {
        for client in 0..CLIENTS {
            let listens = self.members.contains(&(client, seen.channel)) || self.bug == Bug::DeliveryWithoutRights;
            let overhears = self.bug == Bug::DirectToThird && seen.channel == self.direct && self.chance(4);
            if !(listens || overhears) || (self.bug == Bug::DroppedEvent && self.chance(20)) {
                continue;
            }
            if self.bug == Bug::ChangeNotLive && seen.rev > seen.seq {
                continue;
            }
            let mut seen = seen.clone();
            let mixed_up = if seen.rev > seen.seq { Bug::ChangeMixedUp } else { Bug::TextMixedUp };
            if self.bug == mixed_up && self.chance(30) {
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
        messages.sort_by_key(|seen| seen.seq);
        History { channel, rev: self.revs[&channel], messages }
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
