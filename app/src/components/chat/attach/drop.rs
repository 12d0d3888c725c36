use super::{Attaching, files, has};
use crate::components::ui::{Icon, When};
use leptos::{ev, prelude::*};

/// Files may be let go anywhere on the page: they are for the conversation that is open.
#[component]
pub fn DropZone(attaching: Attaching, #[prop(into)] label: String) -> impl IntoView {
    let over = RwSignal::new(false);
    let brings_files = |event: &ev::DragEvent| event.data_transfer().filter(|data| has(data, "Files"));
    let dragged = window_event_listener(ev::dragover, move |event| {
        if brings_files(&event).is_some() {
            event.prevent_default();
            over.set(true);
        }
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
            attaching.take(files(data.files()));
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
