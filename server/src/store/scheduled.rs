//! Messages for later, whatever the engine.

use super::{
    Appended, NewMessage, Result, StoreError,
    rows::{count, time},
    uploads::{OfferedRow, attached},
};
use async_trait::async_trait;
use natter::{
    ChannelId, Message, MessageId, Ref, Scheduled, ScheduledId, Timestamp, Upload, UploadId, UserId,
    scheduled::{ScheduledCounts, ScheduledFailure, ScheduledState},
};
use sqlx::FromRow;
use std::collections::HashSet;
use uuid::Uuid;

pub struct NewScheduled {
    pub id: ScheduledId,
    pub owner_id: UserId,
    pub channel_id: ChannelId,
    /// The owner's own id for it, or its own.
    pub reference: Ref,
    pub text: String,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<UploadId>,
    pub send_at: Timestamp,
    pub now: Timestamp,
}

/// What came of putting one on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    New(Scheduled),
    /// The owner used this `ref` before: this is the one it made then.
    Known(Scheduled),
    /// As many wait as may.
    Full,
    /// One of its files isn't the owner's, or belongs to something else already.
    NoSuchUpload,
}

/// What is given is changed.
#[derive(Clone, Debug, Default)]
pub struct ScheduledEdit {
    pub text: Option<String>,
    pub attachments: Option<Vec<UploadId>>,
    pub send_at: Option<Timestamp>,
}

/// What came of changing or cancelling one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    Changed(Scheduled),
    /// There is none of that owner's.
    NotFound,
    /// It doesn't wait any more.
    Settled(ScheduledState),
    /// Nothing would be left to send.
    Empty,
    /// One of its files isn't the owner's, or belongs to something else already.
    NoSuchUpload,
}

/// One that waits, with all that it takes to send it.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: ScheduledId,
    /// How often it has been changed.
    pub version: u64,
    pub owner_id: UserId,
    pub channel_id: ChannelId,
    pub reference: Ref,
    pub text: String,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<UploadId>,
}

/// One to be sent now, as it was read.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: ScheduledId,
    pub version: u64,
    pub message: NewMessage,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are sent, and each lives for a moment")]
pub enum Delivered {
    Sent {
        message: Message,
        /// It was there already, under the same `ref`.
        known: bool,
    },
    Failed(ScheduledFailure),
    /// It was changed since it was read, or doesn't wait any more.
    Passed,
}

/// Messages to be sent later.
#[async_trait]
pub trait ScheduledStore: Send + Sync {
    /// How many of the owner's wait is decided inside the transaction. Forgets the oldest of the owner's
    /// that don't wait any more, beyond what is remembered.
    async fn schedule(&self, new: NewScheduled) -> Result<Made>;
    /// One of that owner's.
    async fn scheduled(&self, owner: UserId, id: ScheduledId) -> Result<Option<Scheduled>>;
    /// All of the owner's that wait, and the latest of those that don't, in the order of their places.
    async fn scheduled_of(&self, owner: UserId) -> Result<Vec<Scheduled>>;
    async fn scheduled_counts(&self, owner: UserId) -> Result<ScheduledCounts>;
    /// Changes one that waits: from then on it is sent like this, or was sent before.
    async fn reschedule(&self, owner: UserId, id: ScheduledId, edit: ScheduledEdit, now: Timestamp) -> Result<Edited>;
    /// Takes one back that waits, or one that failed off the list. Its words are gone, and its files at once or,
    /// with `keep_files`, at that time, unless something carries them by then.
    async fn unschedule(
        &self,
        owner: UserId,
        id: ScheduledId,
        keep_files: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Edited>;
    /// When the first that waits is to be sent.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
    /// At most `limit` of those to be sent by `now`, the earliest first.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>>;
    /// One of that owner's that waits, whenever it is due.
    async fn waiting(&self, owner: UserId, id: ScheduledId) -> Result<Option<Due>>;
    /// Sends what still waits as it was read: in one durable transaction it is posted and on the list as
    /// sent, or on the list as failed and never posted. Whether each owner may post is decided inside it.
    async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Delivered>>;
    /// Forgets what was settled before that time.
    async fn forget_settled(&self, before: Timestamp) -> Result<()>;
}

#[derive(FromRow)]
pub(super) struct ScheduledRow {
    id: Uuid,
    owner_id: Uuid,
    channel_id: Uuid,
    #[sqlx(rename = "ref")]
    reference: Uuid,
    text: String,
    reply_to: Option<Uuid>,
    send_at: i64,
    state: String,
    version: i64,
    failure: Option<String>,
    message_id: Option<Uuid>,
    settled_at: Option<i64>,
    /// JSON: its files, in their order, as a message's.
    files: Option<String>,
}

impl ScheduledRow {
    pub(super) fn files(&self) -> Vec<Upload> {
        attached(self.files.as_deref())
    }

    pub(super) fn owner(&self) -> UserId {
        UserId(self.owner_id)
    }

    pub(super) fn state(&self) -> Result<ScheduledState> {
        ScheduledState::from_name(&self.state).ok_or(StoreError::Corrupt("scheduled.state"))
    }

    /// Whether anything would be left to send after a change.
    pub(super) fn would_be_empty(&self, edit: &ScheduledEdit) -> bool {
        let text = edit.text.as_deref().unwrap_or(&self.text);
        let files = edit.attachments.as_ref().map_or_else(|| self.files().len(), Vec::len);
        text.is_empty() && files == 0
    }
}

impl TryFrom<ScheduledRow> for Scheduled {
    type Error = StoreError;
    fn try_from(row: ScheduledRow) -> Result<Self> {
        let failure = row.failure.as_deref().and_then(ScheduledFailure::from_name);
        Ok(Self {
            id: ScheduledId(row.id),
            channel_id: ChannelId(row.channel_id),
            state: row.state()?,
            attachments: row.files(),
            text: row.text,
            reply_to: row.reply_to.map(MessageId),
            send_at: time(row.send_at),
            failure: failure.map(|failure| failure.words().to_owned()),
            message_id: row.message_id.map(MessageId),
            settled_at: row.settled_at.map(time),
            reference: Ref(row.reference),
        })
    }
}

impl From<ScheduledRow> for Due {
    fn from(row: ScheduledRow) -> Self {
        let attachments = row.files().into_iter().map(|file| file.id).collect();
        Self {
            id: ScheduledId(row.id),
            version: count(row.version),
            owner_id: UserId(row.owner_id),
            channel_id: ChannelId(row.channel_id),
            reference: Ref(row.reference),
            text: row.text,
            reply_to: row.reply_to.map(MessageId),
            attachments,
        }
    }
}

/// Whether somebody may put these files, as they were found, into a message for later.
pub(super) fn may_hold(files: &[UploadId], offered: &[OfferedRow], owner: UserId, now: Timestamp) -> bool {
    let good = offered.iter().filter(|row| row.offered_to(owner, now).is_some()).map(OfferedRow::id);
    let good: HashSet<_> = good.collect();
    let wanted: HashSet<_> = files.iter().copied().collect();
    wanted.len() == files.len() && wanted.is_subset(&good)
}

/// How a list is shown.
pub(super) fn in_order(rows: Vec<ScheduledRow>) -> Result<Vec<Scheduled>> {
    let mut all = rows.into_iter().map(Scheduled::try_from).collect::<Result<Vec<_>>>()?;
    all.sort_by_cached_key(Scheduled::place);
    Ok(all)
}

/// How a person stands to a channel: why they may not post there.
#[derive(FromRow)]
pub(super) struct Standing {
    suspended: bool,
    exists: bool,
    joined: bool,
}

impl Standing {
    pub(super) const fn failure(&self) -> ScheduledFailure {
        ScheduledFailure::of(self.suspended, self.exists, self.joined)
    }
}

/// What an append came to, for the one that was sent by it. None where the author's standing says why not.
pub(super) fn delivered(appended: Appended) -> Option<Delivered> {
    match appended {
        Appended::New(message) => Some(Delivered::Sent { message, known: false }),
        Appended::Known(message) => Some(Delivered::Sent { message, known: true }),
        Appended::NoSuchReply | Appended::NoSuchUpload | Appended::Spent => {
            Some(Delivered::Failed(ScheduledFailure::Incomplete))
        }
        Appended::NotFound | Appended::Forbidden => None,
    }
}

/// What is put down of one that was sent or failed.
pub(super) struct Settlement {
    pub id: ScheduledId,
    pub state: ScheduledState,
    pub message_id: Option<MessageId>,
    pub failure: Option<ScheduledFailure>,
    pub at: Timestamp,
}

/// `batch` and `outcome` side by side, without what was passed over.
pub(super) fn settlements(batch: &[Delivery], outcome: &[Delivered]) -> Vec<Settlement> {
    let settled = batch.iter().zip(outcome).filter_map(|(delivery, delivered)| {
        let (state, message_id, failure) = match delivered {
            Delivered::Sent { message, .. } => (ScheduledState::Sent, Some(message.id), None),
            Delivered::Failed(failure) => (ScheduledState::Failed, None, Some(*failure)),
            Delivered::Passed => return None,
        };
        Some(Settlement { id: delivery.id, state, message_id, failure, at: delivery.message.timestamp })
    });
    settled.collect()
}
