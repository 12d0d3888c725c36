pub mod admin;
pub mod channels;
pub mod chat;
pub mod people;
pub mod ui;
