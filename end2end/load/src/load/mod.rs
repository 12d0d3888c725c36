//! Load: many cheap connections, and what the server makes of them.

pub mod board;
pub mod frame;
pub mod modes;
pub mod process;
pub mod report;
pub mod scan;
pub mod socket;
pub mod stage;

use crate::api::ApiError;
use socket::OpenError;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{what}: {source}")]
    Api { what: &'static str, source: ApiError },
    #[error("connection {number} can't be opened: {source}")]
    Open { number: usize, source: OpenError },
    #[error("{0}")]
    Options(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("a connection ended while it was needed")]
    Ended,
}

impl LoadError {
    /// For `map_err`.
    pub fn api(what: &'static str) -> impl FnOnce(ApiError) -> Self {
        move |source| Self::Api { what, source }
    }
}
