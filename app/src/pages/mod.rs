//! One file a route.

pub mod admin;
mod browse;
mod channel;
mod direct;
mod enter;
mod home;
mod not_found;
mod scheduled;
mod search;
mod settings;
mod signed;

pub use browse::Browse;
pub use channel::ChannelPage;
pub use direct::DirectPage;
pub use enter::{Invited, Login, Register};
pub use home::Home;
pub use not_found::NotFound;
pub use scheduled::ScheduledPage;
pub use search::SearchPage;
pub use settings::Settings;
pub use signed::Signed;
