//! How people use it, what it runs on, and what nobody has measured.

use clap::Args;
use serde::Serialize;
use std::str::FromStr;

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("a number above 0".into()) }
}

fn not_negative(text: &str) -> Result<f64, String> {
    if text.trim() == "0" { Ok(0.0) } else { positive(text) }
}

/// At the busiest hour.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Profile {
    /// Share of the people online who write.
    #[arg(long, default_value_t = 0.25, value_parser = positive)]
    pub active: f64,
    /// Messages an hour of each who writes.
    #[arg(long, default_value_t = 20.0, value_parser = positive)]
    pub messages: f64,
    /// Where messages go: percent of them, and members online of those channels, as a number or as
    /// percent of everybody.
    #[arg(long, default_value = "90:10,9:200,1:5%")]
    pub mix: Mix,
    /// Members online of the largest channels, at most.
    #[arg(long, default_value_t = 50_000.0, value_parser = positive)]
    pub cap: f64,
    /// Connections a person.
    #[arg(long, default_value_t = 1.3, value_parser = positive)]
    pub devices: f64,
    /// Share of a channel's members online who look at it, and so move their read mark at each message.
    #[arg(long, default_value_t = 0.05, value_parser = positive)]
    pub looking: f64,
    /// Entries in the journal an hour for each person online: joins, leaves, sessions ended.
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    pub changes: f64,
    /// Edits, deletions and reactions for each message.
    #[arg(long, default_value_t = 0.2, value_parser = not_negative)]
    pub revised: f64,
    /// How often it is told that somebody is writing, for each message: the browser says so every 3 s.
    #[arg(long, default_value_t = 2.0, value_parser = not_negative)]
    pub typing: f64,
    /// Times an hour that each person online comes or goes.
    #[arg(long, default_value_t = 2.0, value_parser = not_negative)]
    pub moves: f64,
    /// People of whom a page shows whether they are here, once it is told of no others.
    #[arg(long, default_value_t = 30.0, value_parser = positive)]
    pub shown: f64,
    /// Bytes of a message's frame, and about as many of its hint.
    #[arg(long, default_value_t = 400.0, value_parser = positive)]
    pub frame: f64,
    /// Bytes of any other hint or frame.
    #[arg(long, default_value_t = 150.0, value_parser = positive)]
    pub hint: f64,
    /// Messages a second in a lively large channel.
    #[arg(long, default_value_t = 2.0, value_parser = positive)]
    pub lively: f64,
}

/// One node.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Machine {
    #[arg(long, default_value_t = 16.0, value_parser = positive)]
    pub cores: f64,
    /// Gigabytes of memory.
    #[arg(long, default_value_t = 64.0, value_parser = positive)]
    pub gigabytes: f64,
    /// Gigabits a second of its network, and of the broker's.
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    pub gigabits: f64,
    /// How much of anything may be in use.
    #[arg(long, default_value_t = 0.6, value_parser = positive)]
    pub busy: f64,
    /// Connections a node, at most, so that losing one can be borne.
    #[arg(long, default_value_t = 200_000.0, value_parser = positive)]
    pub connections: f64,
}

/// Not measured by the benchmark: guesses, or measured once on the side, as `docs/scaling.md` says.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Guesses {
    /// Microseconds to read one hint of another node: for the task that does.
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    pub read_us: f64,
    /// Microseconds to act on a hint, apart from finding and writing to whom it is for: for the follower.
    #[arg(long, default_value_t = 2.0, value_parser = positive)]
    pub follow_us: f64,
    /// Microseconds to find one connection that is to receive something, with the registry locked.
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    pub find_us: f64,
    /// Microseconds for a ping and its answer.
    #[arg(long, default_value_t = 48.0, value_parser = positive)]
    pub ping_us: f64,
    /// Kibibytes of the kernel's for a connection.
    #[arg(long, default_value_t = 8.0, value_parser = positive)]
    pub kernel_kib: f64,
    /// Bytes around a frame on the wire: WebSocket, TLS, TCP, IP.
    #[arg(long, default_value_t = 90.0, value_parser = positive)]
    pub around: f64,
    /// Transactions a second of one PostgreSQL.
    #[arg(long, default_value_t = 10_000.0, value_parser = positive)]
    pub postgres_commits: f64,
    /// Rows a second that it writes.
    #[arg(long, default_value_t = 50_000.0, value_parser = positive)]
    pub postgres_rows: f64,
    /// Messages a second that it and those who ask it to put into the search index.
    #[arg(long, default_value_t = 8_500.0, value_parser = positive)]
    pub postgres_indexed: f64,
    /// Rows a second that it sends.
    #[arg(long, default_value_t = 500_000.0, value_parser = positive)]
    pub postgres_reads: f64,
    /// Rows a second that it counts in an index, all its cores together.
    #[arg(long, default_value_t = 1e8, value_parser = positive)]
    pub postgres_counts: f64,
    /// Short queries a second that it answers.
    #[arg(long, default_value_t = 50_000.0, value_parser = positive)]
    pub postgres_queries: f64,
    /// Seconds within which everyone has to be back after a node is lost.
    #[arg(long, default_value_t = 60.0, value_parser = positive)]
    pub back_within: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
enum Members {
    Number(f64),
    /// Of everybody.
    Share(f64),
}

/// Which share of the messages goes to channels of which size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mix(Vec<(f64, Members)>);

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |part: &str| {
            let (share, members) = part.split_once(':').ok_or_else(|| format!("`{part}` isn't SHARE:MEMBERS"))?;
            let members = match members.strip_suffix('%') {
                Some(percent) => Members::Share(positive(percent)? / 100.0),
                None => Members::Number(positive(members)?),
            };
            Ok::<_, String>((positive(share)? / 100.0, members))
        };
        let parts = text.split(',').map(part).collect::<Result<Vec<_>, _>>()?;
        let all: f64 = parts.iter().map(|(share, _)| share).sum();
        if (all - 1.0).abs() < 1e-6 { Ok(Self(parts)) } else { Err("the shares don't make 100".into()) }
    }
}

impl Profile {
    /// Share of the messages, and members online of their channel, among so many people.
    pub fn channels(&self, people: f64) -> impl Iterator<Item = (f64, f64)> {
        self.mix.0.iter().map(move |(share, members)| {
            let members = match members {
                Members::Number(number) => *number,
                Members::Share(share) => share * people,
            };
            (*share, members.min(self.cap).min(people).max(1.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_read_and_bounded() {
        let mix: Mix = "90:10,9:200,1:5%".parse().unwrap();
        assert_eq!(mix.0[2], (0.01, Members::Share(0.05)));
        for wrong in ["", "90", "90:10", "50:10,50:0", "100:x", "100:-5%", "nan:5"] {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
        let profile = super::super::tests::profile();
        let members = |people| profile.channels(people).map(|(_, members)| members).collect::<Vec<_>>();
        assert_eq!(members(10_000.0), [10.0, 200.0, 500.0]);
        assert_eq!(members(1e7), [10.0, 200.0, 50_000.0]);
        assert_eq!(members(100.0), [10.0, 100.0, 5.0]);
    }
}
