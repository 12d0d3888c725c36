//! The command `natter`.

use clap::Parser as _;
use natter_server::{
    Server,
    config::{Cli, Command, Config, LogFormat},
};
use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Gives memory back: the C library's keeps the 19 MiB that each password takes, once a thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { command, config, options } = Cli::parse();
    let config = match Config::load(config.as_deref(), options) {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    let filter = match EnvFilter::try_new(&config.log) {
        Ok(filter) => filter,
        Err(error) => return fail(&format!("log: {error}")),
    };
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let done = runtime.block_on(async {
        match command {
            Command::Serve => run(config).await,
            Command::Backup { file } => Ok(natter_server::backup(&config, &file).await?),
            Command::NewEpoch => Ok(natter_server::new_epoch(&config).await?),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::start(config).await?;
    let mut out = io::stdout().lock();
    writeln!(out, "natter listening on http://{}", server.address)?;
    if server.is_new {
        writeln!(out, "Next: open it in a browser and create an account. The first account becomes the admin.")?;
    }
    out.flush()?;
    drop(out);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = server.failed() => {}
    }
    tracing::info!("shutting down");
    server.shut_down();
    if server.ended().await { Ok(()) } else { Err("a part of the server broke down; the log says which".into()) }
}

fn fail(error: &(impl std::fmt::Display + ?Sized)) -> ExitCode {
    let _ = writeln!(io::stderr(), "natter: {error}");
    ExitCode::FAILURE
}
