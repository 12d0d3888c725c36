//! Everyone's connection is cut at once, and all come back at once: how long until the last has
//! caught up.

use crate::load::{
    LoadError,
    board::{histogram, nanos},
    modes::post::fill,
    report::{Figure, Report, Spread, per_second},
    scan::{Scanned, scan},
    socket::Read,
    stage::{Common, Connection, Stage},
};
use clap::Args;
use futures::future::join_all;
use natter::{ChannelId, Ref, wire::ClientFrame};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const QUIET: Duration = Duration::from_secs(2);

#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    pub common: Common,
    /// Messages posted in each channel while nobody is connected.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub missed: u32,
}

pub async fn run(options: &Options) -> Result<Report, LoadError> {
    let stage = Arc::new(Stage::set(&options.common).await?);
    let connections = stage.connect(options.common.connections as usize).await?;
    let count = connections.len();
    let mut report = stage.report("reconnect", count, QUIET).await?;
    let known: Vec<_> =
        connections.iter().map(|connection| (connection.epoch.clone(), connection.revs.clone())).collect();
    drop(connections);
    for channel in &stage.channels {
        fill(&stage, *channel, u64::from(options.missed)).await?;
    }

    let before = stage.used()?;
    let began = Instant::now();
    let coming = known.into_iter().enumerate().map(|(number, (epoch, revs))| {
        let stage = stage.clone();
        tokio::spawn(async move { come_back(&stage, number, epoch, revs, began).await })
    });
    let (mut ready, mut caught_up, mut held) = (histogram(), histogram(), Vec::new());
    for came in join_all(coming).await {
        let (connection, at, done, messages) = came.map_err(|_| LoadError::Ended)??;
        ready.saturating_record(nanos(at));
        caught_up.saturating_record(nanos(done));
        report.delivered += messages;
        held.push(connection);
    }
    report.seconds = began.elapsed().as_secs_f64();
    report.delivered_per_second = per_second(report.delivered, began.elapsed());
    report.due = u64::from(options.missed) * held.iter().map(|connection| connection.revs.len() as u64).sum::<u64>();
    report.cpu_seconds = stage.used_since(before)?;
    stage.note_end(&mut report)?;
    let figure = |name: &str, histogram| Figure { name: name.to_owned(), spread: Spread::of(histogram) };
    report.others = vec![figure("connected again", &ready), figure("caught up", &caught_up)];
    Ok(report)
}

type Revs = Vec<(ChannelId, u64)>;

/// Connects, syncs and waits for everything: when it was ready, when it knew all, and what came.
async fn come_back(
    stage: &Stage,
    number: usize,
    epoch: String,
    revs: Revs,
    began: Instant,
) -> Result<(Connection, Duration, Duration, u64), LoadError> {
    let mut connection = stage.open(number).await?;
    let at = began.elapsed();
    let (mut open, mut messages) = (revs.len(), 0);
    let channels = revs.into_iter().collect();
    let sync = ClientFrame::Sync { reference: Some(Ref::generate()), epoch, channels };
    connection.socket.writer().send(&sync).await.map_err(|_| LoadError::Ended)?;
    while open > 0 {
        let read = connection.socket.read(|text| match scan(text) {
            Scanned::Message(_) => messages += 1,
            Scanned::Synced(_) | Scanned::Resync(_) => open -= 1,
            _ => {}
        });
        if !matches!(read.await, Ok(Read::Some)) {
            return Err(LoadError::Ended);
        }
    }
    Ok((connection, at, began.elapsed(), messages))
}
