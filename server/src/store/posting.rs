//! Who may post what, and at which revision: decided in Rust, by the shared rules, for a whole batch.

use super::{
    Appended, NewMessage, Result,
    rows::{MessageRow, count, post_policy, role, visibility},
};
use natter::{ChannelId, Message, MessageId, Ref, UserId, UserRef, channel::Access};
use sqlx::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

/// What decides whether a message is let in, and where it goes.
#[derive(FromRow)]
pub(super) struct PostingRow {
    channel_id: Uuid,
    sender_id: Uuid,
    rev: i64,
    visibility: String,
    post_policy: String,
    joined: bool,
    role: String,
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
    /// How far this batch has moved each channel.
    moved: HashMap<ChannelId, u64>,
}

impl Desk {
    pub fn new(posting: Vec<PostingRow>, known: Vec<MessageRow>) -> Self {
        let posting = posting.into_iter().map(|row| ((ChannelId(row.channel_id), UserId(row.sender_id)), row));
        let mut desk = Self { posting: posting.collect(), known: HashMap::new(), moved: HashMap::new() };
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
        let Some(posting) = self.posting.get(&(new.channel_id, new.sender_id)) else {
            return Ok(Appended::NotFound);
        };
        let role = role(&posting.role)?;
        let access = Access {
            visibility: visibility(&posting.visibility)?,
            post_policy: post_policy(&posting.post_policy)?,
            joined: posting.joined,
        };
        if !role.can_see_channel(access) {
            return Ok(Appended::NotFound);
        }
        if !role.can_post(access) {
            return Ok(Appended::Forbidden);
        }
        let rev = self.moved.entry(new.channel_id).or_insert(count(posting.rev));
        *rev += 1;
        let message = Message {
            id: new.id,
            channel_id: new.channel_id,
            seq: *rev,
            rev: *rev,
            sender: UserRef { id: new.sender_id, username: posting.username.clone() },
            receiver: None,
            timestamp: new.timestamp,
            text: new.text.clone(),
            edited_at: None,
            deleted: false,
            reply_to: None,
            attachments: Vec::new(),
            reactions: Vec::new(),
            reference: new.reference,
        };
        self.remember(&message);
        Ok(Appended::New(message))
    }
}

/// Those of a batch that are to be stored.
pub(super) fn fresh(outcome: &[Appended]) -> Vec<&Message> {
    let fresh = outcome.iter().filter_map(|appended| match appended {
        Appended::New(message) => Some(message),
        _ => None,
    });
    fresh.collect()
}
