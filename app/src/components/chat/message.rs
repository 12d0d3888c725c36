use crate::{
    components::ui::{Avatar, changing},
    state::{Chat, Delivery, Key, MessageRow, Row, Rows, Zone},
};
use leptos::prelude::*;
use natter::{ChannelId, Ref, Timestamp};

/// One row of the log. Its element stays while what it shows changes.
#[component]
pub fn RowView(key: Key, rows: Memo<Rows>, channel_id: ChannelId) -> impl IntoView {
    let row = Memo::new(move |_| rows.with(|rows| rows.get(key).cloned()));
    changing(move || match row.get() {
        Some(Row::Day(label)) => view! { <li class="divider">{label}</li> }.into_any(),
        Some(Row::New) => view! { <li class="divider divider-new">"New"</li> }.into_any(),
        Some(Row::Message(message)) => view! { <MessageView message channel_id/> }.into_any(),
        None => ().into_any(),
    })
}

#[component]
fn MessageView(message: MessageRow, channel_id: ChannelId) -> impl IntoView {
    let MessageRow { sender, at, text, continues, deleted, edited_at, delivery } = message;
    let sending = matches!(delivery, Delivery::Sending(_));
    let head = (!continues).then(|| {
        let name = sender.username.clone();
        view! {
            <div class="flex items-baseline gap-2">
                <span class="text-[14.5px] font-[640] truncate">{name}</span>
                <Time at/>
            </div>
        }
    });
    let side = if continues {
        view! { <span class="message-clock"><Time at/></span> }.into_any()
    } else {
        view! { <Avatar user=sender.clone()/> }.into_any()
    };
    let body = if deleted {
        view! { <p class="text-faint italic">"This message was deleted."</p> }.into_any()
    } else {
        view! {
            <p class="message-text">
                {text} {edited_at.map(|_| view! { <span class="text-xs text-faint">" (edited)"</span> })}
            </p>
        }
        .into_any()
    };
    let author = continues.then(|| view! { <span class="sr-only">{format!("{}: ", sender.username)}</span> });
    let failed = match delivery {
        Delivery::Failed(reference, why) => Some(view! { <Failed channel_id reference why/> }),
        Delivery::Sent | Delivery::Sending(_) => None,
    };
    view! {
        <li class="message" class:message-more=continues class:message-sending=sending
            aria-busy=sending.then_some("true")>
            {side}
            <div class="min-w-0">{head} {author} {body} {failed}</div>
        </li>
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
fn Failed(channel_id: ChannelId, reference: Ref, why: String) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let link = "underline underline-offset-2 font-semibold rounded pointer-coarse:py-2";
    view! {
        <p role="alert" class="flex flex-wrap gap-x-3 text-[13px] font-medium text-alert">
            <span>"Couldn't send. " {why}</span>
            <button type="button" class=link on:click=move |_| chat.retry(channel_id, reference)>"Retry"</button>
            <button type="button" class=link on:click=move |_| chat.discard(channel_id, reference)>"Discard"</button>
        </p>
    }
}
