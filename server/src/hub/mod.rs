//! Everyone connected to this node, and what of each event reaches whom.

mod fanout;
mod follower;
mod frame;
mod gaps;
mod line;
mod marks;
mod outbox;
mod presence;
mod registry;
mod telling;

pub use fanout::Hub;
pub use follower::Follower;
pub use frame::Frame;
pub use gaps::{Gap, Gaps};
pub use outbox::{Closed, Outbox};
pub use registry::{ConnectionId, Registry};
