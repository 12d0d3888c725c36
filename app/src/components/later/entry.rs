use super::{
    desk::Desk,
    edit::{Change, Edit},
    place::{place_of, show},
};
use crate::{
    components::ui::{PostForm, SECONDARY, changing},
    state::{Chat, Zone},
};
use leptos::prelude::*;
use natter::{Scheduled, ScheduledId, markdown};

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
    let change = Change::new(id, chat.uploads);
    let to = scheduled.with_untracked(|one| one.as_ref().map(|one| place_of(chat, one.channel_id)));
    let shown = move || {
        let Some(one) = scheduled.get() else { return ().into_any() };
        let at = one.send_at;
        let words = if change.words.with(Option::is_some) {
            view! { <Edit id change desk/> }.into_any()
        } else {
            view! {
                <div class="message-text" inner_html=markdown::html(&one.text)></div>
                {files(&one)}
                {actions(&one, change, desk)}
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

fn actions(one: &Scheduled, change: Change, desk: Desk) -> AnyView {
    let (id, at, about) = (one.id, one.send_at, excerpt(one));
    let (text, files) = (one.text.clone(), one.attachments.clone());
    let (send, cancel) = (desk.send, desk.cancel);
    let name = |what: &str| format!("{what} “{about}”");
    let (edit_name, move_name, send_name, cancel_name) =
        (name("Edit"), name("Reschedule"), name("Send now"), name("Cancel"));
    view! {
        <div class="later-acts">
            <button type="button" class=SECONDARY aria-label=edit_name
                on:click=move |_| change.begin(text.clone(), files.clone())>"Edit"</button>
            <button type="button" class=SECONDARY aria-label=move_name aria-haspopup="dialog"
                on:click=move |_| desk.reschedule(id, at)>"Reschedule"</button>
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
