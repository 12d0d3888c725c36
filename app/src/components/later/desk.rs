use super::{Picking, edit::Change};
use crate::{
    api,
    components::ui::{Post, focus_first, focus_is_lost},
    state::{Carrier, Chat, Target},
};
use leptos::{prelude::*, task::spawn_local};
use natter::{Scheduled, ScheduledId, Timestamp, Upload};

/// What can be done to messages for later on their page.
#[derive(Clone, Copy)]
pub struct Desk {
    /// Behind one handle: it is passed on with every message.
    chat: StoredValue<Chat>,
    pub picking: Picking,
    pub send: Post,
    pub cancel: Post,
    /// The one that gets another time.
    moving: StoredValue<Option<ScheduledId>>,
}

impl Desk {
    pub fn new(chat: Chat) -> Self {
        let moving = StoredValue::new(None);
        let this = StoredValue::new(None::<Self>);
        let chosen = Callback::new(move |at| {
            if let Some(this) = this.get_value() {
                this.move_to(at);
            }
        });
        let taken = move |answer: String| take(chat, &answer);
        let desk = Self {
            chat: StoredValue::new(chat),
            picking: Picking::new(chosen),
            send: Post::new("/api/fn/send_scheduled", taken),
            cancel: Post::new("/api/fn/cancel_scheduled", taken),
            moving,
        };
        this.set_value(Some(desk));
        desk
    }

    /// It is due `at` now.
    pub fn reschedule(self, id: ScheduledId, at: Timestamp) {
        self.moving.set_value(Some(id));
        self.picking.open(Some(at));
    }

    fn move_to(self, at: Timestamp) {
        let Some(id) = self.moving.get_value() else { return };
        let (chat, picking) = (self.chat.get_value(), self.picking);
        picking.pending.set(true);
        picking.problem.set(None);
        spawn_local(async move {
            let moved = api::reschedule(id, at).await;
            picking.pending.try_set(false);
            match moved {
                Ok(moved) => {
                    chat.later.put(moved);
                    picking.close();
                    Self::focus(id);
                }
                Err(failure) => _ = picking.problem.try_set(Some(failure.to_string())),
            }
        });
    }

    /// Saves what one that waits is being changed to.
    pub fn edit(self, id: ScheduledId, text: String, files: &[Upload], change: Change) {
        let chat = self.chat.get_value();
        let files = files.iter().map(|file| file.id).collect();
        change.saving.set_value(true);
        spawn_local(async move {
            let saved = api::edit_scheduled(id, text, files).await;
            let carrier = Carrier::Scheduled(id);
            let is_shown = change.saving.try_set_value(false).is_none();
            match saved {
                Ok(changed) => {
                    chat.uploads.clear(carrier);
                    change.words.try_set(None);
                    chat.later.put(changed);
                    Self::focus(id);
                }
                Err(failure) if is_shown => change.problem.set(Some(failure.to_string())),
                // The reader is elsewhere by now.
                Err(failure) => {
                    chat.uploads.abandon(carrier);
                    chat.notice.set(Some(failure.to_string()));
                }
            }
        });
    }

    /// Takes the words and files of one that failed to where the next message to `to` is written, and calls
    /// `then`: the failure is done with. Until the server has let go of the files, no message can have them.
    pub fn write_again(self, one: Scheduled, to: Target, then: impl FnOnce() + 'static) {
        let (chat, carrier) = (self.chat.get_value(), Carrier::Next(to));
        if let Err(why) = chat.uploads.has_room(carrier, one.attachments.len()) {
            return chat.notice.set(Some(why));
        }
        spawn_local(async move {
            // Before it is gone there, since the answer may be lost; and once, if this is tried again.
            let draft = chat.drafts.of(to);
            if !draft.ends_with(one.text.trim()) {
                chat.drafts.set(to, format!("{draft}\n{}", one.text).trim().to_owned());
            }
            match api::cancel_scheduled(one.id, true).await {
                Ok(gone) => {
                    chat.uploads.put_back(carrier, one.attachments);
                    chat.later.put(gone);
                    then();
                }
                Err(failure) => chat.notice.set(Some(failure.to_string())),
            }
        });
    }

    /// The focus stays with a message whose parts are shown anew.
    pub fn focus(id: ScheduledId) {
        keep_focus(&format!("#scheduled-{id}"));
    }
}

/// Takes what a form has led to.
fn take(chat: Chat, answer: &str) {
    if let Ok(one) = serde_json::from_slice::<Scheduled>(answer.as_bytes()) {
        chat.later.put(one);
        keep_focus("main h1");
    }
}

fn keep_focus(selector: &str) {
    let selector = selector.to_owned();
    request_animation_frame(move || {
        if focus_is_lost() {
            focus_first(&[&selector, "main h1"]);
        }
    });
}
