//! Colours for code. Hand-written, because every library for it, with its grammars, would be larger than the whole of
//! the browser's bundle: this lexer knows comments, strings, numbers and words, and a table says what they look like
//! in which language. What it gets wrong has the wrong colour, no more: each character is written once, escaped.

mod languages;

use super::escape;
use languages::{Apostrophe, COMMENT, Class, DELETED, INSERTED, KEYWORD, Kind, LANGUAGES, Language, NUMBER, STRING};

/// Writes `code`, escaped, with spans if `language`, in lower case, is a known one.
pub fn write(out: &mut String, language: &str, code: &str) {
    match LANGUAGES.iter().find(|known| known.names.contains(&language)) {
        None => escape(out, code),
        Some(Language { kind: Kind::Diff, .. }) => diff(out, code),
        Some(language) => {
            let mut lexer = Lexer { language, code, at: 0, unclosed_until: 0, in_tag: false };
            let mut plain = 0;
            while let Some(c) = lexer.rest().chars().next() {
                let start = lexer.at;
                let (len, class) = lexer.token(c);
                lexer.at += len;
                if let Some(class) = class {
                    escape(out, &code[plain..start]);
                    span(out, class, &code[start..lexer.at]);
                    plain = lexer.at;
                }
            }
            escape(out, &code[plain..]);
        }
    }
}

fn span(out: &mut String, class: Class, code: &str) {
    out.extend(["<span class=\"", class, "\">"]);
    escape(out, code);
    out.push_str("</span>");
}

fn diff(out: &mut String, code: &str) {
    for (n, line) in code.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        match line.bytes().next() {
            Some(b'+') => span(out, INSERTED, line),
            Some(b'-') => span(out, DELETED, line),
            Some(b'@') => span(out, KEYWORD, line),
            _ => escape(out, line),
        }
    }
}

struct Lexer<'a> {
    language: &'static Language,
    code: &'a str,
    at: usize,
    /// Up to here no quote begins a string: one before didn't end on this line. Looking again for each would take
    /// time in proportion to the square of the line.
    unclosed_until: usize,
    /// Of markup.
    in_tag: bool,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.code[self.at..]
    }

    /// How long what begins here with `c` is, at least that one character, and what it is.
    fn token(&mut self, c: char) -> (usize, Option<Class>) {
        let (rest, language) = (self.rest(), self.language);
        if language.line.iter().any(|sign| rest.starts_with(sign) && (*sign != "#" || self.after_space())) {
            return (rest.find('\n').unwrap_or(rest.len()), Some(COMMENT));
        }
        for (begin, end, class) in language.long {
            if let Some(inside) = rest.strip_prefix(begin) {
                let len = inside.find(end).map_or(rest.len(), |n| begin.len() + n + end.len());
                return (len, Some(class));
            }
        }
        if language.kind == Kind::Markup {
            return self.markup(c);
        }
        if let Some(len) = self.string(c) {
            return (len, Some(STRING));
        }
        if !is_word(c) {
            return (c.len_utf8(), None);
        }
        let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if c.is_ascii_digit() {
            return (len + fraction(&rest[len..]), Some(NUMBER));
        }
        let word = &rest[..len];
        let same = |keyword: &str| match language.kind {
            Kind::AnyCase => keyword.eq_ignore_ascii_case(word),
            _ => keyword == word,
        };
        (len, language.keywords.split(' ').any(same).then_some(KEYWORD))
    }

    /// `$#` and `a#b` are no comments.
    fn after_space(&self) -> bool {
        self.code[..self.at].chars().next_back().is_none_or(char::is_whitespace)
    }

    fn markup(&mut self, c: char) -> (usize, Option<Class>) {
        let rest = self.rest();
        match c {
            '<' => {
                let name = rest[1..].trim_start_matches(['/', '!', '?']);
                let len = name.find(|c| !is_word(c) && c != '-' && c != ':').unwrap_or(name.len());
                self.in_tag = len > 0;
                (rest.len() - name.len() + len, self.in_tag.then_some(KEYWORD))
            }
            '>' if self.in_tag => {
                self.in_tag = false;
                (1, Some(KEYWORD))
            }
            '"' | '\'' if self.in_tag => self.string(c).map_or((1, None), |len| (len, Some(STRING))),
            c => (c.len_utf8(), None),
        }
    }

    /// How long the string is that `c` begins, if it begins one.
    fn string(&mut self, c: char) -> Option<usize> {
        if self.at < self.unclosed_until {
            return None;
        }
        match (c, self.language.apostrophe) {
            ('"', _) | ('\'', Apostrophe::Quote) => {}
            ('\'', Apostrophe::Character) => {
                let mut inside = self.rest()[1..].chars();
                if inside.next() != Some('\\') && inside.next() != Some('\'') {
                    return None;
                }
            }
            _ => return None,
        }
        let mut escaped = false;
        for (n, inside) in self.rest().char_indices().skip(1) {
            match inside {
                '\n' => {
                    self.unclosed_until = self.at + n;
                    return None;
                }
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if inside == c => return Some(n + 1),
                _ => {}
            }
        }
        self.unclosed_until = self.code.len();
        None
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long the `.5` is that comes after a number's digits.
fn fraction(rest: &str) -> usize {
    match rest.strip_prefix('.') {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => {
            1 + digits.find(|c| !is_word(c)).unwrap_or(digits.len())
        }
        _ => 0,
    }
}
