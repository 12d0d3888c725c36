use crate::{
    api,
    components::{
        admin::{Act, Deed, Empty, Page, Told, Wrong, shown},
        ui::{Avatar, DANGER, FormError, Icon, Name, PostForm, SECONDARY, changing, effect, hide, make_modal},
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
    /// Whom it is about to be asked whether they are to be suspended.
    asking: RwSignal<Option<UserRef>>,
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
    let deeds = Deeds {
        role: told.deed("/api/fn/set_role", reload),
        standing: told.deed("/api/fn/set_suspended", move || {
            hide(dialog);
            reload();
        }),
        sessions: told.deed("/api/fn/end_sessions", reload),
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
    let asked = StoredValue::new(query.with_untracked(|query| query.get("suspend")));
    let trouble = told.trouble([deeds.role, deeds.sessions, deeds.standing]);
    view! {
        <Page title="People">
            <Search query=Signal::derive(move || { let [query, _] = wanted.get(); query })/>
            // Asking, the dialog says it.
            <Wrong message=Signal::derive(move || asking.read().is_none().then(|| trouble.get()).flatten())/>
            {shown(loaded, move |fresh| {
                if let Some(asked) = asked.try_update_value(Option::take).flatten() {
                    asking.set(fresh.iter().find(|user| user.username == asked).map(UserRef::from));
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
                    class="h-10 pointer-coarse:h-11 w-full pl-10 pr-3 rounded-lg border border-line bg-raised placeholder:text-faint focus-ring"/>
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
    let act = |deed, label, whose: &str, says: String, more: Option<(&'static str, &'static str)>| {
        let called = format!("{label}{whose} {name}");
        let fields = [("id", id.clone())].into_iter().chain(more.map(|(key, value)| (key, value.to_owned()))).collect();
        view! { <Act deed label name=called entry=entry.clone() says fields/> }
    };
    let role = match user.role {
        Role::Admin => act(
            deeds.role,
            "Make member",
            ":",
            format!("{name} is a member now."),
            Some(("role", Role::Member.as_str())),
        ),
        Role::Member => {
            act(deeds.role, "Make admin", ":", format!("{name} is an admin now."), Some(("role", Role::Admin.as_str())))
        }
    };
    let standing = if user.suspended {
        act(deeds.standing, "Reinstate", "", format!("{name} can log in again."), Some(("suspended", "false")))
            .into_any()
    } else {
        suspend(UserRef::from(user), deeds.asking, wanted)
    };
    let sessions = act(deeds.sessions, "End sessions", " of", format!("{name} is logged out everywhere."), None);
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

/// Asks before it is done: in a dialog, or without scripts on a page of its own address.
fn suspend(user: UserRef, asking: RwSignal<Option<UserRef>>, wanted: &[String; 2]) -> AnyView {
    let [query, after] = wanted.clone();
    let called = format!("Suspend {}", user.username);
    let name = user.username.clone();
    let ask = move |event: ev::SubmitEvent| {
        event.prevent_default();
        asking.set(Some(user.clone()));
    };
    view! {
        <form method="get" action="/admin/people" on:submit=ask>
            <input type="hidden" name="q" value=query/>
            <input type="hidden" name="after" value=after/>
            <input type="hidden" name="suspend" value=name/>
            <button type="submit" class=format!("{SECONDARY} px-3!") aria-label=called aria-haspopup="dialog">"Suspend"</button>
        </form>
    }
    .into_any()
}

/// Asks whether somebody is to be suspended, and why.
#[component]
fn Ask(deeds: Deeds, dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let told = expect_context::<Told>();
    let asking = deeds.asking;
    let closed = move |_| {
        asking.set(None);
        told.forget();
    };
    let open = asking.read_untracked().is_some();
    let trouble = told.trouble([deeds.standing]);
    view! {
        <dialog node_ref=dialog open=open class="dialog" aria-labelledby="suspend-title" on:close=closed>
            {changing(move || asking.get().map(|user| question(user, deeds, told, trouble, dialog)).into_any())}
        </dialog>
    }
    .into_any()
}

fn question(
    user: UserRef,
    deeds: Deeds,
    told: Told,
    trouble: Signal<Option<String>>,
    dialog: NodeRef<html::Dialog>,
) -> AnyView {
    let entry = format!("person-{}", user.id);
    let says = format!("{} is suspended.", user.username);
    view! {
        <div class="p-5">
            <h2 id="suspend-title" class="mb-2 text-base font-[650] tracking-tight">{format!("Suspend {}?", user.username)}</h2>
            <p class="mb-4 text-soft">"They are logged out everywhere and can't log in. What they wrote stays."</p>
            <PostForm post=deeds.standing.post>
                <input type="hidden" name="id" value=user.id.to_string()/>
                <input type="hidden" name="suspended" value="true"/>
                <label class="block mb-4">
                    <span class="block mb-1 text-[13px] font-semibold text-soft">"Reason"</span>
                    <input name="reason" maxlength=REASON_MAX_CHARS autocomplete="off" aria-describedby="suspend-hint"
                        class="h-10 pointer-coarse:h-11 w-full px-3 rounded-lg border border-line bg-raised focus-ring"/>
                </label>
                <p id="suspend-hint" class="-mt-3 mb-4 text-[13px] text-faint">"You can leave it empty. It stands in the audit log."</p>
                <FormError message=trouble/>
                <div class="flex justify-end gap-2">
                    <a href="/admin/people" class=SECONDARY on:click=move |event| { event.prevent_default(); hide(dialog); }>"Cancel"</a>
                    <button type="submit" class=DANGER on:click=move |_| told.begin(deeds.standing, &entry, &says)>"Suspend"</button>
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
