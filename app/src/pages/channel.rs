use crate::{
    api::{self, Failure, OpenChannel},
    components::{
        channels::{DELETE_CHANNEL, DeleteChannelDialog},
        chat::{Composer, Log},
        ui::{FormError, GHOST, Icon, PRIMARY, Post, PostForm, When, changing, effect, open_dialog},
    },
    state::{Chat, set_title},
};
use leptos::{html, prelude::*};
use leptos_router::{components::A, hooks::use_params_map};
use natter::{Channel, ErrorCode, PostPolicy, Problem, Role};

/// A channel by its name.
#[component]
pub fn ChannelPage() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let params = use_params_map();
    let name = Memo::new(move |_| params.read().get("name").unwrap_or_default());
    // Coming in or going out, here or on another device, changes what there is to show.
    let wanted = Memo::new(move |_| (name.get(), chat.joined(&name.read()), chat.was_removed(&name.read())));
    let opened = Resource::new_blocking(
        move || wanted.get(),
        move |(name, _, removed)| async move {
            if removed {
                return Err(Failure(Problem::new(ErrorCode::NotFound, "The channel was deleted.")));
            }
            match chat.opened(&name) {
                Some(known) => Ok(known),
                None => api::open_channel(name).await,
            }
        },
    );
    effect(move || set_title(&format!("#{} · Natter", name.read())));
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Suspense fallback=move || view! { <Header name=name.get_untracked()/> }>
                {move || Suspend::new(async move {
                    match opened.await {
                        Ok(OpenChannel { channel, page }) if channel.joined => {
                            let timeline = chat.open(channel.id, page);
                            view! { <Conversation channel timeline/> }.into_any()
                        }
                        Ok(OpenChannel { channel, .. }) => view! { <Outside channel/> }.into_any(),
                        Err(failure) => view! { <Missing name=name.get_untracked() failure/> }.into_any(),
                    }
                })}
            </Suspense>
        </main>
    }
    .into_any()
}

#[component]
fn Header(
    name: String,
    #[prop(optional, into)] topic: Signal<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="header">
            <A href="/" attr:class=format!("{GHOST} md:hidden") attr:aria-label="Back to conversations">
                <Icon icon=icondata_lu::LuArrowLeft/>
            </A>
            <h1 class="header-title">{format!("#{name}")}</h1>
            <p class="header-topic">{topic}</p>
            <div class="flex gap-0.5 ml-auto">{children.map(|children| children())}</div>
        </header>
    }
}

#[component]
fn Conversation(channel: Channel, timeline: ArcRwSignal<natter::Timeline>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let id = channel.id;
    let to_end = RwSignal::new(0);
    let live = Memo::new({
        let channel = channel.clone();
        move |_| chat.channel(id).unwrap_or_else(|| channel.clone())
    });
    let role = move || chat.me.read().role;
    let may_post = Memo::new(move |_| role().can_post(live.read().access()));
    let delete_dialog = NodeRef::<html::Dialog>::new();
    let label = channel.label().to_owned();
    view! {
        <Header name=label.clone() topic=Signal::derive(move || live.read().topic.clone())>
            <When when=Signal::derive(move || role().can_delete_channels())>
                <button type="button" class=GHOST aria-label="Delete channel" title="Delete channel"
                    command="show-modal" commandfor=DELETE_CHANNEL on:click=move |_| open_dialog(delete_dialog)>
                    <Icon icon=icondata_lu::LuTrash2/>
                </button>
            </When>
        </Header>
        <Log channel=channel.clone() timeline to_end/>
        <When when=may_post fallback=move || view! { <ReadOnly policy=live.read().post_policy/> }>
            <Composer channel=channel.clone() on_sent=move |()| to_end.update(|n| *n += 1)/>
        </When>
        <When when=Signal::derive(move || role() == Role::Admin)>
            {changing(move || view! { <DeleteChannelDialog channel=live.get() node_ref=delete_dialog/> }.into_any())}
        </When>
    }
}

#[component]
fn ReadOnly(policy: PostPolicy) -> impl IntoView {
    let why = match policy {
        PostPolicy::Admins => "Only admins write here.",
        PostPolicy::Everyone => "You can't write here.",
    };
    view! { <p class="mx-4 mb-4 px-4 py-3 rounded-xl bg-panel text-soft text-sm">{why}</p> }
}

/// A public channel that one isn't in.
#[component]
fn Outside(channel: Channel) -> impl IntoView {
    // The live connection says that one is in, and the page follows.
    let join = Post::new("/api/fn/join_channel", |_| ());
    let name = channel.label().to_owned();
    view! {
        <Header name=name.clone() topic=channel.topic.clone()/>
        <div class="grid place-items-center flex-1 p-6 text-center">
            <div>
                <p class="mb-1 text-lg font-[650] tracking-tight">{format!("You aren't in #{name}")}</p>
                <p class="mb-5 text-soft">"Join to read it and write in it."</p>
                <FormError message=join.rest(&[])/>
                <PostForm post=join>
                    <input type="hidden" name="id" value=channel.id.to_string()/>
                    <button type="submit" class=PRIMARY disabled=move || join.pending.get()>{format!("Join #{name}")}</button>
                </PostForm>
            </div>
        </div>
    }
}

#[component]
fn Missing(name: String, failure: Failure) -> impl IntoView {
    let gone = failure.is(ErrorCode::NotFound);
    let (title, detail) = if gone {
        (format!("There is no #{name}"), "It may have been deleted, or you can't see it.".to_owned())
    } else {
        (format!("#{name} can't be shown"), failure.to_string())
    };
    view! {
        <Header name/>
        <div class="grid place-items-center flex-1 p-6 text-center">
            <div>
                <p class="mb-1 text-lg font-[650] tracking-tight">{title}</p>
                <p class="mb-5 text-soft">{detail}</p>
                <A href="/" attr:class=PRIMARY>"Go to Catch up"</A>
            </div>
        </div>
    }
}
