use crate::{
    components::ui::{Icon, PRIMARY, effect},
    state::Chat,
};
use leptos::{ev, html, prelude::*};
use natter::{Channel, input::MESSAGE_CHARS};

/// Where one writes. Enter sends, Shift+Enter breaks the line.
#[component]
pub fn Composer(channel: Channel, #[prop(into)] on_sent: Callback<()>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let id = channel.id;
    let label = format!("Message #{}", channel.label());
    let text = RwSignal::new(String::new());
    let note = RwSignal::new(None::<String>);
    let area = NodeRef::<html::Textarea>::new();
    // Until the page is awake nothing typed could be sent: better to say so than to lose it.
    let awake = RwSignal::new(false);
    effect(move || {
        text.set(chat.draft(id));
        awake.set(true);
    });
    let has_mouse = move || window().match_media("(pointer: fine)").ok().flatten().is_some_and(|query| query.matches());
    effect(move || {
        if awake.get()
            && has_mouse()
            && let Some(area) = area.get()
        {
            area.set_disabled(false);
            let _ = area.focus();
        }
    });
    let change = move |event| {
        let value = event_target_value(&event);
        chat.set_draft(id, value.clone());
        note.set(None);
        text.set(value);
    };
    let send = move || {
        let typed = text.get_untracked();
        let trimmed = typed.trim();
        let length = trimmed.chars().count();
        if length == 0 {
            return;
        }
        if length > *MESSAGE_CHARS.end() {
            note.set(Some(format!("That's {length} characters; a message has at most 4,000.")));
        } else if chat.send(id, trimmed) {
            text.set(String::new());
            chat.set_draft(id, String::new());
            on_sent.run(());
        } else {
            note.set(Some("Too much is waiting to be sent. Wait until you are connected again.".into()));
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        // While an input method is composing, Enter belongs to it.
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            send();
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send();
    };
    view! {
        <form class="composer" on:submit=submit>
            <textarea node_ref=area rows="1" class="composer-text" aria-label=label.clone() placeholder=label
                disabled=move || !awake.get() prop:value=move || text.get() on:input=change on:keydown=key
                enterkeyhint="send" aria-describedby="composer-note"></textarea>
            <div class="flex items-center gap-2 px-2 pb-2">
                <p id="composer-note" role="status" class="px-1.5 text-[13px] text-alert">{note}</p>
                <noscript><p class="px-1.5 text-[13px] text-soft">"Writing needs JavaScript; reading doesn't."</p></noscript>
                <button type="submit" class=format!("{PRIMARY} ml-auto") aria-label="Send"
                    disabled=move || !awake.get() || text.read().trim().is_empty()>
                    <Icon icon=icondata_lu::LuSendHorizontal/>
                    <span class="max-sm:hidden">"Send"</span>
                </button>
            </div>
        </form>
    }
    .into_any()
}
