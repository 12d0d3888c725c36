pub mod channels;
pub mod chat;
pub mod ui;
