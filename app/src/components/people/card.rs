use crate::{
    api,
    components::ui::{Avatar, GHOST, Icon, PRIMARY, changing, effect, hide},
    state::{Card, Chat, Target},
};
use leptos::{ev, html, prelude::*, task::spawn_local, wasm_bindgen::JsCast as _};
use leptos_router::components::A;
use natter::{Ref, Role, User, UserRef, input::MessageText};

/// The room that a card takes beside the name that opened it, in pixels.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 230.0;
const EDGE: f64 = 8.0;

/// Opens the card of the person that an element names.
pub fn open_card(chat: Chat, name: &web_sys::Element) {
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

/// A small card about somebody, with a way to write to them. There is one on the page, for whoever
/// was clicked last.
#[component]
pub fn PersonCard() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let dialog = NodeRef::<html::Dialog>::new();
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
    let outside = move |event: ev::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.tag_name().eq_ignore_ascii_case("dialog")) {
            hide(dialog);
        }
    };
    let name = move || chat.card.with(|card| card.as_ref().map(|card| card.username.clone()));
    view! {
        <dialog node_ref=dialog class="card" aria-label=move || name().unwrap_or_default() on:click=outside
            on:close=move |_| chat.card.set(None)>
            {changing(move || name().map(|username| view! { <Contents username dialog/> }).into_any())}
        </dialog>
    }
    .into_any()
}

#[component]
fn Contents(username: String, dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let person = RwSignal::new(None::<Result<User, String>>);
    let asked = username.clone();
    spawn_local(async move {
        let found = api::person(asked).await.map_err(|failure| failure.to_string());
        person.try_set(Some(found));
    });
    let heading = username.clone();
    let about = move || match person.get() {
        None => view! { <p class="text-[13px] text-faint">"…"</p> }.into_any(),
        Some(Err(why)) => view! { <p role="alert" class="text-[13px] text-alert">{why}</p> }.into_any(),
        Some(Ok(user)) => about(chat, &user),
    };
    let avatar =
        move || person.get().and_then(Result::ok).map(|user| view! { <Avatar user=UserRef::from(&user)/> }).into_any();
    view! {
        <div class="p-4">
            <div class="flex items-center gap-3 mb-3">
                {changing(avatar)}
                <div class="min-w-0">
                    <h2 class="text-[15px] font-[650] tracking-tight truncate">{heading}</h2>
                    {changing(about)}
                </div>
                <button type="button" class=format!("{GHOST} ml-auto -mr-1 self-start") aria-label="Close" on:click=move |_| hide(dialog)>
                    <Icon icon=icondata_lu::LuX/>
                </button>
            </div>
            <Write username person dialog/>
        </div>
    }
}

/// What there is to know of somebody at a glance.
fn about(chat: Chat, user: &User) -> AnyView {
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
            <span class="truncate">{shown} {standing} " · " {Signal::derive(move || presence().to_owned())}</span>
        </p>
    }
    .into_any()
}

/// What became of what was written.
#[derive(Clone, Debug, PartialEq)]
enum Sent {
    Not,
    Waiting(Ref),
    Done,
    Failed(String),
}

#[component]
fn Write(
    username: String,
    person: RwSignal<Option<Result<User, String>>>,
    dialog: NodeRef<html::Dialog>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let text = RwSignal::new(String::new());
    let sent = RwSignal::new(Sent::Not);
    let input = NodeRef::<html::Input>::new();
    effect(move || {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    effect(move || {
        let Some((reference, answer)) = chat.answered.get() else { return };
        if sent.get_untracked() == Sent::Waiting(reference) {
            sent.set(match answer {
                Ok(()) => Sent::Done,
                Err(why) => {
                    // It stays here, and nowhere else, to be tried again.
                    if let Some(Ok(user)) = person.get_untracked() {
                        chat.discard(Target::Person(user.id), reference);
                    }
                    Sent::Failed(why)
                }
            });
            if sent.get_untracked() == Sent::Done {
                text.set(String::new());
            }
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Some(Ok(user)) = person.get_untracked() else { return };
        if matches!(sent.get_untracked(), Sent::Waiting(_)) {
            return;
        }
        match MessageText::parse(&text.get_untracked()) {
            Err(error) => sent.set(Sent::Failed(error.message)),
            Ok(message) => sent.set(match chat.send(Target::Person(user.id), message.as_str()) {
                Some(reference) => Sent::Waiting(reference),
                None => Sent::Failed("Too much is waiting to be sent.".into()),
            }),
        }
    };
    let label = format!("Private message {username}");
    let address = format!("/direct/{username}");
    let status = move || match sent.get() {
        Sent::Not => view! { <span class="text-faint">"Enter sends."</span> }.into_any(),
        Sent::Waiting(_) => view! { <span class="text-faint">"Sending…"</span> }.into_any(),
        Sent::Done => view! { <span class="text-accent font-medium">"Sent."</span> }.into_any(),
        Sent::Failed(why) => view! { <span class="text-alert">"Couldn't send. " {why}</span> }.into_any(),
    };
    view! {
        <form on:submit=submit class="flex gap-2">
            <input node_ref=input type="text" aria-label=label.clone() placeholder=label autocomplete="off" enterkeyhint="send"
                class="h-10 pointer-coarse:h-11 min-w-0 flex-1 px-3 rounded-lg border border-line bg-ground placeholder:text-faint focus-ring"
                prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event))/>
            <button type="submit" class=format!("{PRIMARY} px-3! h-10!") aria-label="Send private message" disabled=move || text.read().trim().is_empty()>
                <Icon icon=icondata_lu::LuSendHorizontal/>
            </button>
        </form>
        <p class="flex gap-3 mt-2 text-[13px]">
            <span role="status" class="min-w-0">{changing(status)}</span>
            <A href=address attr:class="link ml-auto whitespace-nowrap" on:click=move |_| hide(dialog)>"Open conversation"</A>
        </p>
    }
}
