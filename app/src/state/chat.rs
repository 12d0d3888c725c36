mod places;
mod receive;
mod revise;
mod said;
mod sending;

pub use places::Loss;
pub use receive::calls;

use self::{
    places::Places,
    revise::{Doomed, Editing, OFFLINE},
    said::Said,
};
use super::{
    drafts::Drafts,
    feed::Feed,
    later::Later,
    outbox::{Outbox, Target},
    people::People,
    uploads::Uploads,
};
use crate::{
    api::{self, Bootstrap, OpenChannel},
    live,
};
use leptos::{prelude::*, task::spawn_local};
use natter::{
    Channel, ChannelId, ChannelKind, Message, MessageId, MessagePage, Ref, Timeline, User, wire::ClientFrame,
};
use std::collections::HashMap;

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
    /// The channels one is in, by name, and directs.
    pub channels: RwSignal<Vec<Channel>>,
    /// All channels one may see, by name, once the browse page has asked.
    pub directory: RwSignal<Option<Vec<Channel>>>,
    pub link: RwSignal<Link>,
    pub people: People,
    /// What is on the Catch up page.
    pub feed: Feed,
    /// Whose card is open, and by what it was opened.
    pub card: RwSignal<Option<Card>>,
    /// What went wrong, or was done, lately.
    pub notice: RwSignal<Option<String>>,
    pub places: Places,
    /// What the next message of a conversation answers.
    pub replying: RwSignal<Option<(Target, Message)>>,
    pub editing: Editing,
    /// One's own messages for later.
    pub later: Later,
    /// Answers that somebody waits for; None until they have come.
    answers: RwSignal<HashMap<Ref, Option<Result<(), String>>>>,
    epoch: StoredValue<String>,
    timelines: StoredValue<HashMap<Target, ArcRwSignal<Timeline>>>,
    outbox: Outbox,
    pub drafts: Drafts,
    asides: StoredValue<HashMap<String, String>>,
    doomed: RwSignal<Vec<Doomed>>,
    /// Messages quoted that aren't in what is loaded.
    quoted: RwSignal<HashMap<MessageId, Quoted>>,
    said: StoredValue<Said>,
    /// The newest revision seen of conversations that aren't known yet.
    heads: StoredValue<HashMap<ChannelId, u64>>,
    said_typing: StoredValue<i64>,
    /// Files for messages that aren't sent yet.
    pub uploads: Uploads,
}

/// A message that another one answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Quoted {
    Asked,
    Here(Box<Message>),
    /// It can't be had.
    Gone,
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
            drafts: Drafts::new(start.me.id),
            me: RwSignal::new(start.me),
            places: Places::new(&start.channels),
            channels: RwSignal::new(start.channels),
            directory: RwSignal::new(None),
            link: RwSignal::new(Link::default()),
            people: People::new(),
            feed: Feed::default(),
            card: RwSignal::new(None),
            notice: RwSignal::new(None),
            replying: RwSignal::new(None),
            editing: Editing::default(),
            later: Later::new(start.scheduled),
            answers: RwSignal::default(),
            epoch: StoredValue::new(start.epoch),
            timelines: StoredValue::default(),
            asides: StoredValue::default(),
            doomed: RwSignal::default(),
            quoted: RwSignal::default(),
            said: StoredValue::default(),
            heads: StoredValue::default(),
            said_typing: StoredValue::default(),
            uploads: Uploads::new(start.uploads),
        }
    }

    /// Whether one is in a channel of that name.
    pub fn joined(&self, name: &str) -> bool {
        self.channels.read().iter().any(|channel| channel.name.as_deref() == Some(name))
    }

    /// The channel of that name, if one is in it.
    pub fn named(&self, name: &str) -> Option<Channel> {
        self.channels.read().iter().find(|channel| channel.name.as_deref() == Some(name)).cloned()
    }

    pub fn channel(&self, id: ChannelId) -> Option<Channel> {
        self.channels.read().iter().find(|channel| channel.id == id).cloned()
    }

    /// The conversation that messages to somewhere go to, if it is open.
    pub fn conversation(&self, target: Target) -> Option<Channel> {
        self.channels.read().iter().find(|channel| target_of(channel) == target).cloned()
    }

    /// How much of what is unread is to oneself.
    pub fn waiting(&self) -> u64 {
        self.channels.read().iter().map(Channel::to_me).sum()
    }

    /// Whether something is unread that one wants to know of.
    pub fn is_called(&self) -> bool {
        self.channels.read().iter().any(Channel::calls)
    }

    pub fn timeline(&self, target: Target) -> Option<ArcRwSignal<Timeline>> {
        self.timelines.with_value(|timelines| timelines.get(&target).cloned())
    }

    /// The channel of that name, if its messages are here already.
    pub fn opened(&self, name: &str) -> Option<OpenChannel> {
        let channel = untrack(|| self.named(name))?;
        self.timeline(Target::Channel(channel.id)).map(|_| OpenChannel { channel, page: None, newer: false })
    }

    /// Takes a conversation's newest page, or, where there are newer ones, one around a place, and shows in
    /// it what is still on its way.
    pub fn open(&self, target: Target, page: Option<MessagePage>, newer: bool) -> ArcRwSignal<Timeline> {
        let known = self.timeline(target);
        let fresh = known.is_none();
        let timeline = known.unwrap_or_else(|| ArcRwSignal::new(Timeline::default()));
        if fresh {
            let waiting = self.outbox.to(target);
            timeline.update_untracked(|timeline| waiting.iter().for_each(|out| out.show_in(timeline)));
            self.timelines.update_value(|timelines| _ = timelines.insert(target, timeline.clone()));
        }
        self.said.update_value(|said| said.kept_unread.clear());
        if let Some(page) = page {
            timeline.update(|timeline| if newer { timeline.go_to(page, true) } else { timeline.reload(page) });
        }
        self.missed(target).into_iter().for_each(live::send);
        timeline
    }

    /// Asks for what came while a page was on its way, and had no timeline to go into.
    fn missed(&self, target: Target) -> Option<ClientFrame> {
        let rev = self.timeline(target)?.with_untracked(Timeline::rev);
        let channel = untrack(|| self.conversation(target)).filter(|channel| channel.rev > rev)?;
        Some(self.sync([(channel.id, rev)].into()))
    }

    /// What was begun on somebody's card and isn't sent.
    pub fn aside(&self, username: &str) -> String {
        self.asides.with_value(|asides| asides.get(username).cloned().unwrap_or_default())
    }

    pub fn set_aside(&self, username: &str, text: String) {
        self.asides.update_value(|asides| _ = asides.insert(username.to_owned(), text));
    }

    /// Tells the server how far a conversation has been read; again on the next connection, if it isn't
    /// confirmed on this one.
    pub fn read_up_to(&self, channel_id: ChannelId, seq: u64) {
        let behind = self.channel_untracked(channel_id).is_some_and(|channel| channel.read_seq < seq);
        let kept = self.said.with_value(|said| said.kept_unread.contains(&channel_id));
        // Before the page has woken, where it is to be read from isn't settled.
        if behind && !kept && self.link.get_untracked() != Link::Starting {
            self.change_channel(channel_id, |channel| {
                channel.read_seq = seq;
                (channel.unread, channel.mentions) = (0, 0);
            });
            self.said.update_value(|said| _ = said.marks.insert(channel_id, seq));
            live::send(ClientFrame::Read { reference: None, channel_id, seq, back: false });
        }
    }

    /// Reads all there is, by one's own wish; false if that can't be said right now.
    pub fn mark_read(&self, channel_id: ChannelId) -> bool {
        let Some(channel) = self.channel_untracked(channel_id) else { return false };
        if self.link.get_untracked() != Link::Up {
            self.notice.set(Some(OFFLINE.into()));
            return false;
        }
        self.said.update_value(|said| _ = said.kept_unread.remove(&channel_id));
        self.read_up_to(channel_id, channel.rev);
        true
    }

    /// Makes a message, and all after it, unread again.
    pub fn mark_unread(&self, message: &Message) {
        let (channel_id, seq) = (message.channel_id, message.seq.saturating_sub(1));
        if self.say(ClientFrame::Read { reference: None, channel_id, seq, back: true }) {
            self.said.update_value(|said| {
                said.kept_unread.insert(channel_id);
                said.marks.remove(&channel_id);
            });
        }
    }

    /// The answer to something that was sent, once it has come. It is kept from when one first asks.
    pub fn answer(&self, reference: Ref) -> Option<Result<(), String>> {
        self.answers.update_untracked(|answers| _ = answers.entry(reference).or_default());
        self.answers.read().get(&reference).cloned().flatten()
    }

    /// Nobody waits for that answer any more.
    pub fn forget_answer(&self, reference: Ref) {
        self.answers.try_update_untracked(|answers| answers.remove(&reference));
    }

    /// A message of a conversation.
    pub fn message(&self, target: Target, id: MessageId) -> Option<Message> {
        let timeline = self.timeline(target)?;
        let timeline = timeline.read();
        timeline.messages().rev().find(|message| message.id == id).cloned()
    }

    /// A message that another one answers; asked for if it isn't here.
    pub fn quoted(&self, target: Target, id: MessageId) -> Quoted {
        if let Some(here) = self.message(target, id) {
            return Quoted::Here(Box::new(here));
        }
        if let Some(known) = self.quoted.read().get(&id) {
            return known.clone();
        }
        let quoted = self.quoted;
        quoted.update_untracked(|all| _ = all.insert(id, Quoted::Asked));
        spawn_local(async move {
            let found = api::message(id).await.map_or(Quoted::Gone, |message| Quoted::Here(Box::new(message)));
            quoted.try_update(|all| _ = all.insert(id, found));
        });
        Quoted::Asked
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

/// Where a conversation is read.
pub fn address_of(channel: &Channel) -> String {
    match channel.kind {
        ChannelKind::Channel => format!("/channels/{}", channel.label()),
        ChannelKind::Direct => format!("/direct/{}", channel.label()),
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
