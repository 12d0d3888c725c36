use crate::{
    api,
    components::{
        Retry,
        channels::{AskToLeave, Leaving, leave},
        ui::{
            FormError, GHOST, Icon, PRIMARY, Post, PostForm, SECONDARY, changing, effect, focus_first, focus_is_lost,
        },
    },
    state::{Chat, set_title},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{use_location, use_navigate},
};
use natter::{Channel, ChannelId};

/// All channels one may see, to search, join and leave.
#[component]
pub fn Browse() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let listed = Resource::new_blocking(|| (), |()| api::browse_channels());
    effect(move || set_title("Browse channels · Natter"));
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <header class="header">
                <A href="/" attr:class=format!("{GHOST} md:hidden") attr:aria-label="Back to conversations">
                    <Icon icon=icondata_lu::LuArrowLeft/>
                </A>
                <h1 class="header-title" tabindex="-1">"Browse channels"</h1>
            </header>
            <div class="flex-1 overflow-y-auto p-5 max-sm:p-3.5">
                <div class="max-w-[760px] mx-auto">
                    <Suspense fallback=|| view! { <p class="text-faint">"Loading…"</p> }>
                        {move || Suspend::new(async move {
                            match listed.await {
                                Ok(channels) => {
                                    chat.directory.set(Some(channels));
                                    view! { <Directory/> }.into_any()
                                }
                                Err(failure) => view! {
                                    <p role="alert" class="mb-4 text-alert">{failure.to_string()}</p>
                                    <Retry again=Callback::new(move |()| listed.refetch())/>
                                }
                                .into_any(),
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
fn Directory() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let query = RwSignal::new(String::new());
    let (navigate, path) = (use_navigate(), use_location().pathname);
    let join = Post::new("/api/fn/join_channel", move |answer| {
        let is_here = *path.read_untracked() == "/browse";
        // Whoever went on meanwhile stays where they are.
        if let Some(channel) = serde_json::from_slice::<Channel>(answer.as_bytes()).ok().filter(|_| is_here) {
            navigate(&format!("/channels/{}", channel.label()), NavigateOptions::default());
        }
    });
    let leaving = Leaving::new();
    effect(move || {
        chat.directory.track();
        let joined = |id| chat.directory.read().iter().flatten().any(|channel| channel.id == id && channel.joined);
        if let Some(id) = leaving.is_done(joined) {
            request_animation_frame(move || {
                if focus_is_lost() {
                    focus_first(&[&format!("#channel-{id}"), "main h1"]);
                }
            });
        }
    });
    let found = Memo::new(move |_| {
        let query = query.read().trim().trim_start_matches('#').to_lowercase();
        let matches =
            |channel: &&Channel| channel.label().contains(&query) || channel.topic.to_lowercase().contains(&query);
        chat.directory.read().iter().flatten().filter(matches).map(|channel| channel.id).collect::<Vec<_>>()
    });
    let none = move || match (found.read().is_empty(), query.read().trim().is_empty()) {
        (false, _) => None,
        (true, true) => Some("There are no channels yet.".to_owned()),
        (true, false) => Some(format!("No channel matches “{}”.", query.read().trim())),
    };
    view! {
        <label class="relative block mb-4">
            <span class="sr-only">"Search channels"</span>
            <span class="absolute left-3 inset-y-0 grid items-center text-faint"><Icon icon=icondata_lu::LuSearch/></span>
            <input type="search" placeholder="Search channels" prop:value=move || query.get()
                class="h-10 pointer-coarse:h-11 w-full pl-10 pr-3 rounded-lg border bg-raised placeholder:text-faint focus-ring"
                on:input=move |event| query.set(event_target_value(&event))/>
        </label>
        <FormError message=join.rest(&[])/>
        <FormError message=leaving.post.rest(&[])/>
        <ul>
            <For each=move || found.get() key=|id| *id let:id>
                <Entry id join leaving/>
            </For>
        </ul>
        <p role="status" class="text-soft">{none}</p>
        <AskToLeave leaving/>
    }
    .into_any()
}

#[component]
fn Entry(id: ChannelId, join: Post, leaving: Leaving) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let channel = Memo::new(move |_| chat.directory.read().iter().flatten().find(|channel| channel.id == id).cloned());
    let actions = move |channel: &Channel| {
        let name = channel.label().to_owned();
        if channel.joined {
            view! {
                <A href=format!("/channels/{name}") attr:class=SECONDARY attr:aria-label=format!("Open #{name}")>"Open"</A>
                {leave(leaving, channel, "Leave".to_owned())}
            }
            .into_any()
        } else {
            view! {
                <PostForm post=join>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button type="submit" class=PRIMARY aria-label=format!("Join #{name}")>"Join"</button>
                </PostForm>
            }
            .into_any()
        }
    };
    changing(move || {
        channel
            .get()
            .map(|channel| {
                let actions = actions(&channel);
                let name = channel.label().to_owned();
                let members = match channel.members {
                    1 => "1 member".to_owned(),
                    n => format!("{n} members"),
                };
                view! {
                    <li id=format!("channel-{id}") tabindex="-1" class="flex items-center gap-3 mb-2 px-4 py-3 rounded-2xl border border-line bg-raised">
                        <div class="min-w-0">
                            <p class="font-[620] truncate">{format!("#{name}")}</p>
                            <p class="text-[13px] text-faint truncate">
                                {members} {(!channel.topic.is_empty()).then(|| format!(" · {}", channel.topic))}
                            </p>
                        </div>
                        <div class="flex gap-2 ml-auto">{actions}</div>
                    </li>
                }
            })
            .into_any()
    })
}
