//! Keeps one WebSocket open, for as long as the page is.

use super::backoff::Backoff;
use crate::{
    api,
    next::{LOGGED_OUT, login_first},
    state::{Chat, ENDED, Link, assign_location, now, remember},
};
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    channel::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, channel, unbounded},
    future::{Fuse, FusedFuture as _},
    select,
};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use leptos::{ev, prelude::*};
use natter::{
    ChannelId, ErrorCode,
    wire::{ClientFrame, ServerFrame, close},
};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};
use web_sys::VisibilityState;

/// How long a hole in the revisions may stay: events overtake each other only by moments.
const GAP_MS: u32 = 300;
const PING_MS: u32 = 25_000;
/// Without a word for this long the connection is dead, whatever the browser thinks.
const SILENCE_MS: i64 = 40_000;
/// How long an answer may take when there is reason to doubt the connection.
const PROBE_MS: u32 = 5_000;
/// How long one's own log-out is given to lead away from here: it may be refused, or stopped.
const LEAVE_MS: u32 = 10_000;
/// How often it is tried to have a page that the server asks to be loaded anew.
const RELOADS: u32 = 8;
/// A wait this short isn't worth telling.
const QUIET_MS: u32 = 1_500;

thread_local! {
    /// Leads to the open connection. What can't be sent is sent again from the outbox when it opens,
    /// and the outbox bounds how much that can be.
    static OUT: RefCell<Option<UnboundedSender<ClientFrame>>> = const { RefCell::new(None) };
    /// Until when one's own log-out may take.
    static LEAVING: Cell<i64> = const { Cell::new(0) };
    /// There was one, and nothing has shown since that it was refused.
    static LEFT: Cell<bool> = const { Cell::new(false) };
}

/// Says something if somebody is listening.
pub fn send(frame: ClientFrame) {
    OUT.with_borrow(|out| {
        if let Some(out) = out {
            let _ = out.unbounded_send(frame);
        }
    });
}

/// One logs out on this page: that has its own way, whatever becomes of the connection meanwhile.
pub fn leave() {
    LEAVING.set(now().millis() + i64::from(LEAVE_MS));
    LEFT.set(true);
}

/// Where the page is.
fn here() -> String {
    let Some(location) = web_sys::window().map(|window| window.location()) else { return String::new() };
    [location.pathname(), location.search(), location.hash()].into_iter().flatten().collect()
}

enum Over {
    /// Log in again.
    NotAllowed,
    Lost,
}

/// Connects, and connects again, until the session ends.
pub fn start(chat: Chat) {
    chat.recall();
    let mut doubts = doubts();
    leptos::task::spawn_local(async move {
        let mut backoff = Backoff::default();
        loop {
            let (was_ready, over) = connection(chat, &mut doubts).await;
            OUT.set(None);
            if now().millis() < LEAVING.take() {
                TimeoutFuture::new(LEAVE_MS).await;
                continue;
            }
            if matches!(over, Over::NotAllowed) || (!was_ready && logged_out().await) {
                if LEFT.get() {
                    // What the log-out would have led to was slow, or got lost.
                    assign_location(LOGGED_OUT);
                } else {
                    remember(ENDED, "1");
                    assign_location(&login_first(&here()));
                }
                return;
            }
            if was_ready {
                backoff.reset();
            }
            leptos::task::spawn_local(async move {
                TimeoutFuture::new(QUIET_MS).await;
                if OUT.with_borrow(Option::is_none) {
                    chat.link.set(Link::Down);
                }
            });
            // Somebody who comes back, or whose network does, doesn't wait for the next try.
            select! {
                () = TimeoutFuture::new(backoff.next_ms(js_sys::Math::random())).fuse() => {}
                _ = doubts.next() => {}
            }
        }
    });
}

/// Tells when there is reason to ask whether the connection still is one: the network came or went, or the
/// page was asleep. No browser says that a connection died without a word.
fn doubts() -> Receiver<()> {
    // One that waits is as good as several.
    let (doubt, doubts) = channel(0);
    let doubt = Rc::new(RefCell::new(doubt));
    let doubted = move || _ = doubt.borrow_mut().try_send(());
    let (online, offline, shown, seen) = (doubted.clone(), doubted.clone(), doubted.clone(), doubted);
    // They stay as long as what they are for: until the page ends.
    window_event_listener(ev::online, move |_| online());
    window_event_listener(ev::offline, move |_| offline());
    window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            shown();
        }
    });
    window_event_listener(ev::visibilitychange, move |_| {
        if document().visibility_state() == VisibilityState::Visible {
            seen();
        }
    });
    doubts
}

/// A refused handshake looks like a dead server: ask which it is. No answer is one, too.
async fn logged_out() -> bool {
    let mut asked = pin!(api::bootstrap().fuse());
    select! {
        found = asked => match found {
            Ok(found) => found.is_none(),
            Err(failure) => failure.is(ErrorCode::Unauthenticated),
        },
        () = TimeoutFuture::new(PROBE_MS).fuse() => false,
    }
}

async fn connection(chat: Chat, doubts: &mut Receiver<()>) -> (bool, Over) {
    let Some(socket) = open() else { return (false, Over::Lost) };
    let (mut sink, stream) = socket.split();
    let mut stream = stream.fuse();
    let (out, mut queue): (_, UnboundedReceiver<ClientFrame>) = unbounded();
    let mut heard_at = now();
    let mut ready = false;
    // Armed only while there is a gap: an idle page sleeps.
    let mut gap_check = Fuse::terminated();
    // The same while the server can't take messages.
    let mut ask_again = Fuse::terminated();
    let mut ping = TimeoutFuture::new(PING_MS).fuse();
    // Armed while an answer is waited for that would end a doubt.
    let mut probe = Fuse::terminated();
    loop {
        let say: Vec<ClientFrame> = select! {
            heard = stream.next() => match heard {
                Some(Ok(Message::Text(text))) => {
                    heard_at = now();
                    probe = Fuse::terminated();
                    if heard_at.millis() >= LEAVING.get() {
                        // Still here: it was refused, or stopped.
                        LEFT.set(false);
                    }
                    let Ok(frame) = ServerFrame::parse(text.as_bytes()) else { continue };
                    if matches!(frame, ServerFrame::Ready { .. }) {
                        ready = true;
                        LEFT.set(false);
                        OUT.set(Some(out.clone()));
                        chat.link.set(Link::Up);
                    }
                    if let ServerFrame::Resync { channel_id, .. } = frame {
                        reload(chat, channel_id);
                    }
                    chat.receive(frame)
                }
                Some(Ok(Message::Bytes(_))) => continue,
                Some(Err(WebSocketError::ConnectionClose(event))) if event.code == close::NOT_ALLOWED => {
                    return (ready, Over::NotAllowed);
                }
                Some(Err(_)) | None => return (ready, Over::Lost),
            },
            frame = queue.next() => frame.into_iter().collect(),
            () = ask_again => chat.ask(),
            () = gap_check => chat.gaps().into_iter().collect(),
            () = ping => {
                if now().millis() - heard_at.millis() > SILENCE_MS {
                    return (ready, Over::Lost);
                }
                ping = TimeoutFuture::new(PING_MS).fuse();
                are_you_there(ready)
            }
            _ = doubts.next() => {
                if now().millis() - heard_at.millis() > SILENCE_MS {
                    return (ready, Over::Lost);
                }
                if probe.is_terminated() {
                    probe = TimeoutFuture::new(PROBE_MS).fuse();
                }
                are_you_there(ready)
            }
            () = probe => return (ready, Over::Lost),
        };
        if ready && gap_check.is_terminated() && chat.has_gaps() {
            gap_check = TimeoutFuture::new(GAP_MS).fuse();
        }
        match chat.to_be_asked() {
            Some(tries) if ready && ask_again.is_terminated() => {
                ask_again = TimeoutFuture::new(Backoff::after(tries).next_ms(js_sys::Math::random())).fuse();
            }
            Some(_) => {}
            None => ask_again = Fuse::terminated(),
        }
        for frame in say {
            let text = serde_json::to_string(&frame).unwrap_or_default();
            if sink.send(Message::Text(text)).await.is_err() {
                return (ready, Over::Lost);
            }
        }
    }
}

/// What makes the server answer. Nothing can be said before it has opened.
fn are_you_there(open: bool) -> Vec<ClientFrame> {
    open.then_some(ClientFrame::Ping { reference: None }).into_iter().collect()
}

/// Fetches the newest page of a channel that can't be caught up with by revisions.
fn reload(chat: Chat, channel_id: ChannelId) {
    leptos::task::spawn_local(async move {
        let mut backoff = Backoff::default();
        for _ in 0..RELOADS {
            // One that isn't there any more needs none.
            let Some(timeline) = chat.timeline(chat.target(channel_id)) else { return };
            if let Ok(page) = api::channel_history(channel_id, None).await {
                return timeline.update(|timeline| timeline.reload(page));
            }
            TimeoutFuture::new(backoff.next_ms(js_sys::Math::random())).await;
        }
    });
}

fn open() -> Option<WebSocket> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    WebSocket::open(&format!("{scheme}://{}/api/v1/ws", location.host().ok()?)).ok()
}
