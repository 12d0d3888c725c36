//! What was said before what is loaded, and the way to it.

use super::scroll::Scroll;
use crate::{
    api::{self, NEWEST},
    components::ui::SECONDARY,
    state::Chat,
};
use leptos::{ev, prelude::*, task::spawn_local};
use leptos_router::params::ParamsMap;
use natter::{Channel, MessageId, Timeline, input::PAGE_DEFAULT};

/// The place that an address leads to.
pub fn place(query: Memo<ParamsMap>) -> Option<u64> {
    query.with_untracked(place_in)
}

/// The same; [`NEWEST`] where it leads there.
pub fn place_in(query: &ParamsMap) -> Option<u64> {
    match query.get_str("at")? {
        "newest" => Some(NEWEST),
        seq => seq.parse().ok(),
    }
}

/// A message to go to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    Message(MessageId),
    /// By its place, or the next one there is.
    Place(u64),
}

impl Goal {
    /// The message, once it is loaded.
    pub fn find(self, timeline: &Timeline) -> Option<MessageId> {
        match self {
            Self::Message(id) => timeline.messages().any(|message| message.id == id).then_some(id),
            Self::Place(seq) if !timeline.reaches(seq) => None,
            Self::Place(seq) => timeline.messages().find(|message| message.seq >= seq).map(|message| message.id),
        }
    }
}

/// Shows a message, if need be after fetching what is around it; where that fails the reader is told.
pub async fn jump(goal: Goal, chat: Chat, scroll: Scroll, older: Older) {
    let find = || older.timeline.try_with_untracked(|timeline| goal.find(timeline));
    let Some(mut found) = find() else { return };
    if found.is_none() && older.go_to(goal).await {
        found = find().flatten();
    }
    match found {
        Some(id) => {
            // Until what was fetched is on the page.
            leptos::task::tick().await;
            let stays = scroll.sees(id);
            scroll.show(id);
            // Where it had to move, once more when the view has been held still.
            if !stays {
                request_animation_frame(move || _ = scroll.show(id));
            }
        }
        // The reader may be elsewhere by now.
        None if older.loading.try_get_untracked().is_some() => {
            scroll.moved();
            chat.notice.set(Some("That message can't be shown.".into()));
        }
        None => {}
    }
}

/// Shows where unread begins, at the place `first` or the next one there is; if need be after fetching what is around
/// it. Where that can't be had, nothing is taken to be read. Where the browser has gone there itself, the reader may
/// have gone on since.
pub async fn show_unread(first: u64, landed: bool, scroll: Scroll, older: Older) {
    let Some(here) = older.timeline.try_with_untracked(|timeline| timeline.reaches(first)) else { return };
    if here || older.go_to(Goal::Place(first)).await {
        leptos::task::tick().await;
        if here && landed {
            scroll.moved();
            return;
        }
        scroll.show_unread();
        // Once more when the view has been held still.
        request_animation_frame(move || scroll.show_unread());
    }
}

/// The history before the window, and whether it is being fetched.
#[derive(Clone, Copy)]
pub struct Older {
    channel: Memo<Option<Channel>>,
    timeline: RwSignal<Timeline>,
    before: Memo<Option<u64>>,
    loading: RwSignal<bool>,
    failed: RwSignal<bool>,
}

impl Older {
    pub fn new(channel: Memo<Option<Channel>>, timeline: RwSignal<Timeline>) -> Self {
        let before = Memo::new(move |_| timeline.with(Timeline::older_before));
        Self { channel, timeline, before, loading: RwSignal::new(false), failed: RwSignal::new(false) }
    }

    pub fn is_all(self) -> bool {
        self.before.get().is_none()
    }

    pub fn load_unless_failed(self) {
        if !self.failed.get_untracked() {
            self.load();
        }
    }

    fn load(self) {
        if !self.loading.get_untracked() {
            spawn_local(async move {
                self.fetch().await;
            });
        }
    }

    /// Moves the window to what is around a message; false if that can't be had.
    async fn go_to(self, goal: Goal) -> bool {
        let id = self.channel.try_with_untracked(|channel| channel.as_ref().map(|channel| channel.id)).flatten();
        let Some(id) = id else { return false };
        let place = match goal {
            Goal::Place(seq) => Some(seq),
            Goal::Message(id) => api::message(id).await.ok().map(|message| message.seq),
        };
        let Some(place) = place else { return false };
        let Ok(page) = api::history_around(id, place).await else { return false };
        let newer = page.may_go_on(PAGE_DEFAULT);
        self.timeline.try_update(|timeline| timeline.go_to(page, newer)).is_some()
    }

    /// Puts the page before the window in front of it. The reader may go elsewhere meanwhile.
    async fn fetch(self) {
        let id = self.channel.try_with_untracked(|channel| channel.as_ref().map(|channel| channel.id)).flatten();
        let before = self.before.try_get_untracked().flatten();
        let Some((id, before)) = id.zip(before) else { return };
        self.loading.set(true);
        self.failed.set(false);
        let page = api::channel_history(id, Some(before)).await;
        if let Ok(page) = page {
            self.timeline.try_update(|timeline| timeline.prepend(before, page));
        } else {
            self.failed.try_set(true);
        }
        self.loading.try_set(false);
    }
}

#[component]
pub fn OlderButton(older: Older) -> impl IntoView {
    let label = move || match (older.loading.get(), older.failed.get()) {
        (true, _) => "Loading…",
        (false, true) => "Couldn't load. Retry?",
        (false, false) => "Earlier messages",
    };
    view! {
        <div class="grid place-items-center h-14">
            <button type="button" class=SECONDARY disabled=move || older.loading.get()
                on:click=move |_: ev::MouseEvent| older.load()>
                {label}
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::fixtures::{message, user};
    use natter::{ChannelId, MessagePage};

    #[test]
    fn a_place_is_the_message_there_or_the_next_one_once_all_between_is_loaded() {
        let (channel, ada) = (ChannelId::generate(), user("ada"));
        let items: Vec<_> = [5, 6, 9].map(|seq| message(channel, seq, &ada, 0, None)).into();
        let ids: Vec<_> = items.iter().map(|message| message.id).collect();
        let timeline =
            |next| Timeline::from_page(MessagePage { items: items.clone(), next, rev: 9, epoch: "one".into() });
        let (part, all) = (timeline(Some(5)), timeline(None));
        for (place, expected) in [(5, Some(ids[0])), (7, Some(ids[2])), (9, Some(ids[2])), (10, None), (2, None)] {
            assert_eq!(Goal::Place(place).find(&part), expected, "{place}");
        }
        assert_eq!(Goal::Place(2).find(&all), Some(ids[0]));
        assert_eq!(Goal::Message(ids[1]).find(&part), Some(ids[1]));
        assert_eq!(Goal::Message(MessageId::generate()).find(&part), None);
    }
}
