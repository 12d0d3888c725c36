//! `natter-load`: puts load on a running server and says what came of it.

use clap::{Parser, Subcommand};
use natter_load::load::{
    LoadError,
    modes::{history, idle, reconnect, traffic},
    report::Report,
    stage::Common,
};
use std::{
    io::{self, Write as _},
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
}

impl Mode {
    const fn common(&self) -> &Common {
        match self {
            Self::Idle(options) => &options.common,
            Self::Fanout(options) | Self::Commit(options) => &options.common,
            Self::Reconnect(options) => &options.common,
            Self::History(options) => &options.common,
        }
    }

    async fn run(&self) -> Result<Report, LoadError> {
        match self {
            Self::Idle(options) => idle::run(options).await,
            Self::Fanout(options) => traffic::run("fanout", 1, options).await,
            Self::Commit(options) => traffic::run("commit", usize::MAX, options).await,
            Self::Reconnect(options) => reconnect::run(options).await,
            Self::History(options) => history::run(options).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mode = Cli::parse().mode;
    let outcome = match mode.run().await {
        Ok(report) => tell(&mode, &report),
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

fn tell(mode: &Mode, report: &Report) -> Result<(), LoadError> {
    let failed = |what: String| move |source| LoadError::Io { what, source };
    write!(io::stdout(), "{report}").map_err(failed("standard output".into()))?;
    if let Some(file) = &mode.common().json {
        let name = file.display().to_string();
        let json = serde_json::to_string_pretty(report).map_err(|error| failed(name.clone())(error.into()))?;
        std::fs::write(file, json + "\n").map_err(failed(name))?;
    }
    Ok(())
}
