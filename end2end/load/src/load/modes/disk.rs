//! The disk alone: how often a second it makes something durable, one after the other.

use crate::load::{
    LoadError, board,
    report::{Figure, Report, Spread, per_second},
};
use clap::Args;
use std::{
    fs::File,
    io::{self, Seek as _, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

/// What is written each time: a page of a write-ahead log.
const PAGE: [u8; 4_096] = [0x5a; 4_096];
/// The file goes round, as a log does.
const LONGEST: u64 = 4 * 1024 * 1024;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Folder on the disk in question.
    #[arg(long, default_value = ".")]
    pub dir: PathBuf,
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// File to write the figures to.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<Report, LoadError> {
    let path = options.dir.join(format!(".natter-load-{}", std::process::id()));
    let outcome = measure(&path, Duration::from_secs(options.seconds));
    let _ = std::fs::remove_file(&path);
    outcome.map_err(|source| LoadError::Io { what: path.display().to_string(), source })
}

fn measure(path: &std::path::Path, time: Duration) -> io::Result<Report> {
    let mut file = File::create_new(path)?;
    let mut each = board::histogram();
    let began = Instant::now();
    while began.elapsed() < time {
        let start = Instant::now();
        if file.stream_position()? >= LONGEST {
            file.rewind()?;
        }
        file.write_all(&PAGE)?;
        file.sync_data()?;
        each.saturating_record(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    let took = began.elapsed();
    Ok(Report {
        mode: "disk",
        seconds: took.as_secs_f64(),
        acked_per_second: per_second(each.len(), took),
        others: vec![Figure { name: "fdatasync".into(), spread: Spread::of(&each) }],
        ..Report::default()
    })
}
