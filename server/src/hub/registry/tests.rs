use super::*;

type Registry<H> = super::Registry<H, u64>;

impl<H> Registry<H> {
    /// Every index says the same, and nothing empty is kept.
    fn check(&self) {
        for (id, connection) in &self.connections {
            assert!(self.by_user[&connection.user_id].contains(id));
            assert!(self.by_session[&connection.session_id].contains(id));
            for channel_id in &connection.channels {
                assert!(self.by_channel[channel_id].connections.contains_key(id));
            }
        }
        let entries = |index: usize, count: usize| assert_eq!(index, count);
        entries(self.by_user.values().map(HashSet::len).sum(), self.connections.len());
        entries(self.by_session.values().map(HashSet::len).sum(), self.connections.len());
        entries(
            self.by_channel.values().map(|room| room.connections.len()).sum(),
            self.connections.values().map(|connection| connection.channels.len()).sum(),
        );
        assert!(self.by_user.values().all(|ids| !ids.is_empty()));
        assert!(self.by_session.values().all(|ids| !ids.is_empty()));
        assert!(self.by_channel.values().all(|room| !room.connections.is_empty()));
    }

    fn count(&self, channel_id: ChannelId) -> usize {
        self.in_channel(channel_id).count()
    }
}

#[test]
fn a_connection_receives_its_channels_until_it_goes() {
    let mut registry = Registry::default();
    let (user, session) = (UserId::generate(), SessionId::generate());
    let (mine, other) = (ChannelId::generate(), ChannelId::generate());
    let id = registry.connect(user, session, Arc::new(()));
    registry.check();
    assert_eq!(registry.outside(mine).count(), 0, "nobody knows yet");
    registry.settle(id, [(mine, 0)]);
    registry.check();
    assert_eq!((registry.count(mine), registry.count(other)), (1, 0));
    assert_eq!((registry.outside(mine).count(), registry.outside(other).count()), (0, 1));
    assert_eq!((registry.of_user(user).count(), registry.of_session(session).count()), (1, 1));
    registry.disconnect(id);
    registry.check();
    assert_eq!((registry.count(mine), registry.everyone().count()), (0, 0));
}

#[test]
fn joining_and_leaving_moves_all_of_a_users_connections() {
    let mut registry = Registry::default();
    let (user, channel) = (UserId::generate(), ChannelId::generate());
    for _ in 0..2 {
        let id = registry.connect(user, SessionId::generate(), Arc::new(()));
        registry.settle(id, []);
    }
    let stranger = registry.connect(UserId::generate(), SessionId::generate(), Arc::new(()));
    registry.settle(stranger, []);
    registry.join(user, channel);
    registry.check();
    assert_eq!(registry.count(channel), 2);
    registry.leave(user, channel);
    registry.check();
    assert_eq!(registry.count(channel), 0);
}

#[test]
fn what_changed_while_channels_were_read_wins_over_what_was_read() {
    let mut registry = Registry::default();
    let user = UserId::generate();
    let [left, joined, deleted, kept] = std::array::from_fn(|_| ChannelId::generate());
    let id = registry.connect(user, SessionId::generate(), Arc::new(()));
    registry.leave(user, left);
    registry.join(user, joined);
    registry.remove_channel(deleted);
    registry.settle(id, [left, deleted, kept].map(|channel| (channel, 0)));
    registry.check();
    assert_eq!([left, joined, deleted, kept].map(|channel| registry.count(channel)), [0, 1, 0, 1]);
}

#[test]
fn a_removed_channel_reaches_nobody() {
    let mut registry = Registry::default();
    let channel = ChannelId::generate();
    for _ in 0..3 {
        let id = registry.connect(UserId::generate(), SessionId::generate(), Arc::new(()));
        registry.settle(id, [(channel, 0)]);
    }
    registry.remove_channel(channel);
    registry.check();
    assert_eq!(registry.count(channel), 0);
}

#[test]
fn a_rooms_order_begins_where_it_was_read_and_ends_with_the_room() {
    let mut registry = Registry::default();
    let (user, channel) = (UserId::generate(), ChannelId::generate());
    let first = registry.connect(user, SessionId::generate(), Arc::new(()));
    assert!(registry.line(channel).is_none());
    registry.settle(first, [(channel, 7)]);
    let second = registry.connect(user, SessionId::generate(), Arc::new(()));
    // An older reading doesn't turn the room back.
    registry.settle(second, [(channel, 6)]);
    assert_eq!(registry.line(channel).unwrap().at(), Some(7));
    assert!(registry.receives(second, channel) && registry.has_user(user));
    registry.disconnect(first);
    registry.disconnect(second);
    registry.check();
    assert!(registry.line(channel).is_none() && !registry.has_user(user));
}
