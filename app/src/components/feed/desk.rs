use crate::{
    api,
    components::ui::{focus_on, land},
    state::{Chat, Standing, address_of},
};
use leptos::{prelude::*, task::spawn_local};
use natter::ChannelId;

/// What one is doing on the Catch up page.
#[derive(Clone, Copy)]
pub struct Desk {
    pub chat: Chat,
    /// The conversation that the keyboard is at.
    pub selected: RwSignal<Option<ChannelId>>,
    /// The one that is being answered.
    pub replying: RwSignal<Option<ChannelId>>,
    /// More is on its way.
    pub loading: RwSignal<bool>,
}

/// A conversation's element.
pub fn element(id: ChannelId) -> String {
    format!("card-{id}")
}

impl Desk {
    pub fn new(chat: Chat) -> Self {
        Self { chat, selected: RwSignal::new(None), replying: RwSignal::new(None), loading: RwSignal::new(false) }
    }

    pub fn standing(self, id: ChannelId) -> Standing {
        self.chat.feed.standing(id, &self.chat.channels.read())
    }

    fn order(self) -> Vec<ChannelId> {
        let feed = self.chat.feed;
        untrack(|| feed.ids(false).into_iter().chain(feed.ids(true)).collect())
    }

    pub fn is_unread(self, id: ChannelId) -> bool {
        untrack(|| self.standing(id).is_unread())
    }

    /// The conversation that a key is about: the one the keyboard is at, else the first.
    pub fn current(self) -> Option<ChannelId> {
        let order = self.order();
        let selected = self.selected.get_untracked().filter(|id| order.contains(id));
        selected.or_else(|| order.into_iter().find(|id| self.is_unread(*id)))
    }

    pub fn select(self, id: ChannelId) {
        self.selected.set(Some(id));
        focus_on(format!("#{}", element(id)), true);
    }

    /// Goes to the conversation before or after; to the first from nowhere.
    pub fn step(self, back: bool) {
        let order = self.order();
        let at = self.selected.get_untracked().and_then(|id| order.iter().position(|known| *known == id));
        let next = match at {
            None => 0,
            Some(at) if back => at.saturating_sub(1),
            Some(at) => at + 1,
        };
        if let Some(id) = order.get(next).or(order.last()) {
            self.select(*id);
        }
    }

    /// Puts one away, and goes to the next that is unread.
    pub fn mark_read(self, id: ChannelId) {
        let order = self.order();
        let at = order.iter().position(|known| *known == id).unwrap_or(0);
        let (before, after) = order.split_at(at);
        if self.is_unread(id) && self.chat.mark_read(id) {
            if self.replying.get_untracked() == Some(id) {
                self.replying.set(None);
            }
            let next = after.iter().skip(1).chain(before).find(|id| self.is_unread(**id));
            self.select(next.copied().unwrap_or(id));
        }
    }

    /// Takes that back.
    pub fn mark_unread(self, id: ChannelId) {
        let first = untrack(|| self.chat.feed.item(id)).and_then(|item| item.first.into_iter().next());
        if let Some(first) = first {
            self.chat.mark_unread(&first);
            self.select(id);
        }
    }

    pub fn reply(self, id: ChannelId) {
        self.selected.set(Some(id));
        if self.replying.get_untracked() == Some(id) {
            focus_on(format!("#{} textarea", element(id)), true);
        }
        self.replying.set(Some(id));
    }

    /// Leaves the answer, for the conversation.
    pub fn leave_reply(self, id: ChannelId) {
        self.replying.set(None);
        self.select(id);
    }

    /// What is unread now, in place of what was when the page was opened.
    pub fn reload(self) {
        let chat = self.chat;
        self.load(async move {
            let page = api::feed(None).await?;
            chat.feed.begin(page, &chat.channels.read_untracked());
            self.selected.try_set(None);
            self.replying.try_set(None);
            // The button that asked for it is gone.
            land();
            Ok(())
        });
    }

    /// What has come since all was read.
    pub fn take_in(self) {
        let chat = self.chat;
        self.load(async move {
            chat.feed.take_in(api::feed(None).await?);
            Ok(())
        });
    }

    /// What is further down.
    pub fn go_on(self) {
        let feed = self.chat.feed;
        self.load(async move {
            let next = feed.next_untracked();
            if next.is_some() {
                feed.go_on(api::feed(next).await?);
            }
            Ok(())
        });
    }

    fn load(self, work: impl Future<Output = Result<(), api::Failure>> + 'static) {
        if self.loading.get_untracked() {
            return;
        }
        self.loading.set(true);
        spawn_local(async move {
            if let Err(failure) = work.await {
                self.chat.notice.set(Some(failure.to_string()));
            }
            // The reader may be elsewhere by now.
            self.loading.try_set(false);
        });
    }
}

impl Desk {
    /// Where a conversation is read: it opens where unread begins.
    pub fn address(self, id: ChannelId) -> Option<String> {
        self.chat.channel(id).map(|now| address_of(&now))
    }

    pub fn may_reply(self, id: ChannelId) -> bool {
        let role = self.chat.me.with_untracked(|me| me.role);
        untrack(|| self.chat.channel(id)).is_some_and(|channel| role.can_post(channel.access()))
    }

    pub fn may_read(self, id: ChannelId) -> bool {
        untrack(|| self.chat.channel(id)).is_some()
    }
}
