mod card;
mod members;

pub use card::{PersonCard, open_card};
pub use members::Members;
