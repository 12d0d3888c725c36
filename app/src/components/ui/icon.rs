use leptos::prelude::*;

/// A Lucide icon at the size and weight used everywhere. It says nothing to screen readers: what it
/// stands on has the name.
#[component]
pub fn Icon(icon: icondata_core::Icon) -> impl IntoView {
    view! {
        <span class="icon" aria-hidden="true">
            <leptos_icons::Icon icon=icon width="18" height="18"/>
        </span>
    }
}
