use crate::{
    api,
    components::ui::{Avatar, Dialog, Icon, changing, effect, hide},
    state::Chat,
};
use leptos::{ev, html, prelude::*, task::spawn_local, wasm_bindgen::JsCast as _};
use leptos_router::{NavigateOptions, components::A, hooks::use_navigate};
use natter::{User, UserId, UserRef};
use std::time::Duration;

pub const NEW_DIRECT: &str = "new-direct";

/// How long one has to stop typing before it is searched.
const PAUSE: Duration = Duration::from_millis(150);

/// Finds somebody to write to, whether or not one shares a channel with them.
#[component]
pub fn FindPerson(node_ref: NodeRef<html::Dialog>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let query = RwSignal::new(String::new());
    let found = RwSignal::new(None::<Result<Vec<User>, String>>);
    // Enter was pressed: whoever is found first is meant.
    let entered = StoredValue::new(false);
    let navigate = StoredValue::new(use_navigate());
    let look = move || {
        let asked = query.get_untracked();
        spawn_local(async move {
            let users = api::people(asked.trim().trim_start_matches('@').to_owned(), String::new()).await;
            // What was typed since has its own answer.
            if query.try_get_untracked().is_some_and(|now| now == asked) {
                let meant = users.as_ref().ok().and_then(|users| best(users, &asked)).filter(|_| entered.get_value());
                if let Some(address) = meant {
                    hide(node_ref);
                    query.set(String::new());
                    navigate.with_value(|navigate| navigate(&address, NavigateOptions::default()));
                }
                entered.set_value(false);
                found.set(Some(users.map_err(|failure| failure.to_string())));
            }
        });
    };
    effect(move || {
        // Asked for again each time that it is opened: the field has the focus then.
        if node_ref.get().is_some_and(|dialog| dialog.open()) {
            look();
        }
    });
    let typed = move |words: String| {
        entered.set_value(false);
        query.set(words.clone());
        set_timeout(
            move || {
                if query.try_get_untracked() == Some(words) {
                    look();
                }
            },
            PAUSE,
        );
    };
    let pressed = move |event: ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        match event.key().as_str() {
            "Enter" if from_field(&event) => {
                entered.set_value(!query.read_untracked().trim().is_empty());
                look();
            }
            "ArrowDown" => _ = step(&event, false),
            "ArrowUp" => _ = step(&event, true),
            _ => return,
        }
        event.prevent_default();
    };
    let me = move || chat.me.read().id;
    let list = move || match &*found.read() {
        None => ().into_any(),
        Some(Err(why)) => view! { <p role="alert" class="py-3 text-alert">{why.clone()}</p> }.into_any(),
        Some(Ok(users)) if users.is_empty() => {
            view! { <p class="py-3 text-soft">"Nobody is called that."</p> }.into_any()
        }
        Some(Ok(users)) => {
            let all = users.iter().map(|user| person(user, me(), node_ref)).collect_view();
            view! { <ul aria-label="People">{all}</ul> }.into_any()
        }
    };
    view! {
        <Dialog id=NEW_DIRECT title="New direct message" node_ref=node_ref>
            <div on:keydown=pressed>
                <label class="relative block mb-2">
                    <span class="sr-only">"Search people"</span>
                    <span class="absolute left-3 inset-y-0 grid items-center text-faint"><Icon icon=icondata_lu::LuSearch/></span>
                    <input type="search" placeholder="Search people" autocomplete="off" autofocus=true prop:value=move || query.get()
                        class="h-10 pointer-coarse:h-11 w-full pl-10 pr-3 rounded-lg border bg-ground placeholder:text-faint focus-ring"
                        on:focus=move |_| look() on:input=move |event| typed(event_target_value(&event))/>
                </label>
                <div class="h-[min(264px,50dvh)] -mx-2 overflow-y-auto">{changing(list)}</div>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Where whoever is called so is written to, or else whoever comes first.
fn best(users: &[User], asked: &str) -> Option<String> {
    let name = asked.trim().trim_start_matches('@');
    let exact = users.iter().find(|user| user.username.eq_ignore_ascii_case(name));
    exact.or(users.first()).map(|user| format!("/direct/{}", user.username))
}

fn target(event: &ev::KeyboardEvent) -> Option<web_sys::Element> {
    event.target()?.dyn_into().ok()
}

fn from_field(event: &ev::KeyboardEvent) -> bool {
    target(event).is_some_and(|at| at.tag_name().eq_ignore_ascii_case("input"))
}

/// From the field into the list, through it, and back.
fn step(event: &ev::KeyboardEvent, back: bool) -> Option<()> {
    let at = target(event)?;
    let here = event.current_target()?.dyn_into::<web_sys::Element>().ok()?;
    let next = match at.closest("li").ok()? {
        Some(row) if back => row.previous_element_sibling(),
        Some(row) => Some(row.next_element_sibling()?),
        None if back => return None,
        None => Some(here.query_selector("li").ok()??),
    };
    let next = match next {
        Some(row) => row.query_selector("a").ok()??,
        None => here.query_selector("input").ok()??,
    };
    next.dyn_into::<web_sys::HtmlElement>().ok()?.focus().ok()
}

fn person(user: &User, me: UserId, dialog: NodeRef<html::Dialog>) -> AnyView {
    let shown = (user.display_name != user.username).then(|| user.display_name.clone());
    let note = match (user.id == me, user.suspended) {
        (true, _) => Some("Notes to yourself".to_owned()),
        (false, true) => Some("Suspended".to_owned()),
        (false, false) => shown,
    };
    let (name, address) = (user.username.clone(), format!("/direct/{}", user.username));
    let user = UserRef::from(user);
    view! {
        <li>
            <A href=address attr:class="member" on:click=move |_| hide(dialog)>
                <Avatar user small=true/>
                <span class="truncate">{name}</span>
                <span class="ml-auto text-xs text-faint truncate">{note}</span>
            </A>
        </li>
    }
    .into_any()
}
