use super::{
    acts::{Acts, focus},
    editor::Editor,
    log::Landing,
    toolbar::Toolbar,
};
use crate::{
    components::{
        media::{attachments, said},
        ui::{Avatar, changing},
    },
    state::{Chat, Delivery, Key, MessageRow, Quoted, Row, Rows, Target, Zone, keep_focus},
};
use leptos::prelude::*;
use natter::{Channel, MessageId, Ref, Timestamp, Upload, UserId, markdown, message::Reaction};

/// How `@channel` is shown: people's names are buttons.
pub const CALL: &str = r#"<span class="mention">"#;

/// Characters of a message that is quoted.
const QUOTE: usize = 140;

/// One row of the log. Its element stays while what it shows changes.
#[component]
pub fn RowView(
    key: Key,
    rows: Memo<Rows>,
    acts: Acts,
    channel: Memo<Option<Channel>>,
    landing: Option<Landing>,
) -> impl IntoView {
    // Without its reactions, which change beside the rest: somebody may be editing it.
    let row = Memo::new(move |_| {
        let mut row = rows.with(|rows| rows.get(key).cloned());
        if let Some(Row::Message(message)) = &mut row {
            message.reactions.clear();
        }
        row
    });
    let reactions = Memo::new(move |_| match rows.read().get(key) {
        Some(Row::Message(message)) => message.reactions.clone(),
        _ => Vec::new(),
    });
    changing(move || match row.get() {
        Some(Row::Day(label)) => view! { <li class="divider">{label}</li> }.into_any(),
        Some(Row::New) => {
            let lands = landing == Some(Landing::Unread);
            view! { <li class="divider divider-new" tabindex="-1" autofocus=lands>"New"</li> }.into_any()
        }
        Some(Row::Message(message)) => view! { <MessageView message reactions acts channel landing/> }.into_any(),
        None => ().into_any(),
    })
}

#[component]
fn MessageView(
    message: MessageRow,
    reactions: Memo<Vec<Reaction>>,
    acts: Acts,
    channel: Memo<Option<Channel>>,
    landing: Option<Landing>,
) -> impl IntoView {
    let MessageRow {
        id,
        sender,
        at,
        text,
        continues,
        deleted,
        edited_at,
        reply_to,
        attachments,
        calls_me,
        calls_all,
        delivery,
        ..
    } = message;
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
        let html = if calls_all { html } else { html.replace(CALL, "<span>") };
        changing(move || body(id, &text, &html, &attachments, edited_at, acts.chat)).into_any()
    };
    let sender = sender.id;
    let element = id.map(|id| format!("m-{id}"));
    let shown = element.clone();
    on_cleanup(move || shown.into_iter().for_each(keep_focus));
    view! {
        <li class="message" class:message-more=continues class:message-sending=sending class:message-calls=calls_me
            id=element data-id=id.map(|id| id.to_string())
            aria-busy=sending.then_some("true") tabindex="-1" autofocus=id.is_some() && id.map(Landing::Message) == landing>
            {side}
            <div class="min-w-0">
                {head} {author} {quote} {body}
                {changing(move || all_reactions(&reactions.read(), acts.chat, channel))}
                {failed}
            </div>
            {id.filter(|_| !deleted).map(|id| view! { <Toolbar id sender acts channel/> })}
        </li>
    }
}

/// The words, or what they are being changed to, or the way back from deleting them.
fn body(
    id: Option<MessageId>,
    text: &str,
    html: &str,
    files: &[Upload],
    edited_at: Option<Timestamp>,
    chat: Chat,
) -> AnyView {
    if let Some(id) = id.filter(|id| chat.is_doomed(*id)) {
        // The way back may have the focus when it goes.
        on_cleanup(move || focus(id));
        return view! {
            <p role="status" class="text-faint italic">
                "Deleted. " <button type="button" class="link not-italic" data-act="undo">"Undo"</button>
            </p>
        }
        .into_any();
    }
    if let Some(id) = id.filter(|id| *chat.editing.id.read() == Some(*id)) {
        let empty = !files.is_empty();
        return view! { <Editor id before=text.to_owned() may_be_empty=empty/> {attachments(files)} }.into_any();
    }
    let zone = expect_context::<Zone>();
    let edited = edited_at.map(|at| {
        view! { <span class="edited" title=move || format!("Edited {}", zone.full(at))>"(edited)"</span> }
    });
    let words = (!text.is_empty()).then(|| view! { <div class="message-text" inner_html=html.to_owned()></div> });
    view! { {words} " " {edited} {attachments(files)} }.into_any()
}

/// What a message answers.
#[component]
fn Quote(id: MessageId, acts: Acts) -> impl IntoView {
    changing(move || {
        let (name, text) = match acts.chat.quoted(acts.target, id) {
            Quoted::Here(message) if message.deleted => {
                (message.sender.username, "This message was deleted.".to_owned())
            }
            Quoted::Here(message) => (message.sender.username.clone(), said(&message, QUOTE)),
            Quoted::Asked => (String::new(), "…".to_owned()),
            Quoted::Gone => (String::new(), "This message can't be shown.".to_owned()),
        };
        view! {
            <button type="button" class="quote" data-act="jump" title="Go to the message that this answers">
                <span class="sr-only">"This answers "</span>
                <span class="font-semibold">{name}</span> " " <span class="truncate">{text}</span>
            </button>
        }
        .into_any()
    })
}

/// What others answered with one emoji each.
fn all_reactions(reactions: &[Reaction], chat: Chat, channel: Memo<Option<Channel>>) -> AnyView {
    if reactions.is_empty() {
        return ().into_any();
    }
    let me = chat.me.with(|me| me.id);
    let one = |reaction: &Reaction| {
        let mine = reaction.user_ids.contains(&me);
        let count = reaction.user_ids.len();
        let names = names(chat, channel, &reaction.user_ids, me);
        let label = format!("{} {count}: {names}", reaction.emoji);
        let (emoji, shown) = (reaction.emoji.clone(), reaction.emoji.clone());
        view! {
            <button type="button" class="reaction" data-act="react" data-emoji=emoji
                aria-pressed=if mine { "true" } else { "false" } aria-label=label title=names>
                <span aria-hidden="true">{shown}</span> <span class="tabular-nums">{count}</span>
            </button>
        }
    };
    let all = reactions.iter().map(one).collect_view();
    view! { <div class="flex flex-wrap gap-1 mt-1">{all}</div> }.into_any()
}

/// Who reacted, as far as the page knows them.
fn names(chat: Chat, channel: Memo<Option<Channel>>, users: &[UserId], me: UserId) -> String {
    let name = |id: &UserId| {
        if *id == me {
            return Some("you".to_owned());
        }
        channel.with_untracked(|channel| chat.people.name(channel.as_ref()?, *id))
    };
    let known: Vec<_> = users.iter().filter_map(name).collect();
    match users.len() - known.len() {
        0 => known.join(", "),
        1 if known.is_empty() => "1 person".to_owned(),
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
