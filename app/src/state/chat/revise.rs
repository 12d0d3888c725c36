//! What one does to messages that are there.

use super::{Chat, Link};
use crate::live;
use leptos::prelude::*;
use natter::{ErrorCode, Message, MessageId, Ref, message::Reaction, wire::ClientFrame};
use std::{collections::HashMap, time::Duration};

/// How long a deletion can be taken back.
const UNDO: Duration = Duration::from_secs(5);

pub(super) const OFFLINE: &str = "Not connected right now. Try again in a moment.";

/// The message that is being edited. What is to become of it stands here and not on the page: the
/// message may change, and be shown anew, meanwhile.
#[derive(Clone, Copy, Default)]
pub struct Editing {
    pub id: RwSignal<Option<MessageId>>,
    pub words: RwSignal<String>,
    /// Why the words weren't taken.
    pub problem: RwSignal<Option<String>>,
    /// It was begun from where one writes: that is where one goes on.
    pub from_composer: StoredValue<bool>,
    /// The change on its way.
    sent: StoredValue<Option<Ref>>,
    /// Words for messages that were left for another one.
    left: StoredValue<HashMap<MessageId, String>>,
}

impl Editing {
    pub fn begin(self, message: &Message) {
        self.from_composer.set_value(false);
        let before = self.id.get_untracked();
        if before == Some(message.id) {
            return;
        }
        self.left.update_value(|left| left.extend(before.map(|id| (id, self.words.get_untracked()))));
        let words = self.left.try_update_value(|left| left.remove(&message.id)).flatten();
        self.words.set(words.unwrap_or_else(|| message.text.clone()));
        self.close(Some(message.id));
    }

    /// Leaves the message as it is.
    pub fn leave(self) {
        self.close(None);
    }

    fn close(self, next: Option<MessageId>) {
        self.problem.set(None);
        self.sent.set_value(None);
        self.id.set(next);
    }

    pub(super) fn answered(self, reference: Ref, answer: &Result<(), String>) {
        if self.sent.get_value() == Some(reference) {
            match answer {
                Ok(()) => self.leave(),
                Err(why) => self.failed(why),
            }
        }
    }

    /// The connection is another one: what was on its way may have been lost.
    pub(super) fn unsure(self) {
        if self.sent.with_value(Option::is_some) {
            self.failed("The connection broke. Save again to be sure.");
        } else if self.problem.with_untracked(|problem| problem.as_deref() == Some(OFFLINE)) {
            self.problem.set(None);
        }
    }

    #[cfg(test)]
    pub fn sent(self) -> Option<Ref> {
        self.sent.get_value()
    }

    fn failed(self, why: &str) {
        self.sent.set_value(None);
        self.problem.set(Some(why.to_owned()));
    }
}

/// A message that is about to be deleted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Doomed {
    id: MessageId,
    reason: Option<String>,
    /// Of this time.
    time: Ref,
}

impl Chat {
    /// Asks for other words in one's own message; it is edited until they have been taken.
    pub fn edit(&self, id: MessageId, text: &str) {
        let reference = Ref::generate();
        let frame = ClientFrame::Edit { reference: Some(reference), message_id: id, text: text.into() };
        if self.link.get_untracked() == Link::Up {
            self.editing.problem.set(None);
            self.editing.sent.set_value(Some(reference));
            live::send(frame);
        } else {
            self.editing.failed(OFFLINE);
        }
    }

    pub fn react(&self, message: &Message, emoji: &str) {
        let me = self.me.with_untracked(|me| me.id);
        let mine = |reaction: &Reaction| reaction.emoji == emoji && reaction.user_ids.contains(&me);
        let on = !message.reactions.iter().any(mine);
        self.say(ClientFrame::React { reference: None, message_id: message.id, emoji: emoji.into(), on });
    }

    /// Deletes a message in a few seconds, unless that is taken back. `reason`: for its author.
    pub fn delete(&self, id: MessageId, reason: Option<String>) {
        // Told apart from a time before, that was taken back.
        let time = Ref::generate();
        self.doomed.update(|doomed| {
            doomed.retain(|known| known.id != id);
            doomed.push(Doomed { id, reason, time });
        });
        let chat = *self;
        set_timeout(move || chat.delete_now(|doomed| doomed.time == time), UNDO);
    }

    pub fn undelete(&self, id: MessageId) {
        self.doomed.update(|doomed| doomed.retain(|known| known.id != id));
    }

    pub fn is_doomed(&self, id: MessageId) -> bool {
        self.doomed.read().iter().any(|known| known.id == id)
    }

    /// Whoever leaves the page has made up their mind.
    pub fn delete_all_now(&self) {
        self.delete_now(|_| true);
    }

    fn delete_now(&self, which: impl Fn(&Doomed) -> bool) {
        let Some(all) = self.doomed.try_get_untracked() else { return };
        for Doomed { id, reason, .. } in all.into_iter().filter(which) {
            let reference = Ref::generate();
            let frame = ClientFrame::Delete { reference: Some(reference), message_id: id, reason };
            if self.say(frame.clone()) {
                self.said.update_value(|said| _ = said.deletions.insert(reference, frame));
            }
            self.doomed.update(|doomed| doomed.retain(|known| known.id != id));
        }
    }

    /// The server said no to a deletion, if it was one.
    pub(super) fn deletion_refused(&self, reference: Ref, code: ErrorCode, detail: &str) {
        let said = self.said.try_update_value(|said| said.deletions.remove(&reference)).flatten();
        // What isn't there any more is what was asked for.
        if said.is_some() && code != ErrorCode::NotFound {
            self.notice.set(Some(detail.to_owned()));
        }
    }

    /// Says what is of use now or never; false if it couldn't be said.
    pub(super) fn say(&self, frame: ClientFrame) -> bool {
        let up = self.link.get_untracked() == Link::Up;
        if up {
            live::send(frame);
        } else {
            self.notice.set(Some(OFFLINE.into()));
        }
        up
    }
}
