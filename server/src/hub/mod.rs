//! Everyone connected to this node, and what of each event reaches whom.

mod fanout;
mod follower;
mod gaps;
mod line;
mod outbox;
mod presence;
mod registry;

pub use fanout::Hub;
pub use follower::Follower;
pub use gaps::{Gap, Gaps};
pub use outbox::{Closed, Frames, Outbox};
pub use registry::{ConnectionId, Registry};
