use crate::{
    components::ui::{Icon, changing},
    state::Chat,
};
use leptos::prelude::*;
use leptos_router::components::A;
use natter::scheduled::ScheduledCounts;

/// The way to what waits, with how much that is.
#[component]
pub fn ScheduledLink(class: &'static str) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let label = Signal::derive(move || match chat.later.counts.get() {
        ScheduledCounts { pending: 0, failed: 0 } => "Scheduled".to_owned(),
        ScheduledCounts { pending, failed: 0 } => format!("Scheduled, {pending} waiting"),
        ScheduledCounts { pending, failed } => format!("Scheduled, {pending} waiting, {failed} not sent"),
    });
    let shown = move || match chat.later.counts.get() {
        ScheduledCounts { pending: 0, failed: 0 } => ().into_any(),
        ScheduledCounts { pending, failed: 0 } => view! {
            <span class="ml-auto text-xs font-semibold tabular-nums text-soft" aria-hidden="true">{pending}</span>
        }
        .into_any(),
        ScheduledCounts { failed, .. } => view! { <span class="badge" aria-hidden="true">{failed}</span> }.into_any(),
    };
    view! {
        <A href="/scheduled" attr:class=class attr:aria-label=label>
            <Icon icon=icondata_lu::LuCalendarClock/>
            "Scheduled"
            {changing(shown)}
        </A>
    }
    .into_any()
}
