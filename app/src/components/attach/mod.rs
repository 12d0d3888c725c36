//! Picking, pasting and dropping files for a message, and what is shown of them until it is sent.

mod drop;
mod previews;

pub use drop::DropZone;
pub use previews::Previews;

use crate::{
    components::ui::{GHOST, Icon},
    state::{Carrier, Uploads},
};
use leptos::{ev, html, prelude::*};
use web_sys::{DataTransfer, File, FileList};

/// Why a message can't go with its files.
pub const STUCK: &str = "A file couldn't be uploaded. Remove it or try it again.";

/// What happens with files, wherever they come from.
#[derive(Clone, Copy)]
pub struct Attaching {
    pub uploads: Uploads,
    pub carrier: Carrier,
    pub note: RwSignal<Option<String>>,
}

impl Attaching {
    fn take(self, files: Vec<File>) {
        if !files.is_empty() {
            self.note.set(self.uploads.add(self.carrier, files));
        }
    }

    /// Files that are pasted. Words that come with a picture of themselves, as from a text program, are words.
    pub fn pasted(self, event: &ev::ClipboardEvent) {
        let Some(data) = event.clipboard_data() else { return };
        let files = files(data.files());
        let words = has(&data, "text/html") && has(&data, "text/plain");
        if !files.is_empty() && !words {
            event.prevent_default();
            self.take(files);
        }
    }
}

fn files(list: Option<FileList>) -> Vec<File> {
    let all = |list: FileList| (0..list.length()).filter_map(|at| list.item(at)).collect();
    list.map(all).unwrap_or_default()
}

fn has(data: &DataTransfer, kind: &str) -> bool {
    data.types().includes(&kind.into(), 0)
}

/// The button that opens the browser's own picker.
#[component]
pub fn AttachButton(attaching: Attaching, #[prop(into)] disabled: Signal<bool>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let open = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let picked = move |_| {
        if let Some(input) = input.get_untracked() {
            attaching.take(files(input.files()));
            // The same file again is a change, too.
            input.set_value("");
        }
    };
    view! {
        <input node_ref=input type="file" multiple class="hidden" tabindex="-1" aria-hidden="true" on:change=picked/>
        <button type="button" class=GHOST aria-label="Attach files" title="Attach files" disabled=disabled on:click=open>
            <Icon icon=icondata_lu::LuPaperclip/>
        </button>
    }
}
