use super::{Bus, Event};
use async_trait::async_trait;
use tokio::sync::mpsc;

/// Events waiting for the hub; when it is full, writers wait, so nothing is dropped.
const QUEUE: usize = 4_096;

/// The bus of a single node: a bounded queue to its own hub.
pub struct LocalBus {
    queue: mpsc::Sender<Event>,
}

impl LocalBus {
    pub fn new() -> (Self, mpsc::Receiver<Event>) {
        let (queue, events) = mpsc::channel(QUEUE);
        (Self { queue }, events)
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, event: Event) {
        // An error means that the hub is gone, which happens only while shutting down.
        let _ = self.queue.send(event).await;
    }
}
