use super::acts::focus;
use crate::{
    components::ui::{effect, focus_on},
    state::Chat,
};
use leptos::{ev, html, prelude::*};
use natter::{MessageId, input::MessageText};

/// The words of one's own message, to be changed. Enter saves, Escape leaves them as they were.
#[component]
pub fn Editor(
    id: MessageId,
    before: String,
    /// It carries files: there may be no words.
    may_be_empty: bool,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let editing = chat.editing;
    let area = NodeRef::<html::Textarea>::new();
    effect(move || {
        if let Some(area) = area.get() {
            let end = u32::try_from(area.value().encode_utf16().count()).unwrap_or(0);
            let _ = area.focus();
            let _ = area.set_selection_range(end, end);
        }
    });
    on_cleanup(move || {
        if editing.from_composer.get_value() {
            focus_on(".composer textarea".to_owned(), false);
        } else {
            focus(id);
        }
    });
    let before = StoredValue::new(before);
    let save = move || match MessageText::with_files(&editing.words.get_untracked(), usize::from(may_be_empty)) {
        Ok(text) if before.with_value(|before| before == text.as_str()) => editing.leave(),
        Ok(text) => chat.edit(id, text.as_str()),
        Err(error) => editing.problem.set(Some(error.message)),
    };
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.shift_key() && !event.is_composing() => {
            event.prevent_default();
            save();
        }
        "Escape" => {
            event.stop_propagation();
            editing.leave();
        }
        _ => {}
    };
    let link = "link text-[13px]";
    view! {
        <div class="editor">
            <textarea node_ref=area class="composer-text" aria-label="Edit message" rows="1"
                prop:value=move || editing.words.get() on:input=move |event| editing.words.set(event_target_value(&event))
                on:keydown=key></textarea>
            <p class="flex gap-3 px-3.5 pb-2">
                <button type="button" class=link on:click=move |_| save()>"Save"</button>
                <button type="button" class=link on:click=move |_| editing.leave()>"Cancel"</button>
                <span role="alert" class="text-[13px] text-alert">{editing.problem}</span>
            </p>
        </div>
    }
}
