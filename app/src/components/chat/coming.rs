use crate::components::ui::{Header, changing};
use leptos::prelude::*;

/// A conversation whose messages are on their way: what is known of it stands there at once.
#[component]
pub fn Coming(
    /// What it is called: `#general`, or somebody's name.
    label: Signal<String>,
    #[prop(optional)] topic: Signal<String>,
    /// Its name is somebody's.
    #[prop(optional)]
    person: bool,
) -> impl IntoView {
    view! {
        {changing(move || view! { <Header title=label.get() person topic/> }.into_any())}
        <div class="log-coming" role="log" aria-label=move || format!("Messages in {}", label.get()) aria-busy="true">
            <p>"Loading…"</p>
        </div>
    }
    .into_any()
}
