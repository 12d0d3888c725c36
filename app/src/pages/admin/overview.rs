use crate::{
    api,
    components::admin::{Bars, Page, Shares, StorageShares, grouped, shown, size},
};
use leptos::prelude::*;
use natter::{
    Timestamp,
    admin::{DayStats, Stats},
};

/// How the place is doing.
#[component]
pub fn Overview() -> impl IntoView {
    let loaded = Resource::new_blocking(|| (), |()| api::stats());
    view! { <Page title="Overview">{shown(loaded, |stats| view! { <Charts stats/> }.into_any())}</Page> }
}

#[component]
fn Charts(stats: Stats) -> impl IntoView {
    let suspended = Some(stats.suspended).filter(|n| *n > 0).map(|n| format!("{} suspended", grouped(n)));
    let figures = [
        ("People", grouped(stats.users), suspended),
        ("Channels", grouped(stats.channels), None),
        ("Messages", grouped(stats.messages), None),
        ("Storage", size(stats.storage.iter().map(|kind| kind.bytes).sum()), None),
    ];
    let figure = |(name, number, note): (&'static str, String, Option<String>)| {
        view! {
            <div class="panel mb-0!">
                <dt class="text-[13px] text-soft">{name}</dt>
                <dd class="text-xl font-[650] tracking-tight tabular-nums">{number}</dd>
                <dd class="text-[13px] text-faint empty:hidden">{note}</dd>
            </div>
        }
    };
    let series = |count: fn(&DayStats) -> u64| -> Vec<(Timestamp, u64)> {
        stats.days.iter().map(|day| (day.day, count(day))).collect()
    };
    view! {
        <dl class="grid grid-cols-2 sm:grid-cols-4 gap-3 mb-3">{figures.map(figure).collect_view()}</dl>
        <Bars title="Messages per day" unit=("message", "messages") days=series(|day| day.messages)/>
        <Bars title="Active people per day" unit=("person", "people") days=series(|day| day.active)/>
        <Shares title="Busiest channels" channels=stats.busiest/>
        <StorageShares storage=stats.storage/>
        <p class="text-[13px] text-faint">"Days are counted in UTC. Private conversations are in the totals only."</p>
    }
    .into_any()
}
