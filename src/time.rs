//! Points in time as the wire shows them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Milliseconds since the Unix epoch, UTC; in JSON an RFC 3339 string with milliseconds such as
/// `2026-11-22T16:10:14.003Z`. Reading accepts any offset and drops what is finer than a millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

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

    /// The calendar's view of it in UTC.
    pub fn civil_utc(self) -> Civil {
        let time = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
        Civil {
            year: i32::from(time.year()),
            month: time.month().unsigned_abs(),
            day: time.day().unsigned_abs(),
            weekday: time.weekday().to_monday_zero_offset().unsigned_abs(),
            hour: time.hour().unsigned_abs(),
            minute: time.minute().unsigned_abs(),
        }
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// A point in time as a calendar and a clock on some wall show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i32,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    /// 0 is Monday.
    pub weekday: u8,
    pub hour: u8,
    pub minute: u8,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => f.write_str("9999-12-30T22:00:00.999Z"),
        }
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
        let time: jiff::Timestamp =
            text.parse().map_err(|_| D::Error::custom("expected an RFC 3339 time such as 2026-11-22T16:10:14.003Z"))?;
        Ok(Self(time.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_shows_three_decimals_and_z() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_763_827_814_003).to_string(), "2025-11-22T16:10:14.003Z");
    }

    #[test]
    fn the_calendar_in_utc() {
        let civil = Timestamp::from_millis(1_763_827_814_003).civil_utc();
        let expected = Civil { year: 2025, month: 11, day: 22, weekday: 5, hour: 16, minute: 10 };
        assert_eq!(civil, expected);
    }

    #[test]
    fn reads_back_what_it_wrote_and_other_offsets() {
        let time = Timestamp::from_millis(1_763_827_814_120);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        assert_eq!(serde_json::from_str::<Timestamp>("\"1970-01-01T01:00:00+01:00\"").unwrap(), Timestamp::default());
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }
}
