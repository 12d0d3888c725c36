//! What can be measured.

pub mod disk;
pub mod floor;
pub mod history;
pub mod idle;
mod post;
pub mod reconnect;
pub mod traffic;
