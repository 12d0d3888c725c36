//! Where the focus goes when what had it is gone: the next key would begin at the top of the page.

use leptos::{prelude::*, wasm_bindgen::JsCast as _};

/// Frames in which what is asked for may still come.
const PATIENCE: u32 = 60;

/// Nothing has the focus.
pub fn focus_is_lost() -> bool {
    document().active_element().is_none_or(|at| at.tag_name().eq_ignore_ascii_case("body"))
}

/// Puts the focus on the first of these that is there; false if none is.
pub fn focus_first(selectors: &[&str]) -> bool {
    let document = document();
    let find = |selector: &&str| document.query_selector(selector).ok().flatten();
    let found = selectors.iter().find_map(find).and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok());
    found.is_some_and(|found| found.focus().is_ok())
}

/// In the next frame; `anyway`: also if something has the focus.
pub fn focus_on(selector: String, anyway: bool) {
    request_animation_frame(move || {
        if anyway || focus_is_lost() {
            focus_first(&[&selector]);
        }
    });
}

/// Another page is coming: for the next second, a focus that gets lost goes to its heading.
pub fn land() {
    fn look(left: u32) {
        if left > 0 {
            request_animation_frame(move || {
                if focus_is_lost() {
                    focus_first(&["main h1[tabindex]"]);
                }
                look(left - 1);
            });
        }
    }
    look(PATIENCE);
}
