mod card;
mod find;
mod members;
mod write;

pub use card::{PersonCard, clicked};
pub use find::{FindPerson, NEW_DIRECT};
pub use members::{Members, MembersButton};
