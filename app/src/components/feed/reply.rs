//! Answering where one reads.

use super::desk::Desk;
use crate::{
    components::ui::{Icon, PRIMARY, changing, effect},
    state::{Chat, Target},
};
use leptos::{ev, html, prelude::*};
use natter::{ChannelId, Ref, input::MessageText};

/// What one has said from here, and what became of it.
pub type Said = RwSignal<Vec<(Ref, String)>>;

/// Where one writes. Enter sends, and one may go on writing; Escape goes back to the conversation.
#[component]
pub fn Reply(
    id: ChannelId,
    target: Target,
    /// What it is called: `#general`, or somebody's name.
    label: String,
    desk: Desk,
    said: Said,
) -> impl IntoView {
    let chat = desk.chat;
    let label = format!("Message {label}");
    let text = RwSignal::new(chat.drafts.of(target));
    chat.drafts.follow(target, text);
    let note = RwSignal::new(None::<String>);
    let area = NodeRef::<html::Textarea>::new();
    effect(move || {
        if let Some(area) = area.get() {
            let _ = area.focus();
        }
    });
    let write = move |words: String| {
        chat.drafts.set(target, words.clone());
        note.set(None);
        text.set(words);
    };
    let send = move || {
        let words = text.get_untracked();
        if words.trim().is_empty() {
            return;
        }
        let parsed = MessageText::parse(&words).map_err(|error| error.message);
        let sent = parsed.and_then(|message| {
            let sent = chat.send(target, message.as_str()).map(|reference| (reference, message.as_str().to_owned()));
            sent.ok_or_else(|| "Too much is waiting to be sent.".to_owned())
        });
        match sent {
            Ok(sent) => {
                write(String::new());
                said.update(|said| said.push(sent));
            }
            Err(why) => note.set(Some(why)),
        }
    };
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        _ if event.is_composing() => {}
        "Enter" if !event.shift_key() => {
            event.prevent_default();
            send();
        }
        "Escape" => {
            event.prevent_default();
            desk.leave_reply(id);
        }
        _ => {}
    };
    let typed = move |event| {
        write(event_target_value(&event));
        if !text.with_untracked(|text| text.trim().is_empty()) {
            chat.say_typing(target);
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send();
        if let Some(area) = area.get_untracked() {
            let _ = area.focus();
        }
    };
    view! {
        <form class="feed-reply" on:submit=submit>
            <textarea node_ref=area rows="1" class="composer-text" aria-label=label.clone() placeholder=label enterkeyhint="send"
                prop:value=move || text.get() on:input=typed on:keydown=key></textarea>
            <button type="submit" class=format!("{PRIMARY} px-3!") aria-label="Send" disabled=move || text.read().trim().is_empty()>
                <Icon icon=icondata_lu::LuSendHorizontal/>
            </button>
        </form>
        <p role="alert" class="feed-note">{note}</p>
    }
    .into_any()
}

/// What one has said from here.
pub fn said(chat: Chat, target: Target, said: Said) -> AnyView {
    let one = |(reference, words): (Ref, String)| {
        let became = move || match chat.answer(reference) {
            None => view! { <span class="text-faint">"Sending…"</span> }.into_any(),
            Some(Ok(())) => view! { <span class="text-accent font-medium">"Sent"</span> }.into_any(),
            Some(Err(why)) => {
                let back = move |_| {
                    // It stays here, and nowhere else, to be tried again.
                    chat.discard(target, reference);
                    chat.forget_answer(reference);
                    let words = said.with_untracked(|said| said.iter().find(|(it, _)| *it == reference).cloned());
                    said.update(|said| said.retain(|(it, _)| *it != reference));
                    let again = words.and_then(|(_, words)| Some((chat.send(target, &words)?, words)));
                    said.update(|said| said.extend(again));
                };
                view! {
                    <span role="alert" class="text-alert">"Couldn't send. " {why}</span> " "
                    <button type="button" class="link" on:click=back>"Retry"</button>
                }
                .into_any()
            }
        };
        view! {
            <li class="feed-said">
                <span class="min-w-0 truncate"><span class="font-semibold">"You: "</span>{words}</span>
                <span class="feed-became">{changing(became)}</span>
            </li>
        }
    };
    let all = said.get().into_iter().map(one).collect_view();
    view! { <ul aria-label="Your replies">{all}</ul> }.into_any()
}
