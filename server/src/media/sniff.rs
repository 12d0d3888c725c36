//! What a file is, by its first bytes (as <https://mimesniff.spec.whatwg.org> has them): its name and
//! what its sender calls it say nothing.

/// As many bytes as are looked at.
pub const HEAD: usize = 512;
/// What nothing is known of.
pub const UNKNOWN: &str = "application/octet-stream";

/// Its media type. Whatever a browser would run something in, such as HTML and SVG, stays unknown.
pub fn media_type(head: &[u8]) -> &'static str {
    let head = &head[..head.len().min(HEAD)];
    let starts: [(&[u8], &'static str); 11] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"ID3", "audio/mpeg"),
        (b"fLaC", "audio/flac"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"OggS", ogg(head)),
    ];
    if let Some((_, found)) = starts.into_iter().find(|(start, _)| head.starts_with(start)) {
        return found;
    }
    match (head.get(..4), head.get(4..8), head.get(8..12)) {
        (Some(b"RIFF"), _, Some(b"WEBP")) => "image/webp",
        (Some(b"RIFF"), _, Some(b"WAVE")) => "audio/wav",
        (_, Some(b"ftyp"), Some(brand)) => of_brand(brand),
        (Some(b"\x1a\x45\xdf\xa3"), ..) => matroska(head),
        (Some([0xff, 0xfb | 0xfa | 0xf3 | 0xf2, ..]), ..) => "audio/mpeg",
        _ if is_plain_text(head) => "text/plain",
        _ => UNKNOWN,
    }
}

/// ISO base media files say for whom they are.
fn of_brand(brand: &[u8]) -> &'static str {
    match brand {
        b"qt  " => "video/quicktime",
        b"M4A " | b"M4B " => "audio/mp4",
        b"isom" | b"iso2" | b"iso3" | b"iso4" | b"iso5" | b"iso6" | b"iso7" | b"iso8" | b"iso9" | b"mp41" | b"mp42"
        | b"avc1" | b"M4V " | b"M4VH" | b"MSNV" | b"dash" | b"mmp4" => "video/mp4",
        _ => UNKNOWN,
    }
}

fn ogg(head: &[u8]) -> &'static str {
    if contains(head, b"theora") { UNKNOWN } else { "audio/ogg" }
}

fn matroska(head: &[u8]) -> &'static str {
    if contains(&head[..head.len().min(64)], b"webm") { "video/webm" } else { UNKNOWN }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// UTF-8 without control characters, and nothing that looks like markup.
fn is_plain_text(head: &[u8]) -> bool {
    // It may be cut in the middle of a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && head.len() == HEAD => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let clean = text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'));
    !text.is_empty() && clean && !text.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a/*<script>", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
            (b"RIFF\x10\0\0\0AVI LIST", UNKNOWN),
            (b"\0\0\0\x20ftypisom\0\0\x02\0", "video/mp4"),
            (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
            (b"\0\0\0\x1cftypM4A ", "audio/mp4"),
            (b"\0\0\0\x1cftypheic", UNKNOWN),
            (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
            (b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska", UNKNOWN),
            (b"ID3\x04", "audio/mpeg"),
            (b"\xff\xfb\x90\x64", "audio/mpeg"),
            (b"OggS\0\x02", "audio/ogg"),
            (b"%PDF-1.7", "application/pdf"),
            (b"PK\x03\x04", "application/zip"),
            (b"hello, \xc3\xbc", "text/plain"),
            (b"{\"a\": 1}\n", "text/plain"),
        ] {
            assert_eq!(media_type(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn whatever_runs_stays_unknown() {
        for head in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
            "<?xml version=\"1.0\"?><svg/>",
            "  \n<!DOCTYPE html><script>",
            "\u{feff}<html>",
            "",
            "a\0b",
            "\x1b[31m",
        ] {
            assert_eq!(media_type(head.as_bytes()), UNKNOWN, "{head:?}");
        }
        assert_eq!(media_type(b"\xff\xfe<\0s\0"), UNKNOWN, "UTF-16");
    }

    #[test]
    fn a_character_that_is_cut_off_is_still_text() {
        let mut long = vec![b'a'; HEAD - 1];
        long.extend("ü".as_bytes());
        assert_eq!(media_type(&long), "text/plain");
        assert_eq!(media_type(b"abc\xc3"), UNKNOWN, "but not where the file ends in it");
    }
}
