use super::{
    desk::{Desk, element},
    message::messages,
    reply::{Reply, Said, said},
};
use crate::{
    components::ui::{Avatar, Name, changing},
    state::{Standing, target_of},
};
use leptos::prelude::*;
use leptos_router::components::A;
use natter::{Channel, ChannelId, ChannelKind};

/// One conversation: how much of it is unread, how that begins, and what can be done about it.
#[component]
pub fn Card(
    id: ChannelId,
    desk: Desk,
    /// The how manyth it is, of how many.
    place: Memo<(usize, usize)>,
) -> impl IntoView {
    let chat = desk.chat;
    let item = Memo::new(move |_| chat.feed.item(id));
    let standing = Memo::new(move |_| desk.standing(id));
    // As it is now; where one isn't in it any more, as it was.
    let channel = Memo::new(move |_| chat.channel(id).or_else(|| item.get().map(|item| item.channel)));
    let shown = Memo::new(move |_| channel.with(|channel| channel.as_ref().map(what_it_is)));
    let said_here: Said = RwSignal::new(Vec::new());
    on_cleanup(move || {
        let sent = said_here.try_get_untracked().unwrap_or_default();
        for (reference, _) in sent {
            chat.forget_answer(reference);
        }
    });
    let name = Memo::new(move |_| chat.me.read().username.to_lowercase());
    let body = move || item.read().as_ref().map(|item| messages(item, &name.read())).into_any();
    let sent = move || match shown.get() {
        Some(channel) if !said_here.read().is_empty() => said(chat, target_of(&channel), said_here),
        _ => ().into_any(),
    };
    let replying = Memo::new(move |_| *desk.replying.read() == Some(id));
    let reply = move || match shown.get().filter(|_| replying.get()) {
        Some(channel) => {
            let (target, label) = (target_of(&channel), label(&channel));
            view! { <Reply id target label desk said=said_here/> }.into_any()
        }
        None => ().into_any(),
    };
    let element = element(id);
    let (title_id, count_id) = (format!("{element}-title"), format!("{element}-count"));
    view! {
        <article id=element class="feed-card" class:feed-card-on=move || *desk.selected.read() == Some(id)
            class:feed-card-done=move || !standing.read().is_unread() tabindex="0"
            aria-posinset=move || place.read().0.to_string() aria-setsize=move || place.read().1.to_string()
            aria-labelledby=title_id.clone() aria-describedby=count_id.clone()
            on:focusin=move |_| desk.selected.set(Some(id))>
            <div class="feed-head">
                <h2 id=title_id.clone() class="feed-title">{changing(move || shown.get().map(title).into_any())}</h2>
                <p id=count_id.clone() class="feed-count">{changing(move || count(standing.get()))}</p>
                <div class="feed-acts">{
                    let about = title_id.clone();
                    changing(move || acts(id, desk, standing.read().is_unread(), &about))
                }</div>
            </div>
            {changing(body)}
            <p class="feed-more">{changing(move || more(id, desk, standing.get(), shown.get().as_ref()))}</p>
            {changing(sent)}
            {changing(reply)}
        </article>
    }
    .into_any()
}

/// A conversation without what changes all the time.
fn what_it_is(channel: &Channel) -> Channel {
    let (rev, unread, mentions, read_seq) = (0, 0, 0, 0);
    Channel { rev, unread, mentions, read_seq, members: 0, active_at: None, ..channel.clone() }
}

fn label(channel: &Channel) -> String {
    match channel.kind {
        ChannelKind::Channel => format!("#{}", channel.label()),
        ChannelKind::Direct => channel.label().to_owned(),
    }
}

fn title(channel: Channel) -> AnyView {
    if let Some(peer) = channel.peer {
        return view! { <Avatar user=peer.clone() small=true/> <Name username=peer.username/> }.into_any();
    }
    let (address, label) = (format!("/channels/{}", channel.label()), label(&channel));
    view! { <A href=address attr:class="truncate hover:underline underline-offset-2">{label}</A> }.into_any()
}

fn count(standing: Standing) -> AnyView {
    let words = match standing {
        Standing::Read => "Read".to_owned(),
        Standing::Gone => "You aren't in it any more".to_owned(),
        Standing::Unread { unread, mentions, .. } => {
            let mark = match mentions {
                0 => None,
                1 => Some("1 mention".to_owned()),
                n => Some(format!("{n} mentions")),
            };
            let mark = mark.map(|words| view! { <span class="feed-mentions">{words}</span> " · " });
            return view! { {mark} {format!("{unread} new")} }.into_any();
        }
    };
    words.into_any()
}

/// The buttons, with their keys. `about`: names the conversation, for who doesn't see where they stand.
fn acts(id: ChannelId, desk: Desk, unread: bool, about: &str) -> AnyView {
    let about = about.to_owned();
    let open = untrack(|| desk.address(id)).map(|address| {
        view! {
            <A href=address attr:class="feed-act" attr:aria-keyshortcuts="o" attr:aria-describedby=about.clone()>
                "Open"<kbd aria-hidden="true">"o"</kbd>
            </A>
        }
    });
    if !unread {
        let back = desk.may_read(id).then(|| {
            view! {
                <button type="button" class="feed-act" aria-keyshortcuts="u" aria-describedby=about.clone() on:click=move |_| desk.mark_unread(id)>
                    "Mark unread"<kbd aria-hidden="true">"u"</kbd>
                </button>
            }
        });
        return view! { {open} {back} }.into_any();
    }
    let reply = desk.may_reply(id).then(|| {
        view! {
            <button type="button" class="feed-act" aria-keyshortcuts="r" aria-describedby=about.clone() on:click=move |_| desk.reply(id)>
                "Reply"<kbd aria-hidden="true">"r"</kbd>
            </button>
        }
    });
    view! {
        {open} {reply}
        <button type="button" class="feed-act" aria-keyshortcuts="e" aria-describedby=about on:click=move |_| desk.mark_read(id)>
            "Mark read"<kbd aria-hidden="true">"e"</kbd>
        </button>
    }
    .into_any()
}

/// The way to what isn't shown. Its place is kept free, so that nothing moves when something comes.
fn more(id: ChannelId, desk: Desk, standing: Standing, channel: Option<&Channel>) -> AnyView {
    let (Standing::Unread { more, .. }, Some(channel)) = (standing, channel) else { return ().into_any() };
    let address = untrack(|| desk.address(id)).filter(|_| more > 0);
    let Some(address) = address else { return ().into_any() };
    let words = match channel.kind {
        ChannelKind::Channel => format!("{more} more in {}", label(channel)),
        ChannelKind::Direct => format!("{more} more from {}", label(channel)),
    };
    view! { <A href=address attr:class="link">{words}</A> }.into_any()
}
