use super::told::Told;
use crate::components::ui::{Icon, SECONDARY, effect};
use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast as _};
use web_sys::js_sys::{Function, Promise, Reflect};

/// How addresses of this place begin, once the page is awake.
pub fn origin() -> RwSignal<String> {
    let origin = RwSignal::new(String::new());
    effect(move || origin.set(location().origin().unwrap_or_default()));
    origin
}

/// Copies what stands in an input; it is there once the page is awake.
#[component]
pub fn CopyButton(
    /// The input's.
    input_id: String,
    awake: Signal<bool>,
) -> impl IntoView {
    let told = expect_context::<Told>();
    let copy = move |_| {
        let input = document().get_element_by_id(&input_id);
        let Some(input) = input.and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok()) else { return };
        // Where the browser doesn't let us, the keys still do it.
        input.select();
        spawn_local(async move {
            let copied = match write(&input.value()) {
                Some(promise) => promise.await.is_ok(),
                None => false,
            };
            told.say(if copied { "The link is copied." } else { "The link is selected: copy it with Ctrl+C." });
        });
    };
    view! {
        <button type="button" class=format!("{SECONDARY} px-3!") hidden=move || !awake.get() on:click=copy>
            <Icon icon=icondata_lu::LuCopy/>
            "Copy link"
        </button>
    }
    .into_any()
}

/// Into the clipboard, where there is one: only pages that came safely have it.
fn write(text: &str) -> Option<Promise> {
    let navigator = Reflect::get(&window(), &"navigator".into()).ok()?;
    let clipboard = Reflect::get(&navigator, &"clipboard".into()).ok()?;
    let write = Reflect::get(&clipboard, &"writeText".into()).ok()?.dyn_into::<Function>().ok()?;
    write.call1(&clipboard, &text.into()).ok()?.dyn_into().ok()
}
