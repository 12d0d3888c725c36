pub mod admin;
pub mod attach;
pub mod channels;
pub mod chat;
pub mod feed;
pub mod later;
pub mod media;
pub mod people;
mod retry;
pub mod search;
pub mod ui;

pub use retry::Retry;
