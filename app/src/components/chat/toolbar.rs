use super::acts::Acts;
use crate::{
    components::ui::{Icon, changing},
    state::Chat,
};
use leptos::prelude::*;
use natter::{Channel, MessageId, UserId};

/// What one may answer with at once.
const EMOJI: [(&str, &str); 10] = [
    ("👍", "Thumbs up"),
    ("❤️", "Heart"),
    ("😂", "Laughing"),
    ("🎉", "Party"),
    ("😮", "Surprised"),
    ("😢", "Sad"),
    ("🙏", "Thank you"),
    ("👀", "Looking"),
    ("✅", "Done"),
    ("🚀", "Rocket"),
];

/// What one may do to a message; there while the pointer or the focus is on it.
#[component]
pub fn Toolbar(id: MessageId, sender: UserId, acts: Acts, channel: Memo<Option<Channel>>) -> impl IntoView {
    let shown = Memo::new(move |_| acts.active.get() == Some(id) && is_idle(acts.chat, id));
    let picking = Memo::new(move |_| acts.picking.get() == Some(id));
    changing(move || match channel.get().filter(|_| shown.get()) {
        Some(_) if picking.get() => picker(),
        Some(channel) => buttons(acts, &channel, sender),
        None => ().into_any(),
    })
}

/// Nothing is being done to a message: its words can be read, and what stands above them hides none.
fn is_idle(chat: Chat, id: MessageId) -> bool {
    !chat.is_doomed(id) && *chat.editing.id.read() != Some(id)
}

fn buttons(acts: Acts, channel: &Channel, sender: UserId) -> AnyView {
    let (me, role) = acts.chat.me.with(|me| (me.id, me.role));
    let access = channel.access();
    let all = [
        (role.can_react(access), "pick", "React", icondata_lu::LuSmilePlus),
        (role.can_post(access), "reply", "Reply", icondata_lu::LuReply),
        (role.can_edit_message(access, me, sender), "edit", "Edit", icondata_lu::LuPencil),
        (true, "unread", "Mark unread from here", icondata_lu::LuMailOpen),
        (role.can_delete_message(access, me, sender), "delete", "Delete", icondata_lu::LuTrash2),
    ];
    let button = |(at, (_, act, name, icon))| {
        view! {
            <button type="button" class="tool" data-act=act aria-label=name title=name tabindex=stop(at)><Icon icon/></button>
        }
    };
    let buttons = all.into_iter().filter(|(may, ..)| *may).enumerate().map(button).collect_view();
    view! { <div role="toolbar" aria-label="Message actions" class="toolbar">{buttons}</div> }.into_any()
}

/// One stop for the tabulator; from there on it goes by arrows.
fn stop(at: usize) -> &'static str {
    if at == 0 { "0" } else { "-1" }
}

fn picker() -> AnyView {
    let one = |(at, (emoji, name)): (usize, (&'static str, &'static str))| {
        view! {
            <button type="button" class="emoji" data-act="react" data-emoji=emoji aria-label=name title=name
                tabindex=stop(at)>{emoji}</button>
        }
    };
    let all = EMOJI.into_iter().enumerate().map(one).collect_view();
    view! { <div role="toolbar" aria-label="Reactions" class="toolbar">{all}</div> }.into_any()
}
