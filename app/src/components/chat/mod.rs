mod composer;
mod log;
mod message;

pub use composer::Composer;
pub use log::Log;
