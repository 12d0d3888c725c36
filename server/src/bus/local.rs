use super::{Bus, Hint};
use async_trait::async_trait;
use tokio::sync::mpsc;

/// Hints waiting for the hub; when it is full, writers wait, so nothing is dropped.
const QUEUE: usize = 4_096;

/// The bus of a single node: a bounded queue to its own hub.
pub struct LocalBus {
    queue: mpsc::Sender<Hint>,
}

impl LocalBus {
    pub fn new() -> (Self, mpsc::Receiver<Hint>) {
        let (queue, hints) = mpsc::channel(QUEUE);
        (Self { queue }, hints)
    }

    /// Puts hints of another node in line.
    pub async fn receive(&self, hints: Vec<Hint>) {
        for hint in hints {
            // An error means that the hub is gone, which happens only while shutting down.
            let _ = self.queue.send(hint).await;
        }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, hints: Vec<Hint>) {
        self.receive(hints).await;
    }
}
