//! Posting and reading messages. All posts of a node go through one writer, which stores what
//! arrived while the last commit was under way in one transaction (group commit), publishes after
//! the commit in the order of the revisions, and only then answers.

use super::{Caller, Clock, Result, ServiceError, uploads::no_such_upload};
use crate::{
    bus::{Bus, Hint},
    limits::ChatLimits,
    metrics::Metrics,
    store::{Anchor, Appended, MessageChange, NewMessage, Result as StoreResult, Revised, Revision, Store, StoreError},
};
use natter::{
    ChannelId, FieldError, Message, MessageId, MessagePage, Ref, UploadId,
    input::{Emoji, MessageText, REACTIONS_MAX, Reason},
    markdown::mentions,
    message::Changes,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Posts waiting for the writer; beyond it senders wait.
const QUEUE: usize = 1_024;
/// Posts in one transaction.
const BATCH: usize = 256;
/// For how long in all, and after what pause each time, it is asked what became of a commit whose answer
/// was lost: other posts wait meanwhile, and one try may take seconds.
const ASK_FOR: Duration = Duration::from_secs(8);
const ASK_AFTER: Duration = Duration::from_millis(250);

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

/// What somebody wants to say.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub text: String,
    /// The sender's own id for it.
    pub reference: Option<Ref>,
    /// What it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own uploads.
    pub attachments: Vec<UploadId>,
}

pub struct Messages {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Clock,
    limits: Arc<ChatLimits>,
    queue: mpsc::Sender<Post>,
    deleted: Notify,
}

impl Messages {
    /// Starts the writer; it ends, with nothing left undone, when the value is dropped.
    pub fn start(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        clock: Clock,
        limits: Arc<ChatLimits>,
        metrics: Arc<Metrics>,
    ) -> (Self, JoinHandle<()>) {
        let (queue, posts) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write(store.clone(), bus.clone(), metrics, posts));
        (Self { store, bus, clock, limits, queue, deleted: Notify::new() }, writer)
    }

    /// Puts a message in line and returns the wait for its being stored. Messages put in line one
    /// after the other are stored in that order.
    pub async fn submit(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        draft: Draft,
    ) -> Result<impl Future<Output = Result<Posted>> + Send + 'static + use<>> {
        self.limits.message(caller.user.id)?;
        let text = MessageText::with_files(&draft.text, draft.attachments.len())?.into_string();
        let message = NewMessage {
            id: MessageId::generate(),
            channel_id,
            sender_id: caller.user.id,
            reference: draft.reference,
            mentions: mentions(&text),
            text,
            reply_to: draft.reply_to,
            attachments: draft.attachments,
            timestamp: self.clock.now(),
        };
        let (answer, stored) = oneshot::channel();
        self.queue.send(Post { message, answer }).await.map_err(|_| ServiceError::Overloaded)?;
        Ok(async move { stored.await.unwrap_or(Err(ServiceError::Overloaded)) })
    }

    pub async fn post(&self, caller: &Caller, channel: ChannelId, draft: Draft) -> Result<Posted> {
        let posted = self.submit(caller, channel, draft).await?.await?;
        if posted.known {
            // Sent long ago, perhaps, to where its sender isn't any more.
            self.readable(caller, posted.message.channel_id).await?;
        }
        Ok(posted)
    }

    /// Changes the words of one's own message.
    pub async fn edit(&self, caller: &Caller, id: MessageId, text: &str) -> Result<Message> {
        // Whether there may be none is decided on the message: where it carries files.
        let text = MessageText::with_files(text, 1)?.into_string();
        self.revise(caller, id, MessageChange::Edit { mentions: mentions(&text), text }).await
    }

    /// Deletes a message: its text is gone for good. `reason`: an admin's, for the audit log.
    pub async fn delete(&self, caller: &Caller, id: MessageId, reason: Option<&str>) -> Result<Message> {
        let reason = reason.map(Reason::parse).transpose()?.flatten().map(Reason::into_string);
        let deleted = self.revise(caller, id, MessageChange::Delete { reason }).await?;
        self.deleted.notify_one();
        Ok(deleted)
    }

    /// Waits until a message is deleted: its files may go then.
    pub async fn deleted(&self) {
        self.deleted.notified().await;
    }

    /// Answers a message with an emoji, or takes that back.
    pub async fn react(&self, caller: &Caller, id: MessageId, emoji: &str, on: bool) -> Result<Message> {
        // What was given under an older rule can be taken back.
        let emoji = if on { Emoji::parse(emoji)?.into_string() } else { emoji.to_owned() };
        self.revise(caller, id, MessageChange::React { emoji, on }).await
    }

    async fn revise(&self, caller: &Caller, message_id: MessageId, what: MessageChange) -> Result<Message> {
        self.limits.message(caller.user.id)?;
        let revision = Revision { message_id, actor: caller.user.id, at: self.clock.now(), what };
        let revised = self.store.revise(revision).await.map_err(|error| match error {
            // Any other error says that nothing was changed.
            StoreError::Unsure(error) => {
                tracing::warn!(%error, "it isn't known whether a message was changed");
                ServiceError::Unsure
            }
            error => error.into(),
        })?;
        match revised {
            Revised::Changed(message) => {
                self.bus.publish(vec![Hint::Message(message.clone())]).await;
                Ok(message)
            }
            Revised::Unchanged(message) => Ok(message),
            Revised::NotFound => Err(no_such_message()),
            Revised::Forbidden => Err(ServiceError::Forbidden("You can't change this message.")),
            Revised::Empty => Err(FieldError::new("text", "A message needs some text.").into()),
            Revised::Full => {
                let most = format!("A message has at most {REACTIONS_MAX} different reactions.");
                Err(FieldError::new("emoji", most).into())
            }
        }
    }

    /// One message, to whoever may read where it stands.
    pub async fn get(&self, caller: &Caller, id: MessageId) -> Result<Message> {
        let message = self.store.message(id).await?.ok_or_else(no_such_message)?;
        self.readable(caller, message.channel_id).await.map_err(|error| match error {
            ServiceError::NotFound(_) => no_such_message(),
            // Words that aren't one's own and can't be read don't exist.
            ServiceError::Forbidden(_) if message.sender.id != caller.user.id => no_such_message(),
            other => other,
        })?;
        Ok(message)
    }

    pub async fn page(&self, caller: &Caller, id: ChannelId, anchor: Anchor, limit: u32) -> Result<MessagePage> {
        self.readable(caller, id).await?;
        Ok(self.store.page(id, anchor, limit).await?)
    }

    pub async fn changes(&self, caller: &Caller, id: ChannelId, since: u64, limit: u32) -> Result<Changes> {
        self.readable(caller, id).await?;
        let changes = self.store.changes(id, since, limit).await?;
        if since > changes.rev { Err(ServiceError::Resync) } else { Ok(changes) }
    }

    pub fn epoch(&self) -> &str {
        self.store.epoch()
    }

    async fn readable(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        let role = caller.user.role;
        let access = self.store.access(caller.user.id, id).await?;
        let access = access
            .filter(|access| role.can_see_channel(*access))
            .ok_or(ServiceError::NotFound("There is no such channel."))?;
        if !role.can_read_channel(access) {
            return Err(ServiceError::Forbidden("Join the channel to read it."));
        }
        Ok(())
    }
}

fn no_such_message() -> ServiceError {
    ServiceError::NotFound("There is no such message.")
}

pub(super) fn no_such_reply() -> ServiceError {
    FieldError::new("reply_to", "The message that this answers isn't in this channel.").into()
}

async fn write(store: Arc<dyn Store>, bus: Arc<dyn Bus>, metrics: Arc<Metrics>, mut posts: mpsc::Receiver<Post>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while posts.recv_many(&mut waiting, BATCH).await > 0 {
        let (batch, answers): (Vec<_>, Vec<_>) = waiting.drain(..).map(|post| (post.message, post.answer)).unzip();
        let began = Instant::now();
        let outcome = match surely(|| store.append(&batch)).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(%error, messages = batch.len(), "messages could not be stored");
                let unsure = matches!(error, StoreError::Unsure(_));
                for answer in answers {
                    let _ = answer.send(Err(if unsure { ServiceError::Unsure } else { ServiceError::Overloaded }));
                }
                continue;
            }
        };
        let results: Vec<_> = outcome.into_iter().zip(&batch).map(|(appended, new)| result(appended, new)).collect();
        let fresh = results.iter().flatten().filter(|posted| !posted.known);
        let fresh: Vec<_> = fresh.map(|posted| Hint::Message(posted.message.clone())).collect();
        metrics.committed(batch.len(), fresh.len(), began.elapsed());
        bus.publish(fresh).await;
        for (result, answer) in results.into_iter().zip(answers) {
            // Whoever asked may have gone; the message is stored all the same.
            let _ = answer.send(result);
        }
    }
}

/// Stores something. Where the answer to the commit was lost, asks until it is known, or has taken too
/// long: whoever sent the messages is told only what is sure.
async fn surely<T, F: Future<Output = StoreResult<T>>>(store: impl Fn() -> F) -> StoreResult<T> {
    surely_within(ASK_FOR, store).await
}

async fn surely_within<T, F: Future<Output = StoreResult<T>>>(
    patience: Duration,
    store: impl Fn() -> F,
) -> StoreResult<T> {
    let unsure = match store().await {
        Err(StoreError::Unsure(error)) => error,
        outcome => return outcome,
    };
    tracing::warn!(error = %unsure, "asking what became of a commit");
    let asking = async {
        loop {
            sleep(ASK_AFTER).await;
            if let Ok(outcome) = store().await {
                return outcome;
            }
        }
    };
    timeout(patience, asking).await.map_err(|_| StoreError::Unsure(unsure))
}

fn result(appended: Appended, new: &NewMessage) -> Result<Posted> {
    match appended {
        Appended::New(message) => Ok(Posted { message, known: false }),
        // Its own id: it was stored by the commit whose answer was lost, and nobody has been told.
        Appended::Known(message) => Ok(Posted { known: message.id != new.id, message }),
        Appended::NotFound => Err(ServiceError::NotFound("There is no such channel.")),
        Appended::Spent => Err(ServiceError::NotFound("The message of that ref went with its channel.")),
        Appended::NoSuchReply => Err(no_such_reply()),
        Appended::NoSuchUpload => Err(no_such_upload()),
        Appended::Forbidden => Err(ServiceError::Forbidden("You can't write in this channel.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::pending,
        sync::atomic::{AtomicU32, Ordering},
    };

    fn lost() -> StoreError {
        StoreError::Unsure(sqlx::Error::WorkerCrashed)
    }

    #[tokio::test]
    async fn what_is_not_sure_is_asked_again_but_never_for_long() {
        let tries = AtomicU32::new(0);
        let third = || async {
            match tries.fetch_add(1, Ordering::Relaxed) {
                0 => Err(lost()),
                1 => Err(StoreError::Corrupt("away")),
                _ => Ok(()),
            }
        };
        assert!(surely(third).await.is_ok());
        assert!(matches!(
            surely(|| async { Err::<(), _>(StoreError::Corrupt("refused")) }).await,
            Err(StoreError::Corrupt(_))
        ));
        let tries = AtomicU32::new(0);
        let never_again = || async {
            if tries.fetch_add(1, Ordering::Relaxed) > 0 {
                pending::<()>().await;
            }
            Err::<(), _>(lost())
        };
        let outcome = timeout(Duration::from_secs(5), surely_within(ASK_AFTER * 2, never_again)).await;
        assert!(matches!(outcome.expect("others don't wait for ever"), Err(StoreError::Unsure(_))));
    }
}
