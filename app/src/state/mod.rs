//! What the page knows. Stores change only here: by what the server says and what the person does.

mod browser;
mod chat;
#[cfg(test)]
pub mod fixtures;
mod outbox;
mod people;
mod rows;
mod zone;

#[cfg(feature = "hydrate")]
pub use browser::now;
pub use browser::{assign_location, has_invoker_commands, is_attentive, leads_nowhere, post_form, set_title};
pub use chat::{Card, Chat, Link, target_of};
pub use outbox::Target;
pub use rows::{Delivery, Key, MessageRow, Row, Rows, rows};
pub use zone::Zone;
