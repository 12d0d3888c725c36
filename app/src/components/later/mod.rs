//! Messages for later: choosing a time, and what waits.

mod composer;
mod desk;
mod edit;
mod entry;
mod failed;
mod link;
mod picker;
mod place;

pub use composer::{Promised, SendLater, SendLaterButton, Words};
pub use desk::Desk;
pub use entry::Entry;
pub use failed::Failed;
pub use link::ScheduledLink;
pub use picker::{Picking, TimePicker};
