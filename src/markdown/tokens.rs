//! What Markdown itself doesn't know: mentions and bare addresses, and where links may lead.

use crate::input::USERNAME_CHARS;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

pub const OPTIONS: Options = Options::ENABLE_STRIKETHROUGH;
/// What ends a sentence, a quotation or emphasis rather than an address.
const AFTER_ADDRESS: &str = ".,;:!?'*_~’”»…";
/// Enough for all but what is made to need more: each round leaves only what the one before brought to light.
const ROUNDS: usize = 4;

/// Mentions (with their `@`) and bare addresses that begin in `range` of `text`, and where they begin.
pub fn tokens(text: &str, range: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
    let mut from = range.start;
    text[range.clone()].match_indices(['@', 'h', 'H']).filter_map(move |(at, _)| {
        let at = range.start + at;
        // Looking again within an address would take time in proportion to the square of its length.
        let token = if at < from { None } else { token(text, at) }?;
        from = at + token.len();
        Some((at, token))
    })
}

fn token(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].chars().next_back();
    let rest = &text[at..];
    if let Some(after) = rest.strip_prefix('@') {
        if before.is_some_and(|c| c.is_alphanumeric() || "_@.".contains(c)) {
            return None;
        }
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && !"_.-".contains(c)).unwrap_or(after.len());
        let name = after[..end].trim_end_matches(['.', '-']);
        return USERNAME_CHARS.contains(&name.len()).then(|| &rest[..=name.len()]);
    }
    if before.is_some_and(char::is_alphanumeric) || !is_web(rest) {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c)).unwrap_or(rest.len());
    let mut address = &rest[..end];
    let unopened = |open, close| address.matches(close).count().saturating_sub(address.matches(open).count());
    let (mut round, mut square) = (unopened('(', ')'), unopened('[', ']'));
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if round > 0 => round -= 1,
            ']' if square > 0 => square -= 1,
            _ if AFTER_ADDRESS.contains(last) => {}
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    is_web(address).then_some(address)
}

pub fn is_channel(mention: &str) -> bool {
    mention.eq_ignore_ascii_case("@channel")
}

/// Where a link with this address may lead, or None: it's an allow list, so that oddly written schemes fall through.
pub fn link_target(address: &str) -> Option<&str> {
    let address = address.trim_matches(|c: char| c.is_control() || c.is_whitespace());
    let mail = address.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    // Browsers leave out tabs and line feeds inside of an address, so that it wouldn't be the one that was checked.
    ((mail || is_web(address)) && !address.contains(char::is_control)).then_some(address)
}

/// With a host, too: `https:x` is an address on the page's own server.
fn is_web(address: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && address[scheme.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '[')
    })
}

/// The message with backslashes where Markdown would take something away or apart: definitions of link references,
/// which are not shown at all, and signs of emphasis in mentions and bare addresses, as in `@_ada_`.
pub fn protect(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let fragile = fragile(&text);
        if fragile.is_empty() {
            break;
        }
        let mut safe = String::with_capacity(text.len() + fragile.len());
        let mut from = 0;
        for at in fragile {
            safe.extend([&text[from..at], "\\"]);
            from = at;
        }
        safe.push_str(&text[from..]);
        text = Cow::Owned(safe);
    }
    text
}

fn fragile(text: &str) -> BTreeSet<usize> {
    // Parsing costs more than looking.
    if !["@", "://", "]:", "&"].iter().any(|sign| text.contains(sign)) {
        return BTreeSet::new();
    }
    let parser = Parser::new_ext(text, OPTIONS);
    let mut found: BTreeSet<_> = parser.reference_definitions().iter().map(|(_, link)| link.span.start).collect();
    if !found.is_empty() {
        // Shown, they may turn out to begin code that goes on beyond them: look again before touching that.
        return found;
    }
    let (mut verbatim, mut done) = (0_usize, 0);
    for (event, range) in parser.into_offset_iter() {
        if let Event::Text(shown) = &event
            && text[range.clone()].starts_with('&')
            && **shown != text[range.clone()]
        {
            // Who types `&amp;` means that, not `&`.
            found.insert(range.start);
        }
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. }) => verbatim += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image) => verbatim -= 1,
            Event::Text(_) if verbatim == 0 && done < range.end => {
                for (at, token) in tokens(text, range.start.max(done)..range.end) {
                    done = at + token.len();
                    // Where a name ends with it, it's as likely the end of emphasis: `_for @ada_`.
                    let inner = if token.starts_with('@') { token.trim_end_matches('_') } else { token };
                    let mut escaped = false;
                    for (n, c) in inner.char_indices() {
                        found.extend((!escaped && "_*~".contains(c)).then_some(at + n));
                        escaped = !escaped && c == '\\';
                    }
                }
            }
            _ => {}
        }
    }
    found
}
