use super::message::RowView;
use crate::{
    api,
    components::ui::{Icon, SECONDARY},
    state::{Chat, Zone, is_attentive, rows},
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use natter::{Channel, Timeline};

/// Closer to the end than this counts as being at it, in pixels.
const END: i32 = 48;
/// Older history is fetched when its edge is this near.
const EDGE: i32 = 600;

/// A channel's messages, newest at the bottom. The scroll container is laid out from its end, so
/// that it starts there without a script, stays there while new messages come, and doesn't move when
/// older ones are put in front.
#[component]
pub fn Log(
    channel: Channel,
    timeline: ArcRwSignal<Timeline>,
    /// Called to go to the newest message.
    to_end: RwSignal<u32>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let zone = expect_context::<Zone>();
    let id = channel.id;
    let unread_after = (channel.unread > 0).then_some(channel.read_seq);
    let node = NodeRef::<html::Div>::new();
    let at_end = RwSignal::new(true);
    let unseen = RwSignal::new(0_usize);
    let loading = RwSignal::new(false);
    let failed = RwSignal::new(false);

    let timeline = RwSignal::from(timeline);
    let shown = Memo::new(move |_| timeline.with(|timeline| rows(timeline, &chat.me.read(), zone, unread_after)));
    let last_seq = Memo::new(move |_| timeline.with(Timeline::last_seq));
    let older = Memo::new(move |_| timeline.with(Timeline::older_before));

    let mark_read = move || {
        if at_end.get_untracked()
            && is_attentive()
            && let Some(seq) = last_seq.get_untracked()
        {
            chat.read_up_to(id, seq);
        }
    };
    let go_to_end = move || {
        if let Some(log) = node.get_untracked() {
            log.set_scroll_top(0);
        }
        at_end.set(true);
        unseen.set(0);
        mark_read();
    };
    let load_older = move || {
        let Some(before) = older.get_untracked().filter(|_| !loading.get_untracked()) else { return };
        loading.set(true);
        failed.set(false);
        spawn_local(async move {
            match api::channel_history(id, Some(before)).await {
                Ok(page) => timeline.update(|timeline| timeline.prepend(page)),
                Err(_) => failed.set(true),
            }
            loading.set(false);
        });
    };
    let scrolled = move |_| {
        let Some(log) = node.get_untracked() else { return };
        // Zero at the end, negative above it.
        let from_end = -log.scroll_top();
        at_end.set(from_end < END);
        if from_end < END {
            unseen.set(0);
            mark_read();
        }
        let above = log.scroll_height() - log.client_height() - from_end;
        if above < EDGE && !failed.get_untracked() {
            load_older();
        }
    };

    // What comes while one reads further up is counted, and the view held where it is.
    let height = StoredValue::new(0);
    Effect::new(move |before: Option<Option<u64>>| {
        let last = last_seq.get();
        let came = before.flatten().is_some_and(|before| last > Some(before));
        if came && !at_end.get_untracked() {
            unseen.update(|unseen| *unseen += 1);
        }
        request_animation_frame(move || {
            let Some(log) = node.get_untracked() else { return };
            let grown = log.scroll_height() - height.get_value();
            if came && grown > 0 && !at_end.get_untracked() {
                log.set_scroll_top(log.scroll_top() - grown);
            }
            height.set_value(log.scroll_height());
            mark_read();
        });
        last
    });
    Effect::new(move |_| {
        if to_end.get() > 0 {
            request_animation_frame(go_to_end);
        }
    });
    let focused = window_event_listener(ev::focus, move |_| mark_read());
    let visible = window_event_listener(ev::visibilitychange, move |_| mark_read());
    on_cleanup(move || {
        focused.remove();
        visible.remove();
    });

    let name = channel.label().to_owned();
    let log_name = format!("Messages in #{name}");
    let jump = move || match unseen.get() {
        1 => "1 new message".to_owned(),
        n => format!("{n} new messages"),
    };
    view! {
        <div class="relative flex-1 min-h-0">
            <div node_ref=node class="log" role="log" aria-label=log_name tabindex="0"
                on:scroll=scrolled>
                <div class="pb-2">
                    <Show when=move || older.get().is_none()>
                        <Beginning name=name.clone() topic=channel.topic.clone()/>
                    </Show>
                    <Show when=move || older.get().is_some()>
                        <div class="grid place-items-center h-14">
                            <button type="button" class=SECONDARY disabled=move || loading.get()
                                on:click=move |_| load_older()>
                                {move || match (loading.get(), failed.get()) {
                                    (true, _) => "Loading…",
                                    (false, true) => "Couldn't load. Retry?",
                                    (false, false) => "Earlier messages",
                                }}
                            </button>
                        </div>
                    </Show>
                    <ol>
                        <For each=move || shown.read().order.clone() key=|key| *key let:key>
                            <RowView key rows=shown channel_id=id/>
                        </For>
                    </ol>
                </div>
            </div>
            <Show when=move || { unseen.get() > 0 }>
                <button type="button" class="pill" on:click=move |_| go_to_end()>
                    <Icon icon=icondata_lu::LuArrowDown/>
                    {jump}
                </button>
            </Show>
        </div>
    }
    .into_any()
}

#[component]
fn Beginning(name: String, topic: String) -> impl IntoView {
    view! {
        <div class="px-5 max-sm:px-3.5 pt-10 pb-4">
            <h2 class="text-xl font-[650] tracking-tight">{format!("Welcome to #{name}")}</h2>
            <p class="text-soft">
                {if topic.is_empty() { "This is where it begins. Say hello.".to_owned() } else { topic }}
            </p>
        </div>
    }
}
