use super::Picking;
use crate::{
    api,
    components::ui::{GHOST, Icon, changing, focus_on},
    state::{Chat, Target, Zone},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::components::A;
use natter::{MessageId, Ref, Timestamp, UploadId};

/// What is to be sent later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    pub text: String,
    pub attachments: Vec<UploadId>,
}

/// A composer's way to send later.
#[derive(Clone, Copy)]
pub struct SendLater {
    /// Behind one handle: the composer has one already.
    chat: StoredValue<Chat>,
    target: Target,
    pub picking: Picking,
    /// When the latest message will be sent.
    promised: RwSignal<Option<Timestamp>>,
    /// What was tried last: the same again, after an answer was lost, makes no second one.
    tried: StoredValue<Option<(Words, Timestamp, Ref)>>,
    take: Callback<(), Result<Words, String>>,
    done: Callback<()>,
}

impl SendLater {
    /// `take` says what is to be sent, when the time has been chosen, or why that isn't possible; `done` runs
    /// when it waits.
    pub fn new(chat: Chat, target: Target, take: Callback<(), Result<Words, String>>, done: Callback<()>) -> Self {
        let (promised, tried) = (RwSignal::new(None), StoredValue::new(None));
        let this = StoredValue::new(None::<Self>);
        let chosen = Callback::new(move |at| {
            if let Some(this) = this.get_value() {
                this.schedule(at);
            }
        });
        let chat = StoredValue::new(chat);
        let later = Self { chat, target, picking: Picking::new(chosen), promised, tried, take, done };
        this.set_value(Some(later));
        later
    }

    /// Something else is being written.
    pub fn forget(self) {
        if self.promised.with_untracked(Option::is_some) {
            self.promised.set(None);
        }
    }

    fn schedule(self, at: Timestamp) {
        let Self { target, picking, .. } = self;
        let chat = self.chat.get_value();
        let words = match self.take.run(()) {
            Ok(words) => words,
            Err(why) => return picking.problem.set(Some(why)),
        };
        let before = self.tried.get_value();
        let reference = match before {
            Some((same, then, reference)) if same == words && then == at => reference,
            _ => Ref::generate(),
        };
        self.tried.set_value(Some((words.clone(), at, reference)));
        let answers = chat.replying.get_untracked().filter(|(to, _)| *to == target).map(|(_, message)| message.id);
        picking.pending.set(true);
        picking.problem.set(None);
        spawn_local(async move {
            let made = send(target, words, at, reference, answers).await;
            // The page may be another one by now.
            picking.pending.try_set(false);
            match made {
                Ok(made) => {
                    if answers.is_some() {
                        chat.replying.set(None);
                    }
                    if self.promised.try_set(Some(made.send_at)).is_none() {
                        self.tried.set_value(None);
                        self.done.run(());
                        picking.close();
                        focus_on(".composer textarea".to_owned(), true);
                    }
                    chat.later.put(made);
                }
                Err(failure) => _ = picking.problem.try_set(Some(failure.to_string())),
            }
        });
    }
}

async fn send(
    target: Target,
    words: Words,
    at: Timestamp,
    reference: Ref,
    answers: Option<MessageId>,
) -> Result<natter::Scheduled, api::Failure> {
    let Words { text, attachments } = words;
    match target {
        Target::Channel(id) => api::schedule(id, text, at, Some(reference), answers, attachments).await,
        Target::Person(id) => api::schedule_direct(id, text, at, Some(reference), answers, attachments).await,
    }
}

/// The button beside Send.
#[component]
pub fn SendLaterButton(later: SendLater, #[prop(into)] disabled: Signal<bool>) -> impl IntoView {
    view! {
        <button type="button" class=GHOST aria-label="Send later" aria-haspopup="dialog" disabled=disabled
            on:click=move |_| later.picking.open(None)>
            <Icon icon=icondata_lu::LuCalendarClock/>
        </button>
    }
}

/// Says when the latest message will be sent.
#[component]
pub fn Promised(later: SendLater) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let words = move || match later.promised.get() {
        Some(at) => {
            let when = zone.moment_within(at);
            view! {
                <span>{format!("Will be sent {when}")}</span> " · " <A href="/scheduled" attr:class="link">"See all"</A>
            }
            .into_any()
        }
        None => ().into_any(),
    };
    view! { <p role="status" class="later-promised">{changing(words)}</p> }.into_any()
}
