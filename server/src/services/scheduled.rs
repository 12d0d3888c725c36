//! Messages for later: what their authors do with them, and sending them when their time comes.

use super::{
    Caller, Clock, Result, ServiceError,
    directs::Directs,
    messages::{Draft, no_such_reply},
    uploads::{UNUSED_MILLIS, no_such_upload},
};
use crate::{
    bus::{Bus, Hint},
    limits::ChatLimits,
    metrics::Metrics,
    store::{
        Delivered, Delivery, Due, Edited, Made, NewMessage, NewScheduled, Result as StoreResult, ScheduledEdit, Store,
    },
};
use natter::{
    ChannelId, FieldError, MessageId, Ref, Scheduled, ScheduledId, Timestamp, UploadId, UserId,
    input::MessageText,
    markdown::mentions,
    scheduled::{PENDING_MAX, SETTLED_MS, ScheduledCounts, ScheduledState, check_send_at},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Sent in one transaction.
const BATCH: u32 = 256;

/// What somebody wants to say, and when.
#[derive(Clone, Debug)]
pub struct ScheduledDraft {
    pub text: String,
    pub send_at: Timestamp,
    /// The author's own id for it.
    pub reference: Option<Ref>,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<UploadId>,
}

pub struct Schedule {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
    pub limits: Arc<ChatLimits>,
    pub metrics: Arc<Metrics>,
    pub directs: Arc<Directs>,
    /// Something may be due earlier than whoever sends it thinks.
    pub moved: Notify,
}

fn no_such_message() -> ServiceError {
    ServiceError::NotFound("There is no such scheduled message.")
}

impl Schedule {
    /// All that wait, the earliest first, and the latest of those that don't.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Scheduled>> {
        Ok(self.store.scheduled_of(caller.user.id).await?)
    }

    pub async fn counts(&self, caller: &Caller) -> Result<ScheduledCounts> {
        Ok(self.store.scheduled_counts(caller.user.id).await?)
    }

    pub async fn get(&self, caller: &Caller, id: ScheduledId) -> Result<Scheduled> {
        self.store.scheduled(caller.user.id, id).await?.ok_or_else(no_such_message)
    }

    /// Puts a message on the list. The same `ref` again answers the first one, and true.
    pub async fn create(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        draft: ScheduledDraft,
    ) -> Result<(Scheduled, bool)> {
        self.limits.message(caller.user.id)?;
        let text = self.check(&draft)?;
        self.may_post(caller, channel_id).await?;
        if let Some(answered) = draft.reply_to {
            let answered = self.store.message(answered).await?;
            answered.filter(|message| message.channel_id == channel_id).ok_or_else(no_such_reply)?;
        }
        let id = ScheduledId::generate();
        let new = NewScheduled {
            id,
            owner_id: caller.user.id,
            channel_id,
            reference: draft.reference.unwrap_or(Ref(id.0)),
            text,
            reply_to: draft.reply_to,
            attachments: draft.attachments,
            send_at: draft.send_at,
            now: self.clock.now(),
        };
        match self.store.schedule(new).await? {
            Made::New(made) => {
                self.moved.notify_one();
                self.tell(caller.user.id, &made).await;
                Ok((made, false))
            }
            Made::Known(known) => Ok((known, true)),
            Made::NoSuchUpload => Err(no_such_upload()),
            Made::Full => {
                let most = format!("At most {PENDING_MAX} messages can wait to be sent.");
                Err(FieldError::new("scheduled", most).into())
            }
        }
    }

    /// The same to a person; opens the conversation if need be. What can't be said opens nothing.
    pub async fn create_direct(
        &self,
        caller: &Caller,
        with: UserId,
        draft: ScheduledDraft,
    ) -> Result<(Scheduled, bool)> {
        self.check(&draft)?;
        let ScheduledDraft { text, reply_to, attachments, .. } = draft.clone();
        let said = Draft { text, reply_to, attachments, reference: None };
        let channel_id = self.directs.open_to_say(caller, with, &said).await?;
        self.create(caller, channel_id, draft).await
    }

    /// Its words, if they and its time are good.
    fn check(&self, draft: &ScheduledDraft) -> Result<String> {
        let text = MessageText::with_files(&draft.text, draft.attachments.len());
        let time = check_send_at(draft.send_at, self.clock.now());
        match (text, time) {
            (Ok(text), Ok(())) => Ok(text.into_string()),
            (text, time) => Err(ServiceError::Invalid([text.err(), time.err()].into_iter().flatten().collect())),
        }
    }

    /// Changes what is given of one that waits.
    pub async fn edit(&self, caller: &Caller, id: ScheduledId, edit: ScheduledEdit) -> Result<Scheduled> {
        self.limits.message(caller.user.id)?;
        // That something is left to say is looked at where nobody can change it meanwhile.
        let files = edit.attachments.as_ref().map_or(1, Vec::len).max(1);
        let words = edit.text.as_deref().unwrap_or_default();
        let now = self.clock.now();
        let time = edit.send_at.map(|at| check_send_at(at, now)).transpose();
        let text = match (MessageText::with_files(words, files), time) {
            (Ok(text), Ok(_)) => edit.text.as_ref().map(|_| text.into_string()),
            (text, time) => {
                return Err(ServiceError::Invalid([text.err(), time.err()].into_iter().flatten().collect()));
            }
        };
        let edit = ScheduledEdit { text, ..edit };
        let changed = changed(self.store.reschedule(caller.user.id, id, edit, now).await?)?;
        self.moved.notify_one();
        self.tell(caller.user.id, &changed).await;
        Ok(changed)
    }

    /// Takes one back that waits, or takes note of one that failed. With `keep_files`, its files are its author's
    /// as if they had just been uploaded, to be sent with something else.
    pub async fn cancel(&self, caller: &Caller, id: ScheduledId, keep_files: bool) -> Result<Scheduled> {
        let now = self.clock.now();
        let until = keep_files.then(|| now.plus_millis(UNUSED_MILLIS));
        let cancelled = changed(self.store.unschedule(caller.user.id, id, until, now).await?)?;
        self.tell(caller.user.id, &cancelled).await;
        Ok(cancelled)
    }

    /// Sends one that waits at once; answers what became of it.
    pub async fn send_now(&self, caller: &Caller, id: ScheduledId) -> Result<Scheduled> {
        self.limits.message(caller.user.id)?;
        let now = self.clock.now();
        let edit = ScheduledEdit { send_at: Some(now), ..ScheduledEdit::default() };
        changed(self.store.reschedule(caller.user.id, id, edit, now).await?)?;
        // Whatever happens here: it is due now.
        self.moved.notify_one();
        if let Some(due) = self.store.waiting(caller.user.id, id).await? {
            self.deliver(vec![due]).await?;
        }
        self.get(caller, id).await
    }

    /// When the next is due.
    pub async fn next(&self) -> StoreResult<Option<Timestamp>> {
        self.store.next_due().await
    }

    /// Sends what is due; answers how many were looked at.
    pub async fn send_due(&self) -> StoreResult<usize> {
        let due = self.store.due(self.clock.now(), BATCH).await?;
        let count = due.len();
        if count > 0 {
            self.deliver(due).await?;
        }
        Ok(count)
    }

    /// Forgets what was settled long ago.
    pub async fn tidy(&self) -> Result<()> {
        Ok(self.store.forget_settled(self.clock.now().plus_millis(-SETTLED_MS)).await?)
    }

    /// Neither a session nor the limits on people stand in the way; whether its author may post there is
    /// decided in the transaction that posts it.
    async fn deliver(&self, due: Vec<Due>) -> StoreResult<()> {
        let batch: Vec<_> = due.into_iter().map(|due| self.delivery(due)).collect();
        let outcome = self.store.deliver(&batch).await?;
        let fresh = outcome.iter().filter_map(|delivered| match delivered {
            Delivered::Sent { message, known: false } => Some(Hint::Message(message.clone())),
            _ => None,
        });
        self.bus.publish(fresh.collect()).await;
        for (delivery, delivered) in batch.iter().zip(&outcome) {
            let owner = delivery.message.sender_id;
            match delivered {
                Delivered::Passed => continue,
                Delivered::Failed(why) => {
                    tracing::info!(scheduled_id = %delivery.id, why = why.as_str(), "a scheduled message wasn't sent");
                }
                Delivered::Sent { .. } => {}
            }
            // It is done, whatever becomes of telling it; others have to be told, too.
            let now = self.store.scheduled(owner, delivery.id).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "an author isn't told of a scheduled message");
                None
            });
            if let Some(now) = now {
                if let Delivered::Sent { message, known: false } = delivered {
                    let late = message.timestamp.millis().saturating_sub(now.send_at.millis());
                    self.metrics.sent_late(Duration::from_millis(u64::try_from(late).unwrap_or(0)));
                }
                self.tell(owner, &now).await;
            }
        }
        Ok(())
    }

    fn delivery(&self, due: Due) -> Delivery {
        let message = NewMessage {
            id: MessageId::generate(),
            channel_id: due.channel_id,
            sender_id: due.owner_id,
            reference: Some(due.reference),
            mentions: mentions(&due.text),
            text: due.text,
            reply_to: due.reply_to,
            attachments: due.attachments,
            timestamp: self.clock.now(),
        };
        Delivery { id: due.id, version: due.version, message }
    }

    /// As for posting right now. It is decided again when it is sent.
    async fn may_post(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        let role = caller.user.role;
        let access = self.store.access(caller.user.id, id).await?;
        let access = access.filter(|access| role.can_see_channel(*access));
        let access = access.ok_or(ServiceError::NotFound("There is no such channel."))?;
        if role.can_post(access) { Ok(()) } else { Err(ServiceError::Forbidden("You can't write in this channel.")) }
    }

    /// Tells all the devices of its author. It is a hint: pages read the list anew when they are looked at.
    async fn tell(&self, owner: UserId, scheduled: &Scheduled) {
        match self.store.scheduled_counts(owner).await {
            Ok(counts) => {
                let scheduled = Box::new(scheduled.clone());
                self.bus.publish(vec![Hint::Scheduled { owner, scheduled, counts }]).await;
            }
            Err(error) => tracing::warn!(%error, "an author isn't told of a scheduled message"),
        }
    }
}

fn changed(edited: Edited) -> Result<Scheduled> {
    let settled = |detail| Err(ServiceError::Conflict(FieldError::new("state", detail)));
    match edited {
        Edited::Changed(scheduled) => Ok(scheduled),
        Edited::NotFound => Err(no_such_message()),
        Edited::NoSuchUpload => Err(no_such_upload()),
        Edited::Empty => Err(FieldError::new("text", "A message needs some text.").into()),
        Edited::Settled(ScheduledState::Sent) => settled("This message has been sent already."),
        Edited::Settled(ScheduledState::Cancelled) => settled("This message was cancelled."),
        Edited::Settled(ScheduledState::Failed | ScheduledState::Pending) => settled("This message couldn't be sent."),
    }
}
