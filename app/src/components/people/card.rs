use super::write::Write;
use crate::{
    api,
    components::ui::{Avatar, GHOST, Icon, When, changing, effect, focus_on, hide, light},
    state::{Card, Chat},
};
use leptos::{ev, html, prelude::*, task::spawn_local, wasm_bindgen::JsCast as _};
use natter::{ErrorCode, Role, User, UserRef};

/// The room that a card takes beside the name that opened it, in pixels.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 230.0;
const EDGE: f64 = 8.0;

/// Opens the card of whoever's name was clicked, wherever on the page it stands.
pub fn clicked(chat: Chat, event: &ev::MouseEvent) {
    let from = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(name) = from.and_then(|from| from.closest("[data-mention]").ok().flatten()) else { return };
    let Some(username) = name.get_attribute("data-mention") else { return };
    let place = name.get_bounding_client_rect();
    let (wide, high) = (window().inner_width(), window().inner_height());
    let wide = wide.ok().and_then(|width| width.as_f64()).unwrap_or(0.0);
    let high = high.ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
    let left = place.left().min(wide - WIDTH - EDGE).max(EDGE);
    let below = place.bottom() + 6.0;
    let top = if below + HEIGHT > high { (place.top() - HEIGHT - 6.0).max(EDGE) } else { below };
    chat.card.set(Some(Card { username, left, top }));
}

/// Who a card is about: nothing yet, somebody, or why they can't be shown.
pub type Person = RwSignal<Option<Result<User, String>>>;

/// A small card about somebody, with a way to write to them. There is one on the page, for whoever
/// was clicked last.
#[component]
pub fn PersonCard() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let dialog = NodeRef::<html::Dialog>::new();
    let person: Person = RwSignal::new(None);
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        let place = chat.card.with(|card| card.as_ref().map(|card| (card.left, card.top)));
        match place {
            Some((left, top)) => {
                let style = web_sys::HtmlElement::style(&dialog);
                let _ = style.set_property("--left", &format!("{left}px"));
                let _ = style.set_property("--top", &format!("{top}px"));
                if !dialog.open() {
                    let _ = dialog.show_modal();
                }
            }
            None if dialog.open() => dialog.close(),
            None => {}
        }
    });
    let asked = Memo::new(move |_| chat.card.with(|card| card.as_ref().map(|card| card.username.clone())));
    effect(move || {
        person.set(None);
        if let Some(username) = asked.get() {
            spawn_local(async move {
                let found = match api::person(username.clone()).await {
                    // One can still write to them: it waits until the server is back.
                    Err(failure) if failure.is(ErrorCode::Unavailable) => {
                        chat.people.named(&username).ok_or_else(|| failure.to_string())
                    }
                    found => found.map_err(|failure| failure.to_string()),
                };
                // Another card may be open by now.
                if asked.try_get_untracked().flatten() == Some(username) {
                    person.set(Some(found));
                }
            });
        }
    });
    // As they write it themselves, whatever a mention says.
    let name = Signal::derive(move || match &*person.read() {
        Some(Ok(user)) => user.username.clone(),
        _ => asked.get().unwrap_or_default(),
    });
    let (down, click) = light(dialog);
    view! {
        <dialog node_ref=dialog class="card" aria-label=name on:pointerdown=down on:click=click
            on:close=move |_| chat.card.set(None)>
            {changing(move || asked.get().map(|asked| view! { <Contents asked name person dialog/> }).into_any())}
        </dialog>
    }
    .into_any()
}

#[component]
fn Contents(asked: String, name: Signal<String>, person: Person, dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let known = move || match &*person.read() {
        None => view! { <p class="text-[13px] text-faint">"…"</p> }.into_any(),
        Some(Err(why)) => view! { <p role="alert" class="text-[13px] text-alert">{why.clone()}</p> }.into_any(),
        Some(Ok(user)) => about(chat, user),
    };
    let avatar = move || match &*person.read() {
        Some(Ok(user)) => view! { <Avatar user=UserRef::from(user)/> }.into_any(),
        _ => ().into_any(),
    };
    effect(move || {
        // There is nobody to write to, and the field that had the focus is gone.
        if matches!(&*person.read(), Some(Err(_))) {
            focus_on(".card [aria-label=Close]".to_owned(), false);
        }
    });
    view! {
        <div class="p-4">
            <div class="flex items-center gap-3 mb-3">
                {changing(avatar)}
                <div class="min-w-0">
                    <h2 class="text-[15px] font-[650] tracking-tight truncate">{name}</h2>
                    {changing(known)}
                </div>
                <button type="button" class=format!("{GHOST} ml-auto -mr-1 self-start") aria-label="Close" on:click=move |_| hide(dialog)>
                    <Icon icon=icondata_lu::LuX/>
                </button>
            </div>
            <When when=Signal::derive(move || !matches!(&*person.read(), Some(Err(_))))>
                <Write asked=asked.clone() name person dialog/>
            </When>
        </div>
    }
}

/// What there is to know of somebody at a glance.
fn about(chat: Chat, user: &User) -> AnyView {
    let user = chat.people.now(user);
    let role = match user.role {
        Role::Admin => "Admin",
        Role::Member => "Member",
    };
    let standing = if user.suspended { "Suspended" } else { role };
    let id = user.id;
    let shown = (user.display_name != user.username).then(|| format!("{} · ", user.display_name));
    let presence = move || if chat.people.is_online(id) { "Online" } else { "Offline" };
    view! {
        <p class="flex items-center gap-1.5 text-[13px] text-faint">
            <span class="dot" class:dot-here=move || chat.people.is_online(id) aria-hidden="true"></span>
            <span class="min-w-0">{shown} {standing} " · " {Signal::derive(move || presence().to_owned())}</span>
        </p>
    }
    .into_any()
}
