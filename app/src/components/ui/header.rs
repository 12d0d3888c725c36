use super::{GHOST, Icon};
use leptos::prelude::*;
use leptos_router::components::A;

/// The line above a page: its name, what it is about, and what can be done.
#[component]
pub fn Header(
    title: String,
    #[prop(optional, into)] topic: Signal<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="header">
            <A href="/" attr:class=format!("{GHOST} md:hidden") attr:aria-label="Back to conversations">
                <Icon icon=icondata_lu::LuArrowLeft/>
            </A>
            <h1 class="header-title">{title}</h1>
            <p class="header-topic">{topic}</p>
            <div class="flex gap-0.5 ml-auto">{children.map(|children| children())}</div>
        </header>
    }
}
