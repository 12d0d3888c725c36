//! Points in time as the wire shows them. The arithmetic is our own, checked against `jiff` in the
//! tests, because a calendar library would be a tenth of what the browser has to load.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 0001-01-01 and 9999-12-31: RFC 3339 has four digits for the year.
const YEARS: std::ops::RangeInclusive<i64> = -719_162 * DAY_MS..=2_932_897 * DAY_MS - 1;

/// Milliseconds since the Unix epoch, UTC; in JSON an RFC 3339 string with milliseconds such as
/// `2026-11-22T16:10:14.003Z`. Reading accepts any offset and drops what is finer than a millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

/// A point in time as a calendar and a clock on some wall show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i32,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
}

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Later by `millis`, or the latest representable time.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The calendar's view of it in UTC.
    pub fn civil_utc(self) -> Civil {
        let (days, millis) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let (year, month, day) = civil_from_days(days);
        let minutes = millis / 60_000;
        Civil {
            year: whole(year),
            month: whole(month),
            day: whole(day),
            hour: whole(minutes / 60),
            minute: whole(minutes % 60),
        }
    }

    /// When clocks in UTC show that.
    pub fn from_civil_utc(civil: Civil) -> Self {
        let minutes = i64::from(civil.hour) * 60 + i64::from(civil.minute);
        Self(civil.day_number() * DAY_MS + minutes * 60_000)
    }

    /// Reads an RFC 3339 time.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| {
            let digits = bytes.get(from..to)?;
            digits.iter().try_fold(0_i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
        };
        let is = |at: usize, signs: &[u8]| bytes.get(at).is_some_and(|b| signs.contains(b));
        let separated = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        // A leap second (60) counts as the moment after it.
        let in_range = (1..=12).contains(&month) && day >= 1 && hour < 24 && minute < 60 && second <= 60;
        let days = days_from_civil(year, month, day);
        if !separated || !in_range || civil_from_days(days) != (year, month, day) {
            return None;
        }
        let mut at = 19;
        let mut millis = 0;
        if is(at, b".") {
            let digits = bytes.iter().skip(20).take_while(|b| b.is_ascii_digit()).count();
            millis = match digits {
                0 => return None,
                1 => number(20, 21)? * 100,
                2 => number(20, 22)? * 10,
                _ => number(20, 23)?,
            };
            at = 20 + digits;
        }
        let offset_minutes = if is(at, b"Zz") {
            at += 1;
            0
        } else if is(at, b"+-") && is(at + 3, b":") {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            let sign = if is(at, b"-") { -1 } else { 1 };
            at += 6;
            (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))?
        } else {
            return None;
        };
        let total = days * DAY_MS + ((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + millis;
        (at == bytes.len() && YEARS.contains(&total)).then_some(Self(total))
    }
}

impl Civil {
    /// Days since 1970-01-01.
    pub fn day_number(self) -> i64 {
        days_from_civil(self.year.into(), self.month.into(), self.day.into())
    }

    /// 0 is Monday.
    pub fn weekday(self) -> usize {
        whole((self.day_number() + 3).rem_euclid(7))
    }
}

fn whole<T: TryFrom<i64> + Default>(value: i64) -> T {
    T::try_from(value).unwrap_or_default()
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and back: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Self(self.0.clamp(*YEARS.start(), *YEARS.end()));
        let Civil { year, month, day, hour, minute } = shown.civil_utc();
        let millis = shown.0.rem_euclid(60_000);
        let (second, millis) = (millis / 1000, millis % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected an RFC 3339 time such as 2026-11-22T16:10:14.003Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn oracle(millis: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(millis).unwrap()
    }

    proptest! {
        #[test]
        fn shows_and_reads_what_jiff_does(millis in *YEARS.start() + DAY_MS..*YEARS.end() - 2 * DAY_MS, minutes in -1439_i16..1440) {
            let time = Timestamp(millis);
            prop_assert_eq!(time.to_string(), format!("{:.3}", oracle(millis)));
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
            let offset = jiff::tz::Offset::from_seconds(i32::from(minutes) * 60).unwrap();
            let zoned = oracle(millis).display_with_offset(offset).to_string();
            prop_assert_eq!(Timestamp::parse(&zoned), Some(time), "{}", zoned);
            let day = oracle(millis).to_zoned(jiff::tz::TimeZone::UTC);
            prop_assert_eq!(time.civil_utc().weekday(), usize::try_from(day.weekday().to_monday_zero_offset()).unwrap());
            prop_assert_eq!(time.civil_utc().day_number(), millis.div_euclid(DAY_MS));
            prop_assert_eq!(Timestamp::from_civil_utc(time.civil_utc()).millis(), millis - millis.rem_euclid(60_000));
        }

        #[test]
        fn reads_no_nonsense(text in "[0-9TZ:+. -]{0,30}") {
            if let Some(time) = Timestamp::parse(&text) {
                let expected: jiff::Timestamp = text.parse().unwrap();
                prop_assert_eq!(expected.as_millisecond(), time.millis());
            }
        }
    }

    #[test]
    fn always_shows_three_decimals_and_z() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_763_827_814_003).to_string(), "2025-11-22T16:10:14.003Z");
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn refuses_what_no_calendar_has() {
        for bad in [
            "",
            "yesterday",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00Zx",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00+25:00",
            "0000-01-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
        assert!(Timestamp::parse("2024-02-29T23:59:60.123456789+01:00").is_some());
    }
}
