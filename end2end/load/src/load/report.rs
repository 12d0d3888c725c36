//! What a run led to, for people and as JSON.

use super::process::Memory;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::{fmt, time::Duration};

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub count: u64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Spread {
    /// Of a histogram of nanoseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: if histogram.is_empty() { 0.0 } else { millis(histogram.max()) },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "two minutes in microseconds are well within 52 bits")]
fn millis(nanos: u64) -> f64 {
    (nanos / 1_000) as f64 / 1_000.0
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, p999, max, .. } = self;
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, at most {max:.2} ms")
    }
}

/// Before anything was opened, and with every connection open and silent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Footprint {
    pub before_kib: Memory,
    pub open_kib: Memory,
    pub after_kib: Memory,
    pub rss_kib_per_connection: f64,
    pub pss_kib_per_connection: f64,
    pub private_kib_per_connection: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    pub mode: &'static str,
    pub connections: usize,
    pub users: usize,
    pub channels: usize,
    pub senders: usize,
    /// From the first message to the last ack.
    pub seconds: f64,
    pub sent: u64,
    pub acked: u64,
    pub refused: u64,
    pub delivered: u64,
    /// What should have been delivered, by who was in which channel.
    pub due: u64,
    /// Connections that the server closed.
    pub closed: u64,
    pub acked_per_second: f64,
    pub delivered_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_ms: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_ms: Option<Spread>,
    /// The server's processor time while there was traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds_per_million_deliveries: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Footprint>,
    /// What only one mode measures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Figure>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    #[serde(flatten)]
    pub spread: Spread,
}

/// So many in that time.
#[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, connections, users, channels, senders, .. } = self;
        writeln!(f, "{mode}: {connections} connections of {users} users in {channels} channels, {senders} sending")?;
        let Self { sent, acked, refused, delivered, due, closed, seconds, .. } = self;
        if *sent > 0 {
            writeln!(f, "  {sent} sent, {acked} acknowledged, {refused} refused in {seconds:.2} s")?;
            writeln!(f, "  {:.0} acks a second", self.acked_per_second)?;
        }
        if *due > 0 {
            writeln!(f, "  {delivered} of {due} delivered, {:.0} a second", self.delivered_per_second)?;
        }
        if *closed > 0 {
            writeln!(f, "  {closed} connections closed by the server")?;
        }
        let latencies = [("ack", &self.ack_ms), ("delivery", &self.delivery_ms)];
        for (name, spread) in latencies.iter().filter_map(|(name, spread)| Some((name, spread.as_ref()?))) {
            writeln!(f, "  {name}: {spread}")?;
        }
        for Figure { name, spread } in &self.others {
            writeln!(f, "  {name} ({}): {spread}", spread.count)?;
        }
        if let Some(cpu) = self.cpu_seconds {
            write!(f, "  server: {cpu:.2} s of processor time")?;
            if let Some(each) = self.cpu_seconds_per_million_deliveries {
                write!(f, ", {each:.2} s a million deliveries")?;
            }
            writeln!(f)?;
        }
        if let Some(memory) = &self.memory {
            let [before, open, after] = [memory.before_kib, memory.open_kib, memory.after_kib].map(|at| at.rss / 1024);
            writeln!(
                f,
                "  server: {before} MiB resident before, {open} MiB with all connected, {after} MiB in the end"
            )?;
            let Footprint {
                rss_kib_per_connection: rss,
                pss_kib_per_connection: pss,
                private_kib_per_connection: private,
                ..
            } = memory;
            // Elsewhere what was given back since hides it.
            if self.mode == "idle" {
                writeln!(f, "  a connection: {rss:.2} KiB resident, {pss:.2} KiB PSS, {private:.2} KiB private")?;
            }
        }
        Ok(())
    }
}
