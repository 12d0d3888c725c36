//! As much of WebSocket's framing (RFC 6455) as a client needs that only reads what this server
//! writes: whole messages, unmasked.

/// What a server may send in one message, generously: a `ready` names every channel.
const LARGEST: usize = 4 * 1024 * 1024;
/// Above it, the room for a frame in parts is given back when it is complete.
const KEEP: usize = 4 * 1024;

const MASKED: u8 = 0x80;
/// Lengths that mean that the length follows, in two bytes or in eight.
const MEDIUM: u8 = 0x7e;
const LONG: u8 = 0x7f;

#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    Close(Option<u16>),
    Other,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    #[error("a frame of {0} bytes")]
    TooLarge(u64),
    #[error("a masked frame from a server")]
    Masked,
    #[error("a message in several frames")]
    InParts,
}

/// Reads the frame at the beginning, and says how long it is; None if it isn't all there.
pub fn parse(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, BadFrame> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if second & MASKED != 0 {
        return Err(BadFrame::Masked);
    }
    let opcode = first & 0x0f;
    if first & 0x80 == 0 || opcode == 0 {
        return Err(BadFrame::InParts);
    }
    let (length, head) = match second & !MASKED {
        MEDIUM => (rest.first_chunk().map(|length| u64::from(u16::from_be_bytes(*length))), 4),
        LONG => (rest.first_chunk().map(|length| u64::from_be_bytes(*length)), 10),
        short => (Some(u64::from(short)), 2),
    };
    let Some(length) = length else { return Ok(None) };
    let size = usize::try_from(length).ok().filter(|size| *size <= LARGEST).ok_or(BadFrame::TooLarge(length))?;
    let Some(payload) = bytes.get(head..head + size) else { return Ok(None) };
    let frame = match opcode {
        1 => Frame::Text(payload),
        8 => Frame::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
        9 => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Ok(Some((frame, head + size)))
}

/// Takes a stream apart into frames.
#[derive(Default)]
pub struct Inbox {
    /// The beginning of a frame whose end hasn't come yet.
    partial: Vec<u8>,
}

impl Inbox {
    pub fn feed(&mut self, bytes: &[u8], mut on: impl FnMut(Frame<'_>)) -> Result<(), BadFrame> {
        if self.partial.is_empty() {
            let used = frames(bytes, &mut on)?;
            self.partial.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        self.partial.extend_from_slice(bytes);
        let used = frames(&self.partial, &mut on)?;
        self.partial.drain(..used);
        if self.partial.is_empty() && self.partial.capacity() > KEEP {
            self.partial = Vec::new();
        }
        Ok(())
    }
}

fn frames(bytes: &[u8], on: &mut impl FnMut(Frame<'_>)) -> Result<usize, BadFrame> {
    let mut used = 0;
    while let Some((frame, length)) = parse(&bytes[used..])? {
        on(frame);
        used += length;
    }
    Ok(used)
}

/// A client's frame, masked as the protocol demands.
pub fn text(payload: &[u8]) -> Vec<u8> {
    masked(1, payload)
}

pub fn pong(payload: &[u8]) -> Vec<u8> {
    masked(10, payload)
}

fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..MEDIUM), _) => frame.push(MASKED | short),
        (_, Ok(medium)) => {
            frame.push(MASKED | MEDIUM);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(MASKED | LONG);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    let key = fastrand::u32(..).to_be_bytes();
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server writes it.
    fn server(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = masked(opcode, payload);
        let head = frame.len() - payload.len();
        frame.truncate(head - 4);
        frame[1] &= 0x7f;
        frame.extend(payload);
        frame
    }

    #[test]
    fn frames_of_every_length_come_out_however_the_stream_is_cut() {
        let payloads: Vec<Vec<u8>> = [0, 1, 125, 126, 127, 65_535, 65_536, 3].map(|n| vec![b'x'; n]).into();
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| server(1, payload)).collect();
        for cut in [1, 2, 3, 7, 1_000, stream.len()] {
            let (mut inbox, mut seen) = (Inbox::default(), Vec::new());
            for piece in stream.chunks(cut) {
                let on = |frame: Frame<'_>| {
                    if let Frame::Text(text) = frame {
                        seen.push(text.to_vec());
                    }
                };
                inbox.feed(piece, on).unwrap();
            }
            assert!(seen == payloads, "cut into pieces of {cut}");
            assert!(inbox.partial.capacity() <= KEEP || cut == 1_000 || cut < 8);
        }
    }

    #[test]
    fn control_frames_are_told_apart() {
        assert_eq!(parse(&server(9, b"hi")), Ok(Some((Frame::Ping(b"hi"), 4))));
        assert_eq!(parse(&server(8, &[0x0f, 0xa8, b'x'])), Ok(Some((Frame::Close(Some(4008)), 5))));
        assert_eq!(parse(&server(8, &[])), Ok(Some((Frame::Close(None), 2))));
        assert_eq!(parse(&server(10, &[])), Ok(Some((Frame::Other, 2))));
    }

    #[test]
    fn what_this_server_never_writes_is_refused() {
        assert_eq!(parse(&text(b"masked")), Err(BadFrame::Masked));
        assert_eq!(parse(&[0x01, 0]), Err(BadFrame::InParts));
        assert_eq!(parse(&[0x80, 0]), Err(BadFrame::InParts));
        assert_eq!(parse(&[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0]), Err(BadFrame::TooLarge(1 << 56)));
    }

    #[test]
    fn what_is_masked_reads_back() {
        let frame = text(b"hello");
        assert_eq!((frame[0], frame[1]), (0x81, 0x80 | 5));
        let (key, body) = frame[2..].split_at(4);
        let plain: Vec<_> = body.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        assert_eq!(plain, b"hello");
    }
}
