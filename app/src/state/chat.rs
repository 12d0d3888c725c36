mod receive;

pub use receive::calls;

use super::{
    browser,
    outbox::{Outbox, Outgoing, Target},
    people::People,
};
use crate::{
    api::{self, Bootstrap, OpenChannel},
    live,
};
use leptos::{prelude::*, task::spawn_local};
use natter::{
    Channel, ChannelId, ChannelKind, Message, MessageId, MessagePage, Ref, Timeline, User, wire::ClientFrame,
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// How long a deletion can be taken back.
const UNDO: Duration = Duration::from_secs(5);
/// How often it is said that one is writing.
const SAY_TYPING_MS: i64 = 3_000;

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

/// A message that is about to be deleted.
#[derive(Clone, Debug, PartialEq)]
struct Doomed {
    id: MessageId,
    reason: Option<String>,
}

/// Everything the page knows of the conversations.
#[derive(Clone, Copy)]
pub struct Chat {
    pub me: RwSignal<User>,
    /// The channels one is in, by name, and directs.
    pub channels: RwSignal<Vec<Channel>>,
    /// All channels one may see, by name, once the browse page has asked.
    pub directory: RwSignal<Option<Vec<Channel>>>,
    pub link: RwSignal<Link>,
    pub people: People,
    /// Whose card is open, and by what it was opened.
    pub card: RwSignal<Option<Card>>,
    /// What went wrong, or was done, lately.
    pub notice: RwSignal<Option<String>>,
    /// The latest answer to something that was sent.
    pub answered: RwSignal<Option<(Ref, Result<(), String>)>>,
    /// What the next message of a conversation answers.
    pub replying: RwSignal<Option<(Target, Message)>>,
    /// The message that is being edited.
    pub editing: RwSignal<Option<MessageId>>,
    epoch: StoredValue<String>,
    timelines: StoredValue<HashMap<Target, ArcRwSignal<Timeline>>>,
    outbox: Outbox,
    /// Names of channels that went while this page was open.
    removed: RwSignal<HashSet<String>>,
    drafts: StoredValue<HashMap<Target, String>>,
    doomed: RwSignal<Vec<Doomed>>,
    /// Messages quoted that aren't in what is loaded; None while they are asked for.
    quoted: RwSignal<HashMap<MessageId, Option<Message>>>,
    /// A conversation that one marked as unread: it isn't read by being looked at.
    kept_unread: StoredValue<Option<ChannelId>>,
    /// The newest revision seen of conversations that aren't known yet.
    heads: StoredValue<HashMap<ChannelId, u64>>,
    said_typing: StoredValue<i64>,
}

/// Somebody's card: their name, and where on the screen it belongs, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    pub username: String,
    pub left: f64,
    pub top: f64,
}

impl Chat {
    pub fn new(start: Bootstrap) -> Self {
        Self {
            outbox: Outbox::new(start.me.id),
            me: RwSignal::new(start.me),
            channels: RwSignal::new(start.channels),
            directory: RwSignal::new(None),
            link: RwSignal::new(Link::default()),
            people: People::new(),
            card: RwSignal::new(None),
            notice: RwSignal::new(None),
            answered: RwSignal::new(None),
            replying: RwSignal::new(None),
            editing: RwSignal::new(None),
            epoch: StoredValue::new(start.epoch),
            timelines: StoredValue::default(),
            removed: RwSignal::default(),
            drafts: StoredValue::default(),
            doomed: RwSignal::default(),
            quoted: RwSignal::default(),
            kept_unread: StoredValue::default(),
            heads: StoredValue::default(),
            said_typing: StoredValue::default(),
        }
    }

    /// The channel of that name went while this page was open.
    pub fn was_removed(&self, name: &str) -> bool {
        self.removed.read().contains(name)
    }

    /// Whether one is in a channel of that name.
    pub fn joined(&self, name: &str) -> bool {
        self.channels.read().iter().any(|channel| channel.name.as_deref() == Some(name))
    }

    pub fn channel(&self, id: ChannelId) -> Option<Channel> {
        self.channels.read().iter().find(|channel| channel.id == id).cloned()
    }

    /// The conversation that messages to somewhere go to, if it is open.
    pub fn conversation(&self, target: Target) -> Option<Channel> {
        self.channels.read().iter().find(|channel| target_of(channel) == target).cloned()
    }

    pub fn timeline(&self, target: Target) -> Option<ArcRwSignal<Timeline>> {
        self.timelines.with_value(|timelines| timelines.get(&target).cloned())
    }

    /// The channel of that name, if its messages are here already.
    pub fn opened(&self, name: &str) -> Option<OpenChannel> {
        let named = |channel: &&Channel| channel.name.as_deref() == Some(name);
        let channel = self.channels.with_untracked(|all| all.iter().find(named).cloned())?;
        self.timeline(Target::Channel(channel.id)).map(|_| OpenChannel { channel, page: None })
    }

    /// Takes a conversation's newest page and shows in it what is still on its way.
    pub fn open(&self, target: Target, page: Option<MessagePage>) -> ArcRwSignal<Timeline> {
        let known = self.timeline(target);
        let fresh = known.is_none();
        let timeline = known.unwrap_or_else(|| ArcRwSignal::new(Timeline::default()));
        if fresh {
            let waiting = self.outbox.to(target);
            timeline.update_untracked(|timeline| waiting.iter().for_each(|out| out.show_in(timeline)));
            self.timelines.update_value(|timelines| _ = timelines.insert(target, timeline.clone()));
        }
        self.kept_unread.set_value(None);
        if let Some(page) = page {
            timeline.update(|timeline| timeline.reload(page));
            // What came while the page was on its way had no timeline to go into.
            let rev = timeline.with_untracked(Timeline::rev);
            if let Some(channel) = untrack(|| self.conversation(target)).filter(|channel| channel.rev > rev) {
                let (epoch, channels) = (self.epoch.get_value(), [(channel.id, rev)].into());
                live::send(ClientFrame::Sync { reference: None, epoch, channels });
            }
        }
        timeline
    }

    pub fn draft(&self, target: Target) -> String {
        self.drafts.with_value(|drafts| drafts.get(&target).cloned().unwrap_or_default())
    }

    pub fn set_draft(&self, target: Target, text: String) {
        self.drafts.update_value(|drafts| _ = drafts.insert(target, text));
    }

    /// Puts a message on its way; None when too much is waiting already.
    pub fn send(&self, target: Target, text: &str) -> Option<Ref> {
        if self.outbox.is_full() {
            return None;
        }
        let answers = self.replying.get_untracked().filter(|(to, _)| *to == target).map(|(_, message)| message.id);
        if answers.is_some() {
            self.replying.set(None);
        }
        let out = Outgoing::new(target, text.into(), answers);
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| out.show_in(timeline));
        }
        let reference = out.reference;
        self.said_typing.set_value(0);
        live::send(out.frame(self.me.with_untracked(|me| me.id)));
        self.outbox.push(out);
        Some(reference)
    }

    pub fn retry(&self, target: Target, reference: Ref) {
        if let Some(timeline) = self.timeline(target) {
            timeline.update(|timeline| _ = timeline.retry(reference));
        }
        if let Some(out) = self.outbox.set_failure(reference, None) {
            live::send(out.frame(self.me.with_untracked(|me| me.id)));
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

    /// Tells the server how far a conversation has been read.
    pub fn read_up_to(&self, channel_id: ChannelId, seq: u64) {
        let behind = self.channel_untracked(channel_id).is_some_and(|channel| channel.read_seq < seq);
        let kept = self.kept_unread.get_value() == Some(channel_id);
        if behind && !kept && self.link.get_untracked() == Link::Up {
            self.change_channel(channel_id, |channel| {
                channel.read_seq = seq;
                (channel.unread, channel.mentions) = (0, 0);
            });
            live::send(ClientFrame::Read { reference: None, channel_id, seq, back: false });
        }
    }

    /// Makes a message, and all after it, unread again.
    pub fn mark_unread(&self, message: &Message) {
        self.kept_unread.set_value(Some(message.channel_id));
        let (channel_id, seq) = (message.channel_id, message.seq.saturating_sub(1));
        self.say(ClientFrame::Read { reference: None, channel_id, seq, back: true });
    }

    /// Changes the words of one's own message.
    pub fn edit(&self, id: MessageId, text: &str) {
        self.editing.set(None);
        self.say(ClientFrame::Edit { reference: None, message_id: id, text: text.into() });
    }

    pub fn react(&self, message: &Message, emoji: &str) {
        let me = self.me.with_untracked(|me| me.id);
        let mine = |reaction: &natter::message::Reaction| reaction.emoji == emoji && reaction.user_ids.contains(&me);
        let on = !message.reactions.iter().any(mine);
        self.say(ClientFrame::React { reference: None, message_id: message.id, emoji: emoji.into(), on });
    }

    /// Deletes a message in a few seconds, unless that is taken back. `reason`: for its author.
    pub fn delete(&self, id: MessageId, reason: Option<String>) {
        self.doomed.update(|doomed| {
            doomed.retain(|known| known.id != id);
            doomed.push(Doomed { id, reason });
        });
        let chat = *self;
        set_timeout(move || chat.delete_now(|doomed| doomed.id == id), UNDO);
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
        for Doomed { id, reason } in all.into_iter().filter(which) {
            self.say(ClientFrame::Delete { reference: None, message_id: id, reason });
            self.doomed.update(|doomed| doomed.retain(|known| known.id != id));
        }
    }

    /// Says what is of use now or never.
    fn say(&self, frame: ClientFrame) {
        if self.link.get_untracked() == Link::Up {
            live::send(frame);
        } else {
            self.notice.set(Some("Not connected right now. Try again in a moment.".into()));
        }
    }

    /// A message of a conversation.
    pub fn message(&self, target: Target, id: MessageId) -> Option<Message> {
        let timeline = self.timeline(target)?;
        let timeline = timeline.read();
        timeline.messages().rev().find(|message| message.id == id).cloned()
    }

    /// A message that another one answers; asked for if it isn't here.
    pub fn quoted(&self, target: Target, id: MessageId) -> Option<Message> {
        if let Some(here) = self.message(target, id) {
            return Some(here);
        }
        if let Some(known) = self.quoted.read().get(&id) {
            return known.clone();
        }
        let quoted = self.quoted;
        quoted.update_untracked(|all| _ = all.insert(id, None));
        spawn_local(async move {
            if let Ok(message) = api::message(id).await {
                quoted.try_update(|all| _ = all.insert(id, Some(message)));
            }
        });
        None
    }

    /// What waited in this browser for the last visit's end.
    pub fn recall_outbox(&self) {
        for out in self.outbox.recall() {
            if let Some(timeline) = self.timeline(out.to) {
                timeline.update(|timeline| out.show_in(timeline));
            }
        }
    }

    /// Everything that waits to be read, of messages and of those that are to oneself.
    pub fn waiting(&self) -> (u64, u64) {
        self.channels.read().iter().fold((0, 0), |(unread, calls), channel| {
            let direct = if channel.kind == ChannelKind::Direct { channel.unread } else { channel.mentions };
            (unread + channel.unread, calls + direct)
        })
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

/// Where messages of a conversation go.
pub fn target_of(channel: &Channel) -> Target {
    channel.peer.as_ref().map_or(Target::Channel(channel.id), |peer| Target::Person(peer.id))
}

/// Puts a channel in its place by name.
fn put(channels: &mut Vec<Channel>, channel: Channel) {
    channels.retain(|known| known.id != channel.id);
    let at = channels.partition_point(|known| known.label() < channel.label());
    channels.insert(at, channel);
}

#[cfg(test)]
mod tests;
