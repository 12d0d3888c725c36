use super::{Attaching, files, has};
use crate::components::ui::{Icon, When};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast as _};

/// Files may be let go anywhere on the page: they are for the conversation that is open.
#[component]
pub fn DropZone(
    attaching: Attaching,
    #[prop(into)] label: String,
    /// Where else there are several: what they have to be let go over.
    #[prop(optional)]
    within: Option<String>,
) -> impl IntoView {
    let over = RwSignal::new(false);
    let within = StoredValue::new(within);
    let brings_files = |event: &ev::DragEvent| event.data_transfer().filter(|data| has(data, "Files"));
    let is_here = move |event: &ev::DragEvent| {
        within.with_value(|within| {
            let Some(within) = within else { return true };
            let at = event.target().and_then(|at| at.dyn_into::<web_sys::Element>().ok());
            at.is_some_and(|at| at.closest(within).ok().flatten().is_some())
        })
    };
    let dragged = window_event_listener(ev::dragover, move |event| {
        let Some(data) = brings_files(&event) else { return };
        let here = is_here(&event);
        // Beside it, too: the browser would leave the page for a file.
        if here || !event.default_prevented() {
            data.set_drop_effect(if here { "copy" } else { "none" });
        }
        event.prevent_default();
        over.set(here);
    });
    let left = window_event_listener(ev::dragleave, move |event| {
        if event.related_target().is_none() {
            over.set(false);
        }
    });
    let dropped = window_event_listener(ev::drop, move |event| {
        over.set(false);
        if let Some(data) = brings_files(&event) {
            event.prevent_default();
            if is_here(&event) {
                attaching.take(files(data.files()));
            }
        }
    });
    on_cleanup(move || {
        dragged.remove();
        left.remove();
        dropped.remove();
    });
    view! {
        <When when=over>
            <div class="drop-zone" aria-hidden="true">
                <p class="drop-words"><Icon icon=icondata_lu::LuPaperclip/> {format!("Drop for {label}")}</p>
            </div>
        </When>
    }
}
