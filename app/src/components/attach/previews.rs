use crate::{
    components::ui::{GHOST, Icon, changing, focus_on},
    state::{Carrier, Chat, Picked, Progress, Uploads},
};
use leptos::prelude::*;
use natter::media::size_text;

/// The files that a message will carry, and how far they have come.
#[component]
pub fn Previews(
    carrier: Carrier,
    /// Where its words are written: the focus goes there when a file is removed.
    words: String,
) -> impl IntoView {
    let uploads = expect_context::<Chat>().uploads;
    let picked = Memo::new(move |_| uploads.of(carrier));
    let keys = move || picked.with(|files| files.iter().map(|file| file.key).collect::<Vec<_>>());
    view! {
        <ul class="picked empty:hidden" aria-label="Files to send">
            <For each=keys key=|key| *key let:key>
                <Preview key picked uploads words=words.clone()/>
            </For>
        </ul>
    }
}

#[component]
fn Preview(key: u32, picked: Memo<Vec<Picked>>, uploads: Uploads, words: String) -> impl IntoView {
    let file = Memo::new(move |_| picked.with(|files| files.iter().find(|file| file.key == key).cloned()));
    let Some(Picked { name, size, preview, .. }) = file.get_untracked() else { return ().into_any() };
    // What the browser can't show either has a sign instead.
    let unshown = RwSignal::new(preview.is_none());
    let picture = move || match preview.clone().filter(|_| !unshown.get()) {
        Some(src) => {
            view! { <img class="picked-picture" src=src alt="" on:error=move |_| unshown.set(true)/> }.into_any()
        }
        None => view! { <span class="picked-picture"><Icon icon=icondata_lu::LuFile/></span> }.into_any(),
    };
    let (sending, retry, remove) = (format!("Uploading {name}"), format!("Retry {name}"), format!("Remove {name}"));
    let status = move || match file.get().map(|file| file.progress) {
        Some(Progress::Waiting) => view! { <span class="text-faint">"Waiting…"</span> }.into_any(),
        Some(Progress::Sending(100)) => view! { <span class="text-faint">"Making it ready…"</span> }.into_any(),
        Some(Progress::Sending(done)) => {
            view! { <progress class="picked-progress" max="100" value=done aria-label=sending.clone()></progress> }
                .into_any()
        }
        Some(Progress::Done(upload) | Progress::Carried(upload)) => {
            view! { <span class="text-faint">{size_text(upload.size)}</span> }.into_any()
        }
        Some(Progress::Failed(why, _)) => view! { <span role="alert" class="text-alert">{why}</span> }.into_any(),
        None => view! { <span class="text-faint">{size_text(size)}</span> }.into_any(),
    };
    let words = StoredValue::new(words);
    // Both buttons go by being pressed.
    let back = move || focus_on(words.get_value(), true);
    let retried = move |_| {
        uploads.retry(key);
        back();
    };
    let again = move || match file.get().map(|file| file.progress) {
        Some(Progress::Failed(_, true)) => view! {
            <button type="button" class=GHOST aria-label=retry.clone() title="Retry" on:click=retried>
                <Icon icon=icondata_lu::LuRotateCw/>
            </button>
        }
        .into_any(),
        _ => ().into_any(),
    };
    let away = move |_| {
        uploads.remove(key);
        back();
    };
    view! {
        <li class="picked-file">
            {changing(picture)}
            <span class="min-w-0 flex-1">
                <span class="block truncate font-medium">{name}</span>
                <span class="block text-[13px]">{changing(status)}</span>
            </span>
            {changing(again)}
            <button type="button" class=GHOST aria-label=remove title="Remove" on:click=away>
                <Icon icon=icondata_lu::LuX/>
            </button>
        </li>
    }
    .into_any()
}
