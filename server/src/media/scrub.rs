//! Copies pictures part by part, leaving out whatever isn't needed to show them: place, camera, comments,
//! and anything hidden behind the end. For those that can't be encoded anew without losing their
//! movement or their quality.

use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom, Write};

const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// What a PNG, still or moving, is shown from.
const PNG_CHUNKS: [[u8; 4]; 13] = [
    *b"IHDR", *b"PLTE", *b"tRNS", *b"gAMA", *b"cHRM", *b"sRGB", *b"sBIT", *b"bKGD", *b"acTL", *b"fcTL", *b"fdAT",
    *b"IDAT", *b"IEND",
];
/// What a WebP is shown from.
const WEBP_CHUNKS: [[u8; 4]; 6] = [*b"VP8X", *b"ANIM", *b"ANMF", *b"VP8 ", *b"VP8L", *b"ALPH"];
/// The bits of `VP8X` that say there is a profile, EXIF and XMP: none is left.
const WEBP_EXTRAS: u8 = 0b0010_1100;

fn broken() -> Error {
    Error::new(ErrorKind::InvalidData, "a part is longer than the file")
}

/// Copies exactly so many bytes.
fn copy(from: &mut impl Read, to: &mut impl Write, length: u64) -> io::Result<()> {
    if io::copy(&mut from.take(length), to)? == length { Ok(()) } else { Err(broken()) }
}

/// What makes a part's length even. Some leave it out behind the last one.
fn padding(from: &mut impl Read, length: u64) -> io::Result<&'static [u8]> {
    if length.is_multiple_of(2) {
        return Ok(&[]);
    }
    io::copy(&mut from.take(1), &mut io::sink())?;
    Ok(&[0])
}

pub fn png(from: &mut (impl Read + Seek), to: &mut impl Write) -> io::Result<()> {
    from.seek(SeekFrom::Start(8))?;
    to.write_all(&PNG)?;
    loop {
        let mut head = [0; 8];
        from.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        // With the checksum behind it.
        let length = u64::from(u32::from_be_bytes([a, b, c, d])) + 4;
        if PNG_CHUNKS.contains(&kind) {
            to.write_all(&head)?;
            copy(from, to, length)?;
        } else {
            copy(from, &mut io::sink(), length)?;
        }
        if kind == *b"IEND" {
            return Ok(());
        }
    }
}

pub fn webp(from: &mut (impl Read + Seek), to: &mut (impl Write + Seek)) -> io::Result<()> {
    from.seek(SeekFrom::Start(0))?;
    let mut riff = [0; 12];
    from.read_exact(&mut riff)?;
    let [_, _, _, _, a, b, c, d, ..] = riff;
    let mut left = u64::from(u32::from_le_bytes([a, b, c, d])).saturating_sub(4);
    to.write_all(&riff)?;
    let mut written = 4_u64;
    while left >= 8 {
        let mut head = [0; 8];
        from.read_exact(&mut head)?;
        let [kind @ .., a, b, c, d] = head;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        // Parts begin at even places.
        let padded = length + length % 2;
        left = left.saturating_sub(8 + padded);
        if !WEBP_CHUNKS.contains(&kind) {
            copy(from, &mut io::sink(), length)?;
            padding(from, length)?;
            continue;
        }
        to.write_all(&head)?;
        written += 8 + padded;
        if kind == *b"VP8X" && length > 0 {
            let mut flags = [0];
            from.read_exact(&mut flags)?;
            to.write_all(&[flags[0] & !WEBP_EXTRAS])?;
            copy(from, to, length - 1)?;
        } else {
            copy(from, to, length)?;
        }
        to.write_all(padding(from, length)?)?;
    }
    to.seek(SeekFrom::Start(4))?;
    to.write_all(&u32::try_from(written).map_err(|_| broken())?.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn chunk(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap();
        [&length.to_be_bytes()[..], kind, body, b"crc!"].concat()
    }

    fn part(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap();
        let padding: &[u8] = if body.len() % 2 == 1 { b"\0" } else { b"" };
        [kind, &length.to_le_bytes()[..], body, padding].concat()
    }

    fn riff(parts: &[Vec<u8>]) -> Vec<u8> {
        let body = [&b"WEBP"[..], &parts.concat()].concat();
        [&b"RIFF"[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
    }

    #[test]
    fn of_a_png_only_the_picture_is_left() {
        let [head, data, end] = [chunk(b"IHDR", b"13 bytes long"), chunk(b"IDAT", b"data"), chunk(b"IEND", b"")];
        let extra = [chunk(b"eXIf", b"Paris"), chunk(b"tEXt", b"Author"), chunk(b"acTL", b"8 bytes!")];
        let given =
            [&PNG[..], &head, &extra[0], &extra[1], &extra[2], &data, &end, b"PK\x03\x04 behind the end"].concat();
        let mut kept = Vec::new();
        png(&mut Cursor::new(&given), &mut kept).unwrap();
        assert_eq!(kept, [&PNG[..], &head, &extra[2], &data, &end].concat());
        assert!(png(&mut Cursor::new(&given[..30]), &mut Vec::new()).is_err(), "cut off");
    }

    #[test]
    fn of_a_webp_only_the_picture_is_left() {
        let (frame, picture) = (part(b"ANMF", b"frame"), part(b"VP8L", b"four"));
        let given = riff(&[part(b"VP8X", &[0xff, 1, 2]), part(b"EXIF", b"Paris"), frame.clone(), picture.clone()]);
        let mut kept = Cursor::new(Vec::new());
        webp(&mut Cursor::new([given, b"behind the end".to_vec()].concat()), &mut kept).unwrap();
        assert_eq!(kept.into_inner(), riff(&[part(b"VP8X", &[0xd3, 1, 2]), frame, picture]));
    }
}
