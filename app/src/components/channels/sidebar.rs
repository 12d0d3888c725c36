use super::create::CREATE_CHANNEL;
use crate::{
    components::{
        later::ScheduledLink,
        people::NEW_DIRECT,
        search::SearchButton,
        ui::{Avatar, CATCH_UP, GHOST, Icon, When, changing, focus_on, open_dialog},
    },
    live,
    state::{Chat, target_of},
};
use leptos::{ev, html, prelude::*};
use leptos_router::{NavigateOptions, components::A, hooks::use_navigate};
use natter::{Channel, ChannelId, ChannelKind, Role, UserRef, Visibility};

const ROW: &str = "flex items-center gap-2.5 w-full h-8 pointer-coarse:h-11 px-2.5 rounded-lg text-left text-[14.5px] \
    text-soft transition-colors hover:bg-hover aria-[current=page]:bg-accent-soft aria-[current=page]:text-ink \
    aria-[current=page]:font-[560]";

const ME: &str = "flex items-center gap-2.5 min-w-0 flex-1 p-1.5 rounded-lg transition-colors hover:bg-hover \
    aria-[current=page]:bg-accent-soft";

/// The conversations one is in, and the way to others.
#[component]
pub fn Sidebar(
    create_dialog: NodeRef<html::Dialog>,
    find_dialog: NodeRef<html::Dialog>,
    search_dialog: NodeRef<html::Dialog>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let may_create = Memo::new(move |_| chat.me.read().role.can_create_channels());
    let labels = Memo::new(move |_| {
        let channels = chat.channels.read();
        let named = channels.iter().filter(|channel| channel.kind == ChannelKind::Channel);
        named.map(|channel| channel.id).collect::<Vec<_>>()
    });
    let directs = Memo::new(move |_| directs(&chat.channels.read()));
    let me = chat.me;
    let navigate = use_navigate();
    // It goes by the name of a button: then the space bar presses it.
    let pressed = move |event: ev::KeyboardEvent| {
        if event.key() == " " {
            event.prevent_default();
            navigate("/browse", NavigateOptions::default());
        }
    };
    view! {
        <nav aria-label="Conversations" class="sidebar">
            <div class="sidebar-name flex items-center gap-2.5 px-2 pt-1 pb-3 text-base font-[650] tracking-tight" tabindex="-1">
                <span class="grid place-items-center size-7 rounded-[9px] bg-accent text-accent-ink font-extrabold"
                    aria-hidden="true">"N"</span>
                "Natter"
            </div>
            <SearchButton dialog=search_dialog/>
            <div class="flex-1 min-h-0 overflow-y-auto">
                <CatchUp/>
                <ScheduledLink class=ROW/>
                <A href="/browse" attr:role="button" attr:class=ROW on:keydown=pressed>
                    <Icon icon=icondata_lu::LuCompass/>
                    "Browse channels"
                </A>
                <When when=Signal::derive(move || chat.me.read().role.can_inspect())>
                    <A href="/admin" attr:class=ROW>
                        <Icon icon=icondata_lu::LuShield/>
                        "Admin"
                    </A>
                </When>
                <div class="flex items-center h-8 mt-3 pl-2.5">
                    <h2 class="text-xs font-semibold text-faint">"Channels"</h2>
                    <When when=may_create>
                        <button type="button" class=format!("{GHOST} ml-auto") aria-label="Create channel" title="Create channel"
                            command="show-modal" commandfor=CREATE_CHANNEL on:click=move |_| open_dialog(create_dialog)>
                            <Icon icon=icondata_lu::LuPlus/>
                        </button>
                    </When>
                </div>
                <ul>
                    <For each=move || labels.get() key=|id| *id let:id>
                        {
                            let channel = Memo::new(move |_| chat.channel(id));
                            view! { <li>{changing(move || channel.get().map(|channel| view! { <ChannelLink channel/> }).into_any())}</li> }
                        }
                    </For>
                </ul>
                <When when=Signal::derive(move || labels.read().is_empty())>
                    <p class="px-2.5 py-1 text-[13px] text-faint">"You are in no channel yet."</p>
                </When>
                <div class="flex items-center h-8 mt-3 pl-2.5">
                    <h2 class="text-xs font-semibold text-faint">"Direct messages"</h2>
                    <button type="button" class=format!("{GHOST} ml-auto") aria-label="New direct message" title="New direct message"
                        command="show-modal" commandfor=NEW_DIRECT on:click=move |_| open_dialog(find_dialog)>
                        <Icon icon=icondata_lu::LuPlus/>
                    </button>
                </div>
                <ul>
                    <For each=move || directs.get() key=|id| *id let:id>
                        {
                            let channel = Memo::new(move |_| chat.channel(id));
                            view! { <li>{changing(move || channel.get().and_then(|channel| direct_link(chat, &channel)).into_any())}</li> }
                        }
                    </For>
                </ul>
                <When when=Signal::derive(move || directs.read().is_empty())>
                    <p class="px-2.5 py-1 text-[13px] text-faint">"Click a name to write to somebody, or keep "
                        <A href=format!("/direct/{}", me.read_untracked().username) attr:class="link">"notes to yourself"</A> "."
                    </p>
                </When>
            </div>
            <Me/>
        </nav>
    }
    .into_any()
}

/// Private conversations in which something was said, the liveliest first.
fn directs(channels: &[Channel]) -> Vec<ChannelId> {
    let mut directs: Vec<_> = channels.iter().filter(|it| it.kind == ChannelKind::Direct && it.rev > 0).collect();
    directs.sort_by_key(|direct| std::cmp::Reverse(direct.active_at.unwrap_or(direct.created_at)));
    directs.into_iter().map(|direct| direct.id).collect()
}

fn direct_link(chat: Chat, channel: &Channel) -> Option<impl IntoView + use<>> {
    let peer = channel.peer.clone()?;
    let (name, id, unread) = (peer.username.clone(), peer.id, channel.to_me());
    let (label, class, mark) = (said_of(name.clone(), channel), class_of(channel), quiet(channel));
    let (begun, draft) = (draft_id(channel), draft(chat, channel));
    Some(view! {
        <A href=format!("/direct/{name}") attr:class=class attr:aria-label=label attr:aria-describedby=begun>
            <span class="relative">
                <Avatar user=peer small=true/>
                <span class="dot dot-corner" class:dot-here=move || chat.people.is_online(id)></span>
            </span>
            <span class="truncate">{name}</span>
            {mark}
            {draft}
            {(unread > 0).then(|| badge(unread))}
        </A>
    })
}

/// What a link to a conversation says: whose it is, how much of it is unread, and that it is quiet.
fn said_of(mut name: String, channel: &Channel) -> String {
    let (unread, mentions) = (channel.unread, channel.mentions);
    if unread > 0 && channel.calls() {
        name = format!("{name} {unread} unread");
    }
    // In private everything is to oneself.
    let named = channel.kind == ChannelKind::Channel || channel.is_muted();
    match mentions {
        0 => {}
        _ if !named => {}
        1 => name.push_str(", 1 mention"),
        n => name = format!("{name}, {n} mentions"),
    }
    if channel.is_muted() {
        name.push_str(", muted");
    }
    name
}

fn class_of(channel: &Channel) -> String {
    match (channel.calls(), channel.is_muted()) {
        (true, _) => format!("{ROW} text-ink! font-semibold"),
        (false, true) => format!("{ROW} text-faint!"),
        (false, false) => ROW.to_owned(),
    }
}

fn quiet(channel: &Channel) -> Option<impl IntoView + use<>> {
    channel.is_muted().then(|| view! { <span class="muted-mark"><Icon icon=icondata_lu::LuBellOff/></span> })
}

/// What says that something was begun in a conversation.
fn draft_id(channel: &Channel) -> String {
    format!("draft-{}", channel.id)
}

fn draft(chat: Chat, channel: &Channel) -> impl IntoView + use<> {
    let (to, id) = (target_of(channel), draft_id(channel));
    changing(move || {
        if !chat.drafts.any(to) {
            return ().into_any();
        }
        view! {
            <span class="draft-mark"><Icon icon=icondata_lu::LuPencil/><span id=id.clone() hidden>"Draft"</span></span>
        }
        .into_any()
    })
}

/// The way to what is unread, with how much of it is to oneself. On a phone that is a screen of its own.
#[component]
fn CatchUp() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let words = move || match chat.waiting() {
        0 => String::new(),
        1 => "1 message is waiting for you".to_owned(),
        n => format!("{n} messages are waiting for you"),
    };
    let count = move || match chat.waiting() {
        0 => ().into_any(),
        n => badge(n).into_any(),
    };
    view! {
        <A href="/" exact=true attr:class=format!("{ROW} max-md:hidden") attr:aria-label="Catch up" attr:aria-describedby="waiting">
            <Icon icon=icondata_lu::LuInbox/>
            "Catch up"
            {changing(count)}
        </A>
        <a href="/#catch-up" class="catch-up md:hidden" aria-label="Catch up" aria-describedby="waiting" on:click=move |_| focus_on(CATCH_UP.to_owned(), true)>
            <Icon icon=icondata_lu::LuInbox/>
            "Catch up"
            {changing(count)}
            <Icon icon=icondata_lu::LuChevronRight/>
        </a>
        <span id="waiting" hidden>{words}</span>
    }
}

/// How much of what waits is to oneself.
fn badge(count: u64) -> impl IntoView {
    let shown = if count > 99 { "99+".to_owned() } else { count.to_string() };
    view! { <span class="badge" aria-hidden="true">{shown}</span> }
}

#[component]
fn ChannelLink(channel: Channel) -> impl IntoView {
    let name = channel.label().to_owned();
    let label = said_of(format!("#{name}"), &channel);
    let (class, mark) = (class_of(&channel), quiet(&channel));
    let (begun, draft) = (draft_id(&channel), draft(expect_context(), &channel));
    let calls = channel.to_me();
    // What is muted isn't counted.
    let unread = if channel.calls() { channel.unread } else { 0 };
    let icon = match channel.visibility {
        Visibility::Public => icondata_lu::LuHash,
        Visibility::Private => icondata_lu::LuLock,
    };
    let shown = if unread > 99 { "99+".to_owned() } else { unread.to_string() };
    view! {
        <A href=format!("/channels/{name}") attr:class=class attr:aria-label=label attr:aria-describedby=begun>
            <Icon icon/>
            <span class="truncate">{name}</span>
            {mark}
            {draft}
            {(unread > 0 && calls == 0).then(|| view! {
                <span class="ml-auto text-xs font-semibold tabular-nums text-soft" aria-hidden="true">{shown}</span>
            })}
            {(calls > 0).then(|| badge(calls))}
        </A>
    }
}

/// Oneself, with the way to one's own settings, and the way out.
#[component]
fn Me() -> impl IntoView {
    let chat = expect_context::<Chat>();
    view! {
        <div class="flex items-center gap-1 mt-2 pt-2 border-t border-line text-sm">
            {changing(move || {
                let me = chat.me.get();
                let role = match me.role {
                    Role::Admin => "Admin",
                    Role::Member => "Member",
                };
                // Without the role, which is the name of another way from here.
                let label = format!("Settings of {}", me.display_name);
                view! {
                    <A href="/settings" attr:class=ME attr:aria-label=label attr:title="Settings">
                        <Avatar user=UserRef::from(&me)/>
                        <span class="min-w-0 font-medium">
                            <span class="block truncate">{me.display_name}</span>
                            <small class="block text-xs font-normal text-faint">{role}</small>
                        </span>
                    </A>
                }
                .into_any()
            })}
            <form method="post" action="/api/fn/logout" class="ml-auto" on:submit=|_| live::leave()>
                <button type="submit" class=GHOST aria-label="Log out" title="Log out">
                    <Icon icon=icondata_lu::LuLogOut/>
                </button>
            </form>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::said_of;
    use crate::state::fixtures::channel;
    use natter::{Channel, ChannelKind};

    #[test]
    fn a_link_says_what_waits_behind_it() {
        let of = |kind, unread, mentions, muted| {
            let channel = Channel { kind, unread, mentions, muted: Some(muted), ..channel("general", true) };
            said_of("x".into(), &channel)
        };
        for (unread, mentions, muted, expected) in [
            (0, 0, false, "x"),
            (3, 0, false, "x 3 unread"),
            (3, 1, false, "x 3 unread, 1 mention"),
            (3, 2, false, "x 3 unread, 2 mentions"),
            (3, 0, true, "x, muted"),
            (3, 1, true, "x 3 unread, 1 mention, muted"),
        ] {
            assert_eq!(of(ChannelKind::Channel, unread, mentions, muted), expected);
        }
        assert_eq!(of(ChannelKind::Direct, 3, 1, false), "x 3 unread");
        assert_eq!(of(ChannelKind::Direct, 3, 0, true), "x, muted");
    }
}
