//! What the pages of the admin area are made of.

mod act;
mod chart;
mod copy;
mod page;
mod rules;
mod told;

pub use act::Act;
pub use chart::{Bars, Shares, StorageShares, grouped, size};
pub use copy::{CopyButton, origin};
pub use page::{Empty, Moment, Page, Wrong, shown};
pub use rules::Rules;
pub use told::{Deed, PAGE, Told};
