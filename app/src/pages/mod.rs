//! One file a route.

mod browse;
mod channel;
mod enter;
mod home;
mod not_found;
mod signed;

pub use browse::Browse;
pub use channel::ChannelPage;
pub use enter::{Login, Register};
pub use home::Home;
pub use not_found::NotFound;
pub use signed::Signed;
