use super::{message::RowView, scroll::Scroll};
use crate::{
    api,
    components::ui::{Icon, SECONDARY, When},
    state::{Chat, Zone, rows},
};
use leptos::{ev, prelude::*, task::spawn_local};
use natter::{Channel, ChannelId, Timeline};

/// A channel's messages, newest at the bottom.
#[component]
pub fn Log(
    channel: Channel,
    timeline: ArcRwSignal<Timeline>,
    /// Counts up to go to the newest message.
    to_end: RwSignal<u32>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let zone = expect_context::<Zone>();
    let id = channel.id;
    let unread_after = (channel.unread > 0).then_some(channel.read_seq);
    let timeline = RwSignal::from(timeline);
    let shown = Memo::new(move |_| timeline.with(|timeline| rows(timeline, &chat.me.read(), zone, unread_after)));
    let older = Older::new(id, timeline);
    let last_seq = Memo::new(move |_| timeline.with(Timeline::last_seq));
    let scroll = Scroll::new(chat, id, last_seq, Memo::new(move |_| shown.read().order.len()));
    scroll.follow(to_end);
    let scrolled = move |_| {
        if scroll.moved() {
            older.load_unless_failed();
        }
    };
    let name = channel.label().to_owned();
    let log_name = format!("Messages in #{name}");
    let topic = channel.topic;
    view! {
        <div class="relative flex-1 min-h-0">
            <div node_ref=scroll.node class="log" role="log" aria-label=log_name tabindex="0" on:scroll=scrolled>
                <div class="pb-2">
                    <When when=Signal::derive(move || older.is_all()) fallback=move || view! { <OlderButton older/> }>
                        <Beginning name=name.clone() topic=topic.clone()/>
                    </When>
                    <ol>
                        <For each=move || shown.read().order.clone() key=|key| *key let:key>
                            <RowView key rows=shown channel_id=id/>
                        </For>
                    </ol>
                </div>
            </div>
            <NewMessages scroll/>
        </div>
    }
    .into_any()
}

/// The history before the window, and whether it is being fetched.
#[derive(Clone, Copy)]
struct Older {
    id: ChannelId,
    timeline: RwSignal<Timeline>,
    before: Memo<Option<u64>>,
    loading: RwSignal<bool>,
    failed: RwSignal<bool>,
}

impl Older {
    fn new(id: ChannelId, timeline: RwSignal<Timeline>) -> Self {
        let before = Memo::new(move |_| timeline.with(Timeline::older_before));
        Self { id, timeline, before, loading: RwSignal::new(false), failed: RwSignal::new(false) }
    }

    fn is_all(self) -> bool {
        self.before.get().is_none()
    }

    fn load_unless_failed(self) {
        if !self.failed.get_untracked() {
            self.load();
        }
    }

    fn load(self) {
        let Some(before) = self.before.get_untracked().filter(|_| !self.loading.get_untracked()) else { return };
        self.loading.set(true);
        self.failed.set(false);
        spawn_local(async move {
            let page = api::channel_history(self.id, Some(before)).await;
            // The reader may have gone elsewhere meanwhile.
            if let Ok(page) = page {
                self.timeline.try_update(|timeline| timeline.prepend(page));
            } else {
                self.failed.try_set(true);
            }
            self.loading.try_set(false);
        });
    }
}

#[component]
fn OlderButton(older: Older) -> impl IntoView {
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

#[component]
fn NewMessages(scroll: Scroll) -> impl IntoView {
    let label = move || match scroll.unseen.get() {
        1 => "1 new message".to_owned(),
        n => format!("{n} new messages"),
    };
    view! {
        <When when=Signal::derive(move || { scroll.unseen.get() > 0 })>
            <button type="button" class="pill" on:click=move |_| scroll.to_end()>
                <Icon icon=icondata_lu::LuArrowDown/>
                {label}
            </button>
        </When>
    }
}

#[component]
fn Beginning(name: String, topic: String) -> impl IntoView {
    let about = if topic.is_empty() { "This is where it begins. Say hello.".to_owned() } else { topic };
    view! {
        <div class="px-5 max-sm:px-3.5 pt-10 pb-4">
            <h2 class="text-xl font-[650] tracking-tight">{format!("Welcome to #{name}")}</h2>
            <p class="text-soft">{about}</p>
        </div>
    }
}
