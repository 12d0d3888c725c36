//! What a click in a log means. One listener looks at what the click fell on: a log has hundreds of
//! buttons, and the browser would have to be told of each.

use crate::{
    components::{media::Shown, ui::focus_on},
    state::{Chat, Target},
};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast as _};
use natter::{Message, MessageId, UploadId, media::Kind};
use web_sys::Element;

/// What does something of its own when it is tapped.
const CONTROLS: &str = "a, button, textarea, audio, video, dialog";

/// What can be done to messages of one log, and what is open on them.
#[derive(Clone, Copy)]
pub struct Acts {
    pub chat: Chat,
    pub target: Target,
    /// The message that shows its actions.
    pub active: RwSignal<Option<MessageId>>,
    /// The message that a reaction is being picked for.
    pub picking: RwSignal<Option<MessageId>>,
    /// The message of somebody else that an admin is about to delete.
    pub moderating: RwSignal<Option<Message>>,
    /// Pictures that are looked at.
    pub looking: RwSignal<Option<Shown>>,
    /// A message to go to.
    pub jump: RwSignal<Option<MessageId>>,
}

impl Acts {
    pub fn new(chat: Chat, target: Target) -> Self {
        let (active, picking) = (RwSignal::new(None), RwSignal::new(None));
        Self {
            chat,
            target,
            active,
            picking,
            moderating: RwSignal::new(None),
            jump: RwSignal::new(None),
            looking: RwSignal::new(None),
        }
    }

    /// Takes a click anywhere in the log.
    pub fn clicked(self, event: &ev::MouseEvent, by_touch: bool) {
        let Some(from) = element(event) else { return };
        let Some(button) = nearest(&from, "[data-act]") else {
            if by_touch {
                self.touched(event);
            }
            return;
        };
        let Some(message) = self.message(&button) else { return };
        let act = button.get_attribute("data-act").unwrap_or_default();
        if act == "picture" {
            // With a key held, the browser opens it where that key says.
            if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                self.look_at(message, button.get_attribute("data-upload"));
            }
            return;
        }
        self.perform(&act, message, button.get_attribute("data-emoji"));
        // A finger that has done something is on nothing any more.
        if by_touch && act != "pick" {
            self.active.set(None);
        }
    }

    /// A finger was on a message, for a moment or longer, and not on anything that does something itself. Only then are
    /// its actions shown: had they come as soon as the finger did, it would have lifted from one of them.
    pub fn touched(self, event: &ev::Event) {
        if element(event).is_some_and(|from| nearest(&from, CONTROLS).is_none()) {
            self.moved(event);
        }
    }

    /// A finger is put down somewhere on the page: elsewhere than on a message, that puts the actions away.
    pub fn pressed(self, event: &ev::Event) {
        if element(event).is_none_or(|at| nearest(&at, ".log .message").is_none()) {
            self.picking.set(None);
            self.active.set(None);
        }
    }

    fn perform(self, act: &str, message: Message, emoji: Option<String>) {
        let chat = self.chat;
        match (act, emoji) {
            ("react", Some(emoji)) => {
                let picked = self.picking.get_untracked().is_some();
                self.picking.set(None);
                chat.react(&message, &emoji);
                focus_on(format!("#m-{}", message.id), picked);
            }
            ("pick", _) => {
                self.picking.set(Some(message.id));
                focus_within(message.id, ".emoji");
            }
            ("reply", _) => chat.replying.set(Some((self.target, message))),
            ("edit", _) => chat.editing.begin(&message),
            ("delete", _) if message.sender.id == chat.me.with_untracked(|me| me.id) => self.delete(message.id, None),
            ("delete", _) => self.moderating.set(Some(message)),
            ("undo", _) => {
                chat.undelete(message.id);
                focus(message.id);
            }
            ("unread", _) => {
                // The row may be made anew; the message itself keeps the focus through that.
                let by_keyboard = in_toolbar();
                chat.mark_unread(&message);
                focus_on(format!("#m-{}", message.id), by_keyboard);
            }
            ("jump", _) => self.jump.set(message.reply_to),
            _ => {}
        }
    }

    fn look_at(self, message: Message, upload: Option<String>) {
        let upload = upload.and_then(|id| id.parse::<UploadId>().ok());
        let pictures: Vec<_> = message.attachments.into_iter().filter(|file| file.kind() == Kind::Picture).collect();
        if let Some(at) = pictures.iter().position(|file| Some(file.id) == upload) {
            self.looking.set(Some(Shown { pictures, at }));
        }
    }

    /// Deletes a message in a moment; the way back has the focus.
    pub fn delete(self, id: MessageId, reason: Option<String>) {
        self.chat.delete(id, reason);
        focus_within(id, "[data-act=undo]");
    }

    /// Whoever has come to the actions by keyboard stays there, wherever the pointer goes.
    pub fn pointed(self, event: &ev::PointerEvent) {
        if !is_touch(event) && !in_toolbar() {
            self.moved(event);
        }
    }

    /// Leaves the emoji for the actions; false if nothing was being picked.
    pub fn unpick(self) -> bool {
        let Some(id) = self.picking.get_untracked() else { return false };
        self.picking.set(None);
        focus_within(id, "[data-act=pick]");
        true
    }

    /// The pointer, or the focus, is somewhere in the log: the message there shows its actions.
    pub fn moved(self, event: &ev::Event) {
        let Some(row) = element(event).and_then(|from| nearest(&from, ".message")) else { return };
        let id = row.get_attribute("data-id").and_then(|id| id.parse().ok());
        if id != self.active.get_untracked() {
            self.active.set(id);
            self.picking.set(None);
        }
    }

    /// The pointer left the log. A finger leaves it whenever it is lifted, and before the click that it makes.
    pub fn left(self, event: &ev::PointerEvent) {
        if !is_touch(event) && self.picking.get_untracked().is_none() && !in_toolbar() {
            self.active.set(None);
        }
    }

    fn message(self, within: &Element) -> Option<Message> {
        let id = nearest(within, ".message")?.get_attribute("data-id")?.parse().ok()?;
        untrack(|| self.chat.message(self.target, id))
    }
}

/// It hovers over nothing: what isn't pressed isn't pointed at. A pen may, but not all do.
pub fn is_touch(event: &ev::PointerEvent) -> bool {
    event.pointer_type() != "mouse"
}

/// Left and right go from one action to the next; false if that isn't what a key meant.
pub fn steer(event: &ev::KeyboardEvent) -> bool {
    let back = match event.key().as_str() {
        "ArrowLeft" => true,
        "ArrowRight" => false,
        _ => return false,
    };
    let Some(from) = element(event).and_then(|from| nearest(&from, "[role=toolbar] > button")) else {
        return false;
    };
    let next = if back { from.previous_element_sibling() } else { from.next_element_sibling() };
    let around = || {
        let bar = from.parent_element()?;
        if back { bar.last_element_child() } else { bar.first_element_child() }
    };
    if let Some(next) = next.or_else(around).and_then(|next| next.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = from.set_attribute("tabindex", "-1");
        let _ = next.set_attribute("tabindex", "0");
        let _ = next.focus();
    }
    true
}

/// Puts the focus on a message where what had it is gone: the next key would begin at the top of the page.
pub fn focus(id: MessageId) {
    focus_on(format!("#m-{id}"), false);
}

/// Puts the focus on what has just come into a message.
fn focus_within(id: MessageId, selector: &str) {
    focus_on(format!("#m-{id} {selector}"), true);
}

fn in_toolbar() -> bool {
    document().query_selector(".toolbar :focus-visible").is_ok_and(|found| found.is_some())
}

fn element(event: &ev::Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

fn nearest(from: &Element, selector: &str) -> Option<Element> {
    from.closest(selector).ok().flatten()
}
