//! `natter-load`: puts load on a running server and says what came of it.

use clap::{Parser, Subcommand};
use natter_load::{
    capacity,
    load::{
        LoadError,
        modes::{disk, floor, history, idle, reconnect, traffic},
    },
};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

/// Load for a Natter server, which has to run with `NATTER_RATE_LIMITS=off`.
#[derive(Debug, Parser)]
#[command(name = "natter-load", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Open connections and leave them alone: memory a connection.
    Idle(idle::Options),
    /// Few senders, many receivers: deliveries a second.
    Fanout(traffic::Options),
    /// Many senders: durable messages a second.
    Commit(traffic::Options),
    /// Cut everyone off at once and let all come back at once: time until everyone has caught up.
    Reconnect(reconnect::Options),
    /// Read pages of a long history: time a page.
    History(history::Options),
    /// Without a server: one thread that writes a frame to each socket, which is the least it can cost.
    Floor(floor::Options),
    /// Without a server: how often a second the disk makes something durable.
    Disk(disk::Options),
    /// Without a server: how far the design carries, by what was measured and how people use it.
    Capacity(capacity::Options),
}

/// For people, and as JSON.
type Told = (String, serde_json::Result<String>);

impl Mode {
    const fn json(&self) -> Option<&PathBuf> {
        match self {
            Self::Idle(options) => options.common.json.as_ref(),
            Self::Fanout(options) | Self::Commit(options) => options.common.json.as_ref(),
            Self::Reconnect(options) => options.common.json.as_ref(),
            Self::History(options) => options.common.json.as_ref(),
            Self::Floor(options) => options.json.as_ref(),
            Self::Disk(options) => options.json.as_ref(),
            Self::Capacity(options) => options.json.as_ref(),
        }
    }

    async fn run(&self) -> Result<Told, LoadError> {
        let report = match self {
            Self::Idle(options) => idle::run(options).await?,
            Self::Fanout(options) => traffic::run("fanout", 1, options).await?,
            Self::Commit(options) => traffic::run("commit", usize::MAX, options).await?,
            Self::Reconnect(options) => reconnect::run(options).await?,
            Self::History(options) => history::run(options).await?,
            Self::Floor(options) => floor::run(options).await?,
            Self::Disk(options) => disk::run(options)?,
            Self::Capacity(options) => return capacity::run(options).map(told),
        };
        Ok(told(report))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mode = Cli::parse().mode;
    let outcome = match mode.run().await {
        Ok(told) => tell(&mode, told),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere is left to say that this can't be said.
            let _ = writeln!(io::stderr(), "natter-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn told(outcome: impl Display + Serialize) -> Told {
    (outcome.to_string(), serde_json::to_string_pretty(&outcome))
}

fn tell(mode: &Mode, (text, json): Told) -> Result<(), LoadError> {
    let failed = |what: String| move |source| LoadError::Io { what, source };
    write!(io::stdout(), "{text}").map_err(failed("standard output".into()))?;
    if let Some(file) = &mode.json() {
        let name = file.display().to_string();
        let json = json.map_err(|error| failed(name.clone())(error.into()))?;
        std::fs::write(file, json + "\n").map_err(failed(name))?;
    }
    Ok(())
}
