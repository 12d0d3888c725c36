use super::outbox::{Outbox, Outgoing};
use crate::{
    api::{Bootstrap, OpenChannel},
    live,
};
use leptos::prelude::*;
use natter::{
    Channel, ChannelId, ErrorCode, Message, MessageId, MessagePage, Ref, Timeline, User, UserRef,
    timeline::Ack,
    wire::{ClientFrame, ServerFrame},
};
use std::collections::{HashMap, HashSet};

/// How the live connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not there yet, for the first time.
    #[default]
    Starting,
    Up,
    /// It was there, or should be by now.
    Down,
}

/// Everything the page knows of the conversations.
#[derive(Clone, Copy)]
pub struct Chat {
    pub me: RwSignal<User>,
    /// The channels one is in, by name.
    pub channels: RwSignal<Vec<Channel>>,
    /// All channels one may see, by name, once the browse page has asked.
    pub directory: RwSignal<Option<Vec<Channel>>>,
    pub link: RwSignal<Link>,
    epoch: StoredValue<String>,
    timelines: StoredValue<HashMap<ChannelId, ArcRwSignal<Timeline>>>,
    outbox: Outbox,
    /// Names of channels that went while this page was open.
    removed: RwSignal<HashSet<String>>,
    drafts: StoredValue<HashMap<ChannelId, String>>,
}

impl Chat {
    pub fn new(start: Bootstrap) -> Self {
        Self {
            outbox: Outbox::new(start.me.id),
            me: RwSignal::new(start.me),
            channels: RwSignal::new(start.channels),
            directory: RwSignal::new(None),
            link: RwSignal::new(Link::default()),
            epoch: StoredValue::new(start.epoch),
            timelines: StoredValue::default(),
            removed: RwSignal::default(),
            drafts: StoredValue::default(),
        }
    }

    /// The channel of that name went while this page was open.
    pub fn was_removed(&self, name: &str) -> bool {
        self.removed.read().contains(name)
    }

    /// Whether one is in a channel of that name.
    pub fn joined(&self, name: &str) -> bool {
        self.channels.read().iter().any(|channel| channel.label() == name)
    }

    pub fn channel(&self, id: ChannelId) -> Option<Channel> {
        self.channels.read().iter().find(|channel| channel.id == id).cloned()
    }

    pub fn timeline(&self, id: ChannelId) -> Option<ArcRwSignal<Timeline>> {
        self.timelines.with_value(|timelines| timelines.get(&id).cloned())
    }

    /// The channel of that name, if its messages are here already.
    pub fn opened(&self, name: &str) -> Option<OpenChannel> {
        let channel =
            self.channels.with_untracked(|all| all.iter().find(|channel| channel.label() == name).cloned())?;
        self.timeline(channel.id).map(|_| OpenChannel { channel, page: None })
    }

    /// Takes a channel's newest page and shows in it what is still on its way.
    pub fn open(&self, id: ChannelId, page: Option<MessagePage>) -> ArcRwSignal<Timeline> {
        let known = self.timeline(id);
        let fresh = known.is_none();
        let timeline = known.unwrap_or_else(|| ArcRwSignal::new(Timeline::default()));
        if fresh {
            let waiting = self.outbox.of_channel(id);
            timeline.update_untracked(|timeline| waiting.iter().for_each(|out| out.show_in(timeline)));
            self.timelines.update_value(|timelines| _ = timelines.insert(id, timeline.clone()));
        }
        if let Some(page) = page {
            timeline.update(|timeline| timeline.reload(page));
            // What came while the page was on its way had no timeline to go into.
            let rev = timeline.with_untracked(Timeline::rev);
            if self.channel_untracked(id).is_some_and(|channel| channel.rev > rev) {
                let (epoch, channels) = (self.epoch.get_value(), [(id, rev)].into());
                live::send(ClientFrame::Sync { reference: None, epoch, channels });
            }
        }
        timeline
    }

    pub fn draft(&self, id: ChannelId) -> String {
        self.drafts.with_value(|drafts| drafts.get(&id).cloned().unwrap_or_default())
    }

    pub fn set_draft(&self, id: ChannelId, text: String) {
        self.drafts.update_value(|drafts| _ = drafts.insert(id, text));
    }

    /// Puts a message on its way; false when too much is waiting already.
    pub fn send(&self, channel_id: ChannelId, text: &str) -> bool {
        if self.outbox.is_full() {
            return false;
        }
        let out = Outgoing::new(channel_id, text.into());
        if let Some(timeline) = self.timeline(channel_id) {
            timeline.update(|timeline| timeline.queue(out.reference, out.text.clone(), out.queued_at));
        }
        live::send(out.frame());
        self.outbox.push(out);
        true
    }

    pub fn retry(&self, channel_id: ChannelId, reference: Ref) {
        if let Some(timeline) = self.timeline(channel_id) {
            timeline.update(|timeline| _ = timeline.retry(reference));
        }
        if let Some(out) = self.outbox.set_failure(reference, None) {
            live::send(out.frame());
        }
    }

    pub fn discard(&self, channel_id: ChannelId, reference: Ref) {
        if let Some(timeline) = self.timeline(channel_id) {
            timeline.update(|timeline| timeline.discard(reference));
        }
        self.outbox.remove(reference);
    }

    /// Tells the server how far the channel has been read.
    pub fn read_up_to(&self, channel_id: ChannelId, seq: u64) {
        let behind = self.channel_untracked(channel_id).is_some_and(|channel| channel.read_seq < seq);
        if behind && self.link.get_untracked() == Link::Up {
            self.change_channel(channel_id, |channel| {
                channel.read_seq = seq;
                channel.unread = 0;
            });
            live::send(ClientFrame::Read { reference: None, channel_id, seq });
        }
    }

    /// What waited in this browser for the last visit's end.
    pub fn recall_outbox(&self) {
        for out in self.outbox.recall() {
            if let Some(timeline) = self.timeline(out.channel_id) {
                timeline.update(|timeline| out.show_in(timeline));
            }
        }
    }

    /// Takes a frame; returns what is to be said in answer.
    pub fn receive(&self, frame: ServerFrame) -> Vec<ClientFrame> {
        match frame {
            ServerFrame::Ready { epoch, user, channels, .. } => return self.ready(epoch, user, channels),
            ServerFrame::Message(message) => self.message(message),
            ServerFrame::Ack { reference: Some(reference), id, channel_id, seq, rev, timestamp } => {
                self.acknowledged(channel_id, Ack { reference, id, seq, rev, timestamp });
            }
            ServerFrame::Error { reference: Some(reference), code, detail } => self.refused(reference, code, &detail),
            ServerFrame::Channel { channel } => self.channel_changed(channel),
            ServerFrame::ChannelRemoved { channel_id } => self.channel_removed(channel_id),
            ServerFrame::Member { channel_id, members, .. } => {
                let count = |channel: &mut Channel| channel.members = members;
                self.change_channel(channel_id, count);
                self.directory.update(|all| {
                    all.iter_mut().flatten().filter(|channel| channel.id == channel_id).for_each(count);
                });
            }
            ServerFrame::Read { channel_id, seq, unread, mentions } => self.change_channel(channel_id, |channel| {
                // A newer mark of this very page may be under way.
                if seq >= channel.read_seq {
                    (channel.read_seq, channel.unread, channel.mentions) = (seq, unread, mentions);
                }
            }),
            ServerFrame::Synced { channel_id, rev } => {
                if let Some(timeline) = self.timeline(channel_id) {
                    timeline.update(|timeline| timeline.synced(rev));
                }
            }
            // Fetching a page is asynchronous: whoever runs the connection does it.
            ServerFrame::Resync { .. }
            | ServerFrame::Ack { .. }
            | ServerFrame::Error { .. }
            | ServerFrame::Pong { .. } => {}
        }
        Vec::new()
    }

    /// A `sync` for the channels whose events have a gap.
    pub fn gaps(&self) -> Option<ClientFrame> {
        self.sync_of(Timeline::has_gap)
    }

    fn ready(&self, epoch: String, user: User, channels: Vec<Channel>) -> Vec<ClientFrame> {
        self.me.set(user);
        self.removed.update(|removed| removed.retain(|name| channels.iter().all(|channel| channel.label() != name)));
        self.channels.set(channels);
        let restored = self.epoch.get_value() != epoch;
        // After a restore from backup the old epoch makes the server answer `resync`.
        let sync = self.sync_of(|_| true);
        if restored {
            self.epoch.set_value(epoch);
        }
        sync.into_iter().chain(self.outbox.frames()).collect()
    }

    fn sync_of(&self, wanted: impl Fn(&Timeline) -> bool) -> Option<ClientFrame> {
        let channels: std::collections::BTreeMap<_, _> = self.timelines.with_value(|timelines| {
            let behind = |(id, timeline): (&ChannelId, &ArcRwSignal<Timeline>)| {
                timeline.with_untracked(|timeline| wanted(timeline).then(|| (*id, timeline.rev())))
            };
            timelines.iter().filter_map(behind).collect()
        });
        let epoch = self.epoch.get_value();
        (!channels.is_empty()).then_some(ClientFrame::Sync { reference: None, epoch, channels })
    }

    fn message(&self, message: Message) {
        let (id, rev, sender) = (message.channel_id, message.rev, message.sender.id);
        let me = self.me.with_untracked(|me| me.id);
        let own = message.reference.filter(|_| sender == me);
        let posted = message.rev == message.seq;
        if let Some(timeline) = self.timeline(id) {
            timeline.update(|timeline| {
                if let Some(reference) = own {
                    timeline.settle(me, reference, sender);
                }
                timeline.apply(message);
            });
        }
        if let Some(reference) = own {
            self.outbox.remove(reference);
        }
        self.change_channel(id, |channel| {
            if rev > channel.rev {
                channel.rev = rev;
                channel.unread += u64::from(posted && sender != me);
            }
        });
    }

    fn acknowledged(&self, channel_id: ChannelId, ack: Ack) {
        let sender: UserRef = self.me.with_untracked(|me| me.into());
        if let Some(timeline) = self.timeline(channel_id) {
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
                    reply_to: None,
                    attachments: Vec::new(),
                    reactions: Vec::new(),
                    reference: None,
                });
            });
        }
        self.outbox.remove(ack.reference);
    }

    fn refused(&self, reference: Ref, code: ErrorCode, detail: &str) {
        let Some(out) = self.outbox.set_failure(reference, Some(detail.to_owned())) else { return };
        if code == ErrorCode::NotFound {
            // The channel is gone, and the page that could offer a retry with it.
            self.outbox.remove(reference);
        }
        if let Some(timeline) = self.timeline(out.channel_id) {
            timeline.update(|timeline| timeline.fail(reference, detail));
        }
    }

    fn channel_changed(&self, channel: Channel) {
        if self.removed.with_untracked(|removed| removed.contains(channel.label())) {
            self.removed.update(|removed| _ = removed.remove(channel.label()));
        }
        self.directory.update(|all| {
            if let Some(all) = all {
                put(all, channel.clone());
            }
        });
        if channel.joined {
            self.channels.update(|joined| put(joined, channel));
        } else {
            self.forget(channel.id);
        }
    }

    fn channel_removed(&self, id: ChannelId) {
        for out in self.outbox.of_channel(id) {
            self.outbox.remove(out.reference);
        }
        let listed = self.directory.with_untracked(|all| all.iter().flatten().find(|known| known.id == id).cloned());
        if let Some(channel) = self.channel_untracked(id).or(listed) {
            self.removed.update(|removed| _ = removed.insert(channel.label().to_owned()));
        }
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
        self.timelines.update_value(|timelines| _ = timelines.remove(&id));
    }

    fn channel_untracked(&self, id: ChannelId) -> Option<Channel> {
        self.channels.with_untracked(|all| all.iter().find(|channel| channel.id == id).cloned())
    }

    /// Changes one joined channel, and wakes its readers only if that made a difference.
    fn change_channel(&self, id: ChannelId, change: impl FnOnce(&mut Channel)) {
        let Some(before) = self.channel_untracked(id) else { return };
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.channels.update(|joined| put(joined, after));
        }
    }
}

/// Puts a channel in its place by name.
fn put(channels: &mut Vec<Channel>, channel: Channel) {
    channels.retain(|known| known.id != channel.id);
    let at = channels.partition_point(|known| known.label() < channel.label());
    channels.insert(at, channel);
}

#[cfg(test)]
mod tests;
