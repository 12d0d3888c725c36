//! When a message may be sent later: what is offered, and what a person picks by the clock on their wall.

use super::browser;
use natter::{Timestamp, scheduled::AHEAD_MAX_MS, time::Civil};

/// Of `2026-11-27T09:00`.
const MINUTES_LEN: usize = 16;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// What is suggested is no nearer.
const AT_LEAST: i64 = 30 * MINUTE;
/// Until then this evening is worth offering.
const EVENING_UNTIL: u8 = 17;
const EVENING: u8 = 18;
const MORNING: u8 = 9;

/// A time that is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    pub label: &'static str,
    pub at: Timestamp,
}

/// What is offered at some moment, in the reader's zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    pub presets: Vec<Preset>,
    /// The earliest and the latest that can be picked, as a field for local times shows them.
    pub earliest: String,
    pub latest: String,
    /// What the field begins with.
    pub suggested: String,
    /// What the zone is called.
    pub zone: String,
}

impl Times {
    /// What time it is.
    pub fn clock() -> Timestamp {
        browser::now()
    }

    /// `before`: the time that is to be changed, if there is one.
    pub fn now(before: Option<Timestamp>) -> Self {
        let now = browser::now();
        let local = |at| show_local(browser::civil(at));
        Self {
            presets: presets(now, browser::civil(now), browser::instant),
            earliest: local(now),
            latest: local(now.plus_millis(AHEAD_MAX_MS - DAY)),
            suggested: local(before.unwrap_or_else(|| full_hour(now, browser::civil))),
            zone: browser::zone_name(),
        }
    }
}

/// The next full hour that is a while away, on clocks that show `civil`.
fn full_hour(now: Timestamp, civil: impl Fn(Timestamp) -> Civil) -> Timestamp {
    // Rounded up: what clocks show has no seconds.
    let soon = now.plus_millis(AT_LEAST + MINUTE - 1);
    soon.plus_millis((60 - i64::from(civil(soon).minute)) % 60 * MINUTE)
}

/// `today` is what the reader's clocks show `now`, and `instant` says when they will show something.
fn presets(now: Timestamp, today: Civil, instant: impl Fn(Civil) -> Timestamp) -> Vec<Preset> {
    let on = |days: i64, hour: u8| {
        let date = Timestamp::from_millis((today.day_number() + days) * DAY).civil_utc();
        instant(Civil { hour, minute: 0, ..date })
    };
    let mut presets = vec![Preset { label: "In 20 minutes", at: now.plus_millis(20 * MINUTE) }];
    if today.hour < EVENING_UNTIL {
        presets.push(Preset { label: "This evening", at: on(0, EVENING) });
    }
    presets.push(Preset { label: "Tomorrow", at: on(1, MORNING) });
    let to_monday = i64::try_from(7 - today.weekday()).unwrap_or(7);
    if to_monday > 1 {
        presets.push(Preset { label: "Monday", at: on(to_monday, MORNING) });
    }
    presets
}

/// What a field for local times holds, `2026-11-27T09:00`, perhaps with seconds, as a moment.
pub fn parse_local(text: &str) -> Option<Timestamp> {
    read_local(text, browser::instant)
}

fn read_local(text: &str, instant: impl Fn(Civil) -> Timestamp) -> Option<Timestamp> {
    let seconds = if text.len() == MINUTES_LEN { ":00" } else { "" };
    let utc = Timestamp::parse(&format!("{text}{seconds}Z"))?;
    Some(instant(utc.civil_utc()).plus_millis(utc.millis().rem_euclid(MINUTE)))
}

/// As a field for local times takes it.
fn show_local(civil: Civil) -> String {
    let Civil { year, month, day, hour, minute } = civil;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * MINUTE;

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// Berlin in 2026: two hours ahead of UTC from 29 March, 1:00 UTC, to 25 October, 1:00 UTC, else one.
    fn offset(at: Timestamp) -> i64 {
        let summer = utc("2026-03-29T01:00:00Z")..utc("2026-10-25T01:00:00Z");
        if summer.contains(&at) { 2 * HOUR } else { HOUR }
    }

    fn civil(at: Timestamp) -> Civil {
        at.plus_millis(offset(at)).civil_utc()
    }

    /// As a browser's `Date` does it: by the offset that held before a jump.
    fn instant(civil: Civil) -> Timestamp {
        let shown = Timestamp::from_civil_utc(civil);
        let earlier = shown.plus_millis(-2 * HOUR);
        let at = shown.plus_millis(-offset(earlier));
        if offset(at) == offset(earlier) { at } else { shown.plus_millis(-offset(earlier.plus_millis(-HOUR))) }
    }

    fn offered(now: &str) -> Vec<(&'static str, String)> {
        let now = utc(now);
        presets(now, civil(now), instant).into_iter().map(|one| (one.label, one.at.to_string())).collect()
    }

    #[test]
    fn what_is_offered_fits_the_day() {
        // A Thursday, 8:15 there.
        assert_eq!(
            offered("2026-11-26T07:15:30Z"),
            [
                ("In 20 minutes", "2026-11-26T07:35:30.000Z".into()),
                ("This evening", "2026-11-26T17:00:00.000Z".into()),
                ("Tomorrow", "2026-11-27T08:00:00.000Z".into()),
                ("Monday", "2026-11-30T08:00:00.000Z".into()),
            ]
        );
        // 17:00: the evening has begun.
        let labels = |now| offered(now).into_iter().map(|(label, _)| label).collect::<Vec<_>>();
        assert_eq!(labels("2026-11-26T16:00:00Z"), ["In 20 minutes", "Tomorrow", "Monday"]);
        // On a Sunday, tomorrow is Monday; on a Monday, it is the next one.
        assert_eq!(labels("2026-11-29T20:00:00Z"), ["In 20 minutes", "Tomorrow"]);
        assert_eq!(offered("2026-11-30T20:00:00Z")[2], ("Monday", "2026-12-07T08:00:00.000Z".into()));
        // Just past midnight there, and still yesterday in UTC.
        assert_eq!(offered("2026-11-25T23:30:00Z")[2], ("Tomorrow", "2026-11-27T08:00:00.000Z".into()));
        assert_eq!(offered("2026-12-31T12:00:00Z")[2], ("Tomorrow", "2027-01-01T08:00:00.000Z".into()));
    }

    #[test]
    fn what_is_suggested_is_a_full_hour_a_while_away() {
        let suggested = |now| show_local(civil(full_hour(utc(now), civil)));
        assert_eq!(suggested("2026-11-26T07:15:30Z"), "2026-11-26T09:00");
        assert_eq!(suggested("2026-11-26T07:30:00Z"), "2026-11-26T09:00");
        assert_eq!(suggested("2026-11-26T07:30:01Z"), "2026-11-26T10:00");
        assert_eq!(suggested("2026-11-26T22:40:00Z"), "2026-11-27T01:00");
    }

    #[test]
    fn nine_is_nine_on_both_sides_of_a_change_of_clocks() {
        // Saturdays before clocks change: tomorrow at 9:00 is an hour nearer, or farther, than a day.
        assert_eq!(offered("2026-03-28T08:00:00Z")[2], ("Tomorrow", "2026-03-29T07:00:00.000Z".into()));
        assert_eq!(offered("2026-10-24T07:00:00Z")[2], ("Tomorrow", "2026-10-25T08:00:00.000Z".into()));
        assert_eq!(offered("2026-03-27T08:00:00Z")[3], ("Monday", "2026-03-30T07:00:00.000Z".into()));
    }

    #[test]
    fn a_time_on_the_wall_becomes_a_moment() {
        let read = |text| read_local(text, instant).map(|at| at.to_string());
        assert_eq!(read("2026-07-01T09:00").unwrap(), "2026-07-01T07:00:00.000Z");
        assert_eq!(read("2026-12-01T09:00").unwrap(), "2026-12-01T08:00:00.000Z");
        assert_eq!(read("2026-12-01T09:00:05").unwrap(), "2026-12-01T08:00:05.000Z");
        assert_eq!(read("2026-12-01T09:00:05.250").unwrap(), "2026-12-01T08:00:05.250Z");
        // Clocks jump from 2:00 to 3:00: what they jump over is as long after midnight as it says.
        assert_eq!(read("2026-03-29T02:30").unwrap(), "2026-03-29T01:30:00.000Z");
        for bad in ["", "tomorrow", "2026-02-30T09:00", "2026-12-01", "2026-12-01T25:00"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let shown = show_local(civil(utc("2026-07-01T07:05:59Z")));
        assert_eq!(shown, "2026-07-01T09:05");
        assert_eq!(read(&shown).unwrap(), "2026-07-01T07:05:00.000Z");
    }
}
