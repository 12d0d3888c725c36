//! What a client missed, sent after it has connected again.

use super::{End, OWN_AT_ONCE, Session};
use crate::{
    hub::{Closed, Frame, Gap},
    services::Result as ServiceResult,
};
use natter::{
    ChannelId, ErrorCode, Ref,
    wire::{ServerFrame, close},
};
use std::collections::BTreeMap;

/// Channels in one `sync`.
const SYNC_CHANNELS: usize = 1_000;

impl Session {
    /// Sends everything missed, channel by channel.
    pub(super) async fn sync(
        &mut self,
        reference: Option<Ref>,
        epoch: &str,
        channels: BTreeMap<ChannelId, u64>,
    ) -> Result<(), End> {
        if channels.len() > SYNC_CHANNELS {
            let detail = format!("A sync names at most {SYNC_CHANNELS} channels.");
            return self.error(reference, ErrorCode::Invalid, detail).await;
        }
        if self.state.limits.sync(self.caller.user.id, channels.len()).is_err() {
            // An error wouldn't be enough: what was missed would stay so.
            return Err(End::Close(close::RATE_LIMITED, "too many syncs: slow down"));
        }
        for (channel_id, since) in channels {
            // Who receives a channel may know what was in it.
            let mut inside = self.receives(channel_id);
            if inside {
                let frames = match self.gap(reference, channel_id, since, epoch).await {
                    Ok(frames) => frames,
                    Err(error) => return self.refuse(reference, error).await,
                };
                for some in frames.chunks(OWN_AT_ONCE) {
                    // They may have been taken out of it while that was read, or since they read the last.
                    inside = self.receives(channel_id);
                    if !inside {
                        break;
                    }
                    self.write_of(channel_id, some).await?;
                }
            }
            if !inside {
                let outside = self.seen_from_outside(channel_id).await;
                self.send(&outside).await?;
            }
        }
        Ok(())
    }

    async fn gap(
        &mut self,
        reference: Option<Ref>,
        channel_id: ChannelId,
        since: u64,
        epoch: &str,
    ) -> ServiceResult<Vec<Frame>> {
        if epoch != self.state.messages.epoch() {
            return Ok(vec![Frame::new(&ServerFrame::Resync { reference, channel_id })]);
        }
        // What comes after this is on its way to this connection already.
        let ahead = self.ahead.iter().find(|(id, _)| *id == channel_id).map_or(0, |(_, rev)| *rev);
        let head = self.state.hub.sent_up_to(channel_id).unwrap_or(0).max(ahead);
        Ok(match self.state.gaps.since(channel_id, since, head).await? {
            Gap::Frames(mut missed, rev) => {
                missed.push(Frame::new(&ServerFrame::Synced { reference, channel_id, rev }));
                missed
            }
            Gap::Resync => vec![Frame::new(&ServerFrame::Resync { reference, channel_id })],
        })
    }

    /// Writes a few frames of a channel.
    async fn write_of(&mut self, channel_id: ChannelId, frames: &[Frame]) -> Result<(), End> {
        self.say(frames)?;
        if !self.receives(channel_id) {
            // Whoever took them out of it may not have seen these wait.
            self.outbox.close_if_waiting(Closed::GoingAway);
        }
        self.flush().await
    }

    fn receives(&self, channel_id: ChannelId) -> bool {
        self.state.hub.receives(self.id, channel_id)
    }

    /// What somebody who isn't in a channel may know of it.
    async fn seen_from_outside(&mut self, channel_id: ChannelId) -> ServerFrame {
        match self.state.channels.get(&self.caller, channel_id).await {
            Ok(channel) => ServerFrame::Channel { channel },
            Err(_) => ServerFrame::ChannelRemoved { channel_id },
        }
    }
}
