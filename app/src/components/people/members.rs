use crate::{
    components::{
        channels::{AskToLeave, Leaving, leave},
        ui::{Avatar, FormError, GHOST, Icon, changing, effect, focus_on},
    },
    state::Chat,
};
use leptos::{ev, prelude::*};
use natter::{Channel, Role, User, UserRef};

const MEMBERS: &str = "members";
const MEMBERS_BUTTON: &str = "members-button";

fn fits(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|query| query.matches())
}

/// On a phone the list lies over the messages.
fn covers() -> bool {
    fits("(max-width: 767px)")
}

/// Shows and hides the list.
#[component]
pub fn MembersButton(shown: RwSignal<Option<bool>>) -> impl IntoView {
    // Whether it can be seen depends on the room there is.
    let wide = RwSignal::new(false);
    effect(move || wide.set(fits("(min-width: 1180px)")));
    let toggle = move |_| {
        wide.set(fits("(min-width: 1180px)"));
        shown.update(|shown| *shown = Some(!shown.unwrap_or(wide.get_untracked())));
        if covers() {
            focus_on(format!("#{MEMBERS} button"), true);
        }
    };
    let expanded = move || if shown.get().unwrap_or(wide.get()) { "true" } else { "false" };
    view! {
        <button id=MEMBERS_BUTTON type="button" class=GHOST aria-label="Members" title="Members" aria-controls=MEMBERS
            aria-expanded=expanded on:click=toggle>
            <Icon icon=icondata_lu::LuUsers/>
        </button>
    }
    .into_any()
}

/// Who is in a channel, those who are here first. Beside the messages where there is room, unless it
/// was closed; elsewhere only when it was opened.
#[component]
pub fn Members(channel: Memo<Option<Channel>>, shown: RwSignal<Option<bool>>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let id = Memo::new(move |_| channel.with(|channel| channel.as_ref().map(|channel| channel.id)));
    let members = RwSignal::new(None::<ArcRwSignal<Vec<User>>>);
    effect(move || members.set(id.get().map(|id| chat.people.members(id))));
    let list = move || {
        let members = members.get().map(|members| members.get()).unwrap_or_default();
        let (here, away): (Vec<_>, Vec<_>) = members.into_iter().partition(|user| chat.people.is_online(user.id));
        let groups = [group("Online", here, true), group("Offline", away, false)];
        groups.into_iter().flatten().collect_view().into_any()
    };
    let leaving = Leaving::new();
    // The button stays as it is while other things change.
    let leavable = Memo::new(move |_| {
        let of = |channel: &Channel| (channel.id, channel.visibility, channel.label().to_owned());
        channel.with(|channel| channel.as_ref().filter(|channel| channel.joined).map(of))
    });
    let way_out = move || {
        leavable.track();
        let channel = channel.get_untracked().filter(|channel| channel.joined);
        channel.map(|channel| leave(leaving, &channel, format!("Leave #{}", channel.label()))).into_any()
    };
    let close = move || {
        shown.set(Some(false));
        focus_on(format!("#{MEMBERS_BUTTON}"), true);
    };
    let pressed = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && covers() {
            close();
        }
    };
    view! {
        <aside id=MEMBERS aria-label="Members" class="members" on:keydown=pressed class:members-open=move || shown.get() == Some(true)
            class:members-closed=move || shown.get() == Some(false)>
            <div class="members-head">
                <h2 class="text-base font-[650] tracking-tight">"Members"</h2>
                <button type="button" class=format!("{GHOST} ml-auto") aria-label="Close" on:click=move |_| close()>
                    <Icon icon=icondata_lu::LuX/>
                </button>
            </div>
            {changing(list)}
            <div class="members-foot">
                <FormError message=leaving.post.rest(&[])/>
                {changing(way_out)}
            </div>
        </aside>
        // Beside the list: Escape closes this alone.
        <AskToLeave leaving/>
    }
}

fn group(title: &'static str, users: Vec<User>, here: bool) -> Option<impl IntoView> {
    let heading = format!("{title} · {}", users.len());
    let row = move |user: User| {
        let note = match (user.suspended, user.role) {
            (true, _) => Some("Suspended"),
            (false, Role::Admin) => Some("Admin"),
            (false, Role::Member) => None,
        };
        let (name, whose) = (user.username.clone(), user.username.clone());
        view! {
            <li>
                <button type="button" class="member" data-mention=whose>
                    <span class="relative inline-grid">
                        <Avatar user=UserRef::from(&user) small=true/>
                        <span class="dot dot-corner" class:dot-here=here aria-hidden="true"></span>
                    </span>
                    <span class="truncate">{name}</span>
                    {note.map(|note| view! { <span class="ml-auto text-xs text-faint">{note}</span> })}
                </button>
            </li>
        }
    };
    (!users.is_empty()).then(|| {
        view! {
            <h2 class="px-2.5 pt-3 pb-1 text-xs font-semibold text-faint">{heading}</h2>
            <ul>{users.into_iter().map(row).collect_view()}</ul>
        }
    })
}
