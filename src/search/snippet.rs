//! What is shown of a message that was found: the words around what was looked for.

use super::highlights;
use crate::markdown;

/// A piece of a snippet, and whether it is what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub text: String,
    pub marked: bool,
}

/// Shown before the first match, at most.
const LEAD: usize = 60;

/// At most about `most` characters of a message as plain text, around the first match.
pub fn of(text: &str, terms: &[String], most: usize) -> Vec<Segment> {
    let plain = markdown::plain(text, usize::MAX);
    let found = highlights(&plain, terms);
    if found.is_empty() && !terms.is_empty() {
        // What was looked for is in what isn't shown, as the address of a link.
        let raw = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = highlights(&raw, terms);
        return cut(&raw, &found, most);
    }
    cut(&plain, &found, most)
}

fn cut(text: &str, found: &[std::ops::Range<usize>], most: usize) -> Vec<Segment> {
    let first = found.first().map_or(0, |range| range.start);
    let before = text.get(..first).unwrap_or_default();
    let start = match before.char_indices().rev().nth(LEAD.saturating_sub(1)) {
        // From the beginning of a word, if there is one near.
        Some((at, _)) => before.get(at..).and_then(|lead| lead.find(' ')).map_or(at, |space| at + space + 1),
        None => 0,
    };
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.char_indices().nth(most).map_or(text.len(), |(at, _)| start + at);
    let mut segments = Vec::new();
    let mut push = |from: usize, to: usize, marked: bool| {
        if let Some(text) = text.get(from..to).filter(|text| !text.is_empty()) {
            segments.push(Segment { text: text.to_owned(), marked });
        }
    };
    let mut at = start;
    for range in found {
        let to = range.end.min(end);
        if range.start >= end {
            break;
        }
        push(at, range.start, false);
        push(range.start, to, true);
        at = to;
    }
    push(at, end, false);
    if let Some(segment) = segments.first_mut().filter(|_| start > 0) {
        segment.text.insert(0, '…');
    }
    if let Some(segment) = segments.last_mut().filter(|_| end < text.len()) {
        segment.text.push('…');
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Query;

    fn shown(text: &str, query: &str, most: usize) -> String {
        let terms = Query::parse(query).unwrap().terms;
        let mark = |segment: Segment| if segment.marked { format!("[{}]", segment.text) } else { segment.text };
        of(text, &terms, most).into_iter().map(mark).collect()
    }

    #[test]
    fn what_was_looked_for_is_marked_in_plain_text() {
        assert_eq!(shown("The **quick** brown\nfox", "quick fox", 100), "The [quick] brown [fox]");
        assert_eq!(shown("我们喝绿茶", "绿茶", 100), "我们喝[绿茶]");
        assert_eq!(shown("no words asked", "in:general", 100), "no words asked");
    }

    #[test]
    fn a_long_message_is_cut_around_the_first_match() {
        let text = format!("{} needle {}", "before ".repeat(40), "after ".repeat(40));
        let shown = shown(&text, "needle", 100);
        assert!(shown.starts_with("…before ") && shown.contains("[needle]") && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() <= 104, "{shown}");
        let dense = "字".repeat(300) + "茶";
        assert!(super::of(&dense, &["茶".to_owned()], 100).iter().any(|segment| segment.marked));
    }

    #[test]
    fn what_stands_in_an_address_is_shown_too() {
        assert_eq!(
            shown("see [this](https://example.org/tea)", "example", 100),
            "see [this](https://[example].org/tea)"
        );
    }
}
