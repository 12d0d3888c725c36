//! Where the focus goes when what had it is gone: the next key would begin at the top of the page.

use leptos::{prelude::*, wasm_bindgen::JsCast as _};

/// Frames in which what is asked for may still come.
const PATIENCE: u32 = 60;

/// The top of the list of conversations.
pub const HOME: &str = ".sidebar-name";
/// The heading of what is unread.
pub const CATCH_UP: &str = "#catch-up h1";

/// Nothing has the focus.
pub fn focus_is_lost() -> bool {
    document().active_element().is_none_or(|at| at.tag_name().eq_ignore_ascii_case("body"))
}

/// Puts the focus on the first of these that is there; false if none is.
pub fn focus_first(selectors: &[&str]) -> bool {
    selectors.iter().find_map(|selector| find(selector)).is_some_and(|found| found.focus().is_ok())
}

/// In the next frame; `anyway`: also if something has the focus.
pub fn focus_on(selector: String, anyway: bool) {
    request_animation_frame(move || {
        if anyway || focus_is_lost() {
            focus_first(&[&selector]);
        }
    });
}

fn find(selector: &str) -> Option<web_sys::HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

fn is_in_sight(element: &web_sys::Element) -> bool {
    let bounds = element.get_bounding_client_rect();
    let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    bounds.height() > 0.0 && bounds.top() >= 0.0 && bounds.bottom() <= height
}

/// Brings something in sight that isn't, as soon as it is there, and the focus to it.
pub fn turn_to(selector: &'static str) {
    fn look(selector: &'static str, left: u32) {
        request_animation_frame(move || match find(selector) {
            Some(found) if is_in_sight(&found) => {}
            Some(found) => _ = found.focus(),
            None if left > 0 => look(selector, left - 1),
            None => {}
        });
    }
    look(selector, PATIENCE);
}

/// Another page is coming: for the next second, a focus that gets lost goes to its heading, on a
/// phone's list of conversations to the top of that.
pub fn land() {
    fn look(left: u32) {
        if left > 0 {
            request_animation_frame(move || {
                if focus_is_lost() {
                    let headings = ["main h1[tabindex]", HOME].into_iter().filter_map(find);
                    headings.filter(|heading| is_in_sight(heading)).take(1).for_each(|heading| _ = heading.focus());
                }
                look(left - 1);
            });
        }
    }
    look(PATIENCE);
}
