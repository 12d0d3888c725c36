//! What one says: on its way, tried again, given up.

use super::Chat;
use crate::{
    live,
    state::{
        browser,
        outbox::{Outgoing, Target},
    },
};
use leptos::prelude::*;
use natter::{MessageId, Ref, Upload, wire::ClientFrame};

/// How often it is said that one is writing.
const SAY_TYPING_MS: i64 = 3_000;

impl Chat {
    /// Puts a message on its way; None when too much is waiting already.
    pub fn send(&self, target: Target, text: &str) -> Option<Ref> {
        self.put(target, text, None, Vec::new())
    }

    /// The same from the composer: with files that have arrived, and as an answer to what stands above it.
    /// Nowhere else that can be seen, so nowhere else it goes along.
    pub fn send_with(&self, target: Target, text: &str, files: Vec<Upload>) -> Option<Ref> {
        let answers = self.replying.get_untracked().filter(|(to, _)| *to == target).map(|(_, message)| message.id);
        let sent = self.put(target, text, answers, files)?;
        if answers.is_some() {
            self.replying.set(None);
        }
        Some(sent)
    }

    fn put(&self, target: Target, text: &str, answers: Option<MessageId>, files: Vec<Upload>) -> Option<Ref> {
        if self.outbox.is_full() {
            return None;
        }
        let out = Outgoing::new(target, text.into(), answers, files);
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| out.show_in(timeline));
        }
        let reference = out.reference;
        self.said_typing.set_value(0);
        self.say_unless_stalled(&out);
        self.outbox.push(out);
        Some(reference)
    }

    /// It is said with all others as soon as the server takes messages again.
    fn say_unless_stalled(&self, out: &Outgoing) {
        if !self.is_stalled() {
            live::send(out.frame(self.me.with_untracked(|me| me.id)));
        }
    }

    pub fn retry(&self, target: Target, reference: Ref) {
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| _ = timeline.retry(reference));
        }
        if let Some(out) = self.outbox.set_failure(reference, None) {
            self.say_unless_stalled(&out);
        }
    }

    pub fn discard(&self, target: Target, reference: Ref) {
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| timeline.discard(reference));
        }
        self.outbox.remove(reference);
    }

    /// Says that one is writing, now and then.
    pub fn say_typing(&self, target: Target) {
        let now = browser::now().millis();
        if now - self.said_typing.get_value() < SAY_TYPING_MS {
            return;
        }
        if let Some(channel) = untrack(|| self.conversation(target)) {
            self.said_typing.set_value(now);
            live::send(ClientFrame::Typing { reference: None, channel_id: channel.id });
        }
    }

    /// What was begun in this browser, and what waited to be sent, when the last visit ended.
    pub fn recall(&self) {
        self.drafts.recall();
        for out in self.outbox.recall() {
            if let Some(timeline) = self.timeline(out.to) {
                timeline.update(|timeline| out.show_in(timeline));
            }
        }
    }
}
