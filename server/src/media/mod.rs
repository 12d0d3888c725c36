//! Files: what they are, what is taken out of them, and where their bytes are kept. Knows no people
//! and no rights.

mod boxes;
mod cost;
pub mod depot;
mod matroska;
mod picture;
mod scrub;
pub mod sniff;
mod studio;

pub use depot::{Depot, DepotError, Part};
pub use studio::{Prepared, Studio, Unfit};

/// A picture's longest side, and all of its pixels: what one costs while it is decoded.
pub const SIDE_MAX: u32 = 12_000;
pub const PIXELS_MAX: u64 = 50_000_000;
/// A thumbnail's longest side.
pub const THUMBNAIL_SIDE: u32 = 720;
