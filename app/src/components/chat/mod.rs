mod composer;
mod log;
mod message;
mod scroll;

pub use composer::Composer;
pub use log::Log;
