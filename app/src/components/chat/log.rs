use super::{acts::Acts, message::RowView, moderate::Moderate, scroll::Scroll};
use crate::{
    api,
    components::ui::{Icon, SECONDARY, When, effect},
    state::{Chat, Target, Zone, rows},
};
use leptos::{ev, prelude::*, task::spawn_local};
use natter::{Channel, ChannelKind, MessageId, Timeline};

/// Pages of history that are fetched to get to a message, at most.
const JUMP_PAGES: u32 = 40;

/// What stands above the first message of a conversation.
#[derive(Clone, Debug)]
pub struct Opening {
    pub title: String,
    pub about: String,
}

/// A conversation's messages, newest at the bottom.
#[component]
pub fn Log(
    target: Target,
    /// The conversation as it is now; None while there is none yet.
    channel: Memo<Option<Channel>>,
    /// What it is called: `#general`, or somebody's name.
    label: String,
    opening: Opening,
    timeline: ArcRwSignal<Timeline>,
    /// Counts up to go to the newest message.
    to_end: RwSignal<u32>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let zone = expect_context::<Zone>();
    let unread_after = unread_after(channel);
    let timeline = RwSignal::from(timeline);
    let shown = Memo::new(move |_| timeline.with(|timeline| rows(timeline, &chat.me.read(), zone, unread_after.get())));
    let older = Older::new(channel, timeline);
    let last_seq = Memo::new(move |_| timeline.with(Timeline::last_seq));
    let scroll = Scroll::new(chat, channel, last_seq, Memo::new(move |_| shown.read().order.len()));
    scroll.follow(to_end);
    let acts = Acts::new(chat, target);
    effect(move || {
        if let Some(id) = acts.jump.get() {
            acts.jump.set(None);
            spawn_local(jump(id, scroll, older));
        }
    });
    let leaving = window_event_listener(ev::pagehide, move |_| chat.delete_all_now());
    on_cleanup(move || leaving.remove());
    let scrolled = move |_| {
        if scroll.moved() {
            older.load_unless_failed();
        }
    };
    let log_name = format!("Messages in {label}");
    view! {
        <div class="relative flex-1 min-h-0">
            <div node_ref=scroll.node class="log" role="log" aria-label=log_name tabindex="0" on:scroll=scrolled
                on:click=move |event| acts.clicked(&event) on:pointerover=move |event| acts.moved(&event)
                on:focusin=move |event| acts.moved(&event) on:pointerleave=move |_| acts.left()
                on:keydown=move |event| scroll.step(&event)>
                <div class="pb-2">
                    <When when=Signal::derive(move || older.is_all()) fallback=move || view! { <OlderButton older/> }>
                        <Beginning opening=opening.clone()/>
                    </When>
                    <ol>
                        <For each=move || shown.read().order.clone() key=|key| *key let:key>
                            <RowView key rows=shown acts channel/>
                        </For>
                    </ol>
                </div>
            </div>
            <NewMessages scroll/>
            <When when=Signal::derive(move || chat.me.read().role.can_manage_channel(ChannelKind::Channel))>
                <Moderate acts/>
            </When>
        </div>
    }
    .into_any()
}

/// Where unread began when the conversation was opened, or where it was marked to begin since.
fn unread_after(channel: Memo<Option<Channel>>) -> RwSignal<Option<u64>> {
    let mark = move || channel.with(|channel| channel.as_ref().map(|channel| channel.read_seq));
    let unread = channel.with_untracked(|channel| channel.as_ref().is_some_and(|channel| channel.unread > 0));
    let after = RwSignal::new(untrack(mark).filter(|_| unread));
    Effect::new(move |before: Option<Option<u64>>| {
        let now = mark();
        if before.flatten().is_some_and(|before| now.is_some_and(|now| now < before)) {
            after.set(now);
        }
        now
    });
    after
}

/// Shows a message, if need be after fetching what is between.
async fn jump(id: MessageId, scroll: Scroll, older: Older) {
    for _ in 0..JUMP_PAGES {
        if scroll.show(id) || older.is_all_untracked() || !older.fetch().await {
            return;
        }
        // Until what was fetched is on the page.
        leptos::task::tick().await;
    }
}

/// The history before the window, and whether it is being fetched.
#[derive(Clone, Copy)]
struct Older {
    channel: Memo<Option<Channel>>,
    timeline: RwSignal<Timeline>,
    before: Memo<Option<u64>>,
    loading: RwSignal<bool>,
    failed: RwSignal<bool>,
}

impl Older {
    fn new(channel: Memo<Option<Channel>>, timeline: RwSignal<Timeline>) -> Self {
        let before = Memo::new(move |_| timeline.with(Timeline::older_before));
        Self { channel, timeline, before, loading: RwSignal::new(false), failed: RwSignal::new(false) }
    }

    fn is_all(self) -> bool {
        self.before.get().is_none()
    }

    fn is_all_untracked(self) -> bool {
        self.before.try_get_untracked().flatten().is_none()
    }

    fn load_unless_failed(self) {
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

    /// Puts the page before the window in front of it; false if there is none, or it can't be had. The
    /// reader may go elsewhere meanwhile.
    async fn fetch(self) -> bool {
        let id = self.channel.try_with_untracked(|channel| channel.as_ref().map(|channel| channel.id)).flatten();
        let before = self.before.try_get_untracked().flatten();
        let Some((id, before)) = id.zip(before) else { return false };
        self.loading.set(true);
        self.failed.set(false);
        let page = api::channel_history(id, Some(before)).await;
        let fetched = page.is_ok();
        if let Ok(page) = page {
            self.timeline.try_update(|timeline| timeline.prepend(page));
        } else {
            self.failed.try_set(true);
        }
        self.loading.try_set(false);
        fetched
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
fn Beginning(opening: Opening) -> impl IntoView {
    view! {
        <div class="px-5 max-sm:px-3.5 pt-10 pb-4">
            <h2 class="text-xl font-[650] tracking-tight">{opening.title}</h2>
            <p class="text-soft">{opening.about}</p>
        </div>
    }
}
