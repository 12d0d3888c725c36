//! Natter's server from outside: one binary, so that it is linked once.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
mod directs;
mod feed;
mod http;
mod lists;
mod live;
mod monitoring;
mod nodes;
mod people;
mod postgres;
mod process;
mod races;
mod races_of_rights;
mod refusals;
mod rights;
mod scheduled;
mod search;
mod sockets;
mod store_contract;
mod store_feed;
mod store_locks;
mod store_messages;
mod store_people;
mod store_scheduled;
mod store_search;
mod store_uploads;
mod uploads;
