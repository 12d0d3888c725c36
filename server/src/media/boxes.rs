//! MP4 and `QuickTime` (ISO/IEC 14496-12): how large and how long it is, and everything that says where
//! and with what it was taken made blank in place, so that nothing moves.

use super::studio::{About, Unfit};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Boxes that are looked at; those of a film have a few dozen, those cut into pieces some thousand.
const BOXES_MAX: u32 = 20_000;
const DEPTH_MAX: u32 = 4;
/// Of a box's beginning, as much as any that is read has.
const HEADER_MAX: u64 = 128;

pub fn scrub(file: &mut (impl Read + Write + Seek)) -> Result<About, Unfit> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut walk = Walk { file, about: About::default(), left: BOXES_MAX, playable: false };
    match walk.boxes(0, end, 0) {
        Ok(()) if walk.playable => Ok(walk.about),
        Ok(()) => Err(Unfit::Unplayable),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Unfit::Unplayable),
        Err(error) => Err(error.into()),
    }
}

struct Walk<'a, F> {
    file: &'a mut F,
    about: About,
    left: u32,
    playable: bool,
}

impl<F: Read + Write + Seek> Walk<'_, F> {
    fn boxes(&mut self, mut at: u64, end: u64, depth: u32) -> io::Result<()> {
        while at + 8 <= end {
            if self.left == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.left -= 1;
            let mut head = [0; 8];
            self.read(at, &mut head)?;
            let [a, b, c, d, kind @ ..] = head;
            let (size, body) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (end - at, at + 8),
                1 => {
                    let mut long = [0; 8];
                    self.read(at + 8, &mut long)?;
                    (u64::from_be_bytes(long), at + 16)
                }
                size => (u64::from(size), at + 8),
            };
            let next = at.checked_add(size).filter(|next| *next <= end && *next >= body);
            let Some(next) = next else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            match &kind {
                b"udta" | b"meta" | b"uuid" => self.blank(at + 4, body, next)?,
                // Of each other's inside they may not be: as deep as a file wants, they would take the stack.
                b"moov" if depth == 0 => {
                    self.playable = true;
                    self.boxes(body, next, depth + 1)?;
                }
                b"trak" | b"mdia" | b"minf" | b"mvex" if depth < DEPTH_MAX => self.boxes(body, next, depth + 1)?,
                b"mvhd" => self.length(body, next)?,
                b"tkhd" => self.size(body, next)?,
                _ => {}
            }
            at = next;
        }
        Ok(())
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(into)
    }

    fn header(&mut self, body: u64, next: u64) -> io::Result<Vec<u8>> {
        let length = (next - body).min(HEADER_MAX);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.read(body, &mut bytes)?;
        Ok(bytes)
    }

    /// A box that nobody reads, of the same length.
    fn blank(&mut self, kind: u64, body: u64, next: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(kind))?;
        self.file.write_all(b"free")?;
        self.file.seek(SeekFrom::Start(body))?;
        io::copy(&mut io::repeat(0).take(next - body), self.file).map(drop)
    }

    fn length(&mut self, body: u64, next: u64) -> io::Result<()> {
        let bytes = self.header(body, next)?;
        let (scale, length) = if bytes.first() == Some(&1) {
            (number(&bytes, 20, 4), number(&bytes, 24, 8))
        } else {
            (number(&bytes, 12, 4), number(&bytes, 16, 4))
        };
        if let (Some(scale @ 1..), Some(length @ 1..)) = (scale, length) {
            self.about.duration = length.checked_mul(1_000).map(|length| length / scale);
        }
        Ok(())
    }

    /// Of the first track that has one. A phone held upright says so by a quarter turn.
    fn size(&mut self, body: u64, next: u64) -> io::Result<()> {
        let bytes = self.header(body, next)?;
        let matrix = if bytes.first() == Some(&1) { 52 } else { 40 };
        let pixels = |at| number(&bytes, at, 4).and_then(|fixed| u32::try_from(fixed >> 16).ok()).filter(|n| *n > 0);
        if let (None, Some(width), Some(height)) = (self.about.width, pixels(matrix + 36), pixels(matrix + 40)) {
            let turned = number(&bytes, matrix, 4) == Some(0) && number(&bytes, matrix + 4, 4) != Some(0);
            let (width, height) = if turned { (height, width) } else { (width, height) };
            (self.about.width, self.about.height) = (Some(width), Some(height));
        }
        Ok(())
    }
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn a_box(kind: &[u8], body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], kind, body].concat()
    }

    fn tkhd(turned: bool) -> Vec<u8> {
        let mut body = vec![0; 84];
        let one = 0x0001_0000_u32.to_be_bytes();
        body[if turned { 44 } else { 40 }..][..4].copy_from_slice(&one);
        body[76..80].copy_from_slice(&(1920_u32 << 16).to_be_bytes());
        body[80..84].copy_from_slice(&(1080_u32 << 16).to_be_bytes());
        a_box(b"tkhd", &body)
    }

    fn film(turned: bool) -> Vec<u8> {
        let mut mvhd = vec![0; 100];
        mvhd[12..16].copy_from_slice(&600_u32.to_be_bytes());
        mvhd[16..20].copy_from_slice(&1_500_u32.to_be_bytes());
        let place = a_box(b"udta", &a_box(b"\xa9xyz", b"+48.8577+002.295/"));
        let track = a_box(b"trak", &[tkhd(turned), a_box(b"meta", b"a camera")].concat());
        let moov = a_box(b"moov", &[a_box(b"mvhd", &mvhd), track, place].concat());
        [a_box(b"ftyp", b"isom"), moov, a_box(b"uuid", b"+48.8577"), a_box(b"mdat", b"pictures")].concat()
    }

    #[test]
    fn a_film_is_measured_and_says_no_more_where_it_was_taken() {
        for (turned, size) in [(false, (1920, 1080)), (true, (1080, 1920))] {
            let given = film(turned);
            let mut file = Cursor::new(given.clone());
            let about = scrub(&mut file).unwrap();
            let expected = About { width: Some(size.0), height: Some(size.1), duration: Some(2_500) };
            assert_eq!(about, expected);
            let kept = file.into_inner();
            assert_eq!(kept.len(), given.len(), "nothing moves");
            let text = String::from_utf8_lossy(&kept);
            assert!(!text.contains("48.8577") && !text.contains("camera"), "{text}");
            assert!(text.contains("mdat") && text.ends_with("pictures"));
        }
    }

    #[test]
    fn headers_within_headers_don_t_take_the_stack() {
        let deep = 19_000_u32;
        for kind in [b"moov", b"trak"] {
            let inside = (1..=deep).rev().flat_map(|left| [&(8 * left).to_be_bytes()[..], kind].concat());
            let mut file = a_box(b"moov", &inside.collect::<Vec<_>>());
            file.splice(0..0, a_box(b"ftyp", b"isom"));
            scrub(&mut Cursor::new(file)).unwrap();
        }
    }

    #[test]
    fn what_has_no_film_in_it_is_unplayable_and_never_a_panic() {
        let whole = film(false);
        let no_film = a_box(b"ftyp", b"isom");
        let lies = [&u32::MAX.to_be_bytes()[..], b"moov"].concat();
        let endless = [&1_u32.to_be_bytes()[..], b"moov", &u64::MAX.to_be_bytes()].concat();
        for bytes in [&no_film[..], &lies, &endless, b"", &whole[..40]] {
            assert!(matches!(scrub(&mut Cursor::new(bytes.to_vec())), Err(Unfit::Unplayable)), "{bytes:?}");
        }
        for length in 0..whole.len() {
            let _ = scrub(&mut Cursor::new(whole[..length].to_vec()));
        }
    }
}
