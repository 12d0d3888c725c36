use super::{Bus, Hint};
use async_trait::async_trait;
use tokio::sync::mpsc;

/// Commits whose hints wait for the hub, up to 256 each; when it is full, writers wait, so nothing is
/// dropped.
const QUEUE: usize = 256;

/// A bounded queue to this node's own hub, which is all the bus that a single node needs.
pub struct LocalBus {
    queue: mpsc::Sender<Vec<Hint>>,
    others: bool,
}

impl LocalBus {
    /// `others`: there may be more nodes on the same database, from which nothing comes this way.
    pub fn new(others: bool) -> (Self, mpsc::Receiver<Vec<Hint>>) {
        let (queue, hints) = mpsc::channel(QUEUE);
        (Self { queue, others }, hints)
    }

    /// Puts hints in line, also another node's. What came together stays together.
    pub async fn receive(&self, hints: Vec<Hint>) {
        if !hints.is_empty() {
            // An error means that the hub is gone: the server is shutting down, for that very reason perhaps.
            let _ = self.queue.send(hints).await;
        }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, hints: Vec<Hint>) {
        self.receive(hints).await;
    }

    fn is_up(&self) -> bool {
        !self.others
    }
}
