use super::browser;
use leptos::prelude::*;
use natter::{ChannelId, MessageId, Ref, Timeline, Timestamp, Upload, UserId, message::Receiver, wire::ClientFrame};
use serde::{Deserialize, Serialize};

/// Messages waiting to be sent, at most.
pub const OUTBOX_MAX: usize = 200;

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Channel(ChannelId),
    /// To somebody, whether a conversation with them is open or not.
    Person(UserId),
}

/// A message on its way, as it survives a reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    #[serde(rename = "ref")]
    pub reference: Ref,
    pub to: Target,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    pub queued_at: Timestamp,
    /// Files that have arrived, to be shown while the message is on its way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Upload>,
    /// Why the server refused it: then it waits for the person, not for the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// It is in the browser's storage, so that other tabs can give it up.
    #[serde(skip)]
    stored: bool,
}

impl Outgoing {
    pub fn new(to: Target, text: String, reply_to: Option<MessageId>, attachments: Vec<Upload>) -> Self {
        let (reference, queued_at) = (Ref::generate(), browser::now());
        Self { reference, to, text, reply_to, queued_at, attachments, failure: None, stored: false }
    }

    pub fn show_in(&self, timeline: &mut Timeline) {
        timeline.queue(self.reference, self.text.clone(), self.reply_to, self.queued_at);
        timeline.carry(self.reference, &self.attachments);
        if let Some(why) = &self.failure {
            timeline.fail(self.reference, why);
        }
    }

    /// What is said to the server, by `me`.
    pub fn frame(&self, me: UserId) -> ClientFrame {
        let (reference, text, reply_to) = (Some(self.reference), self.text.clone(), self.reply_to);
        let attachments = self.attachments.iter().map(|file| file.id).collect();
        match self.to {
            Target::Channel(channel_id) => ClientFrame::Send { reference, channel_id, text, reply_to, attachments },
            Target::Person(id) => ClientFrame::Direct {
                reference,
                sender: Receiver { id: me },
                receiver: Receiver { id },
                timestamp: Some(self.queued_at),
                text,
                reply_to,
                attachments,
            },
        }
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

    pub fn to(self, target: Target) -> Vec<Outgoing> {
        let mut waiting = self.waiting.get_value();
        waiting.retain(|out| out.to == target);
        waiting
    }

    /// Where a waiting message goes.
    pub fn target(self, reference: Ref) -> Option<Target> {
        self.waiting.with_value(|waiting| waiting.iter().find(|out| out.reference == reference).map(|out| out.to))
    }

    pub fn push(self, mut out: Outgoing) {
        out.stored = self.keep(&out);
        self.waiting.update_value(|waiting| waiting.push(out));
    }

    /// Brings back what waited when the last visit ended.
    pub fn recall(self) -> Vec<Outgoing> {
        let stored = browser::recall(&self.prefix());
        let mut waiting: Vec<Outgoing> =
            stored.iter().filter_map(|out| serde_json::from_slice(out.as_bytes()).ok()).collect();
        waiting.sort_by_key(|out| (out.queued_at, out.reference));
        waiting.truncate(OUTBOX_MAX);
        for out in &mut waiting {
            out.stored = true;
        }
        self.waiting.set_value(waiting.clone());
        waiting
    }

    /// Forgets what another tab gave up on, and says what that was.
    pub fn given_up(self) -> Vec<Outgoing> {
        // What there was no room for, no other tab knows.
        let gone = |out: &Outgoing| out.stored && browser::is_forgotten(&self.key(out.reference));
        let gone = self.waiting.try_update_value(|waiting| waiting.extract_if(.., |out| gone(out)).collect());
        gone.unwrap_or_default()
    }

    /// What isn't refused.
    pub fn on_their_way(self) -> Vec<Ref> {
        self.waiting
            .with_value(|waiting| waiting.iter().filter(|out| out.failure.is_none()).map(|out| out.reference).collect())
    }

    /// What is said of one that waits.
    pub fn frame(self, reference: Ref) -> Option<ClientFrame> {
        self.waiting.with_value(|waiting| {
            waiting.iter().find(|out| out.reference == reference).map(|out| out.frame(self.owner))
        })
    }

    /// What is to be said on a new connection.
    pub fn frames(self) -> Vec<ClientFrame> {
        self.waiting.with_value(|waiting| {
            waiting.iter().filter(|out| out.failure.is_none()).map(|out| out.frame(self.owner)).collect()
        })
    }

    /// Notes whether a waiting message was refused.
    pub fn set_failure(self, reference: Ref, failure: Option<String>) -> Option<Outgoing> {
        let changed = self.waiting.try_update_value(|waiting| {
            let out = waiting.iter_mut().find(|out| out.reference == reference)?;
            out.failure = failure;
            out.stored |= self.keep(out);
            Some(out.clone())
        });
        changed.flatten()
    }

    /// Forgets a message: it was taken, or given up.
    pub fn remove(self, reference: Ref) {
        self.waiting.update_value(|waiting| waiting.retain(|out| out.reference != reference));
        browser::forget(&self.key(reference));
    }

    /// False where there is no room for it.
    fn keep(self, out: &Outgoing) -> bool {
        browser::remember(&self.key(out.reference), &serde_json::to_string(out).unwrap_or_default())
    }

    fn key(self, reference: Ref) -> String {
        format!("{}{reference}", self.prefix())
    }

    fn prefix(self) -> String {
        format!("natter.outbox.{}.", self.owner)
    }
}
