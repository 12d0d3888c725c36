use super::{millis, secs};
use futures::future::join_all;
use natter::{ChannelId, Ref, UserId};
use natter_load::{
    api::{Api, Person},
    check::{Change, Counts, Evidence, Log, Target, Verdict, What, check},
    client::{Client, Plan},
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How long after its end a right may still have an effect.
const GRACE: Duration = Duration::from_secs(1);
/// A browser keeps no more unsent messages either.
const OUTBOX: usize = 200;

const EMOJI: [&str; 3] = ["👍", "🎉", "🦦"];

/// People with their clients, in channels of their own, and the bases of the nodes they use. They also talk
/// privately, each with who comes next and who came before.
pub struct Crowd {
    pub api: Api,
    pub people: Vec<Person>,
    pub channels: Vec<ChannelId>,
    pub clients: Vec<Client>,
    pub removed: BTreeSet<ChannelId>,
    /// The pause between two things that one client does, on average.
    pub pause: Duration,
    bases: Vec<String>,
}

impl Crowd {
    /// The first is the admin. Each is in every channel and has one client; they are spread over the nodes.
    pub async fn gather(bases: &[&str], people: usize, channels: usize) -> Self {
        let api = Api::new().unwrap();
        let bases: Vec<_> = bases.iter().map(|base| (*base).to_owned()).collect();
        let admin = api.enter(&bases[0], "admin").await.unwrap();
        let names: Vec<_> = (1..people).map(|n| format!("person{n}")).collect();
        let entered = join_all(names.iter().map(|name| api.enter(&bases[0], name))).await;
        let people: Vec<_> = std::iter::once(admin).chain(entered.into_iter().map(Result::unwrap)).collect();
        let mut crowd = Self {
            api,
            people,
            channels: Vec::new(),
            clients: Vec::new(),
            removed: BTreeSet::new(),
            pause: millis(40),
            bases,
        };
        for n in 0..channels {
            crowd.add_channel(&format!("room{n}")).await;
        }
        for n in 0..crowd.people.len() {
            crowd.add_client(n, n, None);
        }
        crowd.all_connected().await;
        crowd
    }

    pub async fn add_channel(&mut self, name: &str) -> ChannelId {
        let (base, admin) = (&self.bases[0], &self.people[0]);
        let channel = self.api.channel(base, &admin.token, name).await.unwrap().id;
        let join = |person: &Person| {
            let (api, token) = (self.api.clone(), person.token.clone());
            async move { api.join(base, &token, channel).await }
        };
        join_all(self.people.iter().map(join)).await.into_iter().for_each(Result::unwrap);
        self.channels.push(channel);
        channel
    }

    /// One more client of somebody, which begins at a certain node.
    pub fn add_client(&mut self, person: usize, node: usize, receive_buffer: Option<u32>) {
        let nodes = self.bases.iter().cycle().skip(node % self.bases.len()).take(self.bases.len()).cloned().collect();
        let plan = Plan { person: self.people[person].clone(), nodes, receive_buffer };
        self.clients.push(Client::start(self.api.clone(), plan));
    }

    pub async fn all_connected(&self) {
        for client in &self.clients {
            assert!(client.until(secs(60), Client::is_connected).await, "a client doesn't get in");
        }
    }

    /// Waits until everyone has read what there was before them.
    pub async fn all_informed(&self) {
        for client in &self.clients {
            let knows_all = |client: &Client| self.channels.iter().all(|channel| client.knows(*channel).is_some());
            assert!(client.until(secs(60), knows_all).await, "a client can't read a channel");
        }
    }

    /// Everyone talks while something happens.
    pub async fn talk_while<T>(&self, happening: impl Future<Output = T>) -> T {
        let talking = join_all(self.clients.iter().map(|client| self.talk(client)));
        tokio::select! {
            _ = talking => unreachable!("people talk for ever"),
            outcome = happening => outcome,
        }
    }

    async fn talk(&self, client: &Client) {
        for n in 0.. {
            sleep(self.pause.mul_f64(fastrand::f64() * 2.0)).await;
            if client.unsent() < OUTBOX {
                self.act(client, format!("{n}: {}", "chatter".repeat(fastrand::usize(1..12))));
            }
        }
    }

    /// Mostly says something, and now and then changes what was said.
    fn act(&self, client: &Client, text: String) {
        let (own, any) = (client.some_own_message(), client.some_message());
        match (fastrand::u32(..100), own, any) {
            (0..10, Some(message), _) => {
                client.ask(message, Change::Edit { text: format!("{text}, or {}", Ref::generate()) });
            }
            (10..13, Some(message), _) => client.ask(message, Change::Delete),
            (13..25, _, Some(message)) => {
                let emoji = fastrand::choice(EMOJI).unwrap_or_default().to_owned();
                client.ask(message, Change::React { emoji, on: fastrand::u32(..3) > 0 });
            }
            (25..35, ..) => client.say(Target::Person(self.neighbour_of(client)), text),
            _ => client.say(Target::Channel(*fastrand::choice(&self.channels).unwrap()), text),
        }
    }

    fn neighbour_of(&self, client: &Client) -> UserId {
        let place = self.people.iter().position(|person| person.name == client.name()).unwrap();
        let step = if fastrand::bool() { 1 } else { self.people.len() - 1 };
        self.people[(place + step) % self.people.len()].user
    }

    /// The directs in which people may have talked, each with one who can still read it and the names of
    /// both.
    async fn directs(&self) -> Vec<(ChannelId, &Person, [&str; 2])> {
        let mut directs = Vec::new();
        for (one, other) in self.people.iter().zip(self.people.iter().cycle().skip(1)) {
            let names = [one.name.as_str(), &other.name];
            let mut opened = self.api.direct(&self.bases[0], &one.token, other.user).await.map(|id| (id, one, names));
            if opened.is_err() {
                opened = self.api.direct(&self.bases[0], &other.token, one.user).await.map(|id| (id, other, names));
            }
            directs.push(opened.unwrap());
        }
        directs
    }

    pub fn acked(&self) -> usize {
        self.clients.iter().map(Client::acked).sum()
    }

    /// Waits until everything is acknowledged and everyone knows everything.
    pub async fn settle(&self) {
        let began = Instant::now();
        for client in &self.clients {
            let empty = client.until(secs(60), |client| client.unsent() == 0).await;
            assert!(empty, "{} messages of a client are stuck; connected: {}", client.unsent(), client.is_connected());
        }
        println!("all is acknowledged {:?} after the last fault", began.elapsed());
        for channel in self.channels.iter().filter(|channel| !self.removed.contains(channel)) {
            self.all_know(*channel, &self.people[0], |_| true).await;
        }
        for (channel, reader, names) in self.directs().await {
            self.all_know(channel, reader, |client| names.contains(&client.name())).await;
        }
        println!("everyone knows everything after {:?}", began.elapsed());
    }

    /// Waits until clients know all of a channel.
    async fn all_know(&self, channel: ChannelId, reader: &Person, concerns: impl Fn(&Client) -> bool) {
        let head = self.api.page(&self.bases[0], &reader.token, channel, None).await.unwrap().rev;
        for client in self.clients.iter().filter(|client| concerns(client)) {
            // What doesn't come is the checker's to report.
            client.until(secs(15), |client| client.knows(channel).is_none_or(|rev| rev >= head)).await;
        }
    }

    /// Ends the run and says what is to be said of it.
    pub async fn end(self) -> Verdict {
        self.end_with(|_| {}).await
    }

    /// The same, with a look at the logs.
    pub async fn end_with(self, look: impl FnOnce(&mut Vec<Log>)) -> Verdict {
        let left = self.channels.iter().filter(|channel| !self.removed.contains(channel));
        let mut readable: Vec<_> = left.map(|channel| (*channel, &self.people[0])).collect();
        readable.extend(self.directs().await.into_iter().map(|(channel, reader, _)| (channel, reader)));
        let mut finals = Vec::new();
        for base in &self.bases {
            for (channel, reader) in &readable {
                finals.push(self.api.history(base, &reader.token, *channel).await.unwrap().0);
            }
        }
        let mut logs = join_all(self.clients.into_iter().map(|client| client.finish(true))).await;
        look(&mut logs);
        let evidence = Evidence { logs, finals, removed: self.removed, grace: GRACE };
        let verdict = check(&evidence);
        println!("{:?}", verdict.counts);
        verdict
    }

    /// Settles, ends and insists that every promise was kept.
    pub async fn judge(self) -> Counts {
        self.settle().await;
        sound(&self.end().await)
    }

    /// From now on there is only that node to ask.
    pub fn only_node(&mut self, base: &str) {
        self.bases = vec![base.to_owned()];
    }

    /// Tells every client of a person.
    pub fn note(&self, person: usize, what: &What) {
        let user = &self.people[person].name;
        self.clients.iter().filter(|client| client.name() == user).for_each(|client| client.note(what.clone()));
    }
}

pub fn sound(verdict: &Verdict) -> Counts {
    let broken = &verdict.violations;
    assert!(broken.is_empty(), "{} promises broken: {:#?}", broken.len(), &broken[..broken.len().min(20)]);
    verdict.counts
}
