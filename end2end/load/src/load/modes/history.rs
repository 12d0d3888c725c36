//! How long a page of history takes when the history is long.

use crate::load::{
    LoadError,
    board::{histogram, nanos},
    modes::post::fill,
    report::{Figure, Report, Spread, per_second},
    stage::{Common, Stage},
};
use clap::Args;
use futures::future::try_join_all;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    pub common: Common,
    /// Messages to be there; as many as are missing are posted first.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub fill: u64,
    /// How long to read.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Readers at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub readers: u32,
}

pub async fn run(options: &Options) -> Result<Report, LoadError> {
    let stage = Arc::new(Stage::set(&Common { connections: 1, channels: 1, ..options.common.clone() }).await?);
    let channel = stage.channels[0];
    let head = async || {
        let page = stage.api.page(&stage.servers[0], &stage.admin.token, channel, None).await;
        page.map(|page| page.rev).map_err(LoadError::api("the history can't be read"))
    };
    let (there, began) = (head().await?, Instant::now());
    let missing = options.fill.saturating_sub(there);
    fill(&stage, channel, missing).await?;
    let filled = began.elapsed();
    let rev = head().await?;

    let mut report = stage.report("history", 1, Duration::from_secs(1)).await?;
    report.sent = missing;
    report.acked = missing;
    report.seconds = filled.as_secs_f64();
    report.acked_per_second = per_second(missing, filled);
    let before = stage.used()?;
    let mut others = Vec::new();
    for (name, anywhere) in [("newest page", false), ("page from anywhere", true)] {
        let until = Instant::now() + Duration::from_secs(options.seconds);
        let readers = (0..options.readers).map(|_| tokio::spawn(read(stage.clone(), rev, anywhere, until)));
        let mut all = histogram();
        for times in try_join_all(readers).await.map_err(|_| LoadError::Ended)? {
            times?.into_iter().for_each(|time| all.saturating_record(nanos(time)));
        }
        others.push(Figure { name: format!("{name} of {rev} messages"), spread: Spread::of(&all) });
    }
    report.others = others;
    report.cpu_seconds = stage.used_since(before)?;
    stage.note_end(&mut report)?;
    Ok(report)
}

async fn read(stage: Arc<Stage>, rev: u64, anywhere: bool, until: Instant) -> Result<Vec<Duration>, LoadError> {
    let mut times = Vec::new();
    while Instant::now() < until {
        let before = anywhere.then(|| fastrand::u64(1..=rev) + 1);
        let began = Instant::now();
        let page = stage.api.page(&stage.servers[0], &stage.admin.token, stage.channels[0], before).await;
        page.map_err(LoadError::api("the history can't be read"))?;
        times.push(began.elapsed());
    }
    Ok(times)
}
