use super::{acts::Acts, editor::Editor, toolbar::Toolbar};
use crate::{
    components::ui::{Avatar, changing},
    state::{Chat, Delivery, Key, MessageRow, Row, Rows, Target, Zone},
};
use leptos::prelude::*;
use natter::{Channel, MessageId, Ref, Timestamp, UserId, markdown, message::Reaction};

/// Characters of a message that is quoted.
const QUOTE: usize = 140;

/// One row of the log. Its element stays while what it shows changes.
#[component]
pub fn RowView(key: Key, rows: Memo<Rows>, acts: Acts, channel: Memo<Option<Channel>>) -> impl IntoView {
    let row = Memo::new(move |_| rows.with(|rows| rows.get(key).cloned()));
    changing(move || match row.get() {
        Some(Row::Day(label)) => view! { <li class="divider">{label}</li> }.into_any(),
        Some(Row::New) => view! { <li class="divider divider-new">"New"</li> }.into_any(),
        Some(Row::Message(message)) => view! { <MessageView message acts channel/> }.into_any(),
        None => ().into_any(),
    })
}

#[component]
fn MessageView(message: MessageRow, acts: Acts, channel: Memo<Option<Channel>>) -> impl IntoView {
    let MessageRow { id, sender, at, text, continues, deleted, edited_at, reply_to, reactions, calls_me, delivery } =
        message;
    let sending = matches!(delivery, Delivery::Sending(_));
    let name = sender.username.clone();
    let head = (!continues).then(|| {
        view! {
            <div class="flex items-baseline gap-2">
                <button type="button" class="message-name" data-mention=name.clone()>{name.clone()}</button>
                <Time at/>
            </div>
        }
    });
    let side = if continues {
        view! { <span class="message-clock"><Time at/></span> }.into_any()
    } else {
        view! { <button type="button" class="h-9" tabindex="-1" aria-hidden="true" data-mention=name.clone()><Avatar user=sender.clone()/></button> }
            .into_any()
    };
    let author = continues.then(|| view! { <span class="sr-only">{format!("{name}: ")}</span> });
    let quote = reply_to.filter(|_| !deleted).map(|id| view! { <Quote id acts/> });
    let failed = match delivery {
        Delivery::Failed(reference, why) => Some(view! { <Failed target=acts.target reference why/> }),
        Delivery::Sent | Delivery::Sending(_) => None,
    };
    let body = if deleted {
        view! { <p class="text-faint italic">"This message was deleted."</p> }.into_any()
    } else {
        let html = markdown::html(&text);
        changing(move || body(id, &text, &html, edited_at, acts.chat)).into_any()
    };
    let sender = sender.id;
    view! {
        <li class="message" class:message-more=continues class:message-sending=sending class:message-calls=calls_me
            id=id.map(|id| format!("m-{id}")) data-id=id.map(|id| id.to_string())
            aria-busy=sending.then_some("true") tabindex="-1">
            {side}
            <div class="min-w-0">
                {head} {author} {quote} {body}
                {(!reactions.is_empty()).then(|| view! { <Reactions reactions acts/> })}
                {failed}
            </div>
            {id.filter(|_| !deleted).map(|id| view! { <Toolbar id sender acts channel/> })}
        </li>
    }
}

/// The words, or what they are being changed to, or the way back from deleting them.
fn body(id: Option<MessageId>, text: &str, html: &str, edited_at: Option<Timestamp>, chat: Chat) -> AnyView {
    if id.is_some_and(|id| chat.is_doomed(id)) {
        return view! {
            <p role="status" class="text-faint italic">
                "Deleted. " <button type="button" class="link not-italic" data-act="undo">"Undo"</button>
            </p>
        }
        .into_any();
    }
    if let Some(id) = id.filter(|id| *chat.editing.read() == Some(*id)) {
        return view! { <Editor id text=text.to_owned()/> }.into_any();
    }
    let zone = expect_context::<Zone>();
    let edited = edited_at.map(|at| {
        view! { <span class="edited" title=move || format!("Edited {}", zone.full(at))>"(edited)"</span> }
    });
    view! { <div class="message-text" inner_html=html.to_owned()></div> " " {edited} }.into_any()
}

/// What a message answers.
#[component]
fn Quote(id: MessageId, acts: Acts) -> impl IntoView {
    changing(move || {
        let (name, text) = match acts.chat.quoted(acts.target, id) {
            Some(message) if message.deleted => (message.sender.username, "This message was deleted.".to_owned()),
            Some(message) => (message.sender.username, markdown::plain(&message.text, QUOTE)),
            None => (String::new(), "…".to_owned()),
        };
        let label = format!("Go to the message that this answers, of {name}");
        view! {
            <button type="button" class="quote" data-act="jump" aria-label=label>
                <span class="font-semibold">{name}</span> " " <span class="truncate">{text}</span>
            </button>
        }
        .into_any()
    })
}

#[component]
fn Reactions(reactions: Vec<Reaction>, acts: Acts) -> impl IntoView {
    let (chat, target) = (acts.chat, acts.target);
    let me = chat.me.with_untracked(|me| me.id);
    let one = |reaction: Reaction| {
        let mine = reaction.user_ids.contains(&me);
        let count = reaction.user_ids.len();
        let names = names(chat, target, &reaction.user_ids, me);
        let label = format!("{} {count}: {names}", reaction.emoji);
        let emoji = reaction.emoji.clone();
        view! {
            <button type="button" class="reaction" data-act="react" data-emoji=reaction.emoji
                aria-pressed=if mine { "true" } else { "false" } aria-label=label title=names>
                <span aria-hidden="true">{emoji}</span> <span class="tabular-nums">{count}</span>
            </button>
        }
    };
    view! { <div class="flex flex-wrap gap-1 mt-1">{reactions.into_iter().map(one).collect_view()}</div> }
}

/// Who reacted, as far as the page knows them.
fn names(chat: Chat, target: Target, users: &[UserId], me: UserId) -> String {
    let channel = untrack(|| chat.conversation(target));
    let name = |id: &UserId| {
        if *id == me {
            return Some("you".to_owned());
        }
        untrack(|| chat.people.name(channel.as_ref()?.id, *id))
    };
    let known: Vec<_> = users.iter().filter_map(name).collect();
    match users.len() - known.len() {
        0 => known.join(", "),
        n if known.is_empty() => format!("{n} people"),
        n => format!("{} and {n} more", known.join(", ")),
    }
}

#[component]
fn Time(at: Timestamp) -> impl IntoView {
    let zone = expect_context::<Zone>();
    view! {
        <time class="text-xs text-faint tabular-nums" datetime=at.to_string() title=move || zone.full(at)>
            {Signal::derive(move || zone.clock(at))}
        </time>
    }
}

#[component]
fn Failed(target: Target, reference: Ref, why: String) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let link = "underline underline-offset-2 font-semibold rounded pointer-coarse:py-2";
    view! {
        <p role="alert" class="flex flex-wrap gap-x-3 text-[13px] font-medium text-alert">
            <span>"Couldn't send. " {why}</span>
            <button type="button" class=link on:click=move |_| chat.retry(target, reference)>"Retry"</button>
            <button type="button" class=link on:click=move |_| chat.discard(target, reference)>"Discard"</button>
        </p>
    }
}
