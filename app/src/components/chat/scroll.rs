//! Where in the log the reader is. The scroll container is laid out from its end
//! (`flex-direction: column-reverse`), so that it starts there without a script, stays there while
//! messages come, and doesn't move when older ones are put in front. What is left to do is to hold
//! the view still while messages come and the reader is further up.

use crate::{
    components::ui::effect,
    state::{Chat, is_attentive},
};
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast as _};
use natter::{Channel, MessageId};
use std::{cell::RefCell, rc::Rc, time::Duration};

/// Closer to the end than this counts as being at it, in pixels.
const END: i32 = 48;
/// Older history is fetched when its edge is this near.
const EDGE: i32 = 600;

/// What is left to see above a message that one went to, in pixels.
const CONTEXT: f64 = 56.0;

/// How long a message stays marked that one went to.
const FOUND: Duration = Duration::from_secs(2);

/// What the reader is near to, of what is loaded.
#[derive(Clone, Copy, Default)]
pub struct Near {
    pub beginning: bool,
    pub end: bool,
}

#[derive(Clone, Copy)]
pub struct Scroll {
    pub node: NodeRef<html::Div>,
    /// Messages that came while the reader was further up.
    pub unseen: RwSignal<usize>,
    at_end: RwSignal<bool>,
    last_seq: Memo<Option<u64>>,
    /// What is newest is loaded, so that news come to the end.
    live: Memo<bool>,
    /// How many rows there are: changes with whatever makes the log grow.
    rows: Memo<usize>,
    chat: Chat,
    channel: Memo<Option<Channel>>,
}

impl Scroll {
    /// `at_end`: the newest message is shown at first, and nothing further up.
    pub fn new(
        chat: Chat,
        channel: Memo<Option<Channel>>,
        last_seq: Memo<Option<u64>>,
        live: Memo<bool>,
        rows: Memo<usize>,
        at_end: bool,
    ) -> Self {
        let (unseen, at_end) = (RwSignal::new(0), RwSignal::new(at_end));
        let scroll = Self { node: NodeRef::new(), unseen, at_end, last_seq, live, rows, chat, channel };
        scroll.hold();
        let listeners = [
            window_event_listener(ev::focus, move |_| scroll.mark_read()),
            window_event_listener(ev::visibilitychange, move |_| scroll.mark_read()),
        ];
        effect(move || {
            // A connection that is back can take the mark that it missed.
            chat.link.track();
            scroll.mark_read();
        });
        on_cleanup(move || listeners.into_iter().for_each(leptos::prelude::WindowListenerHandle::remove));
        scroll
    }

    pub fn to_end(self) {
        // Asked for a frame ago: the page may be another by now.
        let Some(log) = self.node.try_get_untracked().flatten() else { return };
        log.set_scroll_top(0);
        self.arrived();
    }

    /// Takes note of where the reader now is.
    pub fn moved(self) -> Near {
        let Some(log) = self.node.try_get_untracked().flatten() else { return Near::default() };
        // Zero at the end, negative above it.
        let from_end = -log.scroll_top();
        // The end of a stretch further back isn't where news come.
        if from_end < END && self.live.get_untracked() {
            self.arrived();
        } else {
            self.at_end.set(false);
        }
        let beginning = log.scroll_height() - log.client_height() - from_end < EDGE;
        Near { beginning, end: from_end < EDGE }
    }

    /// Whether a message is in sight.
    pub fn sees(self, id: MessageId) -> bool {
        let log = self.node.try_get_untracked().flatten();
        log.is_some_and(|log| row_of(&log, id).is_some_and(|row| holds(&log, &row)))
    }

    /// Scrolls to a message, unless it is in sight, and marks it for a moment; false if it isn't loaded.
    pub fn show(self, id: MessageId) -> bool {
        let Some(log) = self.node.try_get_untracked().flatten() else { return true };
        let Some(row) = row_of(&log, id) else { return false };
        if !holds(&log, &row) {
            centre(&log, &row);
        }
        if let Some(row) = row.dyn_ref::<web_sys::HtmlElement>() {
            let _ = row.focus();
        }
        let list = row.class_list();
        let _ = list.add_1("message-found");
        set_timeout(move || _ = list.remove_1("message-found"), FOUND);
        self.moved();
        true
    }

    /// Whether the log stands elsewhere than where it does at first.
    pub fn is_away(self) -> bool {
        self.node.try_get_untracked().flatten().is_some_and(|log| log.scroll_top() != 0)
    }

    /// Scrolls to the line where unread begins, unless it is in sight: at the end, that is where all of it fits.
    pub fn show_unread(self) {
        let Some(log) = self.node.try_get_untracked().flatten() else { return };
        if let Some(line) = log.query_selector(".divider-new").ok().flatten().filter(|line| !holds(&log, line)) {
            line.scroll_into_view();
        }
        self.moved();
    }

    /// Arrow keys go from message to message.
    pub fn step(self, event: &ev::KeyboardEvent) {
        let back = match event.key().as_str() {
            "ArrowUp" => true,
            "ArrowDown" => false,
            _ => return,
        };
        let Some(from) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return };
        if from.matches("textarea, input").unwrap_or(false) {
            return;
        }
        let next = match from.closest("li").ok().flatten() {
            Some(row) => beside(&row, back),
            None => self.node.get_untracked().and_then(|log| log.query_selector("li.message:last-of-type").ok()?),
        };
        if let Some(next) = next.and_then(|row| row.dyn_into::<web_sys::HtmlElement>().ok()) {
            event.prevent_default();
            let _ = next.focus();
        }
    }

    fn arrived(self) {
        self.at_end.set(true);
        self.unseen.set(0);
        self.mark_read();
    }

    /// Somebody sees what comes.
    pub fn is_looking(self) -> bool {
        self.at_end.try_get_untracked() == Some(true) && is_attentive()
    }

    /// Nothing is read while the window is hidden or the reader further up.
    fn mark_read(self) {
        if self.is_looking()
            && let Some(seq) = self.last_seq.get_untracked()
            && let Some(channel) = self.channel.get_untracked()
        {
            self.chat.read_up_to(channel.id, seq);
        }
    }

    /// Counts what comes while the reader is further up, and moves the view by what it adds below.
    fn hold(self) {
        // The last row when it was looked at last: what stands below it now has come since.
        let last_row = Rc::new(RefCell::new(None::<web_sys::HtmlElement>));
        Effect::new(move |before: Option<Option<u64>>| {
            self.rows.track();
            let last = self.last_seq.get();
            let came = before.flatten().is_some_and(|before| last > Some(before));
            if came && !self.at_end.get_untracked() {
                self.unseen.update(|unseen| *unseen += 1);
            }
            let last_row = Rc::clone(&last_row);
            request_animation_frame(move || {
                let Some(log) = self.node.try_get_untracked().flatten() else { return };
                let now = log.query_selector(":scope > div > ol > li:last-child").ok().flatten();
                let now = now.and_then(|row| row.dyn_into::<web_sys::HtmlElement>().ok());
                let before = last_row.replace(now.clone()).filter(|row| row.is_connected());
                if let Some((before, now)) = before.zip(now).filter(|_| !self.at_end.get_untracked()) {
                    let end = |row: &web_sys::HtmlElement| row.offset_top() + row.offset_height();
                    let grown = end(&now) - end(&before);
                    if grown > 0 {
                        log.set_scroll_top(log.scroll_top() - grown);
                    }
                }
                self.mark_read();
            });
            last
        });
    }
}

fn row_of(log: &web_sys::Element, id: MessageId) -> Option<web_sys::Element> {
    log.query_selector(&format!("#m-{id}")).ok().flatten()
}

/// Whether a row is in sight as a whole.
fn holds(log: &web_sys::Element, row: &web_sys::Element) -> bool {
    let (log, row) = (log.get_bounding_client_rect(), row.get_bounding_client_rect());
    log.top() <= row.top() && row.bottom() <= log.bottom()
}

/// Scrolls a row to the middle, between what was said before it and after; one higher than that begins a little below
/// the edge.
fn centre(log: &web_sys::Element, row: &web_sys::Element) {
    let (view, row) = (log.get_bounding_client_rect(), row.get_bounding_client_rect());
    let above = ((view.height() - row.height()) / 2.0).max(CONTEXT);
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    let by = (row.top() - view.top() - above).round() as i32;
    log.set_scroll_top(log.scroll_top() + by);
}

/// The message before or after a row.
fn beside(row: &web_sys::Element, back: bool) -> Option<web_sys::Element> {
    let step = |row: &web_sys::Element| if back { row.previous_element_sibling() } else { row.next_element_sibling() };
    let mut next = step(row)?;
    while !next.class_list().contains("message") {
        next = step(&next)?;
    }
    Some(next)
}
