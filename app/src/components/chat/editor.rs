use super::acts::focus;
use crate::{components::ui::effect, state::Chat};
use leptos::{ev, html, prelude::*};
use natter::{MessageId, input::MessageText};

/// The words of one's own message, to be changed. Enter saves, Escape leaves them as they were.
#[component]
pub fn Editor(id: MessageId, text: String) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let area = NodeRef::<html::Textarea>::new();
    let note = RwSignal::new(None::<String>);
    let before = text.clone();
    effect(move || {
        if let Some(area) = area.get() {
            let end = u32::try_from(area.value().encode_utf16().count()).unwrap_or(0);
            let _ = area.focus();
            let _ = area.set_selection_range(end, end);
        }
    });
    let leave = move || {
        chat.editing.set(None);
        focus(id);
    };
    let save = move || {
        let typed = area.get_untracked().map(|area| area.value()).unwrap_or_default();
        match MessageText::parse(&typed) {
            Ok(text) if text.as_str() == before => leave(),
            Ok(text) => {
                chat.edit(id, text.as_str());
                focus(id);
            }
            Err(error) => note.set(Some(error.message)),
        }
    };
    let saved = save.clone();
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.shift_key() && !event.is_composing() => {
            event.prevent_default();
            save();
        }
        "Escape" => {
            event.stop_propagation();
            leave();
        }
        _ => {}
    };
    let link = "link text-[13px]";
    view! {
        <div class="editor">
            <textarea node_ref=area class="composer-text" aria-label="Edit message" rows="1" prop:value=text.clone()
                on:keydown=key>{text.clone()}</textarea>
            <p class="flex gap-3 px-3.5 pb-2">
                <button type="button" class=link on:click=move |_| saved()>"Save"</button>
                <button type="button" class=link on:click=move |_| leave()>"Cancel"</button>
                <span role="status" class="text-[13px] text-alert">{note}</span>
            </p>
        </div>
    }
}
