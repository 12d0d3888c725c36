use crate::{
    components::{
        channels::{CREATE_CHANNEL, open_create},
        ui::{Icon, Name, PRIMARY, SECONDARY, When, effect},
    },
    state::{Chat, set_title},
};
use leptos::prelude::*;
use leptos_router::components::A;
use natter::{Channel, ChannelKind};

/// Where one is when nothing is open: what is unread, or the first step.
#[component]
pub fn Home() -> impl IntoView {
    let chat = expect_context::<Chat>();
    effect(move || set_title("Catch up · Natter"));
    let waiting = Memo::new(move |_| {
        let mut waiting: Vec<_> = chat.channels.read().iter().filter(|channel| channel.unread > 0).cloned().collect();
        // What is to oneself first.
        waiting.sort_by_key(|channel| (channel.kind == ChannelKind::Channel, channel.mentions == 0));
        waiting
    });
    let fresh = move || chat.channels.read().is_empty();
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <header class="header"><h1 class="header-title" tabindex="-1">"Catch up"</h1></header>
            <section aria-label="Catch up" class="flex-1 overflow-y-auto p-5">
                <div class="max-w-[760px] mx-auto">
                    <When when=Signal::derive(fresh)><FirstSteps/></When>
                    <When when=Signal::derive(move || !fresh() && waiting.read().is_empty())>
                        <div class="py-16 text-center">
                            <p class="text-lg font-[650] tracking-tight">"You're all caught up"</p>
                            <p class="text-soft">"Nothing is waiting for you."</p>
                        </div>
                    </When>
                    <ul>
                        <For each=move || waiting.get() key=|channel| (channel.id, channel.unread) let:channel>
                            <li><Card channel/></li>
                        </For>
                    </ul>
                </div>
            </section>
        </main>
    }
    .into_any()
}

#[component]
fn Card(channel: Channel) -> impl IntoView {
    let name = channel.label().to_owned();
    let (address, title) = match channel.kind {
        ChannelKind::Channel => (format!("/channels/{name}"), format!("#{name}").into_any()),
        ChannelKind::Direct => (format!("/direct/{name}"), view! { <Name username=name/> }.into_any()),
    };
    let id = channel.id;
    let chat = expect_context::<Chat>();
    view! {
        <div class="flex flex-wrap items-center gap-x-3 gap-y-2 mb-3 px-4 py-3 rounded-2xl border border-line bg-raised">
            <span class="font-[620] min-w-0 truncate">{title}</span>
            <span class="text-[13px] text-faint tabular-nums">{format!("{} new", channel.unread)}</span>
            <span class="flex gap-2 ml-auto">
                <A href=address attr:class=SECONDARY>"Open"</A>
                <button type="button" class=SECONDARY on:click=move |_| chat.mark_read(id)>"Mark read"</button>
            </span>
        </div>
    }
}

#[component]
fn FirstSteps() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let may_create = move || chat.me.read().role.can_create_channels();
    view! {
        <div class="py-12 text-center">
            <p class="mb-1 text-xl font-[650] tracking-tight">
                {Signal::derive(move || format!("Welcome, {}", chat.me.read().display_name))}
            </p>
            <p class="mb-6 text-soft">
                {move || if may_create() {
                    "Make the first channel, then tell the others where to find you."
                } else {
                    "Find the channels that interest you and join in."
                }}
            </p>
            <div class="flex flex-wrap justify-center gap-3">
                <When when=Signal::derive(may_create)>
                    <button type="button" class=PRIMARY command="show-modal" commandfor=CREATE_CHANNEL
                        on:click=move |_| open_create()>
                        <Icon icon=icondata_lu::LuPlus/>
                        "Create a channel"
                    </button>
                </When>
                <a href="/browse" class=SECONDARY>
                    <Icon icon=icondata_lu::LuCompass/>
                    "Look around"
                </a>
            </div>
        </div>
    }
}
