//! Who is connected and what they receive: a plain struct that knows no sockets.

use super::line::Line;
use natter::{ChannelId, SessionId, UserId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(u64);

struct Connection<H> {
    user_id: UserId,
    session_id: SessionId,
    handle: Arc<H>,
    channels: HashSet<ChannelId>,
    /// While its channels are being read from the database: what changed meanwhile, which the
    /// answer may not show yet. `None` once it is settled.
    meanwhile: Option<HashMap<ChannelId, bool>>,
}

/// A channel with somebody in it.
struct Room<H, F> {
    connections: HashMap<ConnectionId, Arc<H>>,
    /// The order of its frames, by `rev`.
    line: Line<F>,
}

impl<H, F> Default for Room<H, F> {
    fn default() -> Self {
        Self { connections: HashMap::new(), line: Line::new() }
    }
}

/// `H` is what a connection is reached by, `F` what it is sent.
pub struct Registry<H, F> {
    next: u64,
    connections: HashMap<ConnectionId, Connection<H>>,
    by_user: HashMap<UserId, HashSet<ConnectionId>>,
    by_session: HashMap<SessionId, HashSet<ConnectionId>>,
    by_channel: HashMap<ChannelId, Room<H, F>>,
}

impl<H, F> Default for Registry<H, F> {
    fn default() -> Self {
        Self {
            next: 0,
            connections: HashMap::new(),
            by_user: HashMap::new(),
            by_session: HashMap::new(),
            by_channel: HashMap::new(),
        }
    }
}

impl<H, F> Registry<H, F> {
    /// Adds a connection, as yet in no channel. From here on it sees what concerns its user; read
    /// the user's channels after this call and hand them to [`Self::settle`].
    pub fn connect(&mut self, user_id: UserId, session_id: SessionId, handle: Arc<H>) -> ConnectionId {
        let id = ConnectionId(self.next);
        self.next += 1;
        self.by_user.entry(user_id).or_default().insert(id);
        self.by_session.entry(session_id).or_default().insert(id);
        let connection =
            Connection { user_id, session_id, handle, channels: HashSet::new(), meanwhile: Some(HashMap::new()) };
        self.connections.insert(id, connection);
        id
    }

    /// Puts a connection into its user's channels, each with the `rev` it was read at. What the user
    /// joined or left since [`Self::connect`] wins over what was read.
    pub fn settle(&mut self, id: ConnectionId, channels: impl IntoIterator<Item = (ChannelId, u64)>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let meanwhile = connection.meanwhile.take().unwrap_or_default();
        for (channel_id, rev) in channels {
            if meanwhile.get(&channel_id) != Some(&false) {
                connection.channels.insert(channel_id);
                let room = self.by_channel.entry(channel_id).or_default();
                room.connections.insert(id, connection.handle.clone());
                // Nobody else waits for what a room that had no beginning may hold already.
                room.line.start(rev);
            }
        }
    }

    /// Answers whose last connection that was, if it was.
    pub fn disconnect(&mut self, id: ConnectionId) -> Option<UserId> {
        let connection = self.connections.remove(&id)?;
        forget(&mut self.by_user, connection.user_id, id);
        forget(&mut self.by_session, connection.session_id, id);
        for channel_id in connection.channels {
            self.empty(channel_id, id);
        }
        (!self.has_user(connection.user_id)).then_some(connection.user_id)
    }

    pub fn join(&mut self, user_id: UserId, channel_id: ChannelId) {
        for id in self.by_user.get(&user_id).into_iter().flatten() {
            if let Some(connection) = self.connections.get_mut(id) {
                if let Some(meanwhile) = &mut connection.meanwhile {
                    meanwhile.insert(channel_id, true);
                }
                connection.channels.insert(channel_id);
                let room = self.by_channel.entry(channel_id).or_default();
                room.connections.insert(*id, connection.handle.clone());
            }
        }
    }

    pub fn leave(&mut self, user_id: UserId, channel_id: ChannelId) {
        let ids = self.by_user.get(&user_id).cloned().unwrap_or_default();
        for id in ids {
            self.take_out(id, channel_id);
        }
    }

    /// Takes everyone out of a channel that is no more.
    pub fn remove_channel(&mut self, channel_id: ChannelId) {
        let ids = self.by_channel.get(&channel_id).map(|room| room.connections.keys().copied().collect::<Vec<_>>());
        for id in ids.into_iter().flatten() {
            self.take_out(id, channel_id);
        }
        // Connections still reading their channels may find it in an answer read before.
        for connection in self.connections.values_mut() {
            if let Some(meanwhile) = &mut connection.meanwhile {
                meanwhile.insert(channel_id, false);
            }
        }
    }

    fn take_out(&mut self, id: ConnectionId, channel_id: ChannelId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            if let Some(meanwhile) = &mut connection.meanwhile {
                meanwhile.insert(channel_id, false);
            }
            connection.channels.remove(&channel_id);
        }
        self.empty(channel_id, id);
    }

    fn empty(&mut self, channel_id: ChannelId, id: ConnectionId) {
        if let Some(room) = self.by_channel.get_mut(&channel_id) {
            room.connections.remove(&id);
            if room.connections.is_empty() {
                self.by_channel.remove(&channel_id);
            }
        }
    }

    /// The order of a channel's frames, while somebody is in it.
    pub fn line(&mut self, channel_id: ChannelId) -> Option<&mut Line<F>> {
        self.by_channel.get_mut(&channel_id).map(|room| &mut room.line)
    }

    /// Whether that connection receives that channel.
    pub fn receives(&self, id: ConnectionId, channel_id: ChannelId) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.channels.contains(&channel_id))
    }

    pub fn has_user(&self, user_id: UserId) -> bool {
        self.by_user.contains_key(&user_id)
    }

    pub fn everyone(&self) -> impl Iterator<Item = &Arc<H>> {
        self.connections.values().map(|connection| &connection.handle)
    }

    /// Those that aren't in a channel. Whoever is only being settled may well be in it: what is read for
    /// them afterwards says so.
    pub fn outside(&self, channel_id: ChannelId) -> impl Iterator<Item = &Arc<H>> {
        let settled = self.connections.values().filter(|connection| connection.meanwhile.is_none());
        settled.filter(move |connection| !connection.channels.contains(&channel_id)).map(|found| &found.handle)
    }

    pub fn in_channel(&self, channel_id: ChannelId) -> impl Iterator<Item = &Arc<H>> {
        self.by_channel.get(&channel_id).into_iter().flat_map(|room| room.connections.values())
    }

    /// Those in a channel that aren't that person's.
    pub fn others_in(&self, channel_id: ChannelId, but: UserId) -> impl Iterator<Item = &Arc<H>> {
        let room = self.by_channel.get(&channel_id).into_iter().flat_map(|room| &room.connections);
        let of = move |id| self.connections.get(id).is_none_or(|connection| connection.user_id == but);
        room.filter(move |(id, _)| !of(id)).map(|(_, handle)| handle)
    }

    /// Whose connections are in a channel.
    pub fn users_in(&self, channel_id: ChannelId) -> Vec<UserId> {
        let ids = self.by_channel.get(&channel_id).into_iter().flat_map(|room| room.connections.keys());
        let users: HashSet<_> = ids.filter_map(|id| self.connections.get(id)).map(|found| found.user_id).collect();
        users.into_iter().collect()
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    pub fn users(&self) -> Vec<UserId> {
        self.by_user.keys().copied().collect()
    }

    pub fn of_user(&self, user_id: UserId) -> impl Iterator<Item = &Arc<H>> {
        self.handles(self.by_user.get(&user_id))
    }

    /// Those of somebody's that are in a channel.
    pub fn of_user_in(&self, user_id: UserId, channel_id: ChannelId) -> impl Iterator<Item = &Arc<H>> {
        let ids = self.by_user.get(&user_id).into_iter().flatten();
        let connections = ids.filter_map(|id| self.connections.get(id));
        connections.filter(move |connection| connection.channels.contains(&channel_id)).map(|found| &found.handle)
    }

    pub fn of_session(&self, session_id: SessionId) -> impl Iterator<Item = &Arc<H>> {
        self.handles(self.by_session.get(&session_id))
    }

    fn handles<'a>(&'a self, ids: Option<&'a HashSet<ConnectionId>>) -> impl Iterator<Item = &'a Arc<H>> {
        ids.into_iter().flatten().filter_map(|id| self.connections.get(id)).map(|connection| &connection.handle)
    }
}

fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, HashSet<ConnectionId>>, key: K, id: ConnectionId) {
    if let Some(ids) = index.get_mut(&key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
