//! Posting and reading messages. All posts of a node go through one writer, which stores what
//! arrived while the last commit was under way in one transaction (group commit), publishes after
//! the commit in the order of the revisions, and only then answers.

use super::{Caller, Clock, Result, ServiceError};
use crate::{
    bus::{Bus, Event},
    store::{Anchor, Appended, NewMessage, Store},
};
use natter::{Channel, ChannelId, Message, MessageId, MessagePage, Ref, input::MessageText, message::Changes};
use std::sync::Arc;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// Posts waiting for the writer; beyond it senders wait.
const QUEUE: usize = 1_024;
/// Posts in one transaction.
const BATCH: usize = 256;
/// One sync brings at most this many messages a channel; past it, reloading is cheaper.
pub const SYNC_MAX: usize = 1_000;

struct Post {
    message: NewMessage,
    answer: oneshot::Sender<Result<Posted>>,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub message: Message,
    /// It was stored by an earlier post with the same `ref`.
    pub known: bool,
}

pub struct Messages {
    store: Arc<dyn Store>,
    clock: Clock,
    queue: mpsc::Sender<Post>,
}

impl Messages {
    /// Starts the writer; it ends, with nothing left undone, when the value is dropped.
    pub fn start(store: Arc<dyn Store>, bus: Arc<dyn Bus>, clock: Clock) -> (Self, JoinHandle<()>) {
        let (queue, posts) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write(store.clone(), bus, posts));
        (Self { store, clock, queue }, writer)
    }

    /// Puts a message in line and returns the wait for its being stored. Messages put in line one
    /// after the other are stored in that order.
    pub async fn submit(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        text: &str,
        reference: Option<Ref>,
    ) -> Result<impl Future<Output = Result<Posted>> + Send + 'static + use<>> {
        let text = MessageText::parse(text)?.into_string();
        let message = NewMessage {
            id: MessageId::generate(),
            channel_id,
            sender_id: caller.user.id,
            reference,
            text,
            timestamp: self.clock.now(),
        };
        let (answer, stored) = oneshot::channel();
        self.queue.send(Post { message, answer }).await.map_err(|_| ServiceError::Overloaded)?;
        Ok(async move { stored.await.unwrap_or(Err(ServiceError::Overloaded)) })
    }

    pub async fn post(
        &self,
        caller: &Caller,
        channel: ChannelId,
        text: &str,
        reference: Option<Ref>,
    ) -> Result<Posted> {
        self.submit(caller, channel, text, reference).await?.await
    }

    pub async fn page(&self, caller: &Caller, id: ChannelId, anchor: Anchor, limit: u32) -> Result<MessagePage> {
        self.readable(caller, id).await?;
        Ok(self.store.page(id, anchor, limit).await?)
    }

    pub async fn changes(&self, caller: &Caller, id: ChannelId, since: u64, limit: u32) -> Result<Changes> {
        let channel = self.readable(caller, id).await?;
        if since > channel.rev {
            return Err(ServiceError::Resync);
        }
        Ok(self.store.changes(id, since, limit).await?)
    }

    /// The whole gap since `since`, or `Resync` where that cannot be told or is too much.
    pub async fn gap(&self, caller: &Caller, id: ChannelId, since: u64, epoch: &str) -> Result<Changes> {
        if epoch != self.store.epoch() {
            return Err(ServiceError::Resync);
        }
        let most = u32::try_from(SYNC_MAX).unwrap_or(u32::MAX);
        let changes = self.changes(caller, id, since, most).await?;
        if changes.next.is_some() { Err(ServiceError::Resync) } else { Ok(changes) }
    }

    pub fn epoch(&self) -> &str {
        self.store.epoch()
    }

    async fn readable(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        let role = caller.user.role;
        let channel = self.store.channel(caller.user.id, id).await?;
        let channel = channel
            .filter(|channel| role.can_see_channel(channel.access()))
            .ok_or(ServiceError::NotFound("There is no such channel."))?;
        if !role.can_read_channel(channel.access()) {
            return Err(ServiceError::Forbidden("Join the channel to read it."));
        }
        Ok(channel)
    }
}

async fn write(store: Arc<dyn Store>, bus: Arc<dyn Bus>, mut posts: mpsc::Receiver<Post>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while posts.recv_many(&mut waiting, BATCH).await > 0 {
        let (batch, answers): (Vec<_>, Vec<_>) = waiting.drain(..).map(|post| (post.message, post.answer)).unzip();
        let outcome = match store.append(&batch).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(%error, messages = batch.len(), "messages could not be stored");
                for answer in answers {
                    let _ = answer.send(Err(ServiceError::Overloaded));
                }
                continue;
            }
        };
        for (appended, answer) in outcome.into_iter().zip(answers) {
            let result = match appended {
                Appended::New(message) => {
                    bus.publish(Event::Message(message.clone())).await;
                    Ok(Posted { message, known: false })
                }
                Appended::Known(message) => Ok(Posted { message, known: true }),
                Appended::NotFound => Err(ServiceError::NotFound("There is no such channel.")),
                Appended::Forbidden => Err(ServiceError::Forbidden("You can't write in this channel.")),
            };
            // Whoever asked may have gone; the message is stored all the same.
            let _ = answer.send(result);
        }
    }
}
