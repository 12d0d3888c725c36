//! The conversations on the Catch up page. They stand as they were found when it was opened, so that
//! nothing moves under the reader; what has become of each is seen from the conversation as it is now.

use leptos::prelude::*;
use natter::{
    Channel, ChannelId, FeedItem, FeedPage, Message,
    feed::{Group, Place},
};
use std::collections::HashSet;

#[derive(Clone, Copy, Default)]
pub struct Feed {
    /// In the order in which they were found.
    items: RwSignal<Vec<FeedItem>>,
    next: RwSignal<Option<Place>>,
    /// Unread when the page was opened, and on a later page of the feed.
    later: RwSignal<HashSet<ChannelId>>,
}

/// What has become of a conversation since it was put on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// `more`: how much of it isn't shown.
    Unread { unread: u64, mentions: u64, more: u64 },
    /// All that is shown has been read, here or elsewhere.
    Read,
    /// One isn't in it any more.
    Gone,
}

impl Standing {
    pub fn of(item: &FeedItem, now: Option<&Channel>) -> Self {
        let Some(now) = now else { return Self::Gone };
        let last = item.first.last().map_or(0, |last| last.seq);
        if now.unread == 0 || now.read_seq >= last {
            return Self::Read;
        }
        let shown = item.first.iter().filter(|message| message.seq > now.read_seq && !message.deleted).count();
        let more = now.unread.saturating_sub(shown as u64);
        Self::Unread { unread: now.unread, mentions: now.mentions, more }
    }

    pub const fn is_unread(self) -> bool {
        matches!(self, Self::Unread { .. })
    }
}

impl Feed {
    /// Takes the first page in place of what was there. `channels`: as they are now.
    pub fn begin(self, page: FeedPage, channels: &[Channel]) {
        let listed: HashSet<_> = page.items.iter().map(|item| item.channel.id).collect();
        let unread = channels.iter().filter(|channel| channel.unread > 0).map(|channel| channel.id);
        let later = unread.filter(|id| page.next.is_some() && !listed.contains(id)).collect();
        self.later.set(later);
        self.next.set(page.next);
        self.items.set(page.items);
    }

    /// Nothing unread is on the page, nor on a later one.
    pub fn is_read(self, channels: &[Channel]) -> bool {
        let items = self.items.read();
        let now = |item: &FeedItem| channels.iter().find(|channel| channel.id == item.channel.id);
        self.next.read().is_none() && !items.iter().any(|item| Standing::of(item, now(item)).is_unread())
    }

    /// Takes what has come since all was read. What was read stays where it stands, and what is new comes behind it,
    /// but for a conversation that goes on: that one has its new messages.
    pub fn take_in(self, page: FeedPage) {
        self.items.update(|items| {
            for item in &page.items {
                if let Some(known) = items.iter_mut().find(|known| known.channel.id == item.channel.id) {
                    *known = item.clone();
                }
            }
        });
        self.go_on(page);
    }

    /// Puts another page behind.
    pub fn go_on(self, page: FeedPage) {
        self.next.set(page.next);
        self.items.update(|items| {
            for item in page.items {
                // It may have moved meanwhile.
                if items.iter().all(|known| known.channel.id != item.channel.id) {
                    items.push(item);
                }
            }
        });
        let listed: HashSet<_> = self.items.read_untracked().iter().map(|item| item.channel.id).collect();
        let ended = page.next.is_none();
        self.later.update(|later| later.retain(|id| !ended && !listed.contains(id)));
    }

    /// Where the next page begins.
    pub fn next(self) -> Option<Place> {
        self.next.get()
    }

    pub fn next_untracked(self) -> Option<Place> {
        self.next.get_untracked()
    }

    /// The conversations on the page, in order: those that were muted when it was opened, or the others.
    pub fn ids(self, muted: bool) -> Vec<ChannelId> {
        let items = self.items.read();
        let of = items.iter().filter(|item| (Group::of(&item.channel) == Group::Muted) == muted);
        of.map(|item| item.channel.id).collect()
    }

    pub fn item(self, id: ChannelId) -> Option<FeedItem> {
        self.items.read().iter().find(|item| item.channel.id == id).cloned()
    }

    pub fn is_empty(self) -> bool {
        self.items.read().is_empty()
    }

    /// How a conversation on the page stands now.
    pub fn standing(self, id: ChannelId, channels: &[Channel]) -> Standing {
        let items = self.items.read();
        let item = items.iter().find(|item| item.channel.id == id);
        let now = channels.iter().find(|channel| channel.id == id);
        item.map_or(Standing::Gone, |item| Standing::of(item, now))
    }

    /// How many conversations have something new for the reader that the page doesn't show.
    pub fn fresh(self, channels: &[Channel]) -> usize {
        let (items, later) = (self.items.read(), self.later.read());
        let shown = |channel: &Channel| {
            let item = items.iter().find(|item| item.channel.id == channel.id);
            item.is_some_and(|item| Standing::of(item, Some(channel)).is_unread())
        };
        channels.iter().filter(|it| it.calls() && !later.contains(&it.id) && !shown(it)).count()
    }

    /// Takes the newest state of a message that is shown.
    pub fn heard(self, message: &Message) {
        let is_older = |known: &Message| known.id == message.id && known.rev < message.rev;
        let shows = |item: &FeedItem| item.first.iter().chain(&item.before).any(is_older);
        if self.items.with_untracked(|items| items.iter().any(shows)) {
            self.items.update(|items| {
                let shown = items.iter_mut().flat_map(|item| item.first.iter_mut().chain(&mut item.before));
                shown.filter(|known| is_older(known)).for_each(|known| known.clone_from(message));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::fixtures::{channel, message, user};
    use natter::MessageId;

    /// A channel of which the messages at those places are shown, of some that are unread.
    fn item(name: &str, shown: &[u64], unread: u64) -> FeedItem {
        let mira = user("mira");
        let channel = Channel { unread, rev: 20, read_seq: shown[0] - 1, ..channel(name, true) };
        let first: Vec<_> = shown.iter().map(|seq| message(channel.id, *seq, &mira, 0, None)).collect();
        FeedItem {
            unread,
            mentions: 0,
            first_unread_seq: shown[0],
            latest: first.clone(),
            first,
            before: None,
            channel,
        }
    }

    fn page(items: &[FeedItem], next: Option<Place>) -> FeedPage {
        FeedPage { items: items.to_vec(), next }
    }

    fn channels(items: &[FeedItem]) -> Vec<Channel> {
        items.iter().map(|item| item.channel.clone()).collect()
    }

    #[test]
    fn a_conversation_is_unread_as_long_as_something_shown_is() {
        let item = item("general", &[3, 5, 6], 7);
        let now = |read_seq, unread| Channel { read_seq, unread, mentions: 1, ..item.channel.clone() };
        let standing = |read_seq, unread| Standing::of(&item, Some(&now(read_seq, unread)));
        assert_eq!(standing(2, 7), Standing::Unread { unread: 7, mentions: 1, more: 4 });
        assert_eq!(standing(2, 9), Standing::Unread { unread: 9, mentions: 1, more: 6 }, "two came");
        assert_eq!(standing(5, 5), Standing::Unread { unread: 5, mentions: 1, more: 4 }, "two were read");
        assert_eq!(standing(6, 4), Standing::Read, "what is left is elsewhere");
        assert_eq!(standing(20, 0), Standing::Read);
        assert_eq!(standing(2, 0), Standing::Read, "all were deleted");
        assert_eq!(Standing::of(&item, None), Standing::Gone);
        let mut gone = item.clone();
        gone.first[1].deleted = true;
        assert_eq!(Standing::of(&gone, Some(&now(2, 6))), Standing::Unread { unread: 6, mentions: 1, more: 4 });
    }

    #[test]
    fn what_is_new_is_told_and_changes_nothing_on_the_page() {
        Owner::new().with(|| {
            let feed = Feed::default();
            let all = [item("a", &[1], 1), item("b", &[1], 1), item("c", &[1], 1), item("quiet", &[1], 1)];
            let mut now = channels(&all);
            now[3].muted = Some(true);
            feed.begin(page(&all[..2], None), &now);
            assert_eq!((feed.ids(false).len(), feed.fresh(&now)), (2, 1), "not what is muted");
            now[0] = Channel { read_seq: 20, unread: 0, ..now[0].clone() };
            assert_eq!((feed.ids(false).len(), feed.fresh(&now)), (2, 1), "it stays where it is");
            now[0].unread = 1;
            assert_eq!(feed.fresh(&now), 2, "read, and new again");
            now[3].mentions = 1;
            assert_eq!(feed.fresh(&now), 3, "called by name");
        });
    }

    #[test]
    fn what_comes_when_all_is_read_is_put_behind_it() {
        Owner::new().with(|| {
            let feed = Feed::default();
            let all = [item("a", &[1], 1), item("b", &[1], 1), item("c", &[1], 1)];
            let mut now = channels(&all);
            feed.begin(page(&all[..2], None), &now);
            assert!(!feed.is_read(&now));
            now[0] = Channel { read_seq: 20, unread: 0, ..now[0].clone() };
            now[1] = Channel { read_seq: 20, unread: 0, ..now[1].clone() };
            assert!(feed.is_read(&now));
            now[1].unread = 1;
            let mut goes_on = all[1].clone();
            goes_on.first[0].seq = 21;
            feed.take_in(page(&[all[2].clone(), goes_on], None));
            let ids: Vec<_> = all.iter().map(|item| item.channel.id).collect();
            assert_eq!(feed.ids(false), ids, "nothing has moved");
            assert_eq!((feed.fresh(&now), feed.is_read(&now)), (0, false));
            assert!(!feed.standing(ids[0], &now).is_unread());
            assert!(feed.standing(ids[1], &now).is_unread());
        });
    }

    #[test]
    fn what_the_next_page_has_is_not_new() {
        Owner::new().with(|| {
            let feed = Feed::default();
            let all = [item("a", &[1], 1), item("b", &[1], 1), item("c", &[1], 1)];
            let next = Place::of(&all[0].channel, MessageId::generate());
            let now = channels(&all);
            feed.begin(page(&all[..1], Some(next)), &now);
            assert_eq!((feed.fresh(&now), feed.next()), (0, Some(next)));
            feed.go_on(page(&all[..2], None));
            assert_eq!((feed.ids(false).len(), feed.next()), (2, None));
            assert_eq!(feed.fresh(&now), 1, "it isn't there after all");
        });
    }

    #[test]
    fn what_was_muted_stands_apart_until_the_page_is_opened_anew() {
        Owner::new().with(|| {
            let (feed, mut all) = (Feed::default(), [item("a", &[1], 1), item("b", &[1], 1)]);
            all[0].channel.muted = Some(true);
            feed.begin(page(&all, None), &channels(&all));
            assert_eq!((feed.ids(true), feed.ids(false)), (vec![all[0].channel.id], vec![all[1].channel.id]));
        });
    }

    #[test]
    fn words_on_the_page_are_the_newest() {
        Owner::new().with(|| {
            let (feed, all) = (Feed::default(), [item("a", &[1, 2], 2)]);
            feed.begin(page(&all, None), &channels(&all));
            let texts =
                || feed.item(all[0].channel.id).unwrap().first.into_iter().map(|it| it.text).collect::<Vec<_>>();
            let edited = Message { rev: 9, text: "better".into(), ..all[0].first[1].clone() };
            feed.heard(&edited);
            assert_eq!(texts(), ["m1", "better"]);
            feed.heard(&Message { rev: 8, text: "old".into(), ..edited.clone() });
            feed.heard(&message(all[0].channel.id, 3, &user("jun"), 0, None));
            assert_eq!(texts(), ["m1", "better"]);
        });
    }
}
