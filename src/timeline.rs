//! One channel's messages as a client knows them: pages of history, live events and what is still
//! on its way out, merged so that any order of events, with gaps and duplicates, followed by a sync
//! equals a fresh snapshot. What is loaded is one stretch without holes, the window. Mostly it ends with
//! the newest message, and live ones come to it; around a place further back it doesn't, until the pages
//! between have been fetched.

use crate::{Message, MessageId, MessagePage, Ref, Timestamp, Upload, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// A message that this client sent and that the server hasn't confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub reference: Ref,
    pub text: String,
    pub reply_to: Option<MessageId>,
    pub queued_at: Timestamp,
    pub attachments: Vec<Upload>,
    /// Why it wasn't accepted, in words for the person; `None` while on its way.
    pub failure: Option<String>,
}

/// What an `ack` says.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    pub reference: Ref,
    pub id: MessageId,
    pub seq: u64,
    pub rev: u64,
    pub timestamp: Timestamp,
}

/// Events outside the window that are kept: of those that come while a page is on its way, some belong
/// to it.
const ASIDE: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    messages: BTreeMap<u64, Message>,
    /// Everything up to this revision is known, as far as the loaded window reaches.
    rev: u64,
    /// Revisions seen past a gap.
    ahead: BTreeSet<u64>,
    /// There is history before the first loaded message.
    older: bool,
    /// There is history after the last loaded message: it isn't the newest one.
    newer: bool,
    /// The latest events outside the window, by revision.
    aside: BTreeMap<u64, Message>,
    /// The latest revision of those that weren't kept.
    forgotten: u64,
    pending: Vec<Pending>,
}

impl Timeline {
    /// Starts from the newest page of history.
    pub fn from_page(page: MessagePage) -> Self {
        let mut timeline = Self::default();
        timeline.reload(page);
        timeline
    }

    /// Replaces the window by a fresh newest page; what arrived live after that page was read, and
    /// what is still pending, stays.
    pub fn reload(&mut self, page: MessagePage) {
        let start = page.items.first().map(|first| first.seq).filter(|_| page.next.is_some());
        // A later change to a message before the window would leave a hole behind it: drop it too.
        for (seq, message) in std::mem::take(&mut self.messages) {
            let here = start.is_none_or(|start| seq >= start);
            match (message.rev > page.rev, here) {
                (true, true) => _ = self.messages.insert(seq, message),
                (true, false) => self.lay_aside(message),
                (false, _) => {}
            }
        }
        (self.older, self.newer) = (page.next.is_some(), false);
        self.skip_to(page.rev);
        self.rev = page.rev;
        self.take(page);
    }

    /// The server was set back to a time before: what is known may never have been. Only what is still to be sent stays.
    pub fn void(&mut self) {
        *self = Self { pending: std::mem::take(&mut self.pending), ..Self::default() };
    }

    /// Replaces the window by a stretch further back; `newer`: it doesn't reach to the newest message.
    pub fn go_to(&mut self, page: MessagePage, newer: bool) {
        // Some of it may belong to a page that was read before it came.
        for message in std::mem::take(&mut self.messages).into_values() {
            self.lay_aside(message);
        }
        self.skip_to(page.rev);
        // Of what is newer than the page, something may have been forgotten: then this isn't the end yet.
        self.newer = newer || self.forgotten > page.rev;
        self.older = page.next.is_some();
        self.rev = self.rev.max(page.rev);
        self.take(page);
    }

    /// Adds the page before `before` in front; nothing happens if the window has moved since it was asked for.
    pub fn prepend(&mut self, before: u64, page: MessagePage) {
        if self.older_before() == Some(before) {
            self.older = page.next.is_some();
            self.take(page);
        }
    }

    /// Adds the page after `after`; nothing happens if the window has moved since it was asked for.
    pub fn append(&mut self, after: u64, page: MessagePage) {
        if self.newer_after() == Some(after) {
            // Of what is newer than the page, something may have been forgotten: then this isn't the end yet.
            self.newer = page.next.is_some() || self.forgotten > page.rev;
            self.take(page);
        }
    }

    /// Takes a live event. Nothing happens if it is already known or older than what is known.
    pub fn apply(&mut self, message: Message) {
        if message.rev > self.rev {
            self.ahead.insert(message.rev);
            self.advance();
        }
        if self.in_window(message.seq) {
            self.keep_newer(message);
        } else {
            self.lay_aside(message);
        }
    }

    /// The server says that everything up to `rev` has been sent.
    pub fn synced(&mut self, rev: u64) {
        self.rev = self.rev.max(rev);
        self.advance();
    }

    /// Where to `sync` from.
    pub const fn rev(&self) -> u64 {
        self.rev
    }

    /// An event is missing between what is known and what has been seen.
    pub fn has_gap(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// The `seq` to ask history `before`, if there is more.
    pub fn older_before(&self) -> Option<u64> {
        self.messages.keys().next().copied().filter(|_| self.older)
    }

    /// The `seq` to ask history `after`, if there is more.
    pub fn newer_after(&self) -> Option<u64> {
        self.last_seq().filter(|_| self.newer)
    }

    /// Whether a place, or the next one there is, is loaded.
    pub fn reaches(&self, seq: u64) -> bool {
        self.older_before().is_none_or(|first| seq >= first) && self.newer_after().is_none_or(|last| seq <= last)
    }

    /// The newest loaded message's place in history.
    pub fn last_seq(&self) -> Option<u64> {
        self.messages.keys().next_back().copied()
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.pending.is_empty()
    }

    /// Puts a message on its way. The same `ref` again replaces nothing and is ignored.
    pub fn queue(&mut self, reference: Ref, text: String, reply_to: Option<MessageId>, queued_at: Timestamp) {
        if !self.knows(reference) {
            let attachments = Vec::new();
            self.pending.push(Pending { reference, text, reply_to, queued_at, attachments, failure: None });
        }
    }

    /// What a pending message carries.
    pub fn carry(&mut self, reference: Ref, files: &[Upload]) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.reference == reference) {
            pending.attachments = files.to_vec();
        }
    }

    /// The server stored a pending message.
    pub fn ack(&mut self, ack: &Ack, sent_by: impl FnOnce(Pending) -> Message) {
        let Some(at) = self.pending.iter().position(|pending| pending.reference == ack.reference) else { return };
        let message = sent_by(self.pending.remove(at));
        self.apply(Message {
            id: ack.id,
            seq: ack.seq,
            rev: ack.rev,
            timestamp: ack.timestamp,
            reference: Some(ack.reference),
            ..message
        });
    }

    /// The server refused a pending message.
    pub fn fail(&mut self, reference: Ref, why: &str) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.reference == reference) {
            pending.failure = Some(why.to_owned());
        }
    }

    /// Puts a refused message on its way again and returns its text.
    pub fn retry(&mut self, reference: Ref) -> Option<String> {
        let pending = self.pending.iter_mut().find(|pending| pending.reference == reference)?;
        pending.failure = None;
        Some(pending.text.clone())
    }

    /// Gives up on a pending message.
    pub fn discard(&mut self, reference: Ref) {
        self.pending.retain(|pending| pending.reference != reference);
    }

    /// Drops what has come back as a message of one's own.
    pub fn settle(&mut self, me: UserId, reference: Ref, sender: UserId) {
        if me == sender {
            self.discard(reference);
        }
    }

    fn knows(&self, reference: Ref) -> bool {
        self.pending.iter().any(|pending| pending.reference == reference)
            || self.messages.values().rev().any(|message| message.reference == Some(reference))
    }

    fn in_window(&self, seq: u64) -> bool {
        (!self.older || self.messages.keys().next().is_none_or(|first| seq >= *first))
            && (!self.newer || self.messages.keys().next_back().is_none_or(|last| seq <= *last))
    }

    /// A page says what became of events that haven't come: pages read before it may lack them.
    fn skip_to(&mut self, rev: u64) {
        if rev > self.rev {
            self.forgotten = self.forgotten.max(rev);
        }
    }

    fn lay_aside(&mut self, message: Message) {
        self.aside.insert(message.rev, message);
        if self.aside.len() > ASIDE
            && let Some((rev, _)) = self.aside.pop_first()
        {
            self.forgotten = self.forgotten.max(rev);
        }
    }

    /// Puts a page into the window, which reaches over it already, and what has come of it since.
    fn take(&mut self, page: MessagePage) {
        for message in page.items {
            self.keep_newer(message);
        }
        for (rev, message) in std::mem::take(&mut self.aside) {
            if self.in_window(message.seq) {
                self.keep_newer(message);
            } else {
                self.aside.insert(rev, message);
            }
        }
        if self.forgotten > page.rev {
            // Some of it may have been of this page: the next sync begins there.
            self.rev = self.rev.min(page.rev);
        }
        self.advance();
    }

    fn keep_newer(&mut self, message: Message) {
        match self.messages.get(&message.seq) {
            Some(known) if known.rev >= message.rev => {}
            _ => {
                self.messages.insert(message.seq, message);
            }
        }
    }

    fn advance(&mut self) {
        while self.ahead.remove(&(self.rev + 1)) {
            self.rev += 1;
        }
        self.ahead = self.ahead.split_off(&(self.rev + 1));
    }
}

#[cfg(test)]
mod tests;
