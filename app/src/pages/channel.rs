use crate::{
    api::{self, Failure, OpenChannel},
    components::{
        Retry,
        channels::{DELETE_CHANNEL, DeleteChannelDialog, Lost, MuteButton},
        chat::{Coming, Conversation, Opening, place},
        people::{Members, MembersButton},
        ui::{FormError, GHOST, Header, Icon, PRIMARY, Post, PostForm, When, changing, effect, open_dialog},
    },
    state::{Chat, Loss, Target, set_title},
};
use leptos::{html, prelude::*};
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{use_navigate, use_params_map, use_query_map},
};
use natter::{ChannelKind, ErrorCode, Problem};

/// A channel by its name.
#[component]
pub fn ChannelPage() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let params = use_params_map();
    let address = Memo::new(move |_| params.read().get("name").unwrap_or_default());
    // It may have got another name since: then the page stays with the channel, and the address follows.
    let name = Memo::new(move |_| chat.places.now(&address.read()));
    let navigate = use_navigate();
    effect(move || {
        if *name.read() != *address.read() {
            let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
            navigate(&format!("/channels/{}", name.read()), options);
        }
    });
    // Coming in or going out, here or on another device, changes what there is to show.
    let wanted = Memo::new(move |_| (name.get(), chat.joined(&name.read()), chat.places.lost(&name.read())));
    let query = use_query_map();
    let opened = Resource::new_blocking(
        move || wanted.get(),
        move |(name, _, lost)| async move {
            let at = place(query);
            if matches!(lost, Some(Loss::Deleted | Loss::Closed)) {
                return Err(Failure(Problem::new(ErrorCode::NotFound, "The channel is gone.")));
            }
            match chat.opened(&name) {
                Some(known) => Ok(known),
                None => api::open_channel(name, at).await,
            }
        },
    );
    effect(move || set_title(&format!("#{} · Natter", name.read())));
    let label = Signal::derive(move || format!("#{}", name.read()));
    let topic = Signal::derive(move || chat.named(&name.read()).map(|channel| channel.topic).unwrap_or_default());
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Suspense fallback=move || view! { <Coming label topic/> }>
                {move || Suspend::new(async move {
                    match opened.await {
                        Ok(OpenChannel { channel, page, newer }) if channel.joined => {
                            let timeline = chat.open(Target::Channel(channel.id), page, newer);
                            view! { <Channel channel timeline/> }.into_any()
                        }
                        Ok(OpenChannel { channel, .. }) => {
                            chat.places.note(&channel);
                            view! { <Outside channel/> }.into_any()
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
fn Channel(channel: natter::Channel, timeline: ArcRwSignal<natter::Timeline>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let id = channel.id;
    let label = channel.label().to_owned();
    let live = Memo::new({
        let channel = channel.clone();
        move |_| Some(chat.channel(id).unwrap_or_else(|| channel.clone()))
    });
    let now = move || live.get().unwrap_or_else(|| channel.clone());
    let topic = Signal::derive({
        let now = now.clone();
        move || now().topic
    });
    let runs = Signal::derive(move || chat.me.read().role.can_manage_channel(ChannelKind::Channel));
    let delete_dialog = NodeRef::<html::Dialog>::new();
    let members = RwSignal::new(None);
    let about = match topic.get_untracked() {
        topic if topic.is_empty() => "This is where it begins. Say hello.".to_owned(),
        topic => topic,
    };
    let opening = Opening { title: format!("Welcome to #{label}"), about };
    let (title, muted) = (format!("#{label}"), format!("#{label}"));
    let settings = format!("/admin/channels/{label}");
    view! {
        <div class="flex flex-1 min-h-0">
            <div class="flex flex-col flex-1 min-w-0">
                <Header title=title.clone() topic>
                    <MuteButton channel=live label=muted/>
                    <MembersButton shown=members/>
                    <When when=runs>
                        <A href=settings.clone() attr:class=GHOST attr:aria-label="Channel settings" attr:title="Channel settings">
                            <Icon icon=icondata_lu::LuSettings/>
                        </A>
                        <button type="button" class=GHOST aria-label="Delete channel" title="Delete channel"
                            command="show-modal" commandfor=DELETE_CHANNEL on:click=move |_| open_dialog(delete_dialog)>
                            <Icon icon=icondata_lu::LuTrash2/>
                        </button>
                    </When>
                </Header>
                <Conversation target=Target::Channel(id) channel=live label=title opening timeline/>
            </div>
            <Members channel=live shown=members/>
        </div>
        <When when=runs>
            {
                let now = now.clone();
                changing(move || view! { <DeleteChannelDialog channel=now() node_ref=delete_dialog/> }.into_any())
            }
        </When>
    }
}

/// A public channel that one isn't in, or not any more.
#[component]
fn Outside(channel: natter::Channel) -> impl IntoView {
    let chat = expect_context::<Chat>();
    // The live connection says that one is in, and the page follows.
    let join = Post::new("/api/fn/join_channel", |_| ());
    let name = channel.label().to_owned();
    let lost = untrack(|| chat.places.lost(&name));
    let form = {
        let name = name.clone();
        view! {
            <FormError message=join.rest(&[])/>
            <PostForm post=join>
                <input type="hidden" name="id" value=channel.id.to_string()/>
                <button type="submit" class=PRIMARY disabled=move || join.pending.get()>{format!("Join #{name}")}</button>
            </PostForm>
        }
    };
    let body = match lost {
        Some(loss) => view! { <Lost name=name.clone() loss>{form}</Lost> }.into_any(),
        None => view! {
            <div class="grid place-items-center flex-1 p-6 text-center">
                <div>
                    <p class="mb-1 text-lg font-[650] tracking-tight">{format!("You aren't in #{name}")}</p>
                    <p class="mb-5 text-soft">"Join to read it and write in it."</p>
                    {form}
                </div>
            </div>
        }
        .into_any(),
    };
    view! {
        <Header title=format!("#{name}") topic=channel.topic/>
        {body}
    }
}

#[component]
fn Missing(name: String, failure: Failure, again: Callback<()>) -> impl IntoView {
    let gone = failure.is(ErrorCode::NotFound);
    let chat = expect_context::<Chat>();
    if let Some(loss) = untrack(|| chat.places.lost(&name)).filter(|_| gone) {
        // It isn't known where it went, but no way leads back.
        let loss = if loss == Loss::Left { Loss::Closed } else { loss };
        return view! {
            <Header title=format!("#{name}")/>
            <Lost name loss/>
        }
        .into_any();
    }
    let (title, detail) = if gone {
        (format!("There is no #{name}"), "It may have been deleted, or you can't see it.".to_owned())
    } else {
        (format!("#{name} can't be shown"), failure.to_string())
    };
    view! {
        <Header title=format!("#{name}")/>
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
    .into_any()
}
