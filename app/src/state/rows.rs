//! A timeline as the reader sees it: days, the line where unread begins, and messages grouped by author.

use super::{chat::calls, zone::Zone};
use natter::message::Reaction;
use natter::{Message, MessageId, Ref, Timeline, Timestamp, Upload, User, UserRef};
use std::collections::HashMap;
use uuid::Uuid;

/// Messages of one author this close together stand under one name.
const GROUP_MS: i64 = 5 * 60 * 1000;

/// Stays the same while a message goes from sending to sent, so that its element does too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Day(i64),
    New,
    /// By `ref` if it is one's own, else by id.
    Message(Uuid),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    Sent,
    Sending(Ref),
    Failed(Ref, String),
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a message")]
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    /// None while it is on its way.
    pub id: Option<MessageId>,
    pub sender: UserRef,
    pub at: Timestamp,
    pub text: String,
    /// Continues what the same author said just before: no name, no avatar.
    pub continues: bool,
    pub deleted: bool,
    pub edited_at: Option<Timestamp>,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<Upload>,
    pub reactions: Vec<Reaction>,
    /// It names the reader, or calls everyone.
    pub calls_me: bool,
    /// Its `@channel` called everyone: that of whoever may not do so is just a word.
    pub calls_all: bool,
    pub delivery: Delivery,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    Day(String),
    New,
    Message(MessageRow),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub order: Vec<Key>,
    by_key: HashMap<Key, Row>,
}

impl Rows {
    pub fn get(&self, key: Key) -> Option<&Row> {
        self.by_key.get(&key)
    }

    fn push(&mut self, key: Key, row: Row) {
        if self.by_key.insert(key, row).is_none() {
            self.order.push(key);
        }
    }
}

/// Whether a message stands under the same name as the one before, also when it is deleted later.
pub fn continues(before: &Message, message: &Message) -> bool {
    let soon = message.timestamp.millis() - before.timestamp.millis() < GROUP_MS;
    before.sender.id == message.sender.id && soon && message.reply_to.is_none()
}

/// `unread_after`: the last `seq` read when the channel was opened, if there was more.
pub fn rows(timeline: &Timeline, me: &User, zone: Zone, unread_after: Option<u64>) -> Rows {
    let mut rows = Rows::default();
    let mut before: Option<(UserRef, Timestamp, i64)> = None;
    let mut new_shown = false;
    let name = me.username.to_lowercase();
    let mut add = |rows: &mut Rows, key: Key, mut row: MessageRow, starts_new: bool| {
        let day = zone.civil(row.at).day_number();
        if before.as_ref().is_none_or(|(_, _, last)| *last != day) {
            rows.push(Key::Day(day), Row::Day(zone.day(row.at)));
            before = None;
        }
        if starts_new {
            rows.push(Key::New, Row::New);
            before = None;
        }
        row.continues = !row.deleted
            && row.reply_to.is_none()
            && before
                .as_ref()
                .is_some_and(|(sender, at, _)| sender.id == row.sender.id && row.at.millis() - at.millis() < GROUP_MS);
        before = Some((row.sender.clone(), row.at, day));
        rows.push(key, Row::Message(row));
    };
    for message in timeline.messages() {
        let unread = message.sender.id != me.id && unread_after.is_some_and(|seq| message.seq > seq);
        let starts_new = unread && !new_shown;
        new_shown |= unread;
        let own = message.reference.filter(|_| message.sender.id == me.id).map(|reference| reference.0);
        let calls_me = message.sender.id != me.id && calls(message, &name);
        add(&mut rows, Key::Message(own.unwrap_or(message.id.0)), sent(message, calls_me), starts_new);
    }
    for pending in timeline.pending() {
        let delivery = match &pending.failure {
            None => Delivery::Sending(pending.reference),
            Some(why) => Delivery::Failed(pending.reference, why.clone()),
        };
        let row = MessageRow {
            id: None,
            sender: me.into(),
            at: pending.queued_at,
            text: pending.text.clone(),
            continues: false,
            deleted: false,
            edited_at: None,
            reply_to: pending.reply_to,
            attachments: pending.attachments.clone(),
            reactions: Vec::new(),
            calls_me: false,
            calls_all: me.role.can_mention_channel(),
            delivery,
        };
        add(&mut rows, Key::Message(pending.reference.0), row, false);
    }
    rows
}

fn sent(message: &Message, calls_me: bool) -> MessageRow {
    MessageRow {
        id: Some(message.id),
        sender: message.sender.clone(),
        at: message.timestamp,
        text: message.text.clone(),
        continues: false,
        deleted: message.deleted,
        edited_at: message.edited_at,
        reply_to: message.reply_to,
        attachments: message.attachments.clone(),
        reactions: message.reactions.clone(),
        calls_me,
        calls_all: message.mentions_channel,
        delivery: Delivery::Sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::fixtures::{self, user};
    use leptos::prelude::Owner;
    use natter::ChannelId;

    fn message(seq: u64, sender: &User, minute: i64, reference: Option<Ref>) -> Message {
        fixtures::message(ChannelId::generate(), seq, sender, minute, reference)
    }

    fn shown(rows: &Rows) -> Vec<String> {
        let word = |key: &Key| match rows.get(*key).unwrap() {
            Row::Day(label) => label.clone(),
            Row::New => "New".into(),
            Row::Message(row) if row.continues => format!("  {}", row.text),
            Row::Message(row) => format!("{}: {}", row.sender.username, row.text),
        };
        rows.order.iter().map(word).collect()
    }

    #[test]
    fn one_authors_messages_within_five_minutes_are_one_group() {
        Owner::new().with(|| {
            let (ada, bob) = (user("ada"), user("bob"));
            let mut timeline = Timeline::default();
            for (seq, sender, minute) in [(1, &ada, 0), (2, &ada, 4), (3, &ada, 9), (4, &bob, 10), (5, &bob, 24 * 60)] {
                timeline.apply(message(seq, sender, minute, None));
            }
            let expected = [
                "Thursday, 1 January 1970",
                "ada: m1",
                "  m2",
                "ada: m3",
                "bob: m4",
                "Friday, 2 January 1970",
                "bob: m5",
            ];
            assert_eq!(shown(&rows(&timeline, &ada, Zone::default(), None)), expected);
        });
    }

    #[test]
    fn the_line_stands_before_the_first_unread_message_of_somebody_else() {
        Owner::new().with(|| {
            let (ada, bob) = (user("ada"), user("bob"));
            let mut timeline = Timeline::default();
            for (seq, sender) in [(1, &bob), (2, &ada), (3, &bob), (4, &bob)] {
                timeline.apply(message(seq, sender, 1, None));
            }
            let shown = shown(&rows(&timeline, &ada, Zone::default(), Some(1)));
            assert_eq!(shown[1..], ["bob: m1", "ada: m2", "New", "bob: m3", "  m4"]);
        });
    }

    #[test]
    fn a_message_keeps_its_key_from_sending_to_sent() {
        Owner::new().with(|| {
            let ada = user("ada");
            let reference = Ref::generate();
            let mut timeline = Timeline::default();
            timeline.queue(reference, "hi".into(), None, Timestamp::default());
            let sending = rows(&timeline, &ada, Zone::default(), None).order;
            timeline.discard(reference);
            timeline.apply(message(1, &ada, 0, Some(reference)));
            assert_eq!(rows(&timeline, &ada, Zone::default(), None).order, sending);
        });
    }
}
