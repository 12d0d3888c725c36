use crate::{
    api::Bootstrap,
    app::BootstrapResource,
    components::{
        channels::{CreateChannelDialog, Sidebar},
        people::{FindPerson, PersonCard, clicked},
        search::Palette,
        ui::{CATCH_UP, GHOST, HOME, Icon, Inner, SECONDARY, When, changing, effect, land, turn_to},
    },
    live,
    next::login_first,
    state::{Chat, Link, Zone, set_waiting},
};
use leptos::{ev, html, prelude::*};
use leptos_router::{components::Redirect, hooks::use_location, location::Location};

/// What stands around every page of somebody who is logged in; everyone else goes to log in.
#[component]
pub fn Signed() -> impl IntoView {
    let bootstrap = expect_context::<BootstrapResource>();
    let going = use_location();
    let login = move || {
        let (path, query) = (going.pathname.get_untracked(), going.search.get_untracked());
        login_first(&if query.is_empty() { path } else { format!("{path}?{query}") })
    };
    // Not Suspense: that takes the frame off the page at each navigation, and the focus with it.
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match bootstrap.await {
                    Ok(Some(start)) => view! { <Frame start/> }.into_any(),
                    Ok(None) => view! { <Redirect path=login()/> }.into_any(),
                    Err(failure) => view! { <Unavailable detail=failure.to_string()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Frame(start: Bootstrap) -> impl IntoView {
    let chat = Chat::new(start);
    provide_context(chat);
    let zone = expect_context::<Zone>();
    effect(move || {
        zone.localize();
        live::start(chat);
        chat.uploads.keep(chat.me.with_untracked(|me| me.id));
        let stored = window_event_listener(ev::storage, move |event| {
            if let Some(key) = event.key() {
                chat.drafts.heard(&key, event.old_value().as_deref(), event.new_value().as_deref());
            }
        });
        // Also when the log is left already in which it was.
        let leaving = window_event_listener(ev::pagehide, move |_| chat.delete_all_now());
        on_cleanup(move || [stored, leaving].into_iter().for_each(leptos::prelude::WindowListenerHandle::remove));
    });
    let (create_dialog, find_dialog) = (NodeRef::<html::Dialog>::new(), NodeRef::<html::Dialog>::new());
    let search_dialog = NodeRef::<html::Dialog>::new();
    let Location { pathname: path, hash, .. } = use_location();
    // On a phone the list of conversations is a screen of its own at home, and what is unread another below it.
    let at_home = move || *path.read() == "/";
    Effect::new(move |before: Option<()>| {
        let home = at_home();
        let catching_up = hash.read().trim_start_matches('#') == "catch-up";
        if before.is_some() {
            land();
        }
        // A page that is loaded again doesn't go by itself to what its address names.
        if home && (before.is_some() || catching_up) {
            turn_to(if catching_up { CATCH_UP } else { HOME });
        }
    });
    let waiting = Memo::new(move |_| (chat.waiting(), chat.is_called()));
    effect(move || {
        let (count, unread) = waiting.get();
        set_waiting(count, unread);
    });
    view! {
        <div class="frame" class=("frame-home", at_home) on:click=move |event| clicked(chat, &event)>
            <Sidebar create_dialog find_dialog search_dialog/>
            <div class="main">
                <When when=Signal::derive(move || chat.link.get() == Link::Down)>
                    <p role="status" class="reconnecting">"Reconnecting…"</p>
                </When>
                <Inner/>
            </div>
        </div>
        <PersonCard/>
        <FindPerson node_ref=find_dialog/>
        <Palette node_ref=search_dialog/>
        {changing(move || notice(chat))}
        <When when=Signal::derive(move || chat.me.read().role.can_create_channels())>
            <CreateChannelDialog node_ref=create_dialog/>
        </When>
    }
}

/// What went wrong, until it is put away.
fn notice(chat: Chat) -> AnyView {
    let Some(words) = chat.notice.get() else { return ().into_any() };
    view! {
        <p role="alert" class="notice">
            <span>{words}</span>
            <button type="button" class=GHOST aria-label="Close" on:click=move |_| chat.notice.set(None)>
                <Icon icon=icondata_lu::LuX/>
            </button>
        </p>
    }
    .into_any()
}

#[component]
fn Unavailable(detail: String) -> impl IntoView {
    view! {
        <main class="grid place-items-center min-h-dvh p-4 text-center">
            <div>
                <h1 class="mb-2 text-lg font-[650]">"Natter can't be reached right now"</h1>
                <p class="mb-5 text-soft">{detail}</p>
                <a href="" class=SECONDARY>"Try again"</a>
            </div>
        </main>
    }
}
