//! What the server says.

use super::{Chat, Loss, Quoted, put, revise::OFFLINE, said::Said, target_of};
use crate::state::outbox::Target;
use leptos::prelude::*;
use natter::{
    Channel, ChannelId, ChannelKind, ErrorCode, Message, MessageId, Ref, Timeline, User, UserRef, Visibility, markdown,
    timeline::Ack,
    wire::{ClientFrame, ServerFrame},
};
use std::collections::{BTreeMap, HashMap};

impl Chat {
    /// Takes a frame; returns what is to be said in answer.
    pub fn receive(&self, frame: ServerFrame) -> Vec<ClientFrame> {
        match frame {
            ServerFrame::Ready { epoch, user, channels, online, scheduled, .. } => {
                self.later.reconnected(scheduled);
                self.people.reload(online);
                return self.ready(epoch, user, channels);
            }
            ServerFrame::Message(message) | ServerFrame::Direct(message) => return self.heard(message),
            ServerFrame::Ack { reference: Some(reference), id, channel_id, seq, rev, timestamp } => {
                return self.acknowledged(Ack { reference, id, seq, rev, timestamp }, channel_id);
            }
            ServerFrame::Error { reference: Some(reference), code, detail } => {
                return self.refused(reference, code, &detail);
            }
            ServerFrame::Error { reference: None, detail, .. } => self.notice.set(Some(detail)),
            ServerFrame::Channel { channel } => return self.channel_changed(channel),
            ServerFrame::ChannelRemoved { channel_id } => self.channel_removed(channel_id),
            ServerFrame::Member { channel_id, members, user, joined } => {
                self.people.joined_or_left(channel_id, user, joined);
                let count = |channel: &mut Channel| channel.members = members;
                self.change_channel(channel_id, count);
                self.directory.update(|all| {
                    all.iter_mut().flatten().filter(|channel| channel.id == channel_id).for_each(count);
                });
            }
            ServerFrame::Read { channel_id, seq, unread, mentions, rev, back, .. } => {
                if back && self.channel_untracked(channel_id).is_some_and(|channel| seq < channel.read_seq) {
                    // Here, or on another device of theirs: looking at it doesn't undo it.
                    self.said.update_value(|said| _ = said.kept_unread.insert(channel_id));
                }
                self.said.update_value(|said| said.confirm(channel_id, seq, back));
                let mut again = false;
                self.change_channel(channel_id, |channel| {
                    // A newer mark of this very page may be under way.
                    if seq < channel.read_seq && !back {
                        return;
                    }
                    channel.read_seq = seq;
                    // Counted before the latest of what has come, which has been added to other counts.
                    again = rev > 0 && rev < channel.rev;
                    if !again {
                        (channel.unread, channel.mentions) = (unread, mentions);
                        // What is on its way still has been counted.
                        channel.rev = channel.rev.max(rev);
                    }
                });
                return if again { vec![ask_counts(channel_id)] } else { Vec::new() };
            }
            ServerFrame::User { user } => {
                self.people.changed(&user);
                if self.me.with_untracked(|me| me.id == user.id) {
                    self.me.set(user);
                }
            }
            ServerFrame::Scheduled { scheduled, counts } => self.later.heard(scheduled, counts),
            ServerFrame::Presence { user_id, online } => self.people.came_or_went(user_id, online),
            ServerFrame::Typing { channel_id, user_id } => self.people.writes(channel_id, user_id),
            ServerFrame::Synced { reference, channel_id, rev } => {
                self.sync_answered(reference, false);
                if let Some(timeline) = self.timeline(self.target(channel_id)) {
                    timeline.update(|timeline| timeline.synced(rev));
                }
            }
            // Fetching a page is asynchronous: whoever runs the connection does it.
            ServerFrame::Resync { .. } | ServerFrame::Ack { .. } | ServerFrame::Pong { .. } => {}
        }
        Vec::new()
    }

    /// Where messages of a conversation go that is known by its id.
    pub fn target(&self, id: ChannelId) -> Target {
        self.channel_untracked(id).map_or(Target::Channel(id), |channel| target_of(&channel))
    }

    pub fn has_gaps(&self) -> bool {
        let has_gap = |channel: &Channel| {
            self.timeline(target_of(channel)).is_some_and(|timeline| timeline.with_untracked(Timeline::has_gap))
        };
        self.channels.with_untracked(|all| all.iter().any(has_gap))
    }

    /// A `sync` for the channels whose events have a gap.
    pub fn gaps(&self) -> Option<ClientFrame> {
        self.sync_of(Timeline::has_gap)
    }

    fn ready(&self, epoch: String, user: User, mut channels: Vec<Channel>) -> Vec<ClientFrame> {
        self.said.update_value(|said| {
            said.stall.end();
            said.syncs.clear();
            said.behind = false;
        });
        self.me.set(user);
        for channel in &channels {
            self.places.note(channel);
        }
        for before in self.channels.get_untracked() {
            if channels.iter().all(|channel| channel.id != before.id) {
                // What happened to it was said while nobody listened.
                self.places.lose(before.id, Loss::Left);
            }
        }
        self.editing.unsure();
        if self.notice.with_untracked(|notice| notice.as_deref() == Some(OFFLINE)) {
            self.notice.set(None);
        }
        let still = |target: &Target| match target {
            Target::Channel(id) => channels.iter().any(|channel| channel.id == *id),
            Target::Person(_) => true,
        };
        self.timelines.update_value(|timelines| timelines.retain(|target, _| still(target)));
        let restored = self.epoch.get_value() != epoch;
        if restored {
            self.said.update_value(Said::void);
        }
        let unconfirmed = self.unconfirmed(&mut channels);
        if !restored {
            self.marked_back(&channels);
        }
        self.channels.set(channels);
        self.heads.update_value(HashMap::clear);
        // After a restore from backup the old epoch makes the server answer `resync`.
        let sync = self.sync_of(|_| true);
        if restored {
            self.epoch.set_value(epoch);
            // Numbers begin again where the server was set back to: what has them already would hide what is new.
            let timelines: Vec<_> = self.timelines.with_value(|timelines| timelines.values().cloned().collect());
            for timeline in timelines {
                timeline.update(Timeline::void);
            }
        }
        for given_up in self.outbox.given_up() {
            // There it was sent, or discarded by the same person.
            self.answered(given_up.reference, Ok(()));
            if let Some(timeline) = self.timeline(given_up.to) {
                timeline.update(|timeline| timeline.discard(given_up.reference));
            }
        }
        sync.into_iter().chain(unconfirmed).chain(self.outbox.frames()).collect()
    }

    pub(super) fn sync_of(&self, wanted: impl Fn(&Timeline) -> bool) -> Option<ClientFrame> {
        let known = self.channels.get_untracked();
        let behind = |channel: &Channel| {
            let timeline = self.timeline(target_of(channel))?;
            timeline.with_untracked(|timeline| wanted(timeline).then(|| (channel.id, timeline.rev())))
        };
        let channels: BTreeMap<_, _> = known.iter().filter_map(behind).collect();
        // A channel that one was put out of has a timeline still: the server says that it is gone.
        (!channels.is_empty()).then(|| self.sync(channels))
    }

    fn heard(&self, message: Message) -> Vec<ClientFrame> {
        let (id, seq, rev, sender) = (message.channel_id, message.seq, message.rev, message.sender.id);
        let (me, name) = self.me.with_untracked(|me| (me.id, me.username.to_lowercase()));
        let own = message.reference.filter(|_| sender == me);
        let posted = message.rev == message.seq;
        let deleted = message.deleted;
        let (by_name, calls_all) = (calls_by_name(&message, &name), message.mentions_channel);
        let edited = message.edited_at.is_some();
        let at = message.timestamp;
        let target = match message.receiver {
            Some(receiver) => Target::Person(if sender == me { receiver.id } else { sender }),
            None => Target::Channel(id),
        };
        if posted {
            self.people.wrote(id, sender);
        }
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| {
                if let Some(reference) = own {
                    timeline.settle(me, reference, sender);
                }
                timeline.apply(message.clone());
            });
        }
        self.feed.heard(&message);
        if self.quoted.with_untracked(|quoted| quoted.contains_key(&message.id)) {
            self.quoted.update(|quoted| _ = quoted.insert(message.id, Quoted::Here(Box::new(message))));
        }
        let mut said = Vec::new();
        if let Some(reference) = own {
            let waited = self.outbox.target(reference).is_some();
            self.outbox.remove(reference);
            self.answered(reference, Ok(()));
            // It may come before its `ack`.
            if waited {
                said = self.flows();
            }
        }
        if self.channel_untracked(id).is_none() {
            self.heads.update_value(|heads| {
                let head = heads.entry(id).or_default();
                *head = rev.max(*head);
            });
        }
        let mut again = false;
        self.change_channel(id, |channel| {
            // Its posting wasn't seen: by now it has been changed.
            let new = seq > channel.rev;
            if new {
                channel.active_at = Some(at);
            }
            if rev > channel.rev {
                channel.rev = rev;
                let counts = seq > channel.read_seq && sender != me;
                if posted {
                    channel.unread += u64::from(counts);
                    channel.mentions += u64::from(counts && (by_name || calls_all && !channel.is_muted()));
                } else if deleted && counts && !new {
                    channel.unread = channel.unread.saturating_sub(1);
                }
                // Whom its words called can't be told from a message that has none, or others than before.
                // What is neither deleted nor edited has only been reacted to.
                again = !posted && counts && (deleted || edited || new);
            }
        });
        said.extend(again.then(|| ask_counts(id)));
        said
    }

    fn acknowledged(&self, ack: Ack, channel_id: ChannelId) -> Vec<ClientFrame> {
        let sender: UserRef = self.me.with_untracked(|me| me.into());
        let target = self.outbox.target(ack.reference).unwrap_or_else(|| self.target(channel_id));
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| {
                timeline.ack(&ack, |pending| Message {
                    id: MessageId(ack.reference.0),
                    channel_id,
                    seq: ack.seq,
                    rev: ack.rev,
                    sender,
                    receiver: None,
                    timestamp: ack.timestamp,
                    text: pending.text,
                    edited_at: None,
                    deleted: false,
                    reply_to: pending.reply_to,
                    mentions_channel: false,
                    attachments: pending.attachments,
                    reactions: Vec::new(),
                    reference: None,
                });
            });
        }
        let of_message = self.outbox.target(ack.reference).is_some();
        self.outbox.remove(ack.reference);
        self.answered(ack.reference, Ok(()));
        if of_message { self.flows() } else { Vec::new() }
    }

    fn answered(&self, reference: Ref, answer: Result<(), String>) {
        self.said.update_value(|said| _ = said.deletions.remove(&reference));
        self.editing.answered(reference, &answer);
        if self.answers.with_untracked(|answers| answers.contains_key(&reference)) {
            self.answers.update(|answers| _ = answers.insert(reference, Some(answer)));
        }
    }

    fn refused(&self, reference: Ref, code: ErrorCode, detail: &str) -> Vec<ClientFrame> {
        let for_now = matches!(code, ErrorCode::Unavailable | ErrorCode::RateLimited);
        if for_now && self.sync_answered(Some(reference), true) {
            // It is asked again by itself.
        } else if self.outbox.target(reference).is_none() {
            self.deletion_refused(reference, code, detail);
            self.answered(reference, Err(detail.to_owned()));
        } else if code != ErrorCode::Unavailable {
            self.message_refused(reference, code, detail);
            return self.flows();
        } else if self.said.try_update_value(|said| said.stall.put_off()) != Some(true) {
            // What waits behind it waits in vain.
            for reference in self.outbox.on_their_way() {
                self.message_refused(reference, code, detail);
            }
        }
        Vec::new()
    }

    fn message_refused(&self, reference: Ref, code: ErrorCode, detail: &str) {
        self.answered(reference, Err(detail.to_owned()));
        let Some(out) = self.outbox.set_failure(reference, Some(detail.to_owned())) else { return };
        if code == ErrorCode::NotFound {
            // The channel is gone, and the page that could offer a retry with it.
            self.outbox.remove(reference);
        }
        if let Some(timeline) = self.timeline(out.to) {
            timeline.update(|timeline| timeline.fail(reference, detail));
        }
    }

    fn channel_changed(&self, channel: Channel) -> Vec<ClientFrame> {
        self.places.note(&channel);
        if channel.kind == ChannelKind::Channel {
            self.directory.update(|all| {
                if let Some(all) = all {
                    put(all, channel.clone());
                }
            });
        }
        let (id, rev) = (channel.id, channel.rev);
        if !channel.joined {
            if self.channel_untracked(id).is_some() {
                self.places.lose(id, Loss::Left);
            }
            self.forget(id);
            return Vec::new();
        }
        // It was read before the latest of what has come already, or at another mark: then its counts are old.
        let head = self.heads.try_update_value(|heads| heads.remove(&id)).flatten().unwrap_or_default();
        let known = self.channel_untracked(id);
        let is_new = known.is_none();
        let old = |known: &Channel| known.rev > rev || known.read_seq != channel.read_seq;
        let (fresh, again) = match known.filter(old) {
            Some(Channel { rev: newer, read_seq, unread, mentions, .. }) => {
                (Channel { rev: newer.max(rev), read_seq, unread, mentions, ..channel }, true)
            }
            None => (Channel { rev: rev.max(head), ..channel }, head > rev),
        };
        let target = target_of(&fresh);
        self.channels.update(|joined| put(joined, fresh));
        let missed = if is_new { self.missed(target) } else { None };
        missed.into_iter().chain(again.then(|| ask_counts(id))).collect()
    }

    fn channel_removed(&self, id: ChannelId) {
        for out in self.outbox.to(Target::Channel(id)) {
            self.outbox.remove(out.reference);
        }
        // A public one doesn't close to its members but by its end.
        let deleted = self.channel_untracked(id).is_some_and(|channel| channel.visibility == Visibility::Public);
        self.places.lose(id, if deleted { Loss::Deleted } else { Loss::Closed });
        self.directory.update(|all| {
            if let Some(all) = all {
                all.retain(|channel| channel.id != id);
            }
        });
        self.forget(id);
    }

    fn forget(&self, id: ChannelId) {
        if self.channel_untracked(id).is_some() {
            self.channels.update(|joined| joined.retain(|channel| channel.id != id));
        }
        self.people.forget(id);
        self.timelines.update_value(|timelines| _ = timelines.remove(&Target::Channel(id)));
    }
}

/// Asks how much of a conversation is unread: a mark that moves nothing is answered by that.
fn ask_counts(channel_id: ChannelId) -> ClientFrame {
    ClientFrame::Read { reference: None, channel_id, seq: 0, back: false }
}

/// Whether a message calls somebody, whose name is given in lower case.
pub fn calls(message: &Message, name: &str) -> bool {
    message.mentions_channel || calls_by_name(message, name)
}

fn calls_by_name(message: &Message, name: &str) -> bool {
    message.text.contains('@') && markdown::mentions(&message.text).names.contains(name)
}
