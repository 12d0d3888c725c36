//! What is unread, conversation by conversation: read, answered and put away without leaving the page.

mod card;
mod desk;
mod empty;
mod keys;
mod list;
mod message;
mod reply;

pub use desk::Desk;
pub use empty::FirstSteps;
pub use keys::listen;
pub use list::Cards;
