//! Small charts as SVG. Places are given in hundredths of a percent, so that they fit any width and
//! nothing is stretched.

use leptos::prelude::*;
use natter::{
    Timestamp,
    admin::{ChannelStats, StorageKind, StorageStats},
};

const WHOLE: u64 = 10_000;
/// Where the bars end; the days stand below.
const GROUND: u64 = 8_000;
/// How high the highest bar is.
const HIGH: u64 = 7_600;

/// A number for each of the latest days, as bars, and in a table for those who can't see them.
#[component]
pub fn Bars(
    title: &'static str,
    /// What is counted: one, and several.
    unit: (&'static str, &'static str),
    days: Vec<(Timestamp, u64)>,
) -> impl IntoView {
    let most = days.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let said = |count| format!("{} {}", grouped(count), if count == 1 { unit.0 } else { unit.1 });
    let note = if most == 0 { "Nothing yet".to_owned() } else { format!("At most {} a day", said(most)) };
    let slots = u64::try_from(days.len()).unwrap_or(0).max(1);
    let bar = |(at, (day, count)): (u64, &(Timestamp, u64))| {
        let slot = WHOLE / slots;
        let left = at * WHOLE / slots;
        let height = count * HIGH / most.max(1);
        view! {
            <g class="chart-day">
                <title>{format!("{}: {}", short(*day), said(*count))}</title>
                <rect class="chart-slot" x=percent(left) y="0%" width=percent(slot) height=percent(GROUND)></rect>
                <rect class="chart-bar" x=percent(left + slot / 8) y=percent(GROUND - height) width=percent(slot * 3 / 4)
                    height=percent(height) rx="3"></rect>
            </g>
        }
    };
    let label = |(at, (day, _)): (u64, &(Timestamp, u64))| {
        // Every fourth, and the latest, which ends where the chart does.
        let (x, anchor) = match slots - 1 - at {
            0 => (WHOLE, "end"),
            before if before % 4 == 0 && at > 0 => (at * WHOLE / slots + WHOLE / slots / 2, "middle"),
            _ => return None,
        };
        Some(view! { <text class="chart-label" x=percent(x) y="97%" text-anchor=anchor>{short(*day)}</text> })
    };
    let row = |(day, count): &(Timestamp, u64)| view! { <tr><th scope="row">{short(*day)}</th><td>{*count}</td></tr> };
    view! {
        <section class="panel">
            <div class="flex flex-wrap items-baseline justify-between gap-x-3">
                <h2 class="font-[650] tracking-tight">{title}</h2>
                <p class="text-[13px] text-faint tabular-nums">{note}</p>
            </div>
            <svg class="chart" role="img" aria-label=title>
                {(0..).zip(&days).map(bar).collect_view()}
                <line class="chart-ground" x1="0%" x2="100%" y1=percent(GROUND) y2=percent(GROUND)></line>
                {(0..).zip(&days).filter_map(label).collect_view()}
            </svg>
            <div class="sr-only">
                <table>
                    <caption>{title}</caption>
                    <thead><tr><th scope="col">"Day"</th><th scope="col">{unit.1}</th></tr></thead>
                    <tbody>{days.iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

/// Channels by how much was said in them.
#[component]
pub fn Shares(title: &'static str, channels: Vec<ChannelStats>) -> impl IntoView {
    let most = channels.iter().map(|channel| channel.messages).max().unwrap_or(0).max(1);
    let row = |channel: &ChannelStats| {
        let name = format!("#{}", channel.name);
        view! {
            <li class="share">
                <a href=format!("/admin/channels/{}", channel.name) class="share-name">{name}</a>
                <svg class="share-bar" aria-hidden="true">
                    <rect class="chart-bar" x="0%" y="0%" width=percent(channel.messages * WHOLE / most) height="100%" rx="3"></rect>
                </svg>
                <span class="text-right text-[13px] tabular-nums text-soft">{grouped(channel.messages)}</span>
            </li>
        }
    };
    let none = channels.is_empty().then(|| view! { <p class="mt-1 text-soft">"Nothing was said lately."</p> });
    view! {
        <section class="panel">
            <div class="flex flex-wrap items-baseline justify-between gap-x-3 mb-2">
                <h2 class="font-[650] tracking-tight">{title}</h2>
                <p class="text-[13px] text-faint">"Messages in 14 days"</p>
            </div>
            {none}
            <ol>{channels.iter().map(row).collect_view()}</ol>
        </section>
    }
    .into_any()
}

/// What the place keeps, by kind: bars, each with its words beside it.
#[component]
pub fn StorageShares(storage: Vec<StorageStats>) -> impl IntoView {
    let most = storage.iter().map(|kind| kind.bytes).max().unwrap_or(0).max(1);
    let total = storage.iter().map(|kind| kind.bytes).sum();
    let row = |part: &StorageStats| {
        let name = match part.kind {
            StorageKind::Database => "Database",
            StorageKind::Pictures => "Pictures",
            StorageKind::Videos => "Videos",
            StorageKind::Files => "Other files",
        };
        let width = (u128::from(part.bytes) * u128::from(WHOLE) / u128::from(most)).try_into().unwrap_or(WHOLE);
        view! {
            <li class="share">
                <span class="share-name">{name}</span>
                <svg class="share-bar" aria-hidden="true">
                    <rect class="chart-bar" x="0%" y="0%" width=percent(width) height="100%" rx="3"></rect>
                </svg>
                <span class="text-right text-[13px] tabular-nums text-soft">{size(part.bytes)}</span>
            </li>
        }
    };
    view! {
        <section class="panel" aria-labelledby="storage-title">
            <div class="flex flex-wrap items-baseline justify-between gap-x-3 mb-2">
                <h2 id="storage-title" class="font-[650] tracking-tight">"Storage"</h2>
                <p class="text-[13px] text-faint tabular-nums">{format!("{} in all", size(total))}</p>
            </div>
            <ul>{storage.iter().map(row).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Days are counted in UTC, and therefore named so.
fn short(day: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let civil = day.civil_utc();
    let month = MONTHS.get(usize::from(civil.month).wrapping_sub(1)).copied().unwrap_or_default();
    format!("{} {month}", civil.day)
}

/// `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `3.4 MB`.
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut tenths = bytes / 100;
    for unit in units {
        match tenths {
            0..1_000 => return format!("{}.{} {unit}", tenths / 10, tenths % 10),
            1_000..10_000 => return format!("{} {unit}", tenths / 10),
            _ => tenths /= 1_000,
        }
    }
    format!("{} PB", grouped(tenths / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn sizes_are_short() {
        let all =
            [(0, "0.0 kB"), (4_096, "4.0 kB"), (123_456, "123 kB"), (3_400_000, "3.4 MB"), (12_000_000_000, "12.0 GB")];
        for (bytes, expected) in all {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn places_are_percents() {
        assert_eq!(percent(WHOLE), "100.00%");
        assert_eq!(percent(714), "7.14%");
        assert_eq!(percent(5), "0.05%");
    }

    #[test]
    fn days_are_named_in_utc() {
        assert_eq!(short(Timestamp::from_millis(0)), "1 Jan");
    }
}
