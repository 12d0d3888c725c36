//! Natter's interface: rendered on the server, woken in the browser. It names no database, token or
//! broker: what it needs from the server stands in [`backend`] and comes in through Leptos context.

// Views are types as deep as the page; the larger components end in `into_any` to cut them short.
#![recursion_limit = "512"]

#[cfg(not(erase_components))]
compile_error!("build with --cfg erase_components, as .cargo/config.toml says: RUSTFLAGS replaces that list");

pub mod api;
mod app;
#[cfg(feature = "ssr")]
pub mod backend;
mod components;
mod favicon;
pub mod live;
mod next;
mod pages;
mod rescue;
#[cfg(feature = "ssr")]
mod shell;
pub mod state;

pub use app::App;
pub use favicon::FAVICON;
#[cfg(feature = "hydrate")]
pub use rescue::broken;
#[cfg(feature = "ssr")]
pub use shell::{Assets, shell};
