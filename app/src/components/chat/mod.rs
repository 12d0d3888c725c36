mod acts;
mod coming;
mod completion;
mod composer;
mod conversation;
mod editor;
mod log;
mod message;
mod moderate;
mod newer;
mod older;
mod scroll;
mod toolbar;
mod typing;

pub use coming::Coming;
pub use conversation::Conversation;
pub use log::Opening;
pub use message::CALL;
pub use older::place;

use composer::Composer;
use log::Log;
use typing::Typing;
