//! The browser's live connection.

mod backoff;
#[cfg(feature = "hydrate")]
mod socket;

pub use here::{leave, send, start};

#[cfg(feature = "hydrate")]
mod here {
    pub use super::socket::{leave, send, start};
}

/// On the server nothing is live.
#[cfg(not(feature = "hydrate"))]
mod here {
    use crate::state::Chat;
    use natter::wire::ClientFrame;

    pub fn start(_: Chat) {}

    pub fn leave() {}

    pub fn send(_: ClientFrame) {}
}
