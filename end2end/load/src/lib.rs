//! Load and faults.

pub mod api;
pub mod check;
pub mod client;
pub mod load;
