use crate::{
    components::ui::{Name, changing},
    state::Chat,
};
use leptos::prelude::*;
use natter::{Channel, UserId};

/// One quiet line of who is writing.
#[component]
pub fn Typing(channel: Memo<Option<Channel>>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let writing = Memo::new(move |_| {
        let Some(channel) = channel.get() else { return Vec::new() };
        let name = |id: UserId| chat.people.name(&channel, id);
        chat.people.writing_in(channel.id).into_iter().map(name).collect::<Vec<_>>()
    });
    let words = move || {
        let name = |name: &Option<String>| match name.clone() {
            Some(username) => view! { <Name username/> }.into_any(),
            None => "Somebody".into_any(),
        };
        match &writing.read()[..] {
            [] => ().into_any(),
            [one] => view! { {name(one)} " is typing…" }.into_any(),
            [one, two] => view! { {name(one)} " and " {name(two)} " are typing…" }.into_any(),
            more => format!("{} people are typing…", more.len()).into_any(),
        }
    };
    view! { <p class="typing" aria-live="polite">{changing(words)}</p> }
}
