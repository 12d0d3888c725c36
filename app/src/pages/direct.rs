use crate::{
    api::{self, Failure, OpenDirect},
    components::{
        chat::{Conversation, Opening},
        people::open_card,
        ui::{Avatar, GHOST, Header, PRIMARY, effect},
    },
    state::{Chat, Target, set_title},
};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast as _};
use leptos_router::{components::A, hooks::use_params_map};
use natter::{ErrorCode, User, UserRef};

/// A private conversation, by the other one's name.
#[component]
pub fn DirectPage() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let params = use_params_map();
    let name = Memo::new(move |_| params.read().get("username").unwrap_or_default());
    let opened = Resource::new_blocking(move || name.get(), api::open_direct);
    effect(move || set_title(&format!("{} · Natter", name.read())));
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Suspense fallback=move || view! { <Header title=name.get_untracked()/> }>
                {move || Suspend::new(async move {
                    match opened.await {
                        Ok(OpenDirect { peer, page, .. }) => {
                            let timeline = chat.open(Target::Person(peer.id), page);
                            view! { <Direct peer timeline/> }.into_any()
                        }
                        Err(failure) => view! { <Missing name=name.get_untracked() failure/> }.into_any(),
                    }
                })}
            </Suspense>
        </main>
    }
    .into_any()
}

#[component]
fn Direct(peer: User, timeline: ArcRwSignal<natter::Timeline>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let target = Target::Person(peer.id);
    let channel = Memo::new(move |_| chat.conversation(target));
    let me = chat.me.with_untracked(|me| me.id);
    let User { id, username, suspended, .. } = peer.clone();
    let presence = move || {
        let here = if chat.people.is_online(id) { "Online" } else { "Offline" };
        let standing = if suspended { "Suspended" } else { here };
        if id == me { "Notes to yourself: nobody else sees them".to_owned() } else { standing.to_owned() }
    };
    let about = if id == me {
        "A place for notes: only you see them.".to_owned()
    } else {
        format!("Only you and {username} see what is written here.")
    };
    let opening = Opening { title: username.clone(), about };
    let (title, whose, label) = (username.clone(), username.clone(), format!("About {username}"));
    let clicked = move |event: ev::MouseEvent| {
        let from = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if let Some(button) = from {
            open_card(chat, &button);
        }
    };
    view! {
        <Header title topic=Signal::derive(presence)>
            <button type="button" class=GHOST data-mention=whose.clone() on:click=clicked
                aria-label=label.clone() title=label>
                <Avatar user=UserRef::from(&peer) small=true/>
            </button>
        </Header>
        <Conversation target channel label=username opening timeline/>
    }
}

#[component]
fn Missing(name: String, failure: Failure) -> impl IntoView {
    let (title, detail) = if failure.is(ErrorCode::NotFound) {
        (format!("There is nobody called {name}"), "The name may be mistyped.".to_owned())
    } else {
        ("This can't be shown".to_owned(), failure.to_string())
    };
    view! {
        <Header title=name/>
        <div class="grid place-items-center flex-1 p-6 text-center">
            <div>
                <p class="mb-1 text-lg font-[650] tracking-tight">{title}</p>
                <p class="mb-5 text-soft">{detail}</p>
                <A href="/" attr:class=PRIMARY>"Go to Catch up"</A>
            </div>
        </div>
    }
}
