//! The Catch up page by keyboard. The keys are the page's, wherever on it the focus is, but for where
//! something is typed and while a dialog is open.

use super::desk::Desk;
use leptos::{ev, prelude::*, wasm_bindgen::JsCast as _};
use leptos_router::hooks::use_navigate;

/// Takes keys for as long as the page is shown.
pub fn listen(desk: Desk) {
    let navigate = use_navigate();
    let open = Callback::new(move |address: String| navigate(&address, leptos_router::NavigateOptions::default()));
    let listener = window_event_listener(ev::keydown, move |event| {
        if takes(&event) && act(desk, &event, open) {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

/// Whether a key is for the page at all.
fn takes(event: &ev::KeyboardEvent) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing();
    let typing = within(event, "input, textarea, select, [contenteditable]");
    let dialog = document().query_selector("dialog[open]").ok().flatten().is_some();
    !modified && !typing && !dialog && !event.default_prevented()
}

fn within(event: &ev::KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.closest(selector).ok().flatten().is_some())
}

/// True if the key meant something.
fn act(desk: Desk, event: &ev::KeyboardEvent, open: Callback<String>) -> bool {
    // On a link or button, and in the list of conversations, these mean something else.
    let free = !within(event, "a, button, summary, nav");
    match event.key().as_str() {
        "j" => desk.step(false),
        "k" => desk.step(true),
        "ArrowDown" if free => desk.step(false),
        "ArrowUp" if free => desk.step(true),
        "Escape" => {
            if desk.selected.get_untracked().is_none() {
                return false;
            }
            desk.selected.set(None);
            if let Some(at) = document().active_element().and_then(|at| at.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = at.blur();
            }
        }
        key => {
            let Some(id) = desk.current() else { return false };
            match key {
                "r" if desk.may_reply(id) => desk.reply(id),
                "e" => desk.mark_read(id),
                "u" if desk.may_read(id) && !desk.is_unread(id) => desk.mark_unread(id),
                "o" => open_card(desk, id, open),
                "Enter" if free => open_card(desk, id, open),
                _ => return false,
            }
        }
    }
    true
}

fn open_card(desk: Desk, id: natter::ChannelId, open: Callback<String>) {
    if let Some(address) = untrack(|| desk.address(id)) {
        open.run(address);
    }
}
