mod button;
mod entries;
mod hit;
mod palette;

pub use button::SearchButton;
pub use entries::{Entry, named};
pub use hit::{HitRow, OPERATORS, address};
pub use palette::Palette;
