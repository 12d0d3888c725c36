mod create;
mod delete;
mod leave;
mod lost;
mod mute;
mod sidebar;

pub use create::{CREATE_CHANNEL, CreateChannelDialog, open_create};
pub use delete::{DELETE_CHANNEL, DeleteChannelDialog};
pub use leave::{AskToLeave, Leaving, leave};
pub use lost::Lost;
pub use mute::MuteButton;
pub use sidebar::Sidebar;
