use crate::{
    api::{self, Failure},
    components::{
        Retry,
        search::{Entry, HitRow, OPERATORS, address, named},
        ui::{Avatar, GHOST, Icon, PRIMARY, SECONDARY, When, changing, effect},
    },
    state::set_title,
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{use_navigate, use_query_map},
};
use natter::{
    ErrorCode, MessageId,
    search::{Hit, HitPage, QUERY_MAX_CHARS},
};

/// Messages that fit what is looked for, and channels and people that are called so. The address says what;
/// so it works as a plain form, too.
#[component]
pub fn SearchPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        let cursor = query.get_str("cursor").and_then(|cursor| cursor.parse::<MessageId>().ok());
        (query.get_str("q").unwrap_or_default().trim().to_owned(), cursor)
    });
    let found = Resource::new_blocking(
        move || asked.get(),
        |(words, cursor)| async move {
            if words.is_empty() {
                return Ok(None);
            }
            let page = api::search(words.clone(), cursor).await?;
            let named = if cursor.is_none() { named(&words).await } else { Vec::new() };
            Ok::<_, Failure>(Some((page, named)))
        },
    );
    effect(move || match &*asked.read().0 {
        "" => set_title("Search · Natter"),
        words => set_title(&format!("{words} · Search · Natter")),
    });
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <header class="header">
                <A href="/" attr:class=format!("{GHOST} md:hidden") attr:aria-label="Back to conversations">
                    <Icon icon=icondata_lu::LuArrowLeft/>
                </A>
                <h1 class="header-title" tabindex="-1">"Search"</h1>
            </header>
            <div class="flex-1 overflow-y-auto p-5 max-sm:p-3.5">
                <div class="max-w-[760px] mx-auto">
                    <Ask words=Signal::derive(move || asked.get().0)/>
                    <Suspense fallback=|| view! { <p class="text-faint">"Searching…"</p> }>
                        {move || Suspend::new(async move {
                            let words = asked.get_untracked().0;
                            match found.await {
                                Ok(None) => view! { <Operators/> }.into_any(),
                                Ok(Some((page, named))) => {
                                    view! {
                                        <Named named/>
                                        <Results words page/>
                                    }
                                    .into_any()
                                }
                                Err(failure) => {
                                    let again = Callback::new(move |()| found.refetch());
                                    view! { <Refused failure again/> }.into_any()
                                }
                            }
                        })}
                    </Suspense>
                </div>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn Ask(words: Signal<String>) -> impl IntoView {
    let navigate = use_navigate();
    let field = NodeRef::<html::Input>::new();
    effect(move || {
        let words = words.get();
        if let Some(field) = field.get() {
            field.set_value(&words);
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let words = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        navigate(&address(words.trim(), None), NavigateOptions::default());
    };
    view! {
        <form method="get" action="/search" role="search" class="flex items-center gap-2 mb-4" on:submit=submit>
            <label class="relative block flex-1 min-w-0">
                <span class="sr-only">"Search messages"</span>
                <span class="absolute left-3 inset-y-0 grid items-center text-faint"><Icon icon=icondata_lu::LuSearch/></span>
                <input node_ref=field type="search" name="q" value=words.get_untracked() placeholder="Search messages"
                    autocomplete="off" enterkeyhint="search" maxlength=QUERY_MAX_CHARS class="search-field focus-ring"/>
            </label>
            <button type="submit" class=PRIMARY>"Search"</button>
        </form>
    }
    .into_any()
}

#[component]
fn Operators() -> impl IntoView {
    let one = |(operator, what): (&'static str, &'static str)| {
        view! { <div><dt><code>{operator}</code></dt> <dd>{what}</dd></div> }
    };
    view! {
        <p class="mb-3 text-soft">"Finds any part of a word, in every conversation that you are in. To narrow it down, add:"</p>
        <dl class="search-hints">{OPERATORS.map(one).collect_view()}</dl>
    }
    .into_any()
}

#[component]
fn Refused(failure: Failure, again: Callback<()>) -> impl IntoView {
    view! {
        <p role="alert" class="mb-4 text-alert">{failure.to_string()}</p>
        {(!failure.is(ErrorCode::Invalid)).then(|| view! { <Retry again/> })}
    }
    .into_any()
}

/// Channels and people that are called like what is looked for.
#[component]
fn Named(named: Vec<Entry>) -> impl IntoView {
    let one = |entry: Entry| {
        let to = entry.address("");
        let what = match entry {
            Entry::Channel { name, private } => {
                let icon = if private { icondata_lu::LuLock } else { icondata_lu::LuHash };
                view! { <Icon icon/> <span class="truncate">{name}</span> }.into_any()
            }
            Entry::Person(user) => {
                let name = user.username.clone();
                view! { <Avatar user small=true/> <span class="truncate">{name}</span> }.into_any()
            }
            Entry::All | Entry::Message(_) => return None,
        };
        Some(view! { <li class="min-w-0"><A href=to attr:class="search-place">{what}</A></li> })
    };
    (!named.is_empty())
        .then(|| {
            view! {
                <ul aria-label="Channels and people" class="flex flex-wrap gap-2 mb-4">
                    {named.into_iter().map(one).collect_view()}
                </ul>
            }
        })
        .into_any()
}

/// What was found so far, and the way to more.
#[component]
fn Results(words: String, page: HitPage) -> impl IntoView {
    let (hits, next) = (RwSignal::new(page.items), RwSignal::new(page.next));
    let (loading, failed) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let (query, asked) = (words.clone(), words.clone());
    let more = move |event: ev::MouseEvent| {
        event.prevent_default();
        let Some(cursor) = next.get_untracked().filter(|_| !loading.get_untracked()) else { return };
        loading.set(true);
        let words = asked.clone();
        spawn_local(async move {
            let page = api::search(words, Some(cursor)).await;
            // The reader may be elsewhere by now.
            if loading.try_set(false).is_some() {
                return;
            }
            match page {
                Ok(page) => {
                    failed.set(None);
                    hits.update(|hits| hits.extend(page.items));
                    next.set(page.next);
                }
                Err(failure) => failed.set(Some(failure.to_string())),
            }
        });
    };
    let count = move || match (hits.read().len(), next.read().is_some()) {
        (0, true) => "Nothing among the latest messages.".to_owned(),
        (0, false) => "No message fits. Fewer words, or part of one, may find more.".to_owned(),
        (1, false) => "1 message".to_owned(),
        (n, false) => format!("{n} messages"),
        (n, true) => format!("The latest {n} messages"),
    };
    let link = {
        let words = words.clone();
        move || address(&words, next.get())
    };
    view! {
        <p role="status" class="mb-2 text-[13px] text-faint">{count}</p>
        <ol aria-label="Results">
            <For each=move || hits.get() key=|hit: &Hit| hit.message.id let:hit>
                <HitRow hit query=query.clone()/>
            </For>
        </ol>
        {changing(move || failed.get().map(|why| view! { <p role="alert" class="my-3 text-alert">{why}</p> }).into_any())}
        <When when=Signal::derive(move || next.read().is_some())>
            <div class="grid place-items-center h-16">
                <a href=link.clone() class=SECONDARY aria-disabled=move || loading.get().then_some("true") on:click=more.clone()>
                    {move || if loading.get() { "Searching…" } else { "More results" }}
                </a>
            </div>
        </When>
    }
    .into_any()
}
