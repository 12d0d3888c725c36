//! What somebody looks for, as they write it: words, quoted phrases, and operators such as `in:` and
//! `before:`. Text is compared in lower case and in any place: `row` is found in `brown`.

pub mod pieces;
pub mod snippet;

use crate::{ChannelId, ChannelKind, FieldError, Message, MessageId, Timestamp, UserRef, channel::stored_as_word};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Characters in a query, operators included.
pub const QUERY_MAX_CHARS: usize = 200;

/// Channels, and people, named in a query: more than one of them is true of no message.
pub const NAMES_MAX: usize = 8;

/// Something that a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Has {
    Image,
    Video,
    File,
    Link,
}

stored_as_word!(Has { Image = "image", Video = "video", File = "file", Link = "link" });

/// What to look for. All of it has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words and phrases, folded: see [`fold`].
    pub terms: Vec<String>,
    /// Channels by name or id, and directs by `@username`.
    pub places: Vec<String>,
    /// People by name or id.
    pub senders: Vec<String>,
    /// Before this moment.
    pub before: Option<Timestamp>,
    /// At this moment or later.
    pub after: Option<Timestamp>,
    pub has: Vec<Has>,
}

impl Query {
    /// Reads a query; what isn't an operator is a word.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.chars().count() > QUERY_MAX_CHARS {
            let most = format!("A search has at most {QUERY_MAX_CHARS} characters.");
            return Err(FieldError::new("q", most));
        }
        let mut query = Self::default();
        for part in parts(text) {
            match part {
                Part::Phrase(words) => query.look_for(words),
                Part::Word(word) => match word.split_once(':') {
                    Some((operator, value)) if !value.is_empty() => {
                        if !query.narrow(&operator.to_lowercase(), value)? {
                            query.look_for(word);
                        }
                    }
                    _ => query.look_for(word),
                },
            }
        }
        Ok(query)
    }

    /// Adds what an operator says; false if it is none.
    pub fn narrow(&mut self, operator: &str, value: &str) -> Result<bool, FieldError> {
        match operator {
            "in" => name(operator, &mut self.places, value)?,
            "from" => name(operator, &mut self.senders, value)?,
            "before" => {
                let before = time(operator, value)?;
                self.before = Some(self.before.map_or(before, |known| known.min(before)));
            }
            "after" => self.after = self.after.max(Some(time(operator, value)?)),
            "has" => {
                for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                    let has = Has::from_name(&word.to_lowercase()).ok_or_else(|| {
                        FieldError::new("has", "A message can have an image, a video, a file or a link.")
                    })?;
                    if !self.has.contains(&has) {
                        self.has.push(has);
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn look_for(&mut self, words: &str) {
        let term = fold(words.trim());
        if !term.is_empty() && !self.terms.contains(&term) {
            self.terms.push(term);
        }
    }
}

/// Adds a name to those that have to hold.
fn name(field: &str, names: &mut Vec<String>, value: &str) -> Result<(), FieldError> {
    if !names.iter().any(|name| name == value) {
        if names.len() == NAMES_MAX {
            return Err(FieldError::new(field, format!("A search names at most {NAMES_MAX} of them.")));
        }
        names.push(value.to_owned());
    }
    Ok(())
}

/// A time, or the first moment of a day in UTC.
fn time(field: &str, value: &str) -> Result<Timestamp, FieldError> {
    let day = || Timestamp::parse(&format!("{value}T00:00:00Z"));
    Timestamp::parse(value).or_else(day).ok_or_else(|| {
        FieldError::new(field, "A time is a day such as 2026-11-26, or RFC 3339 such as 2026-11-26T16:10:14Z.")
    })
}

enum Part<'a> {
    Word(&'a str),
    Phrase(&'a str),
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

/// Words and quoted phrases; a quote that isn't closed goes on to the end.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (part, after) = if rest.starts_with(is_quote) {
            let inside = rest.trim_start_matches(is_quote);
            let (phrase, after) = inside.split_once(is_quote).unwrap_or((inside, ""));
            (Part::Phrase(phrase), after)
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            (Part::Word(word), after)
        };
        parts.push(part);
        rest = after.trim_start();
    }
    parts
}

/// Text as it is compared: in lower case, character by character, whatever stands around it.
pub fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(fold_char).collect() }
}

fn fold_char(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().map(|c| if c == 'ς' { 'σ' } else { c })
}

/// Whether all terms are in a text, in any place.
pub fn is_match(text: &str, terms: &[String]) -> bool {
    let text = fold(text);
    terms.iter().all(|term| text.contains(term))
}

/// Where the terms are in a text, in bytes of it: in order, and without overlaps.
pub fn highlights(text: &str, terms: &[String]) -> Vec<Range<usize>> {
    let mut folded = String::with_capacity(text.len());
    // Of each byte of the folded text, the character that it comes from.
    let mut origin = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        for lower in fold_char(c) {
            folded.push(lower);
            origin.resize(folded.len(), at..at + c.len_utf8());
        }
    }
    let found = terms.iter().filter(|term| !term.is_empty()).flat_map(|term| {
        folded
            .match_indices(term.as_str())
            .filter_map(|(at, found)| Some(origin.get(at)?.start..origin.get((at + found.len()).checked_sub(1)?)?.end))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Where a message was said, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Place {
    pub id: ChannelId,
    pub kind: ChannelKind,
    /// Absent for directs, which are named by `peer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<UserRef>,
}

/// A message that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hit {
    #[serde(flatten)]
    pub message: Message,
    pub channel: Place,
    /// Where in its text the words are: pairs of start and end, counted in characters.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<usize>>))]
    pub highlights: Vec<(u32, u32)>,
}

/// A page of what was found, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HitPage {
    pub items: Vec<Hit>,
    /// Give it back as `cursor` to look further back; null when all has been looked at. A page may be
    /// short, or empty, and not the last.
    pub next: Option<MessageId>,
}

/// The same places as [`highlights`], in characters.
pub fn highlighted_chars(text: &str, terms: &[String]) -> Vec<(u32, u32)> {
    let count = |bytes: usize| u32::try_from(text.get(..bytes).unwrap_or(text).chars().count()).unwrap_or(u32::MAX);
    highlights(text, terms).into_iter().map(|range| (count(range.start), count(range.end))).collect()
}

/// Whether a text leads to somewhere on the web.
pub fn has_link(text: &str) -> bool {
    let text = fold(text);
    ["https://", "http://"].iter().any(|scheme| {
        text.match_indices(scheme).any(|(at, _)| {
            text.get(at + scheme.len()..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphanumeric)
        })
    })
}

#[cfg(test)]
mod tests;
