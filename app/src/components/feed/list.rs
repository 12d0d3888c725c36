use super::{card::Card, desk::Desk, empty::CaughtUp};
use crate::components::ui::{SECONDARY, When, changing};
use leptos::prelude::*;
use natter::ChannelId;

/// All conversations on the page: what is muted stands last, and apart.
#[component]
pub fn Cards(desk: Desk) -> impl IntoView {
    let feed = desk.chat.feed;
    let (others, muted) = (Memo::new(move |_| feed.ids(false)), Memo::new(move |_| feed.ids(true)));
    let none_left = Memo::new(move |_| feed.is_read(&desk.chat.channels.read()));
    let some = Signal::derive(move || !feed.is_empty());
    let more = Memo::new(move |_| feed.next().is_some());
    view! {
        <List ids=others label="Unread conversations" desk/>
        <When when=Signal::derive(move || !muted.read().is_empty())>
            <h2 class="feed-section">"Muted"</h2>
            <List ids=muted label="Muted conversations" desk/>
        </When>
        <When when=more>
            <p class="text-center">
                <button type="button" class=SECONDARY on:click=move |_| desk.go_on()>
                    {move || if desk.loading.get() { "Loading…" } else { "Show more" }}
                </button>
            </p>
        </When>
        <When when=none_left><CaughtUp below=some/></When>
    }
    .into_any()
}

#[component]
fn List(ids: Memo<Vec<ChannelId>>, label: &'static str, desk: Desk) -> impl IntoView {
    changing(move || {
        if ids.with(Vec::is_empty) {
            return ().into_any();
        }
        view! {
            <div role="feed" aria-label=label aria-busy=move || desk.loading.get().then_some("true")>
                <For each=move || ids.get() key=|id| *id let:id>
                    <Card id desk place=Memo::new(move |_| {
                        let ids = ids.read();
                        (ids.iter().position(|known| *known == id).unwrap_or(0) + 1, ids.len())
                    })/>
                </For>
            </div>
        }
        .into_any()
    })
}
