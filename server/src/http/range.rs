//! Which part of some bytes a request wants (RFC 9110, 13 and 14), given that they never change.

use axum::http::{HeaderMap, header};
use std::ops::Range;

#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    All,
    Part(Range<u64>),
    /// There is nothing at that place.
    Nothing,
    /// Whoever asks has it already.
    Known,
}

/// What to answer a request for so many bytes that have this tag.
pub fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|known| names(known, tag)) {
        return Wanted::Known;
    }
    // A part of anything else than what the asker has is no use to them. A date can't tell that.
    if text(header::IF_RANGE).is_some_and(|known| known.trim() != tag) {
        return Wanted::All;
    }
    text(header::RANGE).and_then(|range| part(range, size)).unwrap_or(Wanted::All)
}

fn names(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// None where it isn't one range of bytes: then all may be sent, and is.
fn part(range: &str, size: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = match (first.trim(), last.trim()) {
        ("", last) => size.saturating_sub(number(last)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if range.start < range.end { Wanted::Part(range) } else { Wanted::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    const TAG: &str = "\"a\"";

    fn of(pairs: &[(HeaderName, &str)]) -> Wanted {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        wanted(&headers, TAG, 100)
    }

    #[test]
    fn one_range_is_that_part() {
        for (range, expected) in [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=50-1000", Wanted::Part(50..100)),
            ("Bytes = 5-5", Wanted::Part(5..6)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=200-300", Wanted::Nothing),
        ] {
            assert_eq!(of(&[(header::RANGE, range)]), expected, "{range}");
        }
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for range in ["bytes=0-1,5-6", "bytes=9-0", "bytes=a-b", "items=0-1", "bytes", "bytes=+1-2", "bytes=--1"] {
            assert_eq!(of(&[(header::RANGE, range)]), Wanted::All, "{range}");
        }
        assert_eq!(of(&[]), Wanted::All);
        assert_eq!(
            wanted(&HeaderMap::from_iter([(header::RANGE, "bytes=0-".parse().unwrap())]), TAG, 0),
            Wanted::Nothing
        );
    }

    #[test]
    fn tags_decide_first() {
        let part = (header::RANGE, "bytes=0-9");
        assert_eq!(of(&[part.clone(), (header::IF_NONE_MATCH, "\"b\", W/\"a\"")]), Wanted::Known);
        assert_eq!(of(&[part.clone(), (header::IF_NONE_MATCH, "\"b\"")]), Wanted::Part(0..10));
        assert_eq!(of(&[part.clone(), (header::IF_RANGE, TAG)]), Wanted::Part(0..10));
        assert_eq!(of(&[part.clone(), (header::IF_RANGE, "\"b\"")]), Wanted::All);
        assert_eq!(of(&[part, (header::IF_RANGE, "Thu, 26 Nov 2026 00:00:00 GMT")]), Wanted::All);
    }
}
