use bytes::Bytes;
use natter::wire::ServerFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// A frame of text as it goes over the wire, header and all. What a server sends isn't masked (RFC
/// 6455, 5.1), so one copy serves everyone who receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    pub fn new(message: &ServerFrame) -> Self {
        use tokio_tungstenite::tungstenite::protocol::frame::Frame as Wire;
        let frame = Wire::message(message.to_json(), OpCode::Data(Data::Text), true);
        let mut bytes = Vec::with_capacity(frame.len());
        // Writing to a vector doesn't fail.
        let _ = frame.format(&mut bytes);
        Self(bytes.into())
    }

    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::{ChannelId, ErrorCode};

    #[test]
    fn it_is_framed_as_the_protocol_says() {
        let pong = Frame::new(&ServerFrame::Pong { reference: None });
        assert_eq!(&pong.bytes()[..2], [0x81, 15]);
        assert_eq!(&pong.bytes()[2..], br#"{"type":"pong"}"#);
        let error = |length| {
            let frame = ServerFrame::Error { reference: None, code: ErrorCode::Invalid, detail: "x".repeat(length) };
            Frame::new(&frame).bytes().to_vec()
        };
        let medium = error(1_000);
        assert_eq!((medium[1], usize::from(u16::from_be_bytes([medium[2], medium[3]]))), (126, medium.len() - 4));
        let large = error(70_000);
        assert_eq!(large[1], 127);
        assert_eq!(large[2..10], u64::try_from(large.len() - 10).unwrap().to_be_bytes());
        let removed = Frame::new(&ServerFrame::ChannelRemoved { channel_id: ChannelId::generate() });
        assert_eq!(removed.len(), removed.bytes().len());
    }
}
