//! What the benchmark measured, as far as it has run, and what is assumed where it hasn't.

use crate::load::LoadError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::Path};

const MICROS: f64 = 1e6;

/// As much of a report ([`crate::load::report::Report`]) as is needed here.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Run {
    pub connections: f64,
    pub senders: f64,
    pub acked: f64,
    pub delivered: f64,
    pub acked_per_second: f64,
    pub cpu_seconds: Option<f64>,
    pub cpu_seconds_per_million_deliveries: Option<f64>,
    pub memory: Option<Memory>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Memory {
    pub rss_kib_per_connection: f64,
}

pub type Runs = BTreeMap<String, Run>;

/// The reports in a folder, by the names of their files. What isn't a report is left out.
pub fn read(folder: &Path) -> Result<Runs, LoadError> {
    let failed = |source| LoadError::Io { what: folder.display().to_string(), source };
    let mut runs = Runs::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let named = |source: io::Error| LoadError::Io { what: path.display().to_string(), source };
        let run = serde_json::from_slice(&fs::read(&path).map_err(named)?);
        if let (Some(name), Ok(run)) = (path.file_stem(), run) {
            runs.insert(name.to_string_lossy().into_owned(), run);
        }
    }
    Ok(runs)
}

/// A figure and where it is from: the name of a run, or "assumed".
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Known {
    pub value: f64,
    pub from: String,
}

impl Known {
    /// Of the first run that there is and that says it.
    fn first(runs: &Runs, names: &[&str], value: impl Fn(&Run) -> Option<f64>, assumed: f64) -> Self {
        let mut usable = names.iter().filter_map(|name| {
            let value = value(runs.get(*name)?).filter(|value| *value > 0.0)?;
            Some((value, *name))
        });
        let (value, from) = usable.next().unwrap_or((assumed, "assumed"));
        Self { value, from: from.to_owned() }
    }
}

/// What things cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Processor time for one delivery when each wakes its reader: microseconds.
    pub trickle_us: Known,
    /// The same when several wait at a time and go out together.
    pub burst_us: Known,
    /// Of one message apart from its deliveries, in a commit of its own: with many nodes few share one.
    pub message_us: Known,
    /// Memory of an idle connection in the server.
    pub connection_kib: Known,
    /// Processor time for one connection that comes back and catches up: milliseconds.
    pub comeback_ms: Known,
    /// How long one batch of a node's writer takes on PostgreSQL: milliseconds.
    pub commit_ms: Known,
    /// Acknowledged messages a second that one writer reached at best.
    pub writer: Known,
    /// Acknowledged messages a second by senders.
    pub sqlite: Vec<(f64, f64)>,
    pub postgres: Vec<(f64, f64)>,
    /// Microseconds a delivery by connections, at a trickle.
    pub fanout: Vec<(f64, f64)>,
}

impl Figures {
    pub fn of(runs: &Runs) -> Self {
        let each = |run: &Run| run.cpu_seconds_per_million_deliveries;
        let trickle_us = Known::first(runs, &["fanout-500", "fanout-1000", "fanout-100"], each, 20.0);
        let message = |run: &Run| Some((run.cpu_seconds? * MICROS - run.delivered * trickle_us.value) / run.acked);
        let senders = [1, 4, 16, 64, 256];
        let commits = |engine: &str| -> Vec<_> {
            let runs = senders.iter().filter_map(|senders| runs.get(&format!("commit-{engine}-{senders}")));
            runs.map(|run| (run.senders, run.acked_per_second)).collect()
        };
        let postgres = commits("postgres");
        let writer = postgres.iter().map(|(_, acked)| *acked).fold(0.0, f64::max);
        let fanout = [100, 500, 1_000, 5_000].iter().filter_map(|members| runs.get(&format!("fanout-{members}")));
        Self {
            message_us: Known::first(runs, &["commit-postgres-1", "commit-sqlite-1"], message, 400.0),
            connection_kib: Known::first(runs, &["idle-10000"], |run| Some(run.memory?.rss_kib_per_connection), 10.0),
            comeback_ms: Known::first(
                runs,
                &["reconnect-2000"],
                |run| Some(run.cpu_seconds? * 1e3 / run.connections),
                1.0,
            ),
            commit_ms: Known::first(runs, &["commit-postgres-1"], |run| Some(1e3 / run.acked_per_second), 4.0),
            writer: if writer > 0.0 {
                Known { value: writer, from: "commit-postgres-*".into() }
            } else {
                Known { value: 8_000.0, from: "assumed".into() }
            },
            sqlite: commits("sqlite"),
            fanout: fanout.filter_map(|run| Some((run.connections, each(run)?))).collect(),
            postgres,
            trickle_us,
            burst_us: Known::first(runs, &["burst-500"], each, 3.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_counts_and_the_rest_is_assumed() {
        let fanout = Run { cpu_seconds_per_million_deliveries: Some(17.0), ..Run::default() };
        let commit = |senders: f64, acked_per_second| Run {
            senders,
            acked: 1_000.0,
            delivered: 16_000.0,
            acked_per_second,
            cpu_seconds: Some(0.372),
            ..Run::default()
        };
        let runs = Runs::from([
            ("fanout-1000".into(), fanout),
            ("commit-postgres-1".into(), commit(1.0, 250.0)),
            ("commit-postgres-256".into(), commit(256.0, 5_000.0)),
        ]);
        let figures = Figures::of(&runs);
        assert_eq!(figures.trickle_us, Known { value: 17.0, from: "fanout-1000".into() });
        assert_eq!((figures.connection_kib.from.as_str(), figures.burst_us.value), ("assumed", 3.0));
        assert!((figures.message_us.value - 100.0).abs() < 1e-6, "372 µs less 16 deliveries of 17 µs");
        assert!((figures.commit_ms.value - 4.0).abs() < 1e-9);
        assert_eq!(figures.postgres, [(1.0, 250.0), (256.0, 5_000.0)]);
        assert!((figures.writer.value - 5_000.0).abs() < 1e-9 && figures.sqlite.is_empty());
    }

    #[test]
    fn a_figure_that_says_nothing_is_not_used() {
        let empty = Run { cpu_seconds_per_million_deliveries: None, ..Run::default() };
        let figures = Figures::of(&Runs::from([("fanout-500".into(), empty), ("commit-postgres-1".into(), empty)]));
        assert_eq!(figures.trickle_us.from, "assumed");
        assert!(figures.message_us.value.is_finite() && figures.comeback_ms.value.is_finite());
    }

    #[test]
    fn reports_are_read_as_the_tool_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let report = crate::load::report::Report { mode: "fanout", connections: 500, acked: 7, ..Default::default() };
        fs::write(folder.path().join("fanout-500.json"), serde_json::to_vec(&report).unwrap()).unwrap();
        fs::write(folder.path().join("broken.json"), "{").unwrap();
        fs::write(folder.path().join("notes.txt"), "{}").unwrap();
        let runs = read(folder.path()).unwrap();
        assert_eq!(runs.len(), 1);
        assert!((runs["fanout-500"].connections - 500.0).abs() < 1e-9 && (runs["fanout-500"].acked - 7.0).abs() < 1e-9);
        assert!(read(&folder.path().join("nowhere")).is_err());
    }
}
