use super::{GHOST, Icon, Name};
use leptos::prelude::*;
use leptos_router::components::A;

/// The line above a page: its name, what it is about, and what can be done.
#[component]
pub fn Header(
    title: String,
    /// Its name is somebody's.
    #[prop(optional)]
    person: bool,
    #[prop(optional, into)] topic: Signal<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let title = if person { view! { <Name username=title/> }.into_any() } else { title.into_any() };
    view! {
        <header class="header">
            <A href="/" attr:class=format!("{GHOST} md:hidden") attr:aria-label="Back to conversations">
                <Icon icon=icondata_lu::LuArrowLeft/>
            </A>
            <h1 class="header-title" tabindex="-1">{title}</h1>
            <p class="header-topic">{topic}</p>
            <div class="flex gap-0.5 ml-auto">{children.map(|children| children())}</div>
        </header>
    }
}
