use super::{
    acts::{Acts, is_touch, steer},
    message::RowView,
    moderate::Moderate,
    newer::{JumpToNewest, Newer, NewerButton},
    older::{Goal, Older, OlderButton, jump, place_in, show_unread},
    scroll::Scroll,
};
use crate::{
    api::NEWEST,
    components::{
        media::Lightbox,
        ui::{Icon, When, effect, focus_is_lost},
    },
    state::{Chat, Link, Target, Zone, focus_in_place, has_focus, rows},
};
use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast as _};
use leptos_router::hooks::use_query_map;
use natter::{Channel, ChannelKind, MessageId, Timeline};

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
    // When the conversation is opened.
    let mut first_unread = channel.with_untracked(|channel| channel.as_ref().and_then(Channel::first_unread));
    let unread_after = RwSignal::new(first_unread.map(|first| first - 1));
    let timeline = RwSignal::from(timeline);
    let shown = Memo::new(move |_| timeline.with(|timeline| rows(timeline, &chat.me.read(), zone, unread_after.get())));
    let older = Older::new(channel, timeline);
    let newer = Newer::new(channel, timeline);
    // Of a stretch further back, the last one isn't the newest: nothing is read up to it.
    let live = Memo::new(move |_| newer.is_live());
    let last_seq = Memo::new(move |_| timeline.with(Timeline::last_seq).filter(|_| live.get()));
    // The address may lead to a place further up.
    let query = use_query_map();
    let at = Memo::new(move |_| place_in(&query.read()));
    let at_end = at.get_untracked().map_or(first_unread.is_none(), |at| at == NEWEST);
    let count = Memo::new(move |_| shown.read().order.len());
    hold_focus(count);
    let scroll = Scroll::new(chat, channel, last_seq, live, count, at_end);
    effect(move || {
        if to_end.get() > 0 {
            newer.newest(scroll);
        }
    });
    new_begins(channel, scroll, unread_after);
    let landing = landing(chat, at, first_unread, timeline);
    // With it comes the focus, which isn't there for long: the composer takes it.
    let has_gone = has_focus(".divider-new");
    let landed = move || landing == Some(Landing::Unread) && (has_gone || scroll.is_away());
    let acts = Acts::new(chat, target);
    effect(move || {
        if let Some(id) = acts.jump.get() {
            acts.jump.set(None);
            spawn_local(jump(Goal::Message(id), chat, scroll, older));
        }
    });
    let mut waking = chat.link.get_untracked() == Link::Starting;
    effect(move || match (at.get(), first_unread.take(), std::mem::take(&mut waking)) {
        // Its reader has gone elsewhere meanwhile.
        (Some(NEWEST), _, true) if newer.is_live_untracked() && scroll.is_away() => _ = scroll.moved(),
        (Some(NEWEST), ..) => newer.newest(scroll),
        (Some(seq), ..) => spawn_local(jump(Goal::Place(seq), chat, scroll, older)),
        (None, Some(first), _) => spawn_local(show_unread(first, landed(), scroll, older)),
        // Back from a place further back, or opened again after one.
        (None, None, _) if !newer.is_live_untracked() => newer.newest(scroll),
        (None, None, _) => {}
    });
    let by_touch = fingers(acts);
    let focused = move |event: ev::FocusEvent| {
        if !by_touch.get_value() {
            acts.moved(&event);
        }
    };
    let held = move |event: ev::MouseEvent| {
        if by_touch.get_value() {
            acts.touched(&event);
        }
    };
    let keys = move |event: ev::KeyboardEvent| {
        let done = if event.key() == "Escape" { acts.unpick() } else { steer(&event) };
        if done {
            event.prevent_default();
        } else if event.key() != "Escape" {
            scroll.step(&event);
        }
    };
    let log_name = format!("Messages in {label}");
    view! {
        <div class="relative flex-1 min-h-0">
            <div node_ref=scroll.node class="log" role="log" aria-label=log_name tabindex="0" on:scroll=move |_| read_on(scroll, older, newer)
                on:click=move |event| acts.clicked(&event, by_touch.get_value()) on:contextmenu=held
                on:pointerover=move |event| acts.pointed(&event) on:pointerleave=move |event| acts.left(&event)
                on:focusin=focused on:keydown=keys>
                <div class="pb-2">
                    <When when=Signal::derive(move || older.is_all()) fallback=move || view! { <OlderButton older/> }>
                        <Beginning opening=opening.clone()/>
                    </When>
                    <ol>
                        <For each=move || shown.read().order.clone() key=|key| *key let:key>
                            <RowView key rows=shown acts channel landing/>
                        </For>
                    </ol>
                    <When when=Signal::derive(move || !live.get())>
                        <NewerButton newer scroll/>
                    </When>
                </div>
            </div>
            <When when=Signal::derive(move || live.get()) fallback=move || view! { <JumpToNewest newer scroll/> }>
                <NewMessages scroll/>
            </When>
            <Lightbox shown=acts.looking/>
            <When when=Signal::derive(move || chat.me.read().role.can_manage_channel(ChannelKind::Channel))>
                <Moderate acts/>
            </When>
        </div>
    }
    .into_any()
}

/// Loads more where one gets to an end of what there is.
fn read_on(scroll: Scroll, older: Older, newer: Newer) {
    let near = scroll.moved();
    if near.beginning {
        older.load_unless_failed();
    }
    if near.end && !newer.is_live_untracked() {
        newer.load_unless_failed(scroll);
    }
}

/// When history is put before a row that has the focus, the row is moved, and loses it: it is given back. Meanwhile
/// the page's heading may have taken it, as it does where nothing has it.
fn hold_focus(rows: Memo<usize>) {
    const HEADING: &str = "main h1[tabindex]";
    // By its id: elements themselves can't be kept on the server, where nobody has the focus.
    let held = StoredValue::new(None::<String>);
    let listeners = [
        window_event_listener(ev::focusin, move |event| {
            let at = event.target().and_then(|at| at.dyn_into::<web_sys::HtmlElement>().ok());
            let fallen = event.related_target().is_none();
            if !fallen || !at.as_ref().is_some_and(|at| at.matches(HEADING).unwrap_or_default()) {
                held.set_value(at.filter(|at| at.matches(".log .message").unwrap_or_default()).map(|at| at.id()));
            }
        }),
        window_event_listener(ev::pointerdown, move |_| held.set_value(None)),
    ];
    on_cleanup(move || listeners.into_iter().for_each(leptos::prelude::WindowListenerHandle::remove));
    effect(move || {
        rows.track();
        request_animation_frame(move || {
            let Some(Some(id)) = held.try_get_value() else { return };
            let row = document().get_element_by_id(&id).and_then(|row| row.dyn_into::<web_sys::HtmlElement>().ok());
            let at = document().active_element();
            let fallen = focus_is_lost() || at.is_some_and(|at| at.matches(HEADING).unwrap_or_default());
            if let Some(row) = row.filter(|_| fallen) {
                focus_in_place(&row);
            }
        });
    });
}

/// Whether one is using a finger, or a pen. The focus that it brings comes before its click.
fn fingers(acts: Acts) -> StoredValue<bool> {
    let by_touch = StoredValue::new(false);
    let listeners = [
        window_event_listener(ev::keydown, move |_| by_touch.set_value(false)),
        window_event_listener(ev::pointerdown, move |event| {
            by_touch.set_value(is_touch(&event));
            if is_touch(&event) {
                acts.pressed(&event);
            }
        }),
    ];
    on_cleanup(move || listeners.into_iter().for_each(leptos::prelude::WindowListenerHandle::remove));
    by_touch
}

/// What the page begins with, while it is as the server made it: the browser itself goes there, before scripts run
/// and without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// The message that the address leads to.
    Message(MessageId),
    /// The line where unread begins.
    Unread,
}

fn landing(
    chat: Chat,
    at: Memo<Option<u64>>,
    first_unread: Option<u64>,
    timeline: RwSignal<Timeline>,
) -> Option<Landing> {
    if chat.link.get_untracked() != Link::Starting {
        return None;
    }
    match at.get_untracked() {
        Some(seq) => timeline.with_untracked(|timeline| Goal::Place(seq).find(timeline)).map(Landing::Message),
        None => first_unread.map(|_| Landing::Unread),
    }
}

/// Since then it begins where one marked it to, or at the first that came while one wasn't looking.
fn new_begins(channel: Memo<Option<Channel>>, scroll: Scroll, unread_after: RwSignal<Option<u64>>) {
    let mark = Memo::new(move |_| channel.with(|channel| channel.as_ref().map(|it| (it.read_seq, it.unread))));
    Effect::new(move |before: Option<Option<(u64, u64)>>| {
        let now = mark.get();
        if let Some(((read_before, unread_before), (read, unread))) = before.flatten().zip(now) {
            let came = unread_before == 0 && unread > 0 && !scroll.is_looking();
            if read < read_before || came {
                unread_after.set(Some(read));
            }
        }
        now
    });
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
