//! Processes to break, and a crowd to notice it.

mod crowd;
mod disk;
mod lossy;
mod node;
mod proxy;
mod services;

pub use crowd::{Crowd, sound};
pub use disk::SmallDisk;
pub use lossy::LossyBroker;
pub use node::{Node, Setup, program};
pub use proxy::{Mode, Proxy};
pub use services::{Nats, Postgres, fresh_schema, shared_broker};

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

/// How much is done: enough for every change, or `NATTER_TORTURE=1` for a long evening.
pub struct Scale {
    pub rounds: usize,
    pub people: usize,
    pub channels: usize,
    /// Clients that connect at once where that is the point.
    pub many: usize,
}

pub fn scale() -> Scale {
    if std::env::var("NATTER_TORTURE").is_ok_and(|value| value == "1") {
        Scale { rounds: 8, people: 24, channels: 6, many: 2_000 }
    } else {
        Scale { rounds: 2, people: 8, channels: 3, many: 200 }
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Whether this process may mount and change users.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|itself| itself.uid() == 0)
}

/// Sends a signal by its name.
pub async fn signal(pid: u32, name: &str) {
    let sent = tokio::process::Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "no {name} could be sent to {pid}");
}
