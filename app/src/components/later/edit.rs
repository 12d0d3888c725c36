use super::Desk;
use crate::{
    components::{
        attach::{AttachButton, Attaching, DropZone, Previews, STUCK},
        ui::{FormError, When, effect},
    },
    state::{Carrier, Uploads},
};
use leptos::{ev, html, prelude::*};
use natter::{ScheduledId, Upload, input::MessageText};

/// What a message that waits is being changed to. It is shown anew when the message changes meanwhile, so it is
/// kept beside what shows it.
#[derive(Clone, Copy)]
pub struct Change {
    id: ScheduledId,
    uploads: Uploads,
    /// None while nothing is being changed.
    pub words: RwSignal<Option<String>>,
    pub problem: RwSignal<Option<String>>,
    /// To be saved as soon as its files have arrived.
    held: RwSignal<bool>,
    /// It is on its way, with its files: they may be the message's by now.
    pub saving: StoredValue<bool>,
}

impl Change {
    pub fn new(id: ScheduledId, uploads: Uploads) -> Self {
        let (words, problem, held) = (RwSignal::new(None), RwSignal::new(None), RwSignal::new(false));
        let saving = StoredValue::new(false);
        on_cleanup(move || {
            if !saving.get_value() {
                uploads.abandon(Carrier::Scheduled(id));
            }
        });
        Self { id, uploads, words, problem, held, saving }
    }

    pub fn begin(self, text: String, files: Vec<Upload>) {
        self.uploads.begin(self.carrier(), files);
        self.problem.set(None);
        self.held.set(false);
        self.words.set(Some(text));
    }

    fn leave(self) {
        if !self.saving.get_value() {
            self.words.set(None);
            self.uploads.abandon(self.carrier());
            Desk::focus(self.id);
        }
    }

    fn save(self, desk: Desk) {
        let Some(typed) = self.words.get_untracked().filter(|_| !self.saving.get_value()) else { return };
        self.problem.set(None);
        if untrack(|| self.uploads.stuck(self.carrier())) {
            return self.problem.set(Some(STUCK.into()));
        }
        let Some(files) = untrack(|| self.uploads.ready(self.carrier())) else { return self.held.set(true) };
        match MessageText::with_files(&typed, files.len()) {
            Ok(text) => desk.edit(self.id, text.into_string(), &files, self),
            Err(error) => self.problem.set(Some(error.message)),
        }
    }

    fn carrier(self) -> Carrier {
        Carrier::Scheduled(self.id)
    }
}

/// The words and files, to be changed. Enter saves, Escape leaves them as they were.
#[component]
pub fn Edit(id: ScheduledId, change: Change, desk: Desk) -> impl IntoView {
    let Change { uploads, words, problem, held, .. } = change;
    let carrier = change.carrier();
    let area = NodeRef::<html::Textarea>::new();
    let typed = words.get_untracked().unwrap_or_default();
    effect(move || {
        if let Some(area) = area.get() {
            let _ = area.focus();
        }
    });
    effect(move || {
        let (arrived, stuck) = (uploads.ready(carrier).is_some(), uploads.stuck(carrier));
        if held.get() && (arrived || stuck) {
            held.set(false);
            change.save(desk);
        }
    });
    let attaching = Attaching { uploads, carrier, note: problem };
    let write = move |event| {
        held.set(false);
        words.update_untracked(|words| *words = Some(event_target_value(&event)));
    };
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.shift_key() && !event.is_composing() => {
            event.prevent_default();
            change.save(desk);
        }
        "Escape" => change.leave(),
        _ => {}
    };
    let (entry, back) = (format!("#scheduled-{id}"), format!("#scheduled-{id} textarea"));
    view! {
        <div class="editor">
            <DropZone attaching label="this message" within=entry/>
            <Previews carrier words=back/>
            <textarea node_ref=area class="composer-text" aria-label="Edit message" rows="1" prop:value=typed
                on:input=write on:keydown=key on:paste=move |event| attaching.pasted(&event)></textarea>
            <div class="flex items-center gap-3 pl-2 pr-3.5 pb-2">
                <AttachButton attaching disabled=false/>
                <button type="button" class="link text-[13px]" on:click=move |_| change.save(desk)>"Save"</button>
                <button type="button" class="link text-[13px]" on:click=move |_| change.leave()>"Don't save"</button>
                <When when=held><p role="status" class="text-[13px] text-soft">"Saves once its files are there."</p></When>
            </div>
        </div>
        <FormError message=problem/>
    }
    .into_any()
}
