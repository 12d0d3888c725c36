//! What was said to the server and isn't confirmed, besides the messages themselves.

use super::Chat;
use leptos::prelude::*;
use natter::{Channel, ChannelId, Ref, wire::ClientFrame};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// How often a server that can't take messages right now is asked again, before people are: for some 30 s.
pub(super) const TRIES: u32 = 8;

/// Unanswered ones that are known: there are hardly ever two.
const SYNCS: usize = 16;

/// A connection may be dead before that is noticed: then the next one is told again.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Conversations that one marked as unread: they aren't read by being looked at.
    pub kept_unread: HashSet<ChannelId>,
    /// How far one has read.
    pub marks: HashMap<ChannelId, u64>,
    pub deletions: HashMap<Ref, ClientFrame>,
    pub stall: Stall,
    /// What asked for what was missed, lately.
    pub syncs: VecDeque<Ref>,
    /// One of those was refused: it isn't known what was missed.
    pub behind: bool,
}

/// The server can't take messages right now. It is asked with the oldest of them whether it can again; all
/// others wait behind that one, so what was written first stays first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stall {
    on: bool,
    /// What it has been asked with. Once that isn't waiting any more, it is asked with another one.
    asked: Option<Ref>,
    /// How often it has been asked since it took a message.
    tries: u32,
}

impl Stall {
    /// It can't; false when it has said so for long enough.
    pub fn put_off(&mut self) -> bool {
        *self = Self { on: self.tries < TRIES, asked: None, tries: self.tries };
        self.on
    }

    /// It answers again; true if something waits behind that.
    pub fn end(&mut self) -> bool {
        std::mem::take(self).on
    }
}

impl Said {
    /// The server has its own word on how far somebody has read.
    pub fn confirm(&mut self, channel: ChannelId, seq: u64, back: bool) {
        if back || self.marks.get(&channel).is_some_and(|mark| *mark <= seq) {
            self.marks.remove(&channel);
        }
    }

    /// Where those numbers stood, there is nothing now, or something else.
    pub fn void(&mut self) {
        self.marks.clear();
        self.deletions.clear();
    }
}

impl Chat {
    /// Nothing is said until the server takes messages again.
    pub(super) fn is_stalled(&self) -> bool {
        self.said.with_value(|said| said.stall.on)
    }

    /// How often the server has been asked whether it answers again, while that is to be asked.
    pub fn to_be_asked(&self) -> Option<u32> {
        self.said.with_value(|said| {
            let waits = said.stall.asked.is_some_and(|asked| self.outbox.target(asked).is_some());
            (said.behind || said.stall.on && !waits).then_some(said.stall.tries)
        })
    }

    /// What is said to ask it: for what was missed, if it is behind, and for the oldest message that waits.
    pub fn ask(&self) -> Vec<ClientFrame> {
        let behind = self.said.try_update_value(|said| std::mem::take(&mut said.behind)) == Some(true);
        let sync = if behind { self.sync_of(|_| true) } else { None };
        let stalled = self.is_stalled();
        let oldest = self.outbox.on_their_way().first().copied().filter(|_| stalled);
        self.said.update_value(|said| {
            said.stall.tries += 1;
            said.stall.asked = oldest;
            if oldest.is_none() {
                said.stall.on = false;
            }
        });
        let oldest = oldest.and_then(|oldest| self.outbox.frame(oldest));
        sync.into_iter().chain(oldest).collect()
    }

    /// Asks for what was missed since those revisions: refused, it is asked again.
    pub(super) fn sync(&self, channels: BTreeMap<ChannelId, u64>) -> ClientFrame {
        let reference = Ref::generate();
        self.said.update_value(|said| {
            said.syncs.truncate(SYNCS - 1);
            said.syncs.push_front(reference);
        });
        ClientFrame::Sync { reference: Some(reference), epoch: self.epoch.get_value(), channels }
    }

    /// Whether that was to ask for what was missed, and is answered now.
    pub(super) fn sync_answered(&self, reference: Option<Ref>, refused: bool) -> bool {
        let Some(reference) = reference else { return false };
        let answered = self.said.try_update_value(|said| {
            let known = said.syncs.contains(&reference);
            // One that is served is answered once a channel.
            if refused && known {
                said.syncs.retain(|known| *known != reference);
                said.behind = true;
            } else if known && !said.stall.on {
                said.stall.tries = 0;
            }
            known
        });
        answered == Some(true)
    }

    /// It answers about messages again: what waited behind that.
    pub(super) fn flows(&self) -> Vec<ClientFrame> {
        let waited = self.said.try_update_value(|said| said.stall.end());
        if waited == Some(true) { self.outbox.frames() } else { Vec::new() }
    }

    /// What the last connection may have lost. What one has read stays read meanwhile.
    pub(super) fn unconfirmed(&self, channels: &mut [Channel]) -> Vec<ClientFrame> {
        let known = self.channels.get_untracked();
        let mut marks = HashMap::new();
        for channel in channels {
            let mark = self.said.with_value(|said| said.marks.get(&channel.id).copied());
            let Some(seq) = mark.filter(|mark| *mark > channel.read_seq) else { continue };
            channel.read_seq = seq;
            // What has come since then isn't counted here, but by the answer.
            if known.iter().any(|known| known.id == channel.id && known.rev == channel.rev && known.unread == 0) {
                (channel.unread, channel.mentions) = (0, 0);
            }
            marks.insert(channel.id, seq);
        }
        let read = |(&channel_id, &seq)| ClientFrame::Read { reference: None, channel_id, seq, back: false };
        let mut frames: Vec<_> = marks.iter().map(read).collect();
        self.said.update_value(|said| {
            said.marks = marks;
            frames.extend(said.deletions.values().cloned());
        });
        frames
    }

    /// What was marked as unread elsewhere while nobody listened here isn't read by being looked at.
    pub(super) fn marked_back(&self, channels: &[Channel]) {
        let known = self.channels.get_untracked();
        let back =
            |channel: &&Channel| known.iter().any(|known| known.id == channel.id && known.read_seq > channel.read_seq);
        for channel in channels.iter().filter(back) {
            self.said.update_value(|said| _ = said.kept_unread.insert(channel.id));
        }
    }
}
