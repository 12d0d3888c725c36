use crate::{
    api,
    components::{
        Retry,
        feed::{Cards, Desk, FirstSteps, listen},
        ui::{GHOST, HOME, Icon, When, changing, effect, focus_on},
    },
    state::{Chat, set_title},
};
use leptos::prelude::*;
use leptos_router::components::A;

/// Where one is when nothing is open: what is unread, or the first step.
#[component]
pub fn Home() -> impl IntoView {
    let chat = expect_context::<Chat>();
    effect(move || set_title("Catch up · Natter"));
    let found = Resource::new_blocking(|| (), |()| api::feed(None));
    let fresh = Memo::new(move |_| chat.channels.read().is_empty());
    let desk = Desk::new(chat);
    listen(desk);
    view! {
        <main id="catch-up" class="flex flex-col min-h-0 flex-1">
            <header class="header">
                <A href="/" attr:class=format!("{GHOST} md:hidden") attr:aria-label="Back to conversations" on:click=move |_| focus_on(HOME.to_owned(), true)>
                    <Icon icon=icondata_lu::LuArrowLeft/>
                </A>
                <h1 class="header-title" tabindex="-1">"Catch up"</h1>
                <p class="header-topic">{move || waiting(chat.waiting())}</p>
                <div role="status" class="ml-auto">
                    <News desk/>
                </div>
            </header>
            <section aria-label="Catch up" class="feed">
                <div class="feed-column">
                    <When when=fresh><FirstSteps/></When>
                    <When when=Signal::derive(move || !fresh.get())>
                        <Suspense>
                            {move || Suspend::new(async move {
                                match found.await {
                                    Ok(page) => {
                                        chat.feed.begin(page, &chat.channels.read_untracked());
                                        view! { <Cards desk/> <Hints/> }.into_any()
                                    }
                                    Err(failure) => {
                                        let again = Callback::new(move |()| found.refetch());
                                        view! {
                                            <p role="alert" class="mb-4 text-alert">{failure.to_string()}</p>
                                            <Retry again/>
                                        }
                                        .into_any()
                                    }
                                }
                            })}
                        </Suspense>
                    </When>
                </div>
            </section>
        </main>
    }
    .into_any()
}

fn waiting(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => "1 message is waiting for you".to_owned(),
        n => format!("{n} messages are waiting for you"),
    }
}

/// That there is more than the page shows. It comes in by one's own wish, so that nothing moves under the
/// reader; where nothing unread is shown, by itself, as is said there.
#[component]
fn News(desk: Desk) -> impl IntoView {
    let chat = desk.chat;
    let count = Memo::new(move |_| chat.feed.fresh(&chat.channels.read()));
    let read = Memo::new(move |_| chat.feed.is_read(&chat.channels.read()));
    Effect::new(move |before: Option<()>| {
        if count.get() > 0 && read.get() && before.is_some() {
            desk.take_in();
        }
    });
    changing(move || {
        let words = match count.get() {
            0 => return ().into_any(),
            // It is on its way.
            _ if read.get() && desk.loading.get() => return ().into_any(),
            1 => "1 new conversation".to_owned(),
            n => format!("{n} new conversations"),
        };
        view! {
            <button type="button" class="feed-news" on:click=move |_| desk.reload()>
                {words} " · " <span class="underline underline-offset-2">"Show"</span>
            </button>
        }
        .into_any()
    })
}

/// The keys, for who has some.
#[component]
fn Hints() -> impl IntoView {
    let key = |keys: &'static str, what: &'static str| view! { <span><kbd>{keys}</kbd> " " {what}</span> };
    view! {
        <p class="feed-hints">
            {key("j", "next")} {key("k", "previous")} {key("r", "reply")} {key("e", "mark read")} {key("u", "mark unread")} {key("o", "open")}
        </p>
    }
}
