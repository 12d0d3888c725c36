//! Who is here, on whichever node. Told slowly enough that a crowd which reconnects at once drowns
//! nobody: what changed is gathered, and each person's newest state goes out a few at a time.

use super::{Frame, Hub};
use crate::bus::{Bus, Hint};
use natter::{UserId, wire::ServerFrame};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use uuid::Uuid;

/// How often changes are told, and how many of them at once: fewer, the more there are to be told.
const TELL_EVERY: Duration = Duration::from_millis(250);
const TELL: std::ops::RangeInclusive<usize> = 2..=20;
/// Frames that telling may make each time, beyond the fewest.
const FRAMES: usize = 5_000;
/// Who comes back within this long wasn't away: pages reload.
const GRACE: Duration = Duration::from_secs(2);
/// How often a node says who is connected to it, and how long that holds.
const SAY_EVERY: Duration = Duration::from_secs(10);
const HOLDS: Duration = Duration::from_secs(30);
/// People in one such list; the presence of more isn't known on other nodes.
const SAY: usize = 10_000;
/// People in `ready`.
const READY: usize = 1_000;

/// Known presence, and what has to be told of it.
pub struct Presence {
    node: Uuid,
    known: Mutex<Known>,
    changed: Notify,
}

#[derive(Default)]
struct Known {
    /// On other nodes, with when each was last heard.
    elsewhere: HashMap<Uuid, (HashSet<UserId>, Option<Instant>)>,
    /// What clients have been told.
    online: HashSet<UserId>,
    /// Whom other nodes have been told to be at this one. What they say makes this node look, too: were it to
    /// answer each time, they would keep each other talking for ever.
    told: HashSet<UserId>,
    /// Whose state is to be looked at, each once.
    now: VecDeque<UserId>,
    queued: HashSet<UserId>,
    /// The same later: in the order of time, as the wait is the same for all.
    later: VecDeque<(UserId, Instant)>,
    leaving: HashSet<UserId>,
}

impl Known {
    fn look_at(&mut self, user_id: UserId) {
        if self.queued.insert(user_id) {
            self.now.push_back(user_id);
        }
    }

    fn look_later(&mut self, user_id: UserId) {
        if self.leaving.insert(user_id) {
            self.later.push_back((user_id, Instant::now() + GRACE));
        }
    }

    /// When there is something to look at; at once is the past.
    fn next(&self) -> Option<Instant> {
        if self.now.is_empty() { self.later.front().map(|(_, at)| *at) } else { Some(Instant::now()) }
    }

    /// The next to look at, up to `most`.
    fn due(&mut self, most: usize) -> Vec<UserId> {
        let now = Instant::now();
        while let Some((user_id, _)) = self.later.pop_front_if(|(_, at)| *at <= now) {
            self.leaving.remove(&user_id);
            self.look_at(user_id);
        }
        let few = self.now.len().min(most);
        let due: Vec<_> = self.now.drain(..few).collect();
        for user_id in &due {
            self.queued.remove(user_id);
        }
        due
    }
}

impl Default for Presence {
    fn default() -> Self {
        Self { node: Uuid::now_v7(), known: Mutex::default(), changed: Notify::new() }
    }
}

impl Presence {
    /// Somebody connected to this node.
    pub(super) fn came(&self, user_id: UserId) {
        self.with(|known| known.look_at(user_id));
        self.changed.notify_one();
    }

    /// Somebody's last connection to this node went.
    pub(super) fn went(&self, user_id: UserId) {
        self.with(|known| known.look_later(user_id));
        self.changed.notify_one();
    }

    /// Another node says who came and went.
    pub(super) fn heard(&self, node: Uuid, users: Vec<(UserId, bool)>) {
        if node == self.node {
            return;
        }
        self.with(|known| {
            let there = known.elsewhere.entry(node).or_default();
            there.1 = Some(Instant::now());
            let changes = |(user_id, online): &(UserId, bool)| {
                if *online { there.0.insert(*user_id) } else { there.0.remove(user_id) }
            };
            let changed: Vec<_> = users.into_iter().filter(changes).collect();
            for (user_id, _) in changed {
                known.look_at(user_id);
            }
        });
        self.changed.notify_one();
    }

    /// Another node says who all is there.
    pub(super) fn heard_all(&self, node: Uuid, users: Vec<UserId>) {
        if node == self.node {
            return;
        }
        self.with(|known| {
            let there = known.elsewhere.entry(node).or_default();
            let cut = users.len() >= SAY;
            let mut now: HashSet<_> = users.into_iter().collect();
            if cut {
                // Whoever isn't named may be there all the same.
                now.extend(&there.0);
            }
            let changed: Vec<_> = now.symmetric_difference(&there.0).copied().collect();
            *there = (now, Some(Instant::now()));
            for user_id in changed {
                known.look_at(user_id);
            }
        });
        self.changed.notify_one();
    }

    /// Who is here, as clients have been told; at most 1,000.
    pub fn online(&self) -> Vec<UserId> {
        self.with(|known| known.online.iter().copied().take(READY).collect())
    }

    pub fn is_online(&self, user_id: UserId) -> bool {
        self.with(|known| known.online.contains(&user_id))
    }

    /// Tells what changes, for ever. `several`: there may be other nodes to be told, too.
    pub(super) async fn run(&self, hub: Arc<Hub>, bus: Weak<dyn Bus>, several: bool) {
        let mut say = interval(SAY_EVERY);
        say.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = self.with(|known| known.next());
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let moved = self.tell(&hub).await;
                    if several && !moved.is_empty() && let Some(bus) = bus.upgrade() {
                        bus.publish(vec![Hint::Moved { node: self.node, users: moved }]).await;
                    }
                    sleep(TELL_EVERY).await;
                }
                _ = say.tick(), if several => {
                    self.forget_silent();
                    let mut users = hub.users();
                    // The same each time, if they are too many.
                    users.sort_unstable();
                    users.truncate(SAY);
                    self.with(|known| known.told = users.iter().copied().collect());
                    if let Some(bus) = bus.upgrade() {
                        bus.publish(vec![Hint::Here { node: self.node, users }]).await;
                    }
                }
            }
        }
    }

    /// Tells clients of a few changes; answers what of them is to be told to other nodes.
    async fn tell(&self, hub: &Hub) -> Vec<(UserId, bool)> {
        let mut moved = Vec::new();
        let mut frames = Vec::new();
        let most = (FRAMES / hub.connections().max(1)).clamp(*TELL.start(), *TELL.end());
        for user_id in self.with(|known| known.due(most)) {
            let here = hub.has_user(user_id);
            let news = self.with(|known| {
                let is_new = if here { known.told.insert(user_id) } else { known.told.remove(&user_id) };
                if is_new {
                    moved.push((user_id, here));
                }
                let online = here || known.elsewhere.values().any(|(users, _)| users.contains(&user_id));
                let changed = if online { known.online.insert(user_id) } else { known.online.remove(&user_id) };
                changed.then_some(online)
            });
            if let Some(online) = news {
                frames.push(Frame::new(&ServerFrame::Presence { user_id, online }));
            }
        }
        // In one piece: each socket is written to once.
        hub.push_to_everyone(frames).await;
        moved
    }

    /// A node that isn't heard of any more has nobody.
    fn forget_silent(&self) {
        self.with(|known| {
            let now = Instant::now();
            let silent = |heard: &Option<Instant>| heard.is_none_or(|heard| now.duration_since(heard) > HOLDS);
            let gone: Vec<_> =
                known.elsewhere.iter().filter(|(_, (_, heard))| silent(heard)).map(|(node, _)| *node).collect();
            for (users, _) in gone.iter().filter_map(|node| known.elsewhere.remove(node)).collect::<Vec<_>>() {
                for user_id in users {
                    known.look_at(user_id);
                }
            }
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::SessionId;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_node_says_of_its_own_people_what_it_hasn_t_said_yet() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, far) = (Hub::default(), Hub::default());
        let user_id = UserId::generate();
        let (id, _outbox) = near.connect(user_id, SessionId::generate(), stream);
        let came = near.presence.tell(&near).await;
        assert_eq!(came, [(user_id, true)]);
        near.presence.came(user_id);
        assert_eq!(near.presence.tell(&near).await, [], "another tab is no news");

        let hear = async |moved: Vec<(UserId, bool)>| {
            far.presence.heard(near.presence.node, moved);
            (far.presence.tell(&far).await, far.presence.is_online(user_id))
        };
        assert_eq!(hear(came.clone()).await, (Vec::new(), true), "who is at another node is that one's to say");
        assert_eq!(hear(came).await, (Vec::new(), true));
        near.disconnect(id);
        near.presence.with(|known| known.look_at(user_id));
        let went = near.presence.tell(&near).await;
        assert_eq!(went, [(user_id, false)]);
        assert_eq!(hear(went).await, (Vec::new(), false));
    }

    #[test]
    fn a_list_that_is_cut_off_takes_nobody_away() {
        let presence = Presence::default();
        let there = Uuid::now_v7();
        let users: Vec<_> = std::iter::repeat_with(UserId::generate).take(SAY + 1).collect();
        let count = || presence.with(|known| known.elsewhere[&there].0.len());
        presence.heard(there, vec![(users[SAY], true)]);
        presence.heard_all(there, users[..SAY].to_vec());
        assert_eq!(count(), SAY + 1);
        presence.heard_all(there, users[..SAY - 1].to_vec());
        assert_eq!(count(), SAY - 1);
    }
}
