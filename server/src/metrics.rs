//! What a node tells a monitoring system of itself, in the `OpenMetrics` text format
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>). Figures only: nothing in them names a
//! person, a channel or words.

mod process;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{
    fmt::{self, Write as _},
    time::Duration,
};

pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where a request went: the route, never the path, which names things.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: Name,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: Name,
    route: String,
    status: u16,
}

/// Why a live connection ended: a close code (RFC 6455, 7.4), 1006 where it broke off or was left.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    code: u16,
}

/// One of few names that are known when compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Name(&'static str);

impl EncodeLabelValue for Name {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        encoder.write_str(self.0)
    }
}

/// From half a millisecond to four seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 14))
}

#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        seconds()
    }
}

/// Counted as it happens. Gauges are set when they are asked for.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    request_seconds: Family<Route, Histogram, Seconds>,
    stored: Counter,
    /// Frames handed to connections.
    pub delivered: Counter,
    /// Frames that came on connections.
    pub frames: Counter,
    ended: Family<Ended, Counter>,
    /// Times at which hints of other nodes turned out to be missing.
    pub lost_hints: Counter,
    commit_seconds: Histogram,
    commit_messages: Histogram,
    late_seconds: Histogram,
    connections: Gauge,
    people: Gauge,
    broker_up: Gauge,
}

/// Where things stand at this moment.
pub struct Standing {
    pub connections: usize,
    pub people: usize,
    pub broker_up: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(Seconds),
            stored: Counter::default(),
            delivered: Counter::default(),
            frames: Counter::default(),
            ended: Family::default(),
            lost_hints: Counter::default(),
            commit_seconds: seconds(),
            commit_messages: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            late_seconds: seconds(),
            connections: Gauge::default(),
            people: Gauge::default(),
            broker_up: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        process::register(&mut self.registry);
        let natter = self.registry.sub_registry_with_prefix("natter");
        natter.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time from a request's head to its answer's";
        natter.register_with_unit("http_request", help, Unit::Seconds, self.request_seconds.clone());
        natter.register("messages_stored", "Messages stored by this node", self.stored.clone());
        let help = "Time that one commit of messages took";
        natter.register_with_unit("commit", help, Unit::Seconds, self.commit_seconds.clone());
        natter.register("commit_messages", "Messages in one commit", self.commit_messages.clone());
        let help = "How late messages for later were sent";
        natter.register_with_unit("scheduled_late", help, Unit::Seconds, self.late_seconds.clone());
        natter.register("frames_delivered", "Frames handed to live connections", self.delivered.clone());
        natter.register("frames_received", "Frames received on live connections", self.frames.clone());
        let help = "Live connections that ended, by close code";
        natter.register("connections_ended", help, self.ended.clone());
        natter.register("connections", "Live connections now", self.connections.clone());
        natter.register("people_online", "People online, on any node", self.people.clone());
        let help = "Whether news of other nodes arrive (1 where there are none)";
        natter.register("broker_up", help, self.broker_up.clone());
        let help = "Times at which news of other nodes were missing and were read from the database";
        natter.register("hints_lost", help, self.lost_hints.clone());
        self
    }

    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let (method, route) = (Name(method), route.to_owned());
        self.request_seconds.get_or_create(&Route { method, route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { method, route, status }).inc();
    }

    /// A commit of messages, whatever was new in it.
    pub fn committed(&self, messages: usize, new: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.commit_messages.observe(f64::from(u32::try_from(messages).unwrap_or(u32::MAX)));
        self.stored.inc_by(new as u64);
    }

    pub fn sent_late(&self, by: Duration) {
        self.stored.inc();
        self.late_seconds.observe(by.as_secs_f64());
    }

    pub fn ended(&self, code: u16) {
        self.ended.get_or_create(&Ended { code }).inc();
    }

    /// All of it as text.
    pub fn text(&self, now: &Standing) -> Result<String, fmt::Error> {
        let gauge = |gauge: &Gauge, value: usize| _ = gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge(&self.connections, now.connections);
        gauge(&self.people, now.people);
        gauge(&self.broker_up, now.broker_up.into());
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
