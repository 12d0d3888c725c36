//! What the page knows. Stores change only here: by what the server says and what the person does.

mod browser;
mod chat;
mod drafts;
mod feed;
#[cfg(test)]
pub mod fixtures;
mod later;
mod outbox;
mod people;
mod rows;
mod times;
mod uploads;
mod zone;

/// Kept in the browser when a session has ended under an open page, for the page where one logs in again.
pub const ENDED: &str = "natter.ended";

pub use browser::{
    assign_location, focus_in_place, forget, has_focus, has_invoker_commands, is_attentive, keep_focus, leads_nowhere,
    post_form, recall, set_title, set_waiting,
};
#[cfg(feature = "hydrate")]
pub use browser::{now, remember};
pub use chat::{Card, Chat, Link, Loss, Quoted, address_of, calls, target_of};
pub use drafts::forget_drafts;
pub use feed::Standing;
pub use later::Later;
pub use outbox::Target;
pub use rows::{Delivery, Key, MessageRow, Row, Rows, continues, rows};
pub use times::{Preset, Times, parse_local};
pub use uploads::{Carrier, Picked, Progress, Uploads};
pub use zone::Zone;
