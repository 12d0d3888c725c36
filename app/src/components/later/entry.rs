use super::{
    desk::Desk,
    place::{place_of, show},
};
use crate::{
    components::ui::{FormError, PostForm, SECONDARY, changing, effect},
    state::{Chat, Zone},
};
use leptos::{ev, html, prelude::*};
use natter::{Scheduled, ScheduledId, input::MessageText, markdown};

/// Characters of a message that its buttons are called by.
const EXCERPT: usize = 40;

/// What a message's buttons are told apart by.
pub fn excerpt(scheduled: &Scheduled) -> String {
    if scheduled.text.is_empty() {
        scheduled.attachments.first().map(|file| file.filename.clone()).unwrap_or_default()
    } else {
        markdown::plain(&scheduled.text, EXCERPT)
    }
}

/// A message that waits.
#[component]
pub fn Entry(id: ScheduledId, desk: Desk) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let zone = expect_context::<Zone>();
    let scheduled = Memo::new(move |_| chat.later.list.read().iter().flatten().find(|one| one.id == id).cloned());
    let editing = RwSignal::new(None::<String>);
    let to = scheduled.with_untracked(|one| one.as_ref().map(|one| place_of(chat, one.channel_id)));
    let shown = move || {
        let Some(one) = scheduled.get() else { return ().into_any() };
        let at = one.send_at;
        let words = if editing.with(Option::is_some) {
            view! { <Words one=one.clone() words=editing desk/> }.into_any()
        } else {
            view! {
                <div class="message-text" inner_html=markdown::html(&one.text)></div>
                {files(&one)}
                {actions(&one, editing, desk)}
            }
            .into_any()
        };
        view! {
            <p class="later-head">
                {show(to.and_then(|to| to.get()))}
                <time class="text-soft" datetime=at.to_string() title=zone.full(at)>{zone.moment(at)}</time>
            </p>
            {words}
        }
        .into_any()
    };
    view! { <li id=format!("scheduled-{id}") tabindex="-1" class="later-entry">{changing(shown)}</li> }.into_any()
}

/// What it carries.
pub fn files(scheduled: &Scheduled) -> AnyView {
    if scheduled.attachments.is_empty() {
        return ().into_any();
    }
    let names: Vec<_> = scheduled.attachments.iter().map(|file| file.filename.clone()).collect();
    view! { <p class="text-[13px] text-soft">{format!("With {}", names.join(", "))}</p> }.into_any()
}

fn actions(one: &Scheduled, editing: RwSignal<Option<String>>, desk: Desk) -> AnyView {
    let (id, about, text) = (one.id, excerpt(one), one.text.clone());
    let (send, cancel) = (desk.send, desk.cancel);
    let name = |what: &str| format!("{what} “{about}”");
    let (edit_name, move_name, send_name, cancel_name) =
        (name("Edit"), name("Reschedule"), name("Send now"), name("Cancel"));
    view! {
        <div class="later-acts">
            <button type="button" class=SECONDARY aria-label=edit_name
                on:click=move |_| editing.set(Some(text.clone()))>"Edit"</button>
            <button type="button" class=SECONDARY aria-label=move_name aria-haspopup="dialog"
                on:click=move |_| desk.reschedule(id)>"Reschedule"</button>
            <PostForm post=send>
                <input type="hidden" name="id" value=id.to_string()/>
                <button type="submit" class=SECONDARY aria-label=send_name>"Send now"</button>
            </PostForm>
            <PostForm post=cancel>
                <input type="hidden" name="id" value=id.to_string()/>
                <button type="submit" class=SECONDARY aria-label=cancel_name>"Cancel"</button>
            </PostForm>
        </div>
    }
    .into_any()
}

/// The words, to be changed. Enter saves, Escape leaves them as they were.
#[component]
fn Words(one: Scheduled, words: RwSignal<Option<String>>, desk: Desk) -> impl IntoView {
    let area = NodeRef::<html::Textarea>::new();
    let (id, files) = (one.id, one.attachments.len());
    // It may be shown anew while it is being written.
    let typed = words.get_untracked().unwrap_or_default();
    let problem = RwSignal::new(None);
    effect(move || {
        if let Some(area) = area.get() {
            let _ = area.focus();
        }
    });
    let leave = move || {
        words.set(None);
        Desk::focus(id);
    };
    let save = move || {
        let Some(typed) = words.get_untracked() else { return };
        match MessageText::with_files(&typed, files) {
            Ok(text) => desk.edit(id, text.into_string(), words, problem),
            Err(error) => problem.set(Some(error.message)),
        }
    };
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.shift_key() && !event.is_composing() => {
            event.prevent_default();
            save();
        }
        "Escape" => leave(),
        _ => {}
    };
    view! {
        <div class="editor">
            <textarea node_ref=area class="composer-text" aria-label="Edit message" rows="1" prop:value=typed
                on:input=move |event| words.update_untracked(|words| *words = Some(event_target_value(&event)))
                on:keydown=key></textarea>
            <p class="flex gap-3 px-3.5 pb-2">
                <button type="button" class="link text-[13px]" on:click=move |_| save()>"Save"</button>
                <button type="button" class="link text-[13px]" on:click=move |_| leave()>"Don't save"</button>
            </p>
        </div>
        <FormError message=problem/>
    }
    .into_any()
}
