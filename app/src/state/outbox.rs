use super::browser;
use leptos::prelude::*;
use natter::{ChannelId, Ref, Timeline, Timestamp, UserId, wire::ClientFrame};
use serde::{Deserialize, Serialize};

/// Messages waiting to be sent, at most.
pub const OUTBOX_MAX: usize = 200;

/// A message on its way, as it survives a reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    #[serde(rename = "ref")]
    pub reference: Ref,
    pub channel_id: ChannelId,
    pub text: String,
    pub queued_at: Timestamp,
    /// Why the server refused it: then it waits for the person, not for the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Outgoing {
    pub fn new(channel_id: ChannelId, text: String) -> Self {
        Self { reference: Ref::generate(), channel_id, text, queued_at: browser::now(), failure: None }
    }

    pub fn show_in(&self, timeline: &mut Timeline) {
        timeline.queue(self.reference, self.text.clone(), self.queued_at);
        if let Some(why) = &self.failure {
            timeline.fail(self.reference, why);
        }
    }

    pub fn frame(&self) -> ClientFrame {
        ClientFrame::Send { reference: Some(self.reference), channel_id: self.channel_id, text: self.text.clone() }
    }
}

/// What one person has written and the server hasn't taken yet, here and in the browser's storage: one
/// entry a message, so that several tabs don't write over each other's.
#[derive(Clone, Copy)]
pub struct Outbox {
    owner: UserId,
    waiting: StoredValue<Vec<Outgoing>>,
}

impl Outbox {
    pub fn new(owner: UserId) -> Self {
        Self { owner, waiting: StoredValue::default() }
    }

    pub fn is_full(self) -> bool {
        self.waiting.with_value(Vec::len) >= OUTBOX_MAX
    }

    pub fn of_channel(self, id: ChannelId) -> Vec<Outgoing> {
        let mut waiting = self.waiting.get_value();
        waiting.retain(|out| out.channel_id == id);
        waiting
    }

    pub fn push(self, out: Outgoing) {
        self.keep(&out);
        self.waiting.update_value(|waiting| waiting.push(out));
    }

    /// Brings back what waited when the last visit ended.
    pub fn recall(self) -> Vec<Outgoing> {
        let stored = browser::recall(&self.prefix());
        let mut waiting: Vec<Outgoing> =
            stored.iter().filter_map(|out| serde_json::from_slice(out.as_bytes()).ok()).collect();
        waiting.sort_by_key(|out| (out.queued_at, out.reference));
        waiting.truncate(OUTBOX_MAX);
        self.waiting.set_value(waiting.clone());
        waiting
    }

    /// What is to be said on a new connection.
    pub fn frames(self) -> Vec<ClientFrame> {
        // Another tab may have given up on some of it.
        self.waiting.update_value(|waiting| waiting.retain(|out| !browser::is_forgotten(&self.key(out.reference))));
        self.waiting
            .with_value(|waiting| waiting.iter().filter(|out| out.failure.is_none()).map(Outgoing::frame).collect())
    }

    /// Notes whether a waiting message was refused.
    pub fn set_failure(self, reference: Ref, failure: Option<String>) -> Option<Outgoing> {
        let changed = self.waiting.try_update_value(|waiting| {
            let out = waiting.iter_mut().find(|out| out.reference == reference)?;
            out.failure = failure;
            Some(out.clone())
        });
        let out = changed.flatten()?;
        self.keep(&out);
        Some(out)
    }

    /// Forgets a message: it was taken, or given up.
    pub fn remove(self, reference: Ref) {
        self.waiting.update_value(|waiting| waiting.retain(|out| out.reference != reference));
        browser::forget(&self.key(reference));
    }

    fn keep(self, out: &Outgoing) {
        browser::remember(&self.key(out.reference), &serde_json::to_string(out).unwrap_or_default());
    }

    fn key(self, reference: Ref) -> String {
        format!("{}{reference}", self.prefix())
    }

    fn prefix(self) -> String {
        format!("natter.outbox.{}.", self.owner)
    }
}
