use crate::{
    components::{chat::CALL, media::glimpses, ui::Avatar},
    state::{Zone, address_of, calls, continues},
};
use leptos::prelude::*;
use natter::{FeedItem, Message, Timestamp, markdown};

/// Characters of what was said before.
const BEFORE: usize = 140;

/// The first unread messages, as in the conversation, and what was said just before.
pub fn messages(item: &FeedItem, me: &str) -> AnyView {
    let before = item.before.as_ref().filter(|before| !before.deleted).map(|before| {
        let words = match markdown::plain(&before.text, BEFORE) {
            words if words.is_empty() => "sent a file".to_owned(),
            words => words,
        };
        view! {
            <p class="feed-before">
                <span class="sr-only">"Before that, "</span>
                <span class="font-semibold">{before.sender.username.clone()}</span> " " {words}
            </p>
        }
    });
    let place = address_of(&item.channel);
    let mut last: Option<&Message> = None;
    let mut all = Vec::with_capacity(item.first.len());
    for message in &item.first {
        let more = last.is_some_and(|last| continues(last, message));
        all.push(one(message, more, me, &place));
        last = Some(message);
    }
    view! { {before} <ol class="feed-messages">{all}</ol> }.into_any()
}

fn one(message: &Message, continues: bool, me: &str, place: &str) -> AnyView {
    let name = message.sender.username.clone();
    let head = (!continues).then(|| {
        view! {
            <p class="flex items-baseline gap-2">
                <button type="button" class="message-name" data-mention=name.clone()>{name.clone()}</button>
                <Moment at=message.timestamp/>
            </p>
        }
    });
    let side = if continues {
        view! { <span class="sr-only">{format!("{name}: ")}</span> }.into_any()
    } else {
        view! { <Avatar user=message.sender.clone()/> }.into_any()
    };
    let body = if message.deleted {
        view! { <p class="text-faint italic">"This message was deleted."</p> }.into_any()
    } else {
        let html = markdown::html(&message.text);
        let html = if message.mentions_channel { html } else { html.replace(CALL, "<span>") };
        let edited = message.edited_at.map(|_| view! { <span class="edited">"(edited)"</span> });
        let words = (!message.text.is_empty()).then(|| view! { <div class="message-text" inner_html=html></div> });
        view! { {words} " " {edited} }.into_any()
    };
    let files = glimpses(&message.attachments, &format!("{place}?at={}", message.seq));
    let to_me = calls(message, me);
    view! {
        <li class="feed-message" class:feed-message-more=continues class:message-calls=to_me>
            {side}
            <div class="min-w-0 feed-body">{head} {body} {files}</div>
        </li>
    }
    .into_any()
}

/// `09:41` of today, with the day in front of it else.
#[component]
fn Moment(at: Timestamp) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let shown = move || match zone.day(at) {
        today if today == "Today" => zone.clock(at),
        day => format!("{day}, {}", zone.clock(at)),
    };
    view! { <time class="text-xs text-faint tabular-nums" datetime=at.to_string()>{Signal::derive(shown)}</time> }
}
