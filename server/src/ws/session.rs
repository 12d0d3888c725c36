//! One connection from `ready` to its close.

mod sync;

use super::{handshake::Upgraded, socket::Socket};
use crate::{
    hub::{Closed, ConnectionId, Frame, Outbox},
    limits,
    services::{
        Caller, Result as ServiceResult, ServiceError,
        messages::{Draft, Posted},
    },
    state::AppState,
    store::ReadMark,
};
use futures::{FutureExt as _, future::BoxFuture};
use natter::{
    ChannelId, ErrorCode, Problem, Ref,
    wire::{ClientFrame, PROTOCOL, ServerFrame, close},
};
use std::{collections::VecDeque, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite::{Error, Message, protocol::CloseFrame};

/// Posts of one connection on their way to the writer; past it, its next frame waits to be read.
const IN_FLIGHT: usize = 64;
/// Writing is told this often; clients forget it after a few seconds.
const TYPING_EVERY: Duration = Duration::from_secs(2);
/// In how many channels meanwhile.
const TYPING_IN: usize = 8;
/// Frames of our own that may wait for a reader; the next follow when they are gone.
const OWN_AT_ONCE: usize = 64;
/// How long they may.
const WRITE_WITHIN: Duration = Duration::from_mins(1);
/// How long the other side has to take the closing handshake.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// A reader who was too slow has to get through what it was sent before, to learn why it ends.
const CLOSE_SLOW_WITHIN: Duration = Duration::from_secs(30);

/// Why the loop ended: nothing more to say, or a close frame to send.
enum End {
    Gone,
    Close(u16, &'static str),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(_) => Self::Close(close::FRAME_TOO_LARGE, "frame too large"),
            Error::Utf8(_) => Self::Close(1007, "text frames are UTF-8"),
            _ => Self::Gone,
        }
    }
}

impl From<Closed> for End {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Broken => Self::Gone,
            _ => Self::Close(closed.code(), closed.reason()),
        }
    }
}

/// The answer to a post; none where nobody knows what became of it.
type Answer = Option<ServerFrame>;

struct Session {
    state: AppState,
    id: ConnectionId,
    caller: Caller,
    socket: Socket,
    outbox: Arc<Outbox>,
    /// Posts on their way, in the order in which they are answered.
    in_flight: VecDeque<BoxFuture<'static, Answer>>,
    heard: limits::Frames,
    /// Where and when one was lately told to be writing.
    typed: Vec<(ChannelId, Instant)>,
    /// Nothing has been heard since the last ping.
    silent: bool,
    /// Channels that had got further, when `ready` was said, than what this connection was to get: where to.
    ahead: Vec<(ChannelId, u64)>,
    _place: limits::ConnectionPlace,
}

/// Runs a connection until either side ends it. What it holds all the time is on the heap, once:
/// futures keep what they were given beside what they made of it.
pub fn run(
    state: AppState,
    caller: Caller,
    upgraded: Upgraded,
    place: limits::ConnectionPlace,
) -> impl Future<Output = ()> + Send {
    let (id, outbox) = state.hub.connect(caller.user.id, caller.session_id, upgraded.stream);
    let socket = Socket::new(upgraded.early, outbox.clone());
    let heard = state.limits.frames();
    let session = Session {
        state,
        id,
        caller,
        socket,
        outbox,
        in_flight: VecDeque::new(),
        heard,
        typed: Vec::new(),
        silent: false,
        ahead: Vec::new(),
        _place: place,
    };
    Box::new(session).live()
}

/// However it ends, a panic included.
impl Drop for Session {
    fn drop(&mut self) {
        self.state.hub.disconnect(self.id);
    }
}

impl Session {
    async fn live(mut self: Box<Self>) {
        let end = match self.ready().boxed().await {
            Ok(()) => self.talk().await,
            Err(end) => end,
        };
        match end {
            End::Close(code, reason) => {
                self.state.hub.metrics.ended(code);
                self.close(code, reason).boxed().await;
            }
            End::Gone => self.state.hub.metrics.ended(close::GONE),
        }
    }

    /// Says `ready`. The hub already knows the connection, so what happens while the channels are
    /// read comes after it.
    async fn ready(&mut self) -> Result<(), End> {
        // The session may have ended between the handshake and the hub's knowing of it.
        let caller = self.state.accounts.by_session(self.caller.session_id).await.map_err(|error| refused(&error))?;
        let joined = self.state.channels.joined(&caller).await.map_err(|error| refused(&error))?;
        self.state.hub.settle(self.id, joined.iter().map(|channel| (channel.id, channel.rev)));
        // Read again now that events arrive: each is in this answer or waits behind it, or both.
        let channels = self.state.channels.joined(&caller).await.map_err(|error| refused(&error))?;
        // Nearly always none: what came in between, to where nobody was, isn't on its way.
        let sent = |id| self.state.hub.sent_up_to(id).unwrap_or(0);
        self.ahead = channels.iter().filter(|it| it.rev > sent(it.id)).map(|it| (it.id, it.rev)).collect();
        let scheduled = self.state.schedule.counts(&caller).await.map_err(|error| refused(&error))?;
        let ready = ServerFrame::Ready {
            protocol: PROTOCOL,
            epoch: self.state.messages.epoch().to_owned(),
            session_id: caller.session_id,
            user: caller.user.clone(),
            channels,
            online: self.state.hub.presence.online(),
            scheduled,
        };
        self.caller = caller;
        self.outbox.begin(&Frame::new(&ready));
        self.flush().await
    }

    async fn talk(&mut self) -> End {
        let every = self.state.ping_every;
        let mut ping = interval_at(Instant::now() + every, every);
        // Whoever had to wait for something isn't taken for silent at once.
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.state.shutdown.clone();
        // One wait for all rounds: each new one would line up with those of every other connection.
        let mut cancelled = pin!(shutdown.cancelled());
        loop {
            let step = tokio::select! {
                closed = self.outbox.ended() => Err(closed.into()),
                answer = next_of(&mut self.in_flight) => self.answers(answer).boxed().await,
                heard = poll_fn(|cx| self.socket.poll_read(cx)), if self.in_flight.len() < IN_FLIGHT => match heard {
                    // On the heap: what handling takes isn't held by everyone who is idle.
                    Ok(message) => self.hear(message).boxed().await,
                    Err(error) => Err(error.into()),
                },
                _ = ping.tick() => self.ping(),
                () = &mut cancelled => Err(Closed::GoingAway.into()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.silent = false;
        self.state.hub.metrics.frames.inc();
        if !self.heard.one_more() {
            return Err(End::Close(close::RATE_LIMITED, "too many frames: slow down"));
        }
        match message {
            Message::Text(text) => match ClientFrame::parse(&text) {
                Ok(frame) => self.handle(frame).await,
                Err(malformed) => self.error(malformed.reference, ErrorCode::Invalid, malformed.detail).await,
            },
            Message::Binary(_) => self.error(None, ErrorCode::Invalid, "Frames are JSON text.".into()).await,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
            Message::Close(_) => {
                // Nothing may follow the answer to it, which goes out with the next read.
                self.outbox.close(Closed::GoingAway);
                let _ = timeout(CLOSE_WITHIN, self.parted()).await;
                Err(End::Gone)
            }
        }
    }

    async fn handle(&mut self, frame: ClientFrame) -> Result<(), End> {
        match frame {
            ClientFrame::Send { reference, channel_id, text, reply_to, attachments } => {
                self.post(channel_id, Draft { text, reference, reply_to, attachments }).await
            }
            ClientFrame::Direct { reference, sender, receiver, text, reply_to, attachments, .. } => {
                if sender.id != self.caller.user.id {
                    let detail = "The sender has to be you.".into();
                    return self.error(reference, ErrorCode::Forbidden, detail).await;
                }
                let draft = Draft { text, reference, reply_to, attachments };
                match self.state.directs.open_to_say(&self.caller, receiver.id, &draft).await {
                    Ok(channel_id) => self.post(channel_id, draft).await,
                    Err(error) => self.refuse(reference, error).await,
                }
            }
            ClientFrame::Edit { reference, message_id, text } => {
                let edited = self.state.messages.edit(&self.caller, message_id, &text).await;
                self.revised(reference, edited).await
            }
            ClientFrame::Delete { reference, message_id, reason } => {
                let deleted = self.state.moderation.delete(&self.caller, message_id, reason.as_deref()).await;
                self.revised(reference, deleted).await
            }
            ClientFrame::React { reference, message_id, emoji, on } => {
                let reacted = self.state.messages.react(&self.caller, message_id, &emoji, on).await;
                self.revised(reference, reacted).await
            }
            ClientFrame::Typing { reference, channel_id } => self.typing(reference, channel_id).await,
            ClientFrame::Sync { reference, epoch, channels } => self.sync(reference, &epoch, channels).await,
            ClientFrame::Read { reference, channel_id, seq, back } => {
                match self.state.channels.mark_read(&self.caller, channel_id, seq, back).await {
                    // Told to all of the reader's connections, this one included.
                    Ok(mark) if mark.moved && reference.is_none() => Ok(()),
                    Ok(ReadMark { seq, unread, mentions, rev, moved }) => {
                        let back = back && moved;
                        self.send(&ServerFrame::Read { reference, channel_id, seq, unread, mentions, rev, back }).await
                    }
                    Err(error) => self.refuse(reference, error).await,
                }
            }
            ClientFrame::Ping { reference } => self.send(&ServerFrame::Pong { reference }).await,
        }
    }

    /// Puts a message in line; its `ack` follows when it is stored.
    async fn post(&mut self, channel_id: ChannelId, draft: Draft) -> Result<(), End> {
        let reference = draft.reference;
        // What was being written has come.
        self.typed.retain(|(typed, _)| *typed != channel_id);
        match self.state.messages.submit(&self.caller, channel_id, draft).await {
            Ok(stored) => {
                self.in_flight.push_back(stored.map(move |result| outcome(reference, result)).boxed());
                Ok(())
            }
            Err(error) => self.refuse(reference, error).await,
        }
    }

    /// Says what became of a change; the changed message itself comes to everyone in its channel.
    async fn revised(&mut self, reference: Option<Ref>, result: ServiceResult<natter::Message>) -> Result<(), End> {
        match outcome(reference, result.map(|message| Posted { message, known: true })) {
            Some(answer) => self.send(&answer).await,
            None => Err(End::Close(close::GOING_AWAY, "reconnect: it isn't known whether that was stored")),
        }
    }

    /// Tells a channel that somebody is writing, at most every other second.
    async fn typing(&mut self, reference: Option<Ref>, channel_id: ChannelId) -> Result<(), End> {
        if !self.state.hub.receives(self.id, channel_id) {
            // Who sees it from outside is told so, everyone else that there is none.
            let refusal = match self.state.channels.get(&self.caller, channel_id).await {
                Ok(_) => ServiceError::Forbidden("Join the channel to write there."),
                Err(error) => error,
            };
            return self.refuse(reference, refusal).await;
        }
        let now = Instant::now();
        self.typed.retain(|(_, at)| now - *at < TYPING_EVERY);
        let lately = self.typed.iter().any(|(last, _)| *last == channel_id);
        if !lately && self.typed.len() < TYPING_IN {
            self.typed.push((channel_id, now));
            self.state.channels.typing(&self.caller, channel_id).await;
        }
        Ok(())
    }

    fn ping(&mut self) -> Result<(), End> {
        if self.silent {
            return Err(End::Gone);
        }
        if self.outbox.is_stuck_for(WRITE_WITHIN) {
            return Err(Closed::TooSlow.into());
        }
        self.silent = true;
        Ok(self.socket.ping()?)
    }

    async fn refuse(&mut self, reference: Option<Ref>, error: ServiceError) -> Result<(), End> {
        self.send(&refusal(reference, error)).await
    }

    async fn error(&mut self, reference: Option<Ref>, code: ErrorCode, detail: String) -> Result<(), End> {
        self.send(&ServerFrame::Error { reference, code, detail }).await
    }

    /// An answer to a post, and to those that were stored with it.
    async fn answers(&mut self, first: Answer) -> Result<(), End> {
        let mut frames = Vec::new();
        let mut next = Some(first);
        while let Some(answer) = next {
            let Some(answer) = answer else {
                // An error would say that nothing was stored. Who connects again sends again, by the
                // same ref, and is told.
                return Err(End::Close(close::GOING_AWAY, "reconnect and send again what has no answer"));
            };
            frames.push(Frame::new(&answer));
            next = next_of(&mut self.in_flight).now_or_never();
        }
        self.write(&frames).await
    }

    async fn send(&mut self, message: &ServerFrame) -> Result<(), End> {
        self.write(&[Frame::new(message)]).await
    }

    /// Writes all frames. A reader who doesn't read is let go when its queue is full, its session over
    /// or its time up; what the session was for is looked at first.
    async fn write(&mut self, frames: &[Frame]) -> Result<(), End> {
        for some in frames.chunks(OWN_AT_ONCE) {
            self.say(some)?;
            self.flush().await?;
        }
        Ok(())
    }

    fn say(&self, frames: &[Frame]) -> Result<(), End> {
        if let Some(closed) = self.outbox.is_closed() {
            return Err(closed.into());
        }
        self.outbox.say(frames);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), End> {
        // Nearly always there is room, and no reason to watch anything else meanwhile.
        if let Some(sent) = self.outbox.sent().now_or_never() {
            return Ok(sent?);
        }
        tokio::select! {
            biased;
            () = self.state.shutdown.cancelled() => Err(Closed::GoingAway.into()),
            sent = timeout(WRITE_WITHIN, self.outbox.sent()) => match sent {
                Ok(sent) => Ok(sent?),
                Err(_) => Err(Closed::TooSlow.into()),
            },
        }
    }

    /// Says why, and gives the other side a moment to take it.
    async fn close(&mut self, code: u16, reason: &'static str) {
        // Nothing may follow the farewell.
        self.outbox.close(Closed::GoingAway);
        if self.socket.close(CloseFrame { code: code.into(), reason: reason.into() }).is_err() {
            return;
        }
        let patience = if code == close::TOO_SLOW { CLOSE_SLOW_WITHIN } else { CLOSE_WITHIN };
        let shutdown = self.state.shutdown.clone();
        let cut_short = async {
            shutdown.cancelled().await;
            sleep(CLOSE_WITHIN).await;
        };
        tokio::select! {
            _ = timeout(patience, self.parted()) => {}
            () = cut_short => {}
        }
    }

    /// The end of the closing handshake.
    async fn parted(&mut self) {
        let (socket, outbox) = (&mut self.socket, &self.outbox);
        let read = async { while poll_fn(|cx| socket.poll_read(cx)).await.is_ok() {} };
        tokio::join!(read, outbox.rest_sent());
    }
}

/// The answer to the first of these, which is taken out; waits for ever where there is none.
async fn next_of(in_flight: &mut VecDeque<BoxFuture<'static, Answer>>) -> Answer {
    let answer = poll_fn(|cx| in_flight.front_mut().map_or(Poll::Pending, |first| first.poll_unpin(cx))).await;
    in_flight.pop_front();
    if in_flight.is_empty() {
        // Whoever is idle keeps no memory for it.
        in_flight.shrink_to_fit();
    }
    answer
}

fn outcome(reference: Option<Ref>, result: ServiceResult<Posted>) -> Answer {
    Some(match result {
        Err(ServiceError::Unsure) => return None,
        Ok(Posted { message, .. }) => ServerFrame::Ack {
            reference,
            id: message.id,
            channel_id: message.channel_id,
            seq: message.seq,
            rev: message.rev,
            timestamp: message.timestamp,
        },
        Err(error) => refusal(reference, error),
    })
}

fn refusal(reference: Option<Ref>, error: ServiceError) -> ServerFrame {
    let Problem { code, detail, .. } = error.into_problem();
    ServerFrame::Error { reference, code, detail }
}

fn refused(error: &ServiceError) -> End {
    match error {
        ServiceError::Unauthenticated(_) | ServiceError::Forbidden(_) => Closed::SessionEnded.into(),
        error => {
            tracing::error!(%error, "a connection could not be started");
            Closed::GoingAway.into()
        }
    }
}
