//! The browser's live connection.

mod backoff;
#[cfg(feature = "hydrate")]
mod socket;

pub use here::{send, start};

#[cfg(feature = "hydrate")]
mod here {
    pub use super::socket::{send, start};
}

/// On the server nothing is live.
#[cfg(not(feature = "hydrate"))]
mod here {
    use crate::state::Chat;
    use natter::wire::ClientFrame;

    pub fn start(_: Chat) {}

    pub fn send(_: ClientFrame) {}
}
