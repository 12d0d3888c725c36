mod create;
mod delete;
mod lost;
mod sidebar;

pub use create::{CREATE_CHANNEL, CreateChannelDialog, open_create};
pub use delete::{DELETE_CHANNEL, DeleteChannelDialog};
pub use lost::Lost;
pub use sidebar::Sidebar;
