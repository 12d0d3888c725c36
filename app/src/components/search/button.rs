use super::palette::SEARCH;
use crate::components::ui::{Icon, open_dialog};
use leptos::{html, prelude::*};

/// The way to search, above the conversations.
#[component]
pub fn SearchButton(dialog: NodeRef<html::Dialog>) -> impl IntoView {
    view! {
        <button type="button" class="search-button" command="show-modal" commandfor=SEARCH
            aria-keyshortcuts="Control+K Meta+K" on:click=move |_| open_dialog(dialog)>
            <Icon icon=icondata_lu::LuSearch/>
            <span>"Search"</span>
            <kbd aria-hidden="true">"Ctrl K"</kbd>
        </button>
    }
    .into_any()
}
