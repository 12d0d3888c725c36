//! Who is connected and what they receive: a plain struct that knows no sockets.

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

pub struct Registry<H> {
    next: u64,
    connections: HashMap<ConnectionId, Connection<H>>,
    by_user: HashMap<UserId, HashSet<ConnectionId>>,
    by_session: HashMap<SessionId, HashSet<ConnectionId>>,
    by_channel: HashMap<ChannelId, HashSet<ConnectionId>>,
}

impl<H> Default for Registry<H> {
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

impl<H> Registry<H> {
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

    /// Puts a connection into its user's channels. What the user joined or left since
    /// [`Self::connect`] wins over what was read.
    pub fn settle(&mut self, id: ConnectionId, channels: impl IntoIterator<Item = ChannelId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let meanwhile = connection.meanwhile.take().unwrap_or_default();
        for channel_id in channels {
            if meanwhile.get(&channel_id) != Some(&false) {
                connection.channels.insert(channel_id);
                self.by_channel.entry(channel_id).or_default().insert(id);
            }
        }
    }

    pub fn disconnect(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        forget(&mut self.by_user, connection.user_id, id);
        forget(&mut self.by_session, connection.session_id, id);
        for channel_id in connection.channels {
            forget(&mut self.by_channel, channel_id, id);
        }
    }

    pub fn join(&mut self, user_id: UserId, channel_id: ChannelId) {
        for id in self.by_user.get(&user_id).into_iter().flatten() {
            if let Some(connection) = self.connections.get_mut(id) {
                if let Some(meanwhile) = &mut connection.meanwhile {
                    meanwhile.insert(channel_id, true);
                }
                connection.channels.insert(channel_id);
                self.by_channel.entry(channel_id).or_default().insert(*id);
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
        let ids = self.by_channel.get(&channel_id).cloned().unwrap_or_default();
        for id in ids {
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
        forget(&mut self.by_channel, channel_id, id);
    }

    pub fn everyone(&self) -> impl Iterator<Item = &Arc<H>> {
        self.connections.values().map(|connection| &connection.handle)
    }

    pub fn outside(&self, channel_id: ChannelId) -> impl Iterator<Item = &Arc<H>> {
        self.connections
            .values()
            .filter(move |connection| !connection.channels.contains(&channel_id))
            .map(|connection| &connection.handle)
    }

    pub fn in_channel(&self, channel_id: ChannelId) -> impl Iterator<Item = &Arc<H>> {
        self.handles(self.by_channel.get(&channel_id))
    }

    pub fn of_user(&self, user_id: UserId) -> impl Iterator<Item = &Arc<H>> {
        self.handles(self.by_user.get(&user_id))
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
