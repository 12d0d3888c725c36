use crate::{
    components::{
        channels::{CREATE_CHANNEL, open_create},
        ui::{Icon, PRIMARY, SECONDARY, When},
    },
    state::Chat,
};
use leptos::prelude::*;
use leptos_router::components::A;

/// Nothing is unread. `below`: conversations that have just been read stand above it.
#[component]
pub fn CaughtUp(below: Signal<bool>) -> impl IntoView {
    view! {
        <div class="feed-done" class:feed-done-below=below>
            <span class="feed-done-icon"><Icon icon=icondata_lu::LuCheckCheck/></span>
            <p class="text-lg font-[650] tracking-tight">"You're all caught up"</p>
            <p class="mb-5 text-soft">"Nothing is waiting for you. What comes next shows up here by itself."</p>
            <A href="/browse" attr:class=SECONDARY>
                <Icon icon=icondata_lu::LuCompass/>
                "Look around"
            </A>
        </div>
    }
    .into_any()
}

/// For whoever is in no conversation yet.
#[component]
pub fn FirstSteps() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let may_create = move || chat.me.read().role.can_create_channels();
    view! {
        <div class="first-steps py-12 text-center">
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
