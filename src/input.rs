//! The bounds of everything people may type. A value of one of these types is within them.

use crate::error::FieldError;
use std::ops::RangeInclusive;

pub const USERNAME_CHARS: RangeInclusive<usize> = 2..=32;
pub const DISPLAY_NAME_CHARS: RangeInclusive<usize> = 1..=64;
pub const PASSWORD_CHARS: RangeInclusive<usize> = 8..=128;
pub const CHANNEL_NAME_CHARS: RangeInclusive<usize> = 1..=64;
pub const TOPIC_MAX_CHARS: usize = 250;
pub const MESSAGE_CHARS: RangeInclusive<usize> = 1..=4_000;
/// Files in one message.
pub const ATTACHMENTS_MAX: usize = 10;
/// An admin's reason for what they did.
pub const REASON_MAX_CHARS: usize = 250;
/// Different emoji under one message.
pub const REACTIONS_MAX: usize = 20;
/// Bytes in one emoji: the longest sequences, families and flags, have 35.
pub const EMOJI_MAX_BYTES: usize = 48;
/// Days an invitation may last, and accounts that may be made with it.
pub const INVITE_DAYS: RangeInclusive<u32> = 1..=365;
pub const INVITE_USES: RangeInclusive<u32> = 1..=10_000;
/// Bytes in one WebSocket frame, either way.
pub const FRAME_MAX_BYTES: usize = 64 * 1024;
/// Bytes in one JSON request body.
pub const JSON_BODY_MAX_BYTES: usize = 256 * 1024;
/// Items in one page of any list.
pub const PAGE_LIMIT: RangeInclusive<u32> = 1..=100;
pub const PAGE_DEFAULT: u32 = 50;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }
    };
}

checked_text!(
    /// 2–32 of `A–Z a–z 0–9 _ . -`; compared without regard to case.
    Username
);
checked_text!(
    /// 1–64 characters after trimming, one line.
    DisplayName
);
checked_text!(
    /// `[a-z0-9][a-z0-9_-]{0,63}`.
    ChannelName
);
checked_text!(
    /// At most 250 characters after trimming, one line.
    Topic
);
checked_text!(
    /// 1–4,000 characters after trimming; also none where it is the caption of files.
    MessageText
);

checked_text!(
    /// At most 250 characters after trimming, one line.
    Reason
);
checked_text!(
    /// One emoji: up to 48 bytes without letters, spaces or control characters.
    Emoji
);

/// 8–128 characters. Never logged: it has no `Debug` or `Display` that shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Username {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if !USERNAME_CHARS.contains(&text.chars().count()) {
            return Err(FieldError::new("username", "A username has 2 to 32 characters."));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return Err(FieldError::new(
                "username",
                "A username is made of the letters a to z, digits, and the signs _ . - only.",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl Password {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldError> {
        match text.chars().count() {
            n if n < *PASSWORD_CHARS.start() => Err(FieldError::new(field, "A password has at least 8 characters.")),
            n if n > *PASSWORD_CHARS.end() => Err(FieldError::new(field, "A password has at most 128 characters.")),
            _ => Ok(Self(text.into())),
        }
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let name = one_line("display_name", "A display name", text, DISPLAY_NAME_CHARS)?;
        if !shows(&name) || name.chars().any(turns) {
            let message = "A display name is made of characters that one can see.";
            return Err(FieldError::new("display_name", message));
        }
        Ok(Self(name))
    }
}

impl ChannelName {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if !CHANNEL_NAME_CHARS.contains(&text.chars().count()) {
            return Err(FieldError::new("name", "A channel name has 1 to 64 characters."));
        }
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !text.bytes().all(|b| fits(b) || b == b'_' || b == b'-') || !text.bytes().next().is_some_and(fits) {
            return Err(FieldError::new(
                "name",
                "A channel name is made of the letters a to z, digits, - and _, and starts with a letter or digit.",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The nearest name that could be valid, for showing while somebody types: `Team Lunch!` becomes `team-lunch`.
    pub fn suggest(text: &str) -> String {
        text.trim_start()
            .to_lowercase()
            .chars()
            .map(|c| if c.is_whitespace() { '-' } else { c })
            .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-' || *c == '_')
            .skip_while(|c| *c == '-' || *c == '_')
            .take(*CHANNEL_NAME_CHARS.end())
            .collect()
    }
}

impl Topic {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        one_line("topic", "A topic", text, 0..=TOPIC_MAX_CHARS).map(Self)
    }
}

impl Reason {
    /// None where nothing is said.
    pub fn parse(text: &str) -> Result<Option<Self>, FieldError> {
        let text = one_line("reason", "A reason", text, 0..=REASON_MAX_CHARS)?;
        Ok((!text.is_empty()).then_some(Self(text)))
    }
}

impl Emoji {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.len() <= EMOJI_MAX_BYTES && is_one_emoji(text) {
            return Ok(Self(text.into()));
        }
        Err(FieldError::new("emoji", format!("A reaction is one emoji of at most {EMOJI_MAX_BYTES} bytes.")))
    }
}

/// Whether it is one emoji as sequences of them are made (Unicode Technical Standard 51, 1.4.9): a keycap, a
/// flag, or symbols that zero-width joiners make one. Which sequences have a picture is left to fonts.
fn is_one_emoji(text: &str) -> bool {
    const JOINER: char = '\u{200D}';
    const AS_EMOJI: char = '\u{FE0F}';
    const KEYCAP: char = '\u{20E3}';
    let is_region = |c: &char| ('\u{1F1E6}'..='\u{1F1FF}').contains(c);
    let mut rest = text.chars().peekable();
    let Some(first) = rest.peek().copied() else { return false };
    if matches!(first, '0'..='9' | '#' | '*') {
        rest.next();
        rest.next_if_eq(&AS_EMOJI);
        return rest.next() == Some(KEYCAP) && rest.next().is_none();
    }
    if is_region(&first) {
        return text.chars().count() == 2 && text.chars().all(|c| is_region(&c));
    }
    loop {
        if !rest.next().is_some_and(is_symbol) {
            return false;
        }
        // As a picture, or of some colour of skin.
        rest.next_if(|c| *c == AS_EMOJI || ('\u{1F3FB}'..='\u{1F3FF}').contains(c));
        // Flags of parts of countries: letters of another plane, and their end.
        let mut tagged = false;
        while rest.next_if(|c| ('\u{E0020}'..='\u{E007E}').contains(c)).is_some() {
            tagged = true;
        }
        if tagged && rest.next() != Some('\u{E007F}') {
            return false;
        }
        match rest.next() {
            None => return true,
            Some(JOINER) => {}
            Some(_) => return false,
        }
    }
}

/// What emoji begin with: symbols, and a few that are letters or punctuation to Unicode.
fn is_symbol(c: char) -> bool {
    let listed = matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{24B6}'..='\u{24E9}' | '\u{3030}'
        | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F100}'..='\u{1F1E5}');
    let block = matches!(c, '\u{2100}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FBFF}');
    listed || block && !c.is_alphanumeric()
}

/// What nobody sees: Unicode's default-ignorable characters and the blank ones that it counts as letters.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether there is anything to see.
fn shows(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_invisible(c))
}

/// What turns the direction in which others' words around it are written (Unicode Standard Annex 9).
const fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl MessageText {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        Self::with_files(text, 0)
    }

    /// The words of a message that carries so many files.
    pub fn with_files(text: &str, files: usize) -> Result<Self, FieldError> {
        let text = text.trim();
        match text.chars().count() {
            _ if files > ATTACHMENTS_MAX => {
                Err(FieldError::new("attachments", format!("A message carries at most {ATTACHMENTS_MAX} files.")))
            }
            _ if files == 0 && !shows(text) => Err(FieldError::new("text", "A message needs some text.")),
            n if n > *MESSAGE_CHARS.end() => {
                Err(FieldError::new("text", format!("A message has at most 4,000 characters; this one has {n}.")))
            }
            // PostgreSQL can't store it and nobody can see it.
            _ if text.contains('\0') => Err(FieldError::new("text", "A message can't contain the character U+0000.")),
            _ => Ok(Self(text.into())),
        }
    }
}

fn one_line(field: &str, what: &str, text: &str, chars: RangeInclusive<usize>) -> Result<String, FieldError> {
    let text = text.trim();
    if !chars.contains(&text.chars().count()) {
        let message = match *chars.start() {
            0 => format!("{what} has at most {} characters.", chars.end()),
            least => format!("{what} has {least} to {} characters.", chars.end()),
        };
        return Err(FieldError::new(field, message));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldError::new(field, format!("{what} is one line without control characters.")));
    }
    Ok(text.into())
}

/// A page size: absent is 50, within 1–100, anything else is an error.
pub fn page_limit(limit: Option<i64>) -> Result<u32, FieldError> {
    match limit {
        None => Ok(PAGE_DEFAULT),
        Some(n) => u32::try_from(n)
            .ok()
            .filter(|n| PAGE_LIMIT.contains(n))
            .ok_or_else(|| FieldError::new("limit", "A limit is a whole number from 1 to 100.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_keep_to_their_alphabet_and_length() {
        for good in ["ab", "Ada_L.-9", &"x".repeat(32)] {
            assert_eq!(Username::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a", &"x".repeat(33), "a b", "ada!", "ädä", "a\0b"] {
            assert_eq!(Username::parse(bad).unwrap_err().field, "username", "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        assert!(Password::parse("password", "1234567").is_err());
        assert!(Password::parse("password", "ääääääää").is_ok());
        assert!(Password::parse("password", &"é".repeat(128)).is_ok());
        assert_eq!(Password::parse("new", &"x".repeat(129)).unwrap_err().field, "new");
        assert!(!format!("{:?}", Password::parse("password", "correct horse").unwrap()).contains("horse"));
    }

    #[test]
    fn channel_names_are_lower_case_and_start_with_a_letter_or_digit() {
        for good in ["general", "2026-plans", "a_b", &"x".repeat(64)] {
            assert!(ChannelName::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", "General", "#general", " general", "-x", "_x", "a b", "ü", &"x".repeat(65)] {
            assert!(ChannelName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn suggestions_are_valid_or_empty() {
        assert_eq!(ChannelName::suggest("Team Lunch!"), "team-lunch");
        for typed in ["", "  ", "--x", "ÄÖÜ", "#Design", &"y".repeat(200)] {
            let name = ChannelName::suggest(typed);
            assert!(name.is_empty() || ChannelName::parse(&name).is_ok(), "{typed:?} -> {name:?}");
        }
    }

    #[test]
    fn message_text_is_trimmed_then_counted() {
        assert_eq!(MessageText::parse("  hi\n").unwrap().as_str(), "hi");
        assert!(MessageText::parse(" \n\t ").is_err());
        assert!(MessageText::parse(&format!("  {}  ", "ß".repeat(4000))).is_ok());
        let error = MessageText::parse(&"x".repeat(4001)).unwrap_err();
        assert!(error.message.contains("4,000") && error.field == "text");
        assert!(MessageText::parse("a\0b").is_err());
        for unseen in ["\u{200B}", "\u{2060} \u{AD}", "\u{202E}", "\u{3164}"] {
            assert_eq!(MessageText::parse(unseen).unwrap_err().field, "text", "{unseen:?}");
            assert!(MessageText::with_files(unseen, 1).is_ok());
        }
        assert!(MessageText::parse("👩\u{200D}🚀").is_ok() && MessageText::parse("نص\u{200F}").is_ok());
    }

    #[test]
    fn topics_may_be_empty_but_not_long_or_on_two_lines() {
        assert_eq!(Topic::parse("  ").unwrap().as_str(), "");
        assert!(Topic::parse(&"t".repeat(250)).is_ok());
        assert!(Topic::parse(&"t".repeat(251)).is_err());
        assert!(Topic::parse("a\nb").is_err());
    }

    #[test]
    fn a_reaction_is_an_emoji_and_nothing_else() {
        for good in ["👍", "❤️", "1️⃣", "🇸🇪", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🅰️", "✓", "ℹ️", "Ⓜ️"]
        {
            assert!(Emoji::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "ok",
            "é",
            "👍 👍",
            "<b>",
            "👍x",
            "7",
            "\u{1F44D}\n",
            &"👍".repeat(13),
            "👍👍",
            "\u{200D}",
            "\u{FE0F}",
            "\u{200B}",
            "٣",
            "🇸",
            "🇸🇪🇸🇪",
            "👩\u{200D}",
            "。",
            "—",
            "\u{E000}",
            "1\u{FE0F}",
            "🏴\u{E0067}",
        ] {
            assert_eq!(Emoji::parse(bad).unwrap_err().field, "emoji", "{bad:?}");
        }
    }

    #[test]
    fn limits_outside_their_range_are_errors_not_clamped() {
        assert_eq!(page_limit(None).unwrap(), 50);
        assert_eq!(page_limit(Some(100)).unwrap(), 100);
        for bad in [0, -1, 101, i64::MAX] {
            assert!(page_limit(Some(bad)).is_err());
        }
    }
}
