use super::{Closed, ConnectionId, Outbox, Registry, presence::Presence};
use crate::store::Change;
use axum::extract::ws::Utf8Bytes;
use natter::{ChannelId, Message, SessionId, UserId, Visibility, message::Changes, wire::ServerFrame};
use std::sync::{Arc, Mutex, PoisonError};

/// Delivers to the connections of this node.
#[derive(Default)]
pub struct Hub {
    registry: Mutex<Registry<Outbox, Utf8Bytes>>,
    pub presence: Presence,
}

impl Hub {
    /// Registers a connection; see [`Registry::connect`].
    pub fn connect(&self, user_id: UserId, session_id: SessionId) -> (ConnectionId, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::default());
        let id = self.with(|registry| registry.connect(user_id, session_id, outbox.clone()));
        self.presence.came(user_id);
        (id, outbox)
    }

    /// See [`Registry::settle`].
    pub fn settle(&self, id: ConnectionId, channels: impl IntoIterator<Item = (ChannelId, u64)>) {
        self.with(|registry| registry.settle(id, channels));
    }

    pub fn disconnect(&self, id: ConnectionId) {
        if let Some(user_id) = self.with(|registry| registry.disconnect(id)) {
            self.presence.went(user_id);
        }
    }

    /// Whether a connection receives a channel, and so may know everything in it.
    pub fn receives(&self, id: ConnectionId, channel_id: ChannelId) -> bool {
        self.with(|registry| registry.receives(id, channel_id))
    }

    /// The `rev` up to which everyone in a channel has been sent everything, while somebody is in it.
    pub fn sent_up_to(&self, channel_id: ChannelId) -> Option<u64> {
        self.with(|registry| registry.line(channel_id)?.at())
    }

    /// Takes a message in whatever order; it goes out when everything before it has. True when it
    /// has to wait for something that isn't here.
    pub(super) fn message(&self, message: Message) -> bool {
        let (channel_id, rev) = (message.channel_id, message.rev);
        self.with(|registry| {
            let Some(line) = registry.line(channel_id) else { return false };
            let due = line.offer(rev, frame(&ServerFrame::carrying(message)));
            let waits = line.gap().is_some();
            send_all(registry, channel_id, &due);
            waits
        })
    }

    /// Where something is missing in a channel, given that it has got to `head`.
    pub(super) fn missing(&self, channel_id: ChannelId, head: u64) -> Option<u64> {
        self.with(|registry| {
            let line = registry.line(channel_id)?;
            line.gap().or_else(|| line.at().filter(|at| *at < head))
        })
    }

    /// Takes what was read from the database to close a hole; false if it brought nothing new.
    pub(super) fn fill(&self, channel_id: ChannelId, changes: Changes) -> bool {
        let upto = if changes.next.is_some() { changes.items.last().map_or(0, |last| last.rev) } else { changes.rev };
        let frames = changes.items.into_iter().map(|message| (message.rev, frame(&ServerFrame::carrying(message))));
        self.with(|registry| {
            let Some(line) = registry.line(channel_id) else { return true };
            let before = line.at();
            let due = line.fill(frames, upto);
            let moved = line.at() > before;
            send_all(registry, channel_id, &due);
            moved
        })
    }

    /// Begins the order of a channel that this node begins to follow.
    pub(super) fn start(&self, channel_id: ChannelId, rev: u64) {
        self.with(|registry| {
            let Some(line) = registry.line(channel_id) else { return };
            let due = line.start(rev);
            send_all(registry, channel_id, &due);
        });
    }

    /// Applies at once what needs no reading: who receives what.
    pub(super) fn apply(&self, change: &Change) {
        self.with(|registry| match change {
            Change::ChannelCreated { channel_id, creator: user_id } | Change::Joined { channel_id, user_id } => {
                registry.join(*user_id, *channel_id);
            }
            Change::DirectOpened { channel_id, users } => {
                for user_id in users {
                    registry.join(*user_id, *channel_id);
                }
                // It was empty: nothing that comes now is in an earlier answer.
                if let Some(line) = registry.line(*channel_id) {
                    let due = line.start(0);
                    send_all(registry, *channel_id, &due);
                }
            }
            Change::Left { channel_id, user_id } => registry.leave(*user_id, *channel_id),
            Change::ChannelChanged { channel_id, hidden: true } => {
                let frame = frame(&ServerFrame::ChannelRemoved { channel_id: *channel_id });
                push(registry.outside(*channel_id), &frame);
            }
            // What is to be told of them is read first.
            Change::ChannelChanged { hidden: false, .. } | Change::UserChanged { .. } => {}
            Change::ChannelRemoved { channel_id, visibility } => {
                let frame = frame(&ServerFrame::ChannelRemoved { channel_id: *channel_id });
                match visibility {
                    Visibility::Public => push(registry.everyone(), &frame),
                    Visibility::Private => push(registry.in_channel(*channel_id), &frame),
                }
                registry.remove_channel(*channel_id);
            }
            Change::SessionsEnded { sessions } => {
                for session_id in sessions {
                    registry.of_session(*session_id).for_each(|outbox| outbox.close(Closed::SessionEnded));
                }
            }
            // It may end somebody's access: connecting anew, everybody has what is theirs.
            Change::Unknown => registry.everyone().for_each(|outbox| outbox.close(Closed::GoingAway)),
        });
    }

    /// Whether anyone of that account is connected here.
    pub(super) fn has_user(&self, user_id: UserId) -> bool {
        self.with(|registry| registry.has_user(user_id))
    }

    pub(super) fn send_to_channel(&self, channel_id: ChannelId, message: &ServerFrame) {
        let frame = frame(message);
        self.with(|registry| push(registry.in_channel(channel_id), &frame));
    }

    pub(super) fn send_outside(&self, channel_id: ChannelId, message: &ServerFrame) {
        let frame = frame(message);
        self.with(|registry| push(registry.outside(channel_id), &frame));
    }

    pub(super) fn send_to_user(&self, user_id: UserId, message: &ServerFrame) {
        let frame = frame(message);
        self.with(|registry| push(registry.of_user(user_id), &frame));
    }

    /// The people in a channel that are connected here.
    pub(super) fn present_in(&self, channel_id: ChannelId) -> Vec<UserId> {
        self.with(|registry| registry.users_in(channel_id))
    }

    /// Everyone connected here.
    pub(super) fn users(&self) -> Vec<UserId> {
        self.with(|registry| registry.users())
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> usize {
        self.with(|registry| registry.len())
    }

    pub(super) fn push_to_everyone(&self, frames: &[Utf8Bytes]) {
        if !frames.is_empty() {
            self.with(|registry| registry.everyone().for_each(|outbox| outbox.push(frames)));
        }
    }

    pub(super) fn send_to_everyone(&self, message: &ServerFrame) {
        let frame = frame(message);
        self.with(|registry| push(registry.everyone(), &frame));
    }

    /// To a channel, but for one person's connections.
    pub(super) fn send_to_others(&self, channel_id: ChannelId, but: UserId, message: &ServerFrame) {
        let frame = frame(message);
        self.with(|registry| push(registry.others_in(channel_id, but), &frame));
    }

    /// Makes everyone connect anew, which puts right whatever this node may have missed.
    pub(super) fn reconnect_everyone(&self) {
        self.with(|registry| registry.everyone().for_each(|outbox| outbox.close(Closed::GoingAway)));
    }

    fn with<T>(&self, change: impl FnOnce(&mut Registry<Outbox, Utf8Bytes>) -> T) -> T {
        change(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn frame(frame: &ServerFrame) -> Utf8Bytes {
    frame.to_json().into()
}

fn send_all(registry: &Registry<Outbox, Utf8Bytes>, channel_id: ChannelId, frames: &[Utf8Bytes]) {
    if frames.is_empty() {
        return;
    }
    for outbox in registry.in_channel(channel_id) {
        outbox.push(frames);
    }
}

fn push<'a>(receivers: impl Iterator<Item = &'a Arc<Outbox>>, frame: &Utf8Bytes) {
    for outbox in receivers {
        outbox.push(std::slice::from_ref(frame));
    }
}
