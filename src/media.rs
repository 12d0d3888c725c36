//! Files in messages: what they are shown as, what they are called, and where they are.

use crate::{Upload, UploadId};
use serde::{Deserialize, Serialize};

/// Characters in a file's name.
pub const FILENAME_MAX_CHARS: usize = 120;

/// How large files may be here, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadBounds {
    pub file: u64,
    pub video: u64,
}

/// What a file is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Picture,
    Video,
    Sound,
    /// Only to be downloaded.
    File,
}

impl Kind {
    /// Only types that a browser shows without running anything in them are more than a file: an SVG is
    /// none of these.
    pub fn of(media_type: &str) -> Self {
        match media_type {
            "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Self::Picture,
            "video/mp4" | "video/webm" | "video/quicktime" => Self::Video,
            "audio/mpeg" | "audio/mp4" | "audio/ogg" | "audio/wav" | "audio/flac" => Self::Sound,
            _ => Self::File,
        }
    }
}

impl Upload {
    pub fn kind(&self) -> Kind {
        Kind::of(&self.media_type)
    }
}

/// Where a file is, as a path on its server.
pub fn url(id: UploadId, filename: &str) -> String {
    format!("/api/v1/uploads/{id}/{}", percent_encoded(filename))
}

/// Where its small picture is.
pub fn thumbnail_url(id: UploadId) -> String {
    format!("/api/v1/uploads/{id}/thumbnail")
}

/// All but RFC 3986's unreserved characters as `%XX`: fits a path and a header's `filename*` alike.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
        }
    }
    encoded
}

/// A name that is safe to show, to put into an address and to save under: the last part of a path,
/// without what can't be seen or turns the direction of writing, and not hidden.
pub fn clean_filename(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String =
        last.chars().filter(|c| !is_invisible(*c)).map(|c| if is_special(c) { '_' } else { c }).collect();
    let plain = plain.trim_matches(|c: char| c == '.' || c.is_whitespace());
    match plain {
        "" => "file".to_owned(),
        // Its address would be its thumbnail's.
        "thumbnail" => "thumbnail_".to_owned(),
        name => shortened(name),
    }
}

/// Keeps the ending, by which people know what a file is.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= FILENAME_MAX_CHARS {
        return name.to_owned();
    }
    let ending =
        name.rfind('.').map(|at| &name[at..]).filter(|ending| ending.chars().count() <= 16).unwrap_or_default();
    let kept = FILENAME_MAX_CHARS - ending.chars().count();
    name.chars().take(kept).chain(ending.chars()).collect()
}

/// Control and formatting characters: "cod.exe" must not look like "exe.doc".
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// What some file system takes for something else.
fn is_special(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

/// A size for people: `820 B`, `12 KB`, `3.4 MB`, in units of a thousand.
pub fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 9_995 && unit + 1 < UNITS.len() {
        tenths = tenths.div_ceil(1_000);
        unit += 1;
    }
    let (whole, rest) = (tenths / 10, tenths % 10);
    if whole >= 10 || rest == 0 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{rest} {}", UNITS[unit])
    }
}

/// A length of time for people: `0:07`, `12:30`, `1:02:03`.
pub fn duration_text(millis: u64) -> String {
    let seconds = millis.div_ceil(1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path_and_shows_what_it_is() {
        for (given, kept) in [
            ("cat.png", "cat.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ada\\cat.png", "cat.png"),
            ("..", "file"),
            ("", "file"),
            (" .htaccess ", "htaccess"),
            ("a\u{0}b\r\nc.txt", "abc.txt"),
            ("\u{202E}gpj.exe", "gpj.exe"),
            ("Übersicht 2026 – 猫.pdf", "Übersicht 2026 – 猫.pdf"),
            ("a<b>:\"c|d?e*.txt", "a_b___c_d_e_.txt"),
            ("thumbnail", "thumbnail_"),
        ] {
            assert_eq!(clean_filename(given), kept, "{given:?}");
        }
        let long = clean_filename(&format!("{}.jpeg", "x".repeat(500)));
        assert_eq!(long.chars().count(), FILENAME_MAX_CHARS);
        assert!(long.ends_with("x.jpeg"), "{long}");
    }

    #[test]
    fn an_address_carries_any_name() {
        assert_eq!(percent_encoded("a b/ü%.png"), "a%20b%2F%C3%BC%25.png");
        let id = UploadId::generate();
        assert_eq!(url(id, "a?b"), format!("/api/v1/uploads/{id}/a%3Fb"));
    }

    #[test]
    fn sizes_and_lengths_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 KB"),
            (1_550, "1.5 KB"),
            (25_000_000, "25 MB"),
            (999_999, "1 MB"),
            (3_400_000, "3.4 MB"),
            (1_000_000_000, "1 GB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
        assert_eq!([0, 6_001, 750_000, 3_723_000].map(duration_text), ["0:00", "0:07", "12:30", "1:02:03"]);
    }

    #[test]
    fn what_could_run_something_is_only_a_file() {
        for media_type in ["image/svg+xml", "text/html", "application/pdf", "application/xhtml+xml", "image/tiff", ""] {
            assert_eq!(Kind::of(media_type), Kind::File, "{media_type}");
        }
        assert_eq!(Kind::of("image/png"), Kind::Picture);
    }
}
