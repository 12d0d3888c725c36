use super::{Closed, ConnectionId, Outbox, Registry};
use crate::bus::Event;
use axum::extract::ws::Utf8Bytes;
use natter::{Channel, ChannelId, Message, SessionId, UserId, Visibility, wire::ServerFrame};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Delivers events to the connections of this node.
#[derive(Default)]
pub struct Hub {
    registry: Mutex<Registry<Outbox>>,
}

impl Hub {
    /// Delivers until the bus is gone.
    pub async fn run(self: Arc<Self>, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            self.deliver(event);
        }
    }

    /// Registers a connection; see [`Registry::connect`].
    pub fn connect(&self, user_id: UserId, session_id: SessionId) -> (ConnectionId, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::default());
        (self.with(|registry| registry.connect(user_id, session_id, outbox.clone())), outbox)
    }

    /// See [`Registry::settle`].
    pub fn settle(&self, id: ConnectionId, channels: impl IntoIterator<Item = ChannelId>) {
        self.with(|registry| registry.settle(id, channels));
    }

    pub fn disconnect(&self, id: ConnectionId) {
        self.with(|registry| registry.disconnect(id));
    }

    fn deliver(&self, event: Event) {
        match event {
            Event::Message(message) => self.message(message),
            Event::ChannelChanged { channel } => {
                let id = channel.id;
                let frame = frame(&ServerFrame::Channel { channel });
                self.with(|registry| push(registry.outside(id), &frame));
            }
            Event::ChannelRemoved { channel_id, visibility } => self.with(|registry| {
                let frame = frame(&ServerFrame::ChannelRemoved { channel_id });
                match visibility {
                    Visibility::Public => push(registry.everyone(), &frame),
                    Visibility::Private => push(registry.in_channel(channel_id), &frame),
                }
                registry.remove_channel(channel_id);
            }),
            Event::Joined { user, channel_id } => self.with(|registry| {
                let member = frame(&ServerFrame::Member { channel_id, user: user.clone(), joined: true });
                push(registry.in_channel(channel_id), &member);
                registry.join(user.id, channel_id);
            }),
            Event::ChannelSeen { user_id, channel } => {
                let frame = frame(&ServerFrame::Channel { channel });
                self.with(|registry| push(registry.of_user(user_id), &frame));
            }
            Event::Left { user, channel } => self.with(|registry| {
                let id = channel.id;
                registry.leave(user.id, id);
                let member = frame(&ServerFrame::Member { channel_id: id, user: user.clone(), joined: false });
                push(registry.in_channel(id), &member);
                push(registry.of_user(user.id), &frame(&left(channel)));
            }),
            Event::Read { user_id, channel_id, seq, unread, mentions } => {
                let frame = frame(&ServerFrame::Read { channel_id, seq, unread, mentions });
                self.with(|registry| push(registry.of_user(user_id), &frame));
            }
            Event::SessionsEnded(sessions) => self.with(|registry| {
                for session_id in sessions {
                    registry.of_session(session_id).for_each(|outbox| outbox.close(Closed::SessionEnded));
                }
            }),
        }
    }

    fn message(&self, message: Message) {
        let channel_id = message.channel_id;
        let frame = frame(&ServerFrame::Message(message));
        self.with(|registry| push(registry.in_channel(channel_id), &frame));
    }

    fn with<T>(&self, change: impl FnOnce(&mut Registry<Outbox>) -> T) -> T {
        change(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody who left a public channel still sees it from outside; a private one is gone for them.
fn left(channel: Channel) -> ServerFrame {
    match channel.visibility {
        Visibility::Public => ServerFrame::Channel { channel },
        Visibility::Private => ServerFrame::ChannelRemoved { channel_id: channel.id },
    }
}

fn frame(frame: &ServerFrame) -> Utf8Bytes {
    frame.to_json().into()
}

fn push<'a>(receivers: impl Iterator<Item = &'a Arc<Outbox>>, frame: &Utf8Bytes) {
    for outbox in receivers {
        outbox.push(frame.clone());
    }
}
