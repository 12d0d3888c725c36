//! Sets the stage: accounts, channels, who is in which, and the connections.

use super::{
    LoadError,
    process::{self, Memory},
    report::{Footprint, Report},
    socket::Socket,
};
use crate::api::{Api, Person};
use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use natter::{ChannelId, wire::ServerFrame};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Accounts made at once; each costs a core some tens of milliseconds.
const ENTERING: usize = 8;
/// After so many accounts, before memory is measured.
const SETTLE: Duration = Duration::from_secs(1);
/// Connections opened at once.
const OPENING: usize = 64;

#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Address of a node, such as <http://127.0.0.1:3000>; repeat it for several.
    #[arg(long = "server", required = true, value_name = "URL")]
    pub servers: Vec<String>,
    /// How many connections to open.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub connections: u32,
    /// How many users they belong to. [default: one a connection, at most 100]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub users: Option<u32>,
    /// How many channels there are; users are spread over them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub channels: u32,
    /// Users are in the channels that they are in: none is made and nobody joins.
    #[arg(long, conflicts_with = "channels")]
    pub as_they_are: bool,
    /// What the names of users and channels begin with. Of an earlier run they are used again.
    #[arg(long, default_value = "load")]
    pub prefix: String,
    /// Who makes the channels: the first account of a server is its admin.
    #[arg(long, default_value = "load-admin")]
    pub admin: String,
    /// Process to measure; repeat it for several.
    #[arg(long = "pid")]
    pub pids: Vec<u32>,
    /// File to write the figures to.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Everything that has to be there before there can be a load.
pub struct Stage {
    pub api: Api,
    pub servers: Vec<String>,
    pub admin: Person,
    pub people: Vec<Person>,
    pub channels: Vec<ChannelId>,
    pub pids: Vec<u32>,
    pub before: Memory,
}

/// An open connection and whose it is.
pub struct Connection {
    pub socket: Socket,
    pub person: usize,
    pub server: usize,
    pub epoch: String,
    pub revs: Vec<(ChannelId, u64)>,
}

impl Stage {
    pub async fn set(options: &Common) -> Result<Self, LoadError> {
        let connections = options.connections as usize;
        let files = process::open_files().unwrap_or(u64::MAX);
        if files < connections as u64 + 100 {
            let detail = format!("{connections} connections need more than the {files} open files allowed: ulimit -n");
            return Err(LoadError::Options(detail));
        }
        let api = Api::new().map_err(LoadError::api("no HTTP client"))?;
        let servers: Vec<_> = options.servers.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
        let (base, prefix) = (&servers[0], &options.prefix);
        let admin = api.enter(base, &options.admin).await.map_err(LoadError::api("the admin can't enter"))?;
        let mut channels = Vec::new();
        for n in 0..if options.as_they_are { 0 } else { options.channels } {
            let made = api.channel(base, &admin.token, &format!("{prefix}-{n}")).await;
            let what = "no channel can be made";
            channels.push(made.map_err(LoadError::api(what))?.id);
        }
        let users = options.users.unwrap_or(options.connections.min(100)).min(options.connections);
        let (api_, channels_) = (&api, &channels);
        let people = stream::iter(0..users as usize).map(|n| async move {
            let person =
                api_.enter(base, &format!("{prefix}-{n}")).await.map_err(LoadError::api("a user can't enter"))?;
            for channel in places(n, users as usize, channels_.len()) {
                let joined = api_.join(base, &person.token, channels_[channel]).await;
                joined.map_err(LoadError::api("a user can't join"))?;
            }
            Ok::<_, LoadError>(person)
        });
        let people = people.buffered(ENTERING).try_collect().await?;
        if !options.pids.is_empty() {
            tokio::time::sleep(SETTLE).await;
        }
        let before = process::memory(&options.pids)?;
        Ok(Self { api, servers, admin, people, channels, pids: options.pids.clone(), before })
    }

    /// The channels that a person is in.
    pub fn channels_of(&self, person: usize) -> impl Iterator<Item = ChannelId> {
        places(person, self.people.len(), self.channels.len()).map(|place| self.channels[place])
    }

    /// Opens so many connections, spread over users and nodes.
    pub async fn connect(&self, connections: usize) -> Result<Vec<Connection>, LoadError> {
        let opening = stream::iter(0..connections).map(|number| self.open(number));
        opening.buffered(OPENING).try_collect().await
    }

    pub async fn open(&self, number: usize) -> Result<Connection, LoadError> {
        let (person, server) = (number % self.people.len(), number % self.servers.len());
        let opened = Socket::open(&self.servers[server], &self.people[person].token).await;
        let (socket, ready) = opened.map_err(|source| LoadError::Open { number, source })?;
        let ServerFrame::Ready { epoch, channels, .. } = ready else { return Err(LoadError::Ended) };
        let revs = channels.into_iter().map(|channel| (channel.id, channel.rev)).collect();
        Ok(Connection { socket, person, server, epoch, revs })
    }

    /// A connection of whoever made the channels, who is in all of them.
    pub async fn open_as_admin(&self) -> Result<Socket, LoadError> {
        let opened = Socket::open(&self.servers[0], &self.admin.token).await;
        Ok(opened.map_err(|source| LoadError::Open { number: 0, source })?.0)
    }

    /// The beginning of a report, with what the open and silent connections cost.
    pub async fn report(&self, mode: &'static str, connections: usize, quiet: Duration) -> Result<Report, LoadError> {
        let (users, channels) = (self.people.len(), self.channels.len());
        let mut report = Report { mode, connections, users, channels, ..Report::default() };
        if !self.pids.is_empty() {
            tokio::time::sleep(quiet).await;
            let (before, open) = (self.before, process::memory(&self.pids)?);
            let each = |now: u64, then: u64| per_connection(now.saturating_sub(then), connections);
            report.memory = Some(Footprint {
                before_kib: before,
                open_kib: open,
                after_kib: open,
                rss_kib_per_connection: each(open.rss, before.rss),
                pss_kib_per_connection: each(open.pss, before.pss),
                private_kib_per_connection: each(open.private, before.private),
            });
        }
        Ok(report)
    }

    /// The processor time that the server has used.
    pub fn used(&self) -> Result<Duration, LoadError> {
        process::cpu(&self.pids)
    }

    /// And since then, in seconds, if it is known which process it is.
    pub fn used_since(&self, before: Duration) -> Result<Option<f64>, LoadError> {
        let used = self.used()?.saturating_sub(before);
        Ok((!self.pids.is_empty()).then_some(used.as_secs_f64()))
    }

    pub fn note_end(&self, report: &mut Report) -> Result<(), LoadError> {
        if let Some(memory) = &mut report.memory {
            memory.after_kib = process::memory(&self.pids)?;
        }
        Ok(())
    }
}

/// With as many users as channels or more, each is in one; otherwise each in several.
fn places(person: usize, people: usize, channels: usize) -> impl Iterator<Item = usize> {
    let step = people.min(channels).max(1);
    (person % step..channels).step_by(step)
}

#[expect(clippy::cast_precision_loss, reason = "kibibytes and connections are far below 2^52")]
fn per_connection(kib: u64, connections: usize) -> f64 {
    kib as f64 / connections.max(1) as f64
}

/// Waits until something is so; false if it isn't in time.
pub async fn wait_for(within: Duration, so: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !so() {
        if began.elapsed() > within {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn every_channel_has_somebody_and_nobody_is_nowhere() {
        assert_eq!(places(3, 5, 0).count(), 0, "those who are as they are");
        for (people, channels) in [(1, 1), (1, 5), (3, 5), (5, 3), (10, 1), (4, 4)] {
            let mut filled = vec![0; channels];
            for person in 0..people {
                let mut own = 0;
                for place in places(person, people, channels) {
                    filled[place] += 1;
                    own += 1;
                }
                assert!(own > 0, "{people} people, {channels} channels: {person} is nowhere");
                assert!(own == 1 || people < channels);
            }
            assert!(filled.iter().all(|count| *count > 0), "{people} people, {channels} channels: {filled:?}");
        }
    }
}
