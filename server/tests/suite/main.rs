//! Natter's server from outside: one binary, so that it is linked once.

mod common;
mod http;
mod live;
mod process;
mod refusals;
mod store_contract;
