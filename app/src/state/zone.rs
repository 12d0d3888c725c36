use super::browser;
use leptos::prelude::*;
use natter::{Timestamp, time::Civil};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Whose clock times are shown by. The server doesn't know the reader's zone, so the first view,
/// there and in the browser alike, is in UTC; once the page is awake it is the reader's.
#[derive(Clone, Copy, Default)]
pub struct Zone {
    today: RwSignal<Option<Civil>>,
}

impl Zone {
    /// From now on in the reader's zone.
    pub fn localize(self) {
        self.today.set(Some(browser::civil(browser::now())));
    }

    pub fn civil(self, time: Timestamp) -> Civil {
        if self.today.read().is_some() { browser::civil(time) } else { time.civil_utc() }
    }

    /// `09:41`.
    pub fn clock(self, time: Timestamp) -> String {
        let civil = self.civil(time);
        format!("{:02}:{:02}", civil.hour, civil.minute)
    }

    /// `Sunday, 22 November 2026 at 09:41`.
    pub fn full(self, time: Timestamp) -> String {
        format!("{} at {}", long_day(self.civil(time)), self.clock(time))
    }

    /// `Tomorrow, 09:00`.
    pub fn moment(self, time: Timestamp) -> String {
        format!("{}, {}", self.day(time), self.clock(time))
    }

    /// The same within a sentence: `tomorrow, 09:00`.
    pub fn moment_within(self, time: Timestamp) -> String {
        let moment = self.moment(time);
        let relative = ["Today", "Tomorrow", "Yesterday"].iter().any(|word| moment.starts_with(word));
        if relative { moment.to_lowercase() } else { moment }
    }

    /// `Today`, `Tomorrow`, `Yesterday`, `Monday, 16 November`, or with the year when it isn't this one.
    pub fn day(self, time: Timestamp) -> String {
        day_label(self.civil(time), self.today.get())
    }
}

fn long_day(civil: Civil) -> String {
    format!("{} {}", short_day(civil), civil.year)
}

fn short_day(civil: Civil) -> String {
    let weekday = WEEKDAYS.get(civil.weekday()).copied().unwrap_or_default();
    let month = MONTHS.get(usize::from(civil.month).wrapping_sub(1)).copied().unwrap_or_default();
    format!("{weekday}, {} {month}", civil.day)
}

fn day_label(civil: Civil, today: Option<Civil>) -> String {
    match today {
        Some(today) if today.day_number() == civil.day_number() => "Today".into(),
        Some(today) if today.day_number() == civil.day_number() + 1 => "Yesterday".into(),
        Some(today) if today.day_number() + 1 == civil.day_number() => "Tomorrow".into(),
        Some(today) if today.year == civil.year => short_day(civil),
        _ => long_day(civil),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn civil(day: i64) -> Civil {
        Timestamp::from_millis(day * DAY).civil_utc()
    }

    #[test]
    fn labels_say_today_the_days_beside_it_or_the_date() {
        let today = civil(20_779); // 2026-11-22
        assert_eq!(day_label(civil(20_779), Some(today)), "Today");
        assert_eq!(day_label(civil(20_778), Some(today)), "Yesterday");
        assert_eq!(day_label(civil(20_780), Some(today)), "Tomorrow");
        assert_eq!(day_label(civil(20_781), Some(today)), "Tuesday, 24 November");
        assert_eq!(day_label(civil(20_773), Some(today)), "Monday, 16 November");
        assert_eq!(day_label(civil(20_000), Some(today)), "Friday, 4 October 2024");
        assert_eq!(day_label(civil(20_779), None), "Sunday, 22 November 2026");
    }
}
