use crate::state::Chat;
use leptos::prelude::*;
use natter::Channel;

/// One quiet line of who is writing.
#[component]
pub fn Typing(channel: Memo<Option<Channel>>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let words = move || {
        let Some(channel) = channel.get() else { return String::new() };
        let writing = chat.people.writing_in(channel.id);
        let name = |id: &natter::UserId| {
            let peer = channel.peer.as_ref().filter(|peer| peer.id == *id).map(|peer| peer.username.clone());
            peer.or_else(|| chat.people.name(channel.id, *id)).unwrap_or_else(|| "Somebody".into())
        };
        match &writing[..] {
            [] => String::new(),
            [one] => format!("{} is typing…", name(one)),
            [one, two] => format!("{} and {} are typing…", name(one), name(two)),
            more => format!("{} people are typing…", more.len()),
        }
    };
    view! { <p class="typing" aria-live="polite">{Signal::derive(words)}</p> }
}
