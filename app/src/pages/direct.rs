use crate::{
    api::{self, Failure, OpenDirect},
    components::{
        Retry,
        channels::MuteButton,
        chat::{Coming, Conversation, Opening, place},
        ui::{Avatar, GHOST, Header, PRIMARY, effect},
    },
    state::{Chat, Target, set_title},
};
use leptos::prelude::*;
use leptos_router::{
    components::A,
    hooks::{use_params_map, use_query_map},
};
use natter::{ErrorCode, User, UserRef};

/// A private conversation, by the other one's name.
#[component]
pub fn DirectPage() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let params = use_params_map();
    let name = Memo::new(move |_| params.read().get("username").unwrap_or_default());
    let query = use_query_map();
    let opened = Resource::new_blocking(
        move || name.get(),
        move |name| async move { api::open_direct(name, place(query)).await },
    );
    effect(move || set_title(&format!("{} · Natter", name.read())));
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Suspense fallback=move || view! { <Coming label=name.into() person=true/> }>
                {move || Suspend::new(async move {
                    match opened.await {
                        Ok(OpenDirect { peer, page, newer, .. }) => {
                            let timeline = chat.open(Target::Person(peer.id), page, newer);
                            view! { <Direct peer timeline/> }.into_any()
                        }
                        Err(failure) => {
                            let again = Callback::new(move |()| opened.refetch());
                            view! { <Missing name=name.get_untracked() failure again/> }.into_any()
                        }
                    }
                })}
            </Suspense>
            // The shell waits for it, with or without a log.
            <span id="log-end" hidden></span>
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
    let User { id, username, .. } = peer.clone();
    let user = UserRef::from(&peer);
    // A memo, not only a signal: the page stays in sight when it is gone, and people still come and go.
    let presence = Memo::new(move |_| {
        let here = if chat.people.is_online(id) { "Online" } else { "Offline" };
        let standing = if chat.people.now(&peer).suspended { "Suspended" } else { here };
        if id == me { "Notes to yourself: nobody else sees them".to_owned() } else { standing.to_owned() }
    });
    let about = if id == me {
        "A place for notes: only you see them.".to_owned()
    } else {
        format!("Only you and {username} see what is written here.")
    };
    let opening = Opening { title: username.clone(), about };
    let (whose, muted, label) = (username.clone(), username.clone(), format!("About {username}"));
    view! {
        <Header title=username.clone() person=true topic=presence>
            <MuteButton channel label=muted/>
            <button type="button" class=GHOST data-mention=whose aria-label=label.clone() title=label>
                <span class="relative inline-grid">
                    <Avatar user small=true/>
                    <span class="dot dot-corner dot-ground" class:dot-here=move || chat.people.is_online(id)></span>
                </span>
            </button>
        </Header>
        <Conversation target channel label=username opening timeline/>
    }
}

#[component]
fn Missing(name: String, failure: Failure, again: Callback<()>) -> impl IntoView {
    let gone = failure.is(ErrorCode::NotFound);
    let (title, detail) = if gone {
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
                <div class="flex justify-center gap-3">
                    {(!gone).then(|| view! { <Retry again/> })}
                    <A href="/" attr:class=PRIMARY>"Go to Catch up"</A>
                </div>
            </div>
        </div>
    }
}
