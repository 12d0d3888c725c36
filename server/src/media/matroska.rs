//! `WebM` (RFC 9559, RFC 8794): how large and how long it is. What tags and attached files say is made
//! blank in place.

use super::studio::{About, Unfit};
use std::io::{self, Read, Seek, SeekFrom, Write};

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK: u32 = 0xAE;
const VIDEO: u32 = 0xE0;
const TAGS: u32 = 0x1254_C367;
const ATTACHMENTS: u32 = 0x1941_A469;
const SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const WIDTH: u32 = 0xB0;
const HEIGHT: u32 = 0xBA;
const VOID: u8 = 0xEC;

const ELEMENTS_MAX: u32 = 50_000;
const DEPTH_MAX: u32 = 5;

pub fn scrub(file: &mut (impl Read + Write + Seek)) -> Result<About, Unfit> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut walk =
        Walk { file, about: About::default(), left: ELEMENTS_MAX, scale: 1_000_000, length: None, playable: false };
    match walk.elements(0, end, 0) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error.into()),
        // A recording that was cut off plays up to there.
        _ if !walk.playable => return Err(Unfit::Unplayable),
        _ => {}
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "within bounds"
    )]
    let millis = walk
        .length
        .map(|length| length * walk.scale as f64 / 1e6)
        .filter(|n| (1.0..1e12).contains(n))
        .map(|n| n as u64);
    Ok(About { duration: millis, ..walk.about })
}

struct Walk<'a, F> {
    file: &'a mut F,
    about: About,
    left: u32,
    /// Nanoseconds of one unit of time.
    scale: u64,
    length: Option<f64>,
    playable: bool,
}

impl<F: Read + Write + Seek> Walk<'_, F> {
    fn elements(&mut self, mut at: u64, end: u64, depth: u32) -> io::Result<()> {
        while at < end && self.left > 0 && depth < DEPTH_MAX {
            self.left -= 1;
            self.file.seek(SeekFrom::Start(at))?;
            let (id, id_length) = self.number(4, false)?;
            let (size, size_length) = self.number(8, true)?;
            let body = at + u64::from(id_length) + u64::from(size_length);
            let id = u32::try_from(id).unwrap_or(0);
            let unknown = size == u64::MAX >> (64 - 7 * size_length);
            // Of unknown length are what is recorded live: all of the file, and its clusters, which come last.
            let next = if unknown { end } else { body.saturating_add(size).min(end) };
            match id {
                SEGMENT | INFO | TRACK | VIDEO => self.elements(body, next, depth + 1)?,
                TRACKS => {
                    self.playable = true;
                    self.elements(body, next, depth + 1)?;
                }
                TAGS | ATTACHMENTS if !unknown => self.blank(at, next)?,
                SCALE => self.scale = self.unsigned(size)?,
                DURATION => self.length = self.float(size)?,
                WIDTH if self.about.width.is_none() => self.about.width = u32::try_from(self.unsigned(size)?).ok(),
                HEIGHT if self.about.height.is_none() => self.about.height = u32::try_from(self.unsigned(size)?).ok(),
                _ => {}
            }
            at = next;
        }
        Ok(())
    }

    /// A number that says by its first byte how long it is; an id keeps the mark of that.
    fn number(&mut self, most: u32, without_mark: bool) -> io::Result<(u64, u32)> {
        let mut first = [0];
        self.file.read_exact(&mut first)?;
        let length = first[0].leading_zeros() + 1;
        if length > most {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let kept = if without_mark { u64::from(first[0]) & ((1 << (8 - length)) - 1) } else { first[0].into() };
        let mut rest = [0; 7];
        let rest = &mut rest[..length as usize - 1];
        self.file.read_exact(rest)?;
        Ok((rest.iter().fold(kept, |number, byte| number << 8 | u64::from(*byte)), length))
    }

    fn unsigned(&mut self, size: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..usize::try_from(size.min(8)).unwrap_or(8)];
        self.file.read_exact(bytes)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn float(&mut self, size: u64) -> io::Result<Option<f64>> {
        let bits = self.unsigned(size)?;
        Ok(match size {
            4 => u32::try_from(bits).ok().map(|bits| f32::from_bits(bits).into()),
            8 => Some(f64::from_bits(bits)),
            _ => None,
        })
    }

    /// One void element of the same length: its size in eight bytes, so that it fits whatever the other's took.
    fn blank(&mut self, at: u64, next: u64) -> io::Result<()> {
        let Some(rest) = (next - at).checked_sub(9) else { return Ok(()) };
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&[VOID])?;
        self.file.write_all(&(rest | 1 << 56).to_be_bytes())?;
        io::copy(&mut io::repeat(0).take(rest), self.file).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn element(id: u32, body: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let id = &id[id.iter().position(|byte| *byte > 0).unwrap()..];
        [id, &(u32::try_from(body.len()).unwrap() | 0x1000_0000).to_be_bytes(), body].concat()
    }

    fn film() -> Vec<u8> {
        let info = [element(SCALE, &1_000_000_u32.to_be_bytes()), element(DURATION, &2_500_f64.to_be_bytes())].concat();
        let video = element(VIDEO, &[element(WIDTH, &[1, 64]), element(HEIGHT, &[240])].concat());
        let tracks = element(TRACKS, &element(TRACK, &video));
        let parts = [element(INFO, &info), tracks, element(TAGS, b"LOCATION Paris"), element(0x1F43_B675, b"pictures")];
        [element(0x1A45_DFA3, b"webm"), element(SEGMENT, &parts.concat())].concat()
    }

    #[test]
    fn a_film_is_measured_and_its_tags_are_blank() {
        let given = film();
        let mut file = Cursor::new(given.clone());
        let about = scrub(&mut file).unwrap();
        assert_eq!(about, About { width: Some(320), height: Some(240), duration: Some(2_500) });
        let kept = file.into_inner();
        assert_eq!(kept.len(), given.len());
        let text = String::from_utf8_lossy(&kept);
        assert!(!text.contains("Paris") && text.ends_with("pictures"), "{text}");
        assert_eq!(scrub(&mut Cursor::new(kept)).unwrap(), about, "it is whole");
    }

    #[test]
    fn anything_cut_off_is_no_panic() {
        let whole = film();
        for length in 0..whole.len() {
            let _ = scrub(&mut Cursor::new(whole[..length].to_vec()));
        }
        assert!(matches!(scrub(&mut Cursor::new(whole[..20].to_vec())), Err(Unfit::Unplayable)));
    }
}
