//! What was said after what is loaded, where that is around a place further back; and the way to the
//! newest message.

use super::scroll::Scroll;
use crate::{
    api,
    components::ui::{Icon, SECONDARY},
};
use leptos::{ev, prelude::*, task::spawn_local};
use natter::{Channel, MessagePage, Timeline};

/// The history after the window, and whether it is being fetched.
#[derive(Clone, Copy)]
pub struct Newer {
    channel: Memo<Option<Channel>>,
    timeline: RwSignal<Timeline>,
    after: Memo<Option<u64>>,
    loading: RwSignal<bool>,
    failed: RwSignal<bool>,
}

impl Newer {
    pub fn new(channel: Memo<Option<Channel>>, timeline: RwSignal<Timeline>) -> Self {
        let after = Memo::new(move |_| timeline.with(Timeline::newer_after));
        Self { channel, timeline, after, loading: RwSignal::new(false), failed: RwSignal::new(false) }
    }

    /// Whether the newest message is loaded, and what comes live is shown.
    pub fn is_live(self) -> bool {
        self.after.get().is_none()
    }

    pub fn is_live_untracked(self) -> bool {
        self.after.try_get_untracked().flatten().is_none()
    }

    pub fn load_unless_failed(self, scroll: Scroll) {
        if !self.failed.get_untracked() {
            self.load(scroll);
        }
    }

    /// Puts the page after the window behind it.
    pub fn load(self, scroll: Scroll) {
        let id = self.channel.with_untracked(|channel| channel.as_ref().map(|channel| channel.id));
        let after = self.after.get_untracked();
        let Some((id, after)) = id.zip(after).filter(|_| !self.loading.get_untracked()) else { return };
        self.fetch(scroll, async move { api::history_after(id, after).await }, move |timeline, page| {
            timeline.append(after, page);
            false
        });
    }

    /// Goes to the newest message, which is fetched if it isn't there.
    pub fn newest(self, scroll: Scroll) {
        if self.is_live_untracked() {
            request_animation_frame(move || scroll.to_end());
            return;
        }
        let id = self.channel.with_untracked(|channel| channel.as_ref().map(|channel| channel.id));
        let Some(id) = id else { return };
        self.fetch(scroll, async move { api::channel_history(id, None).await }, |timeline, page| {
            timeline.reload(page);
            true
        });
    }

    /// `put` says whether the reader goes to the end.
    fn fetch(
        self,
        scroll: Scroll,
        page: impl Future<Output = Result<MessagePage, api::Failure>> + 'static,
        put: impl FnOnce(&mut Timeline, MessagePage) -> bool + 'static,
    ) {
        self.loading.set(true);
        self.failed.set(false);
        spawn_local(async move {
            let page = page.await;
            self.loading.try_set(false);
            let Ok(page) = page else {
                self.failed.try_set(true);
                return;
            };
            // The reader may be elsewhere by now.
            let Some(to_end) = self.timeline.try_update(|timeline| put(timeline, page)) else { return };
            leptos::task::tick().await;
            request_animation_frame(move || if to_end { scroll.to_end() } else { _ = scroll.moved() });
        });
    }
}

#[component]
pub fn NewerButton(newer: Newer, scroll: Scroll) -> impl IntoView {
    let label = move || match (newer.loading.get(), newer.failed.get()) {
        (true, _) => "Loading…",
        (false, true) => "Couldn't load. Retry?",
        (false, false) => "Later messages",
    };
    // Without scripts it leads to what comes next.
    let next = move || newer.after.get().map(|last| (last + 1).to_string());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        newer.load(scroll);
    };
    view! {
        <form method="get" class="grid place-items-center h-14 mb-12" on:submit=submit>
            <input type="hidden" name="at" value=next/>
            <button type="submit" class=SECONDARY disabled=move || newer.loading.get()>{label}</button>
        </form>
    }
    .into_any()
}

#[component]
pub fn JumpToNewest(newer: Newer, scroll: Scroll) -> impl IntoView {
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        newer.newest(scroll);
    };
    view! {
        <form method="get" on:submit=submit>
            <button type="submit" name="at" value="newest" class="pill">
                <Icon icon=icondata_lu::LuArrowDown/>
                "Jump to newest"
            </button>
        </form>
    }
    .into_any()
}
