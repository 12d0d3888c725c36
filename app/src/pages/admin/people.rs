use crate::{
    api,
    components::{
        admin::{Act, Deed, Empty, Page, Told, Wrong, shown},
        ui::{Avatar, DANGER, FormError, Icon, Name, PRIMARY, PostForm, SECONDARY, changing, effect, hide, make_modal},
    },
};
use leptos::{ev, html, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use natter::{
    Role, User, UserRef,
    input::{PAGE_LIMIT, REASON_MAX_CHARS},
};

/// Where people are listed whose names contain that, past a name.
fn address(query: &str, after: &str) -> String {
    let parts = [("q", query), ("after", after)].into_iter().filter(|(_, value)| !value.is_empty());
    let parts: ParamsMap = parts.collect();
    format!("/admin/people{}", parts.to_query_string())
}

/// What can be done to people.
#[derive(Clone, Copy)]
struct Deeds {
    role: Deed,
    standing: Deed,
    sessions: Deed,
    /// What is asked, and about whom.
    asking: RwSignal<Option<(Question, UserRef)>>,
}

/// What isn't done at a click: what it does to somebody isn't undone by another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Suspend,
    Promote,
    EndSessions,
}

impl Question {
    const ALL: [Self; 3] = [Self::Suspend, Self::Promote, Self::EndSessions];

    /// What it is called in an address.
    const fn key(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Promote => "promote",
            Self::EndSessions => "end-sessions",
        }
    }

    const fn button(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend",
            Self::Promote => "Make admin",
            Self::EndSessions => "End sessions",
        }
    }

    /// That of one among many.
    fn button_of(self, name: &str) -> String {
        let between = match self {
            Self::Suspend => "",
            Self::Promote => ":",
            Self::EndSessions => " of",
        };
        format!("{}{between} {name}", self.button())
    }
}

/// Everyone who has an account.
#[component]
pub fn People() -> impl IntoView {
    let told = expect_context::<Told>();
    let query = use_query_map();
    let wanted = Memo::new(move |_| ["q", "after"].map(|key| query.read().get(key).unwrap_or_default()));
    let loaded = Resource::new_blocking(move || wanted.get(), |[query, after]| api::people(query, after));
    let users = RwSignal::new(Vec::new());
    let dialog = NodeRef::<html::Dialog>::new();
    let reload = move || {
        if let Some([query, after]) = wanted.try_get_untracked() {
            told.reload(users, api::people(query, after));
        }
    };
    let done = move || {
        hide(dialog);
        reload();
    };
    let deeds = Deeds {
        role: told.deed("/api/fn/set_role", done),
        standing: told.deed("/api/fn/set_suspended", done),
        sessions: told.deed("/api/fn/end_sessions", done),
        asking: RwSignal::new(None),
    };
    let asking = deeds.asking;
    effect(move || {
        if asking.read().is_some()
            && let Some(dialog) = dialog.get()
        {
            make_modal(&dialog);
        }
    });
    // Without scripts the address says whom to ask about.
    let asked =
        query.with_untracked(|query| Question::ALL.into_iter().find_map(|what| Some((what, query.get(what.key())?))));
    let asked = StoredValue::new(asked);
    let trouble = told.trouble([deeds.role, deeds.sessions, deeds.standing]);
    view! {
        <Page title="People">
            <Search query=Signal::derive(move || { let [query, _] = wanted.get(); query })/>
            // Asking, the dialog says it.
            <Wrong message=Signal::derive(move || asking.read().is_none().then(|| trouble.get()).flatten())/>
            {shown(loaded, move |fresh| {
                if let Some((what, name)) = asked.try_update_value(Option::take).flatten() {
                    let user = fresh.iter().find(|user| user.username == name);
                    asking.set(user.map(|user| (what, UserRef::from(user))));
                }
                users.set(fresh);
                view! {
                    <ul>{changing(move || people(&users.read(), deeds, &wanted.get()))}</ul>
                    {changing(move || end_of(&users.read(), &wanted.get()))}
                    <Ask deeds dialog/>
                }
                .into_any()
            })}
        </Page>
    }
}

#[component]
fn Search(query: Signal<String>) -> impl IntoView {
    let navigate = use_navigate();
    let input = NodeRef::<html::Input>::new();
    let search = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let query = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        navigate(&address(query.trim(), ""), NavigateOptions::default());
    };
    view! {
        <form method="get" action="/admin/people" role="search" on:submit=search>
            <label class="relative block mb-3">
                <span class="sr-only">"Search people"</span>
                <span class="absolute left-3 inset-y-0 grid items-center text-faint"><Icon icon=icondata_lu::LuSearch/></span>
                <input node_ref=input type="search" name="q" placeholder="Search people" autocomplete="off"
                    value=query.get_untracked() prop:value=move || query.get()
                    class="h-10 pointer-coarse:h-11 w-full pl-10 pr-3 rounded-lg border bg-raised placeholder:text-faint focus-ring"/>
            </label>
        </form>
    }
    .into_any()
}

fn people(users: &[User], deeds: Deeds, wanted: &[String; 2]) -> AnyView {
    users.iter().map(|user| person(user, deeds, wanted)).collect_view().into_any()
}

fn person(user: &User, deeds: Deeds, wanted: &[String; 2]) -> AnyView {
    let (id, name) = (user.id.to_string(), user.username.clone());
    let entry = format!("person-{id}");
    let act = |deed, label, whose: &str, says: String, (key, value): (&'static str, &str)| {
        let called = format!("{label}{whose} {name}");
        let fields = vec![("id", id.clone()), (key, value.to_owned())];
        view! { <Act deed label name=called entry=entry.clone() says fields/> }.into_any()
    };
    let role = match user.role {
        Role::Admin => {
            act(deeds.role, "Make member", ":", format!("{name} is a member now."), ("role", Role::Member.as_str()))
        }
        Role::Member => ask(Question::Promote, UserRef::from(user), deeds, wanted),
    };
    let standing = if user.suspended {
        act(deeds.standing, "Reinstate", "", format!("{name} can log in again."), ("suspended", "false"))
    } else {
        ask(Question::Suspend, UserRef::from(user), deeds, wanted)
    };
    let sessions = ask(Question::EndSessions, UserRef::from(user), deeds, wanted);
    let shown = (user.display_name != user.username).then(|| user.display_name.clone());
    let admin = (user.role == Role::Admin).then(|| view! { <span class="chip">"Admin"</span> });
    let suspended = user.suspended.then(|| view! { <span class="chip chip-alert">"Suspended"</span> });
    view! {
        <li id=entry.clone() tabindex="-1" class="entry flex-wrap">
            <Avatar user=UserRef::from(user)/>
            <div class="min-w-0 flex-1 basis-40">
                <p class="flex flex-wrap items-center gap-x-2">
                    <span id=format!("{entry}-name") class="min-w-0 font-[620]"><Name username=name/></span>
                    {admin} {suspended}
                </p>
                <p class="text-[13px] text-faint truncate empty:hidden">{shown}</p>
            </div>
            <div class="acts">{role} {standing} {sessions}</div>
        </li>
    }
    .into_any()
}

/// A button that asks before it is done: in a dialog, or without scripts on a page of its own address.
fn ask(what: Question, user: UserRef, deeds: Deeds, wanted: &[String; 2]) -> AnyView {
    let told = expect_context::<Told>();
    let [query, after] = wanted.clone();
    let (called, name) = (what.button_of(&user.username), user.username.clone());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // What went wrong before isn't about this.
        told.forget();
        deeds.asking.set(Some((what, user.clone())));
    };
    view! {
        <form method="get" action="/admin/people" on:submit=submit>
            <input type="hidden" name="q" value=query/>
            <input type="hidden" name="after" value=after/>
            <input type="hidden" name=what.key() value=name/>
            <button type="submit" class=format!("{SECONDARY} px-3!") aria-label=called aria-haspopup="dialog">{what.button()}</button>
        </form>
    }
    .into_any()
}

/// Asks whether something is to be done to somebody, and where it matters why.
#[component]
fn Ask(deeds: Deeds, dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let told = expect_context::<Told>();
    let asking = deeds.asking;
    let closed = move |_| {
        asking.set(None);
        told.forget();
    };
    let open = asking.read_untracked().is_some();
    let trouble = told.trouble([deeds.role, deeds.sessions, deeds.standing]);
    view! {
        <dialog node_ref=dialog open=open class="dialog" aria-labelledby="ask-title" on:close=closed>
            {changing(move || asking.get().map(|(what, user)| question(what, user, deeds, told, trouble, dialog)).into_any())}
        </dialog>
    }
    .into_any()
}

fn question(
    what: Question,
    user: UserRef,
    deeds: Deeds,
    told: Told,
    trouble: Signal<Option<String>>,
    dialog: NodeRef<html::Dialog>,
) -> AnyView {
    let entry = format!("person-{}", user.id);
    let name = user.username;
    let (deed, title, lost, says, class) = match what {
        Question::Suspend => (
            deeds.standing,
            format!("Suspend {name}?"),
            "They are logged out everywhere and can't log in. What they wrote stays.",
            format!("{name} is suspended."),
            DANGER,
        ),
        Question::Promote => (
            deeds.role,
            format!("Make {name} an admin?"),
            "Admins can do everything here: to channels, to people, and to other admins.",
            format!("{name} is an admin now."),
            PRIMARY,
        ),
        Question::EndSessions => (
            deeds.sessions,
            format!("End all sessions of {name}?"),
            "They are logged out everywhere, and can log in again.",
            format!("{name} is logged out everywhere."),
            DANGER,
        ),
    };
    let field = match what {
        Question::Suspend => Some(("suspended", "true")),
        Question::Promote => Some(("role", Role::Admin.as_str())),
        Question::EndSessions => None,
    };
    let field = field.map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let reason = (what == Question::Suspend).then(|| {
        view! {
            <label class="block mb-4">
                <span class="block mb-1 text-[13px] font-semibold text-soft">"Reason"</span>
                <input name="reason" maxlength=REASON_MAX_CHARS autocomplete="off" aria-describedby="suspend-hint"
                    class="h-10 pointer-coarse:h-11 w-full px-3 rounded-lg border bg-raised focus-ring"/>
            </label>
            <p id="suspend-hint" class="-mt-3 mb-4 text-[13px] text-faint">"You can leave it empty. It stands in the audit log."</p>
        }
    });
    view! {
        <div class="p-5">
            <h2 id="ask-title" class="mb-2 text-base font-[650] tracking-tight">{title}</h2>
            <p class="mb-4 text-soft">{lost}</p>
            <PostForm post=deed.post>
                <input type="hidden" name="id" value=user.id.to_string()/>
                {field} {reason}
                <FormError message=trouble/>
                <div class="flex justify-end gap-2">
                    <a href="/admin/people" class=SECONDARY on:click=move |event| { event.prevent_default(); hide(dialog); }>"Cancel"</a>
                    <button type="submit" class=class on:click=move |_| told.begin(deed, &entry, &says)>{what.button()}</button>
                </div>
            </PostForm>
        </div>
    }
    .into_any()
}

/// What comes after the list: more, or that there is nobody.
fn end_of(users: &[User], [query, after]: &[String; 2]) -> AnyView {
    if users.is_empty() {
        return view! { <Empty words="Nobody is called that."/> }.into_any();
    }
    let full = u32::try_from(users.len()).is_ok_and(|count| count >= *PAGE_LIMIT.end());
    let more = users.last().filter(|_| full).map(|last| {
        view! { <a href=address(query, &last.username) class=SECONDARY>"More"</a> }
    });
    let first =
        (!after.is_empty()).then(|| view! { <a href=address(query, "") class=SECONDARY>"Back to the first"</a> });
    view! { <div class="flex justify-center gap-2 mt-4">{first} {more}</div> }.into_any()
}
