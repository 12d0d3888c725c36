//! Connections that are open and say nothing: what each of them costs.

use crate::load::{
    LoadError, process,
    report::Report,
    socket::Read,
    stage::{Common, Stage},
};
use clap::Args;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Longer than an idle thread lives.
const SETTLED: Duration = Duration::from_secs(12);

#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    pub common: Common,
    /// How long they stay open.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
}

pub async fn run(options: &Options) -> Result<Report, LoadError> {
    let mut stage = Stage::set(&options.common).await?;
    // What logging in took is given back when the threads that hashed have gone.
    tokio::time::sleep(SETTLED).await;
    stage.before = process::memory(&options.common.pids)?;
    let connections = stage.connect(options.common.connections as usize).await?;
    let count = connections.len();
    let closed = Arc::new(AtomicU64::new(0));
    // Read all the same: the server asks now and then whether anybody is there.
    let readers = connections.into_iter().map(|mut connection| {
        let counter = closed.clone();
        tokio::spawn(async move {
            while let Ok(Read::Some) = connection.socket.read(|_| {}).await {}
            counter.fetch_add(1, Ordering::Relaxed);
        })
    });
    let readers: Vec<_> = readers.collect();
    let before = stage.used()?;
    let mut report = stage.report("idle", count, Duration::from_secs(options.seconds)).await?;
    report.cpu_seconds = stage.used_since(before)?;
    report.closed = closed.load(Ordering::Relaxed);
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(report)
}
