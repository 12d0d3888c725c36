//! Wakes the page that the server rendered.

// Views are types as deep as the page.
#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's module script, after the bundle is instantiated.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        natter_app::broken();
    }));
    leptos::mount::hydrate_body(natter_app::App);
}
