//! Posts that only have to be there.

use crate::load::{
    LoadError,
    scan::{Scanned, scan},
    socket::{Read, Socket},
    stage::Stage,
};
use natter::{ChannelId, Ref, wire::ClientFrame};

/// As many as a connection may have under way.
const IN_FLIGHT: u64 = 64;

/// Posts so many messages in a channel, as whoever made it, and waits until all are stored.
pub async fn fill(stage: &Stage, channel_id: ChannelId, messages: u64) -> Result<(), LoadError> {
    if messages == 0 {
        return Ok(());
    }
    let mut socket = stage.open_as_admin().await?;
    let writer = socket.writer();
    let (mut sent, mut answered) = (0, 0);
    while answered < messages {
        while sent < messages && sent - answered < IN_FLIGHT {
            let frame = ClientFrame::Send {
                reference: Some(Ref::generate()),
                channel_id,
                text: format!("message {sent}, about as long as what people say to each other"),
                reply_to: None,
                attachments: Vec::new(),
            };
            writer.send(&frame).await.map_err(|_| LoadError::Ended)?;
            sent += 1;
        }
        answered += answers(&mut socket).await?;
    }
    Ok(())
}

async fn answers(socket: &mut Socket) -> Result<u64, LoadError> {
    let (mut answers, mut refused) = (0, false);
    let read = socket.read(|text| match scan(text) {
        Scanned::Ack(_) => answers += 1,
        Scanned::Error(_) => refused = true,
        _ => {}
    });
    match read.await {
        Ok(Read::Some) if !refused => Ok(answers),
        Ok(Read::Some) => Err(LoadError::Options("the server refused messages".into())),
        _ => Err(LoadError::Ended),
    }
}
