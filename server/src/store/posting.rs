//! Who may post what, and at which revision: decided in Rust, by the shared rules, for a whole batch.

use super::{
    Appended, NewMessage, Result,
    rows::{AccessRow, MessageRow, count, role},
    uploads::OfferedRow,
};
use natter::{
    ChannelId, ChannelKind, Message, MessageId, Ref, Upload, UploadId, UserId, UserRef, channel::Access,
    message::Receiver,
};
use sqlx::FromRow;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What decides whether a message is let in, and where it goes.
#[derive(FromRow)]
pub(super) struct PostingRow {
    channel_id: Uuid,
    sender_id: Uuid,
    rev: i64,
    #[sqlx(flatten)]
    access: AccessRow,
    /// The other one in a direct.
    receiver_id: Option<Uuid>,
    role: String,
    suspended: bool,
    username: String,
}

#[derive(PartialEq, Eq, Hash)]
enum Name {
    Id(MessageId),
    Ref(UserId, Ref),
}

/// All that decides about a batch, as it is while nobody else can change it.
pub(super) struct Desk {
    posting: HashMap<(ChannelId, UserId), PostingRow>,
    known: HashMap<Name, Message>,
    /// Of messages that went with their channel.
    spent: HashSet<(UserId, Ref)>,
    /// Of the messages that are answered, those that exist.
    answered: HashSet<(ChannelId, MessageId)>,
    /// The uploads that are named and that no message carries, of this batch neither.
    offered: HashMap<UploadId, OfferedRow>,
    /// How far this batch has moved each channel.
    moved: HashMap<ChannelId, u64>,
}

impl Desk {
    /// `spent`: senders and refs of messages that went with their channel. `answered`: channel and id of each
    /// message that one of the batch answers, where it exists.
    pub fn new(
        posting: Vec<PostingRow>,
        known: Vec<MessageRow>,
        spent: Vec<(Uuid, Uuid)>,
        answered: Vec<(Uuid, Uuid)>,
        offered: Vec<OfferedRow>,
    ) -> Self {
        let posting = posting.into_iter().map(|row| ((ChannelId(row.channel_id), UserId(row.sender_id)), row));
        let answered = answered.into_iter().map(|(channel, id)| (ChannelId(channel), MessageId(id))).collect();
        let mut desk = Self {
            posting: posting.collect(),
            known: HashMap::new(),
            spent: spent.into_iter().map(|(sender, reference)| (UserId(sender), Ref(reference))).collect(),
            answered,
            offered: offered.into_iter().map(|row| (row.id(), row)).collect(),
            moved: HashMap::new(),
        };
        for row in known {
            desk.remember(&row.into());
        }
        desk
    }

    /// What becomes of each message of a batch, in its order.
    pub fn decide_all(&mut self, batch: &[NewMessage]) -> Result<Vec<Appended>> {
        batch.iter().map(|new| self.decide(new)).collect()
    }

    /// How far the batch moves each channel.
    pub fn moved(&self) -> impl Iterator<Item = (ChannelId, u64)> {
        self.moved.iter().map(|(id, rev)| (*id, *rev))
    }

    fn remember(&mut self, message: &Message) {
        self.known.insert(Name::Id(message.id), message.clone());
        if let Some(reference) = message.reference {
            self.known.insert(Name::Ref(message.sender.id, reference), message.clone());
        }
    }

    fn decide(&mut self, new: &NewMessage) -> Result<Appended> {
        let by_ref = || self.known.get(&Name::Ref(new.sender_id, new.reference?));
        if let Some(known) = self.known.get(&Name::Id(new.id)).or_else(by_ref) {
            return Ok(Appended::Known(known.clone()));
        }
        if new.reference.is_some_and(|reference| self.spent.contains(&(new.sender_id, reference))) {
            return Ok(Appended::Spent);
        }
        let Some(posting) = self.posting.get(&(new.channel_id, new.sender_id)) else {
            return Ok(Appended::NotFound);
        };
        let role = role(&posting.role)?;
        let access = Access::try_from(&posting.access)?;
        if !role.can_see_channel(access) {
            return Ok(Appended::NotFound);
        }
        if posting.suspended || !role.can_post(access) {
            return Ok(Appended::Forbidden);
        }
        if new.reply_to.is_some_and(|id| !self.answered.contains(&(new.channel_id, id))) {
            return Ok(Appended::NoSuchReply);
        }
        let Some(attachments) = take(&mut self.offered, new) else {
            return Ok(Appended::NoSuchUpload);
        };
        let rev = self.moved.entry(new.channel_id).or_insert(count(posting.rev));
        *rev += 1;
        let message = Message {
            id: new.id,
            channel_id: new.channel_id,
            seq: *rev,
            rev: *rev,
            sender: UserRef { id: new.sender_id, username: posting.username.clone() },
            receiver: posting.receiver_id.map(|id| Receiver { id: UserId(id) }),
            timestamp: new.timestamp,
            text: new.text.clone(),
            edited_at: None,
            deleted: false,
            reply_to: new.reply_to,
            mentions_channel: new.mentions.channel && role.can_mention_channel() && access.kind == ChannelKind::Channel,
            attachments,
            reactions: Vec::new(),
            reference: new.reference,
        };
        self.remember(&message);
        Ok(Appended::New(message))
    }
}

/// The files of a message, all or none, which no other one gets then.
fn take(offered: &mut HashMap<UploadId, OfferedRow>, new: &NewMessage) -> Option<Vec<Upload>> {
    let offer = |id| offered.get(id)?.offered_to(new.sender_id, new.timestamp);
    let files: Vec<Upload> = new.attachments.iter().map(offer).collect::<Option<_>>()?;
    let taken = new.attachments.iter().filter(|id| offered.remove(id).is_some()).count();
    (taken == files.len()).then_some(files)
}

/// The uploads that a batch names.
pub(super) fn named_uploads(batch: &[NewMessage]) -> Vec<Uuid> {
    let ids: HashSet<_> = batch.iter().flat_map(|new| &new.attachments).map(|id| id.0).collect();
    ids.into_iter().collect()
}

/// What each fresh message of a batch names: its place, its sender, and the name in lower case.
pub(super) fn named<'a>(
    batch: &'a [NewMessage],
    outcome: &'a [Appended],
) -> impl Iterator<Item = (&'a Message, &'a str)> {
    let fresh = batch.iter().zip(outcome).filter_map(|(new, appended)| match appended {
        Appended::New(message) => Some((new, message)),
        _ => None,
    });
    fresh.flat_map(|(new, message)| new.mentions.names.iter().map(move |name| (message, name.as_str())))
}

/// Those of a batch that are to be stored.
pub(super) fn fresh(outcome: &[Appended]) -> Vec<&Message> {
    let fresh = outcome.iter().filter_map(|appended| match appended {
        Appended::New(message) => Some(message),
        _ => None,
    });
    fresh.collect()
}
