//! The real server, broken on purpose: killed, cut off, starved and filled up, under load. Clients
//! write down all they see, and the checker says whether every promise was kept.
//!
//! `NATTER_BIN` names the server (otherwise the one beside this test's own build), `NATTER_TORTURE=1`
//! makes everything larger and longer.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what a fault led to is worth reading")]

mod access;
mod broker;
mod database;
mod disk;
mod nodes;
mod readers;
mod restore;
mod scheduled;
mod single;
mod support;
mod tool;
