//! Natter's interface: rendered on the server, woken in the browser. It names no database, token or
//! broker: what it needs from the server stands in [`backend`] and comes in through Leptos context.

// Leptos writes components as functions that take their props by value and return views.
#![recursion_limit = "256"]

pub mod api;
mod app;
#[cfg(feature = "ssr")]
pub mod backend;
mod components;
pub mod live;
mod pages;
#[cfg(feature = "ssr")]
mod shell;
pub mod state;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::{Assets, shell};
