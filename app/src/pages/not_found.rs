use crate::{components::ui::PRIMARY, state::leads_nowhere};
use leptos::prelude::*;

/// An address that leads nowhere.
#[component]
pub fn NotFound() -> impl IntoView {
    leads_nowhere();
    view! {
        <main class="grid place-items-center min-h-dvh p-4 text-center">
            <div>
                <h1 class="mb-2 text-lg font-[650]">"There is nothing here"</h1>
                <p class="mb-5 text-soft">"The address may be mistyped, or what it led to is gone."</p>
                <a href="/" class=PRIMARY>"Go to Catch up"</a>
            </div>
        </main>
    }
}
