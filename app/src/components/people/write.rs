use super::card::Person;
use crate::{
    components::ui::{Icon, PRIMARY, changing, effect, hide},
    state::{Chat, Link, Target},
};
use leptos::{ev, html, prelude::*};
use leptos_router::{components::A, hooks::use_location};
use natter::{Ref, input::MessageText};

/// What became of what was written.
#[derive(Clone, Debug, PartialEq)]
enum Sent {
    Not,
    /// Until it is known to whom it goes; the field is free.
    Held(String),
    /// For the answer, with what was written: it is on its way, and the field is free.
    Waiting(Ref, String),
    Done,
    Failed(String),
}

/// What was said and couldn't be sent, with what was typed since.
fn joined(words: &str, since: &str) -> String {
    format!("{words} {since}").trim_end().to_owned()
}

/// A private message, from somebody's card.
#[component]
pub fn Write(asked: String, name: Signal<String>, person: Person, dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let text = RwSignal::new(chat.aside(&asked));
    let sent = RwSignal::new(Sent::Not);
    let input = NodeRef::<html::Input>::new();
    effect(move || {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    let write = move |words: String| {
        let aside = sent.with_untracked(|sent| match sent {
            Sent::Held(held) => joined(held, &words),
            _ => words.clone(),
        });
        chat.set_aside(&asked, aside);
        text.set(words);
    };
    let (typed, carried, taken) = (write.clone(), write.clone(), write.clone());
    effect(move || {
        let to = person.with(|person| Some(Target::Person(person.as_ref()?.as_ref().ok()?.id)));
        match (sent.get(), to) {
            (Sent::Held(words), Some(to)) => {
                let parsed = MessageText::parse(&words).map_err(|error| error.message);
                let reference = parsed.and_then(|message| {
                    chat.send(to, message.as_str()).ok_or_else(|| "Too much is waiting to be sent.".into())
                });
                let since = text.get_untracked();
                match reference {
                    Ok(reference) => {
                        sent.set(Sent::Waiting(reference, words));
                        write(since);
                    }
                    Err(why) => {
                        sent.set(Sent::Failed(why));
                        write(joined(&words, &since));
                    }
                }
            }
            (Sent::Waiting(reference, words), Some(to)) => {
                let Some(answer) = chat.answer(reference) else { return };
                chat.forget_answer(reference);
                sent.set(match answer {
                    Ok(()) => Sent::Done,
                    Err(why) => {
                        // It stays here, and nowhere else, to be tried again.
                        chat.discard(to, reference);
                        write(joined(&words, &text.get_untracked()));
                        Sent::Failed(why)
                    }
                });
                if let Some(input) = input.get_untracked() {
                    let _ = input.focus();
                }
            }
            _ => {}
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let words = text.get_untracked();
        if !matches!(sent.get_untracked(), Sent::Held(_) | Sent::Waiting(..)) && !words.trim().is_empty() {
            // What is typed from here on is the next message.
            sent.set(Sent::Held(words));
            taken(String::new());
        }
    };
    let label = Signal::derive(move || format!("Private message {}", name.read()));
    let address = move || format!("/direct/{}", name.read());
    // Where one goes on writing is there, unless that is open already, with words of its own.
    let path = use_location().pathname;
    let go_on = move |_| {
        let words = text.get_untracked();
        let to = person.with_untracked(|person| Some(Target::Person(person.as_ref()?.as_ref().ok()?.id)));
        let elsewhere = *path.read_untracked() != format!("/direct/{}", name.read_untracked());
        if let Some(to) = to.filter(|_| elsewhere && !words.trim().is_empty()) {
            let before = chat.drafts.of(to);
            chat.drafts.set(to, format!("{before} {words}").trim_start().to_owned());
            carried(String::new());
        }
        hide(dialog);
    };
    view! {
        <form on:submit=submit class="flex gap-2">
            <input node_ref=input type="text" aria-label=label placeholder=label autocomplete="off" enterkeyhint="send"
                class="h-10 pointer-coarse:h-11 min-w-0 flex-1 px-3 rounded-lg border bg-ground placeholder:text-faint focus-ring"
                prop:value=move || text.get() on:input=move |event| typed(event_target_value(&event))/>
            <button type="submit" class=format!("{PRIMARY} px-3! h-10!") aria-label="Send private message" disabled=move || text.read().trim().is_empty()>
                <Icon icon=icondata_lu::LuSendHorizontal/>
            </button>
        </form>
        <p class="flex gap-3 mt-2 text-[13px]">
            <span role="status" class="min-w-0">{changing(move || status(&sent.read(), chat.link.get()))}</span>
            <A href=address attr:class="link ml-auto whitespace-nowrap" on:click=go_on>"Open conversation"</A>
        </p>
    }
    .into_any()
}

fn status(sent: &Sent, link: Link) -> AnyView {
    match sent {
        Sent::Held(_) | Sent::Waiting(..) if link == Link::Down => {
            view! { <span class="text-faint">"Will be sent once you are connected."</span> }.into_any()
        }
        Sent::Not => view! { <span class="text-faint">"Enter sends."</span> }.into_any(),
        Sent::Held(_) | Sent::Waiting(..) => view! { <span class="text-faint">"Sending…"</span> }.into_any(),
        Sent::Done => view! { <span class="text-accent font-medium">"Sent."</span> }.into_any(),
        Sent::Failed(why) => view! { <span class="text-alert">"Couldn't send. " {why.clone()}</span> }.into_any(),
    }
}
