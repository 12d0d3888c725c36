use super::{Closed, ConnectionId, Frame, Outbox, Registry, presence::Presence};
use crate::{metrics::Metrics, store::Change};
use natter::{Channel, ChannelId, Message, SessionId, UserId, Visibility, message::Changes, wire::ServerFrame};
use std::{
    collections::HashMap,
    num::NonZero,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread::available_parallelism,
};
use tokio::{
    net::TcpStream,
    task::{JoinSet, yield_now},
};

/// Connections that one task writes to before it lets others run: half a millisecond.
const BREATH: usize = 64;
/// Writes for which another core is worth its being woken.
const SHARE: usize = 512;

type Receivers = Vec<Arc<Outbox>>;

/// Delivers to the connections of this node.
#[derive(Default)]
pub struct Hub {
    registry: Mutex<Registry<Outbox, Frame>>,
    /// Held from finding who receives something until it is handed to all of them: so nobody gets what is
    /// next in a line before it, or is taken out of a channel and gets it then.
    turn: tokio::sync::Mutex<()>,
    pub presence: Presence,
    pub metrics: Arc<Metrics>,
}

impl Hub {
    /// Registers a connection; see [`Registry::connect`].
    pub fn connect(&self, user_id: UserId, session_id: SessionId, stream: TcpStream) -> (ConnectionId, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::new(stream));
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

    /// Takes messages in whatever order; each goes out when everything before it has. Answers which of
    /// them have to wait for something that isn't here.
    pub(super) async fn messages(&self, messages: Vec<Message>) -> Vec<(ChannelId, u64)> {
        let _turn = self.turn.lock().await;
        // What nobody here is to see isn't even written down.
        let followed: Vec<_> = self.with(|registry| {
            messages.into_iter().filter(|message| registry.line(message.channel_id).is_some()).collect()
        });
        let frames: Vec<_> = followed
            .into_iter()
            .map(|message| (message.channel_id, message.rev, Frame::new(&ServerFrame::carrying(message))))
            .collect();
        let mut waiting = Vec::new();
        let due = self.with(|registry| {
            let mut due: HashMap<_, Vec<_>> = HashMap::new();
            for (channel_id, rev, frame) in frames {
                let Some(line) = registry.line(channel_id) else { continue };
                due.entry(channel_id).or_default().extend(line.offer(rev, frame));
                if line.gap().is_some() {
                    waiting.push((channel_id, rev));
                }
            }
            let to = |channel_id| registry.in_channel(channel_id).cloned().collect();
            due.into_iter().map(|(channel_id, frames)| (to(channel_id), frames)).collect::<Vec<(Receivers, _)>>()
        });
        deliver(&self.metrics, due).await;
        waiting
    }

    /// Where something is missing in a channel, given that it has got to `head`.
    pub(super) fn missing(&self, channel_id: ChannelId, head: u64) -> Option<u64> {
        self.with(|registry| {
            let line = registry.line(channel_id)?;
            line.gap().or_else(|| line.at().filter(|at| *at < head))
        })
    }

    /// Takes what was read from the database to close a hole; false if it brought nothing new.
    pub(super) async fn fill(&self, channel_id: ChannelId, changes: Changes) -> bool {
        let upto = if changes.next.is_some() { changes.items.last().map_or(0, |last| last.rev) } else { changes.rev };
        let frames: Vec<_> = changes
            .items
            .into_iter()
            .map(|message| (message.rev, Frame::new(&ServerFrame::carrying(message))))
            .collect();
        let _turn = self.turn.lock().await;
        let (moved, receivers, due) = self.with(|registry| {
            let Some(line) = registry.line(channel_id) else { return (true, Vec::new(), Vec::new()) };
            let before = line.at();
            let due = line.fill(frames, upto);
            (line.at() > before, registry.in_channel(channel_id).cloned().collect(), due)
        });
        deliver(&self.metrics, [(receivers, due)]).await;
        moved
    }

    /// Shows somebody a channel, if they are in it still.
    pub(super) async fn show(&self, user_id: UserId, channel: Channel) {
        let id = channel.id;
        let frame = ServerFrame::Channel { channel };
        self.send(&frame, |registry| registry.of_user_in(user_id, id).cloned().collect()).await;
    }

    /// The same to somebody who has come into it, as it was read since; what is later follows. False if
    /// something later has gone out already: then it is to be read again.
    pub(super) async fn enter(&self, user_id: UserId, channel: &Channel) -> bool {
        let frame = Frame::new(&ServerFrame::Channel { channel: channel.clone() });
        let _turn = self.turn.lock().await;
        let known = self.with(|registry| {
            let mut due = Vec::new();
            if let Some(line) = registry.line(channel.id) {
                if line.at().is_some_and(|at| at > channel.rev) {
                    return None;
                }
                // Begins the order of a channel that this node begins to follow.
                due = line.start(channel.rev);
            }
            let theirs: Receivers = registry.of_user_in(user_id, channel.id).cloned().collect();
            Some((theirs, registry.in_channel(channel.id).cloned().collect(), due))
        });
        let Some((theirs, receivers, due)) = known else { return false };
        deliver(&self.metrics, [(theirs, vec![frame])]).await;
        deliver(&self.metrics, [(receivers, due)]).await;
        true
    }

    /// Applies at once what needs no reading: who receives what.
    pub(super) async fn apply(&self, change: &Change) {
        let removed = |channel_id| Frame::new(&ServerFrame::ChannelRemoved { channel_id });
        match *change {
            Change::ChannelCreated { channel_id, creator: user_id } | Change::Joined { channel_id, user_id } => {
                self.with(|registry| registry.join(user_id, channel_id));
            }
            Change::DirectOpened { channel_id, ref users } => {
                let _turn = self.turn.lock().await;
                let (receivers, due) = self.with(|registry| {
                    for user_id in users {
                        registry.join(*user_id, channel_id);
                    }
                    // It was empty: nothing that comes now is in an earlier answer.
                    let due = registry.line(channel_id).map(|line| line.start(0)).unwrap_or_default();
                    (registry.in_channel(channel_id).cloned().collect(), due)
                });
                deliver(&self.metrics, [(receivers, due)]).await;
            }
            Change::Left { channel_id, user_id } => {
                // While nobody is being handed anything: what waits for them now is all there will be.
                let _turn = self.turn.lock().await;
                self.with(|registry| {
                    let theirs: Receivers = registry.of_user_in(user_id, channel_id).cloned().collect();
                    registry.leave(user_id, channel_id);
                    let_go(&theirs);
                });
            }
            Change::ChannelChanged { channel_id, hidden: true } => {
                let outside = self.with(|registry| registry.outside(channel_id).cloned().collect());
                deliver(&self.metrics, [(outside, vec![removed(channel_id)])]).await;
            }
            // What is to be told of them is read first.
            Change::ChannelChanged { hidden: false, .. } | Change::Muted { .. } | Change::UserChanged { .. } => {}
            Change::ChannelRemoved { channel_id, visibility } => {
                let _turn = self.turn.lock().await;
                let told = self.with(|registry| {
                    let_go(registry.in_channel(channel_id));
                    let told = match visibility {
                        Visibility::Public => registry.everyone().cloned().collect(),
                        Visibility::Private => registry.in_channel(channel_id).cloned().collect(),
                    };
                    registry.remove_channel(channel_id);
                    told
                });
                deliver(&self.metrics, [(told, vec![removed(channel_id)])]).await;
            }
            Change::SessionsEnded { ref sessions } => self.with(|registry| {
                for session_id in sessions {
                    registry.of_session(*session_id).for_each(|outbox| outbox.close(Closed::SessionEnded));
                }
            }),
            // It may end somebody's access: connecting anew, everybody has what is theirs.
            Change::Unknown => self.reconnect_everyone(),
        }
    }

    /// Whether anyone of that account is connected here.
    pub(super) fn has_user(&self, user_id: UserId) -> bool {
        self.with(|registry| registry.has_user(user_id))
    }

    pub(super) async fn send_to_channel(&self, channel_id: ChannelId, message: &ServerFrame) {
        self.send(message, |registry| registry.in_channel(channel_id).cloned().collect()).await;
    }

    pub(super) async fn send_outside(&self, channel_id: ChannelId, message: &ServerFrame) {
        self.send(message, |registry| registry.outside(channel_id).cloned().collect()).await;
    }

    pub(super) async fn send_to_user(&self, user_id: UserId, message: &ServerFrame) {
        self.send(message, |registry| registry.of_user(user_id).cloned().collect()).await;
    }

    pub(super) async fn send_to_everyone(&self, message: &ServerFrame) {
        self.send(message, |registry| registry.everyone().cloned().collect()).await;
    }

    /// To a channel, but for one person's connections.
    pub(super) async fn send_to_others(&self, channel_id: ChannelId, but: UserId, message: &ServerFrame) {
        self.send(message, |registry| registry.others_in(channel_id, but).cloned().collect()).await;
    }

    pub(super) async fn push_to_everyone(&self, frames: Vec<Frame>) {
        let everyone = self.with(|registry| registry.everyone().cloned().collect());
        deliver(&self.metrics, [(everyone, frames)]).await;
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
    pub fn connections(&self) -> usize {
        self.with(|registry| registry.len())
    }

    /// Makes everyone connect anew, which puts right whatever this node may have missed.
    pub(super) fn reconnect_everyone(&self) {
        self.with(|registry| registry.everyone().for_each(|outbox| outbox.close(Closed::GoingAway)));
    }

    /// The same with those who wouldn't learn of a change otherwise. What others see of it, such as
    /// somebody's name, is right when they read it next.
    pub(super) fn reconnect(&self, change: &Change) {
        self.with(|registry| {
            let of = |user_id: &UserId| registry.of_user(*user_id);
            let concerned: Vec<_> = match change {
                Change::ChannelCreated { creator: user_id, .. }
                | Change::Joined { user_id, .. }
                | Change::Left { user_id, .. }
                | Change::Muted { user_id, .. }
                | Change::UserChanged { user_id } => of(user_id).collect(),
                Change::DirectOpened { users, .. } => users.iter().flat_map(of).collect(),
                Change::ChannelChanged { channel_id, .. } => registry.in_channel(*channel_id).collect(),
                // Applying it has told it.
                Change::ChannelRemoved { .. } | Change::SessionsEnded { .. } => Vec::new(),
                Change::Unknown => registry.everyone().collect(),
            };
            for outbox in concerned {
                outbox.close(Closed::GoingAway);
            }
        });
    }

    async fn send(&self, message: &ServerFrame, to: impl FnOnce(&Registry<Outbox, Frame>) -> Receivers) {
        // Nobody is taken out of a channel between being found there and being handed something.
        let _turn = self.turn.lock().await;
        let receivers = self.with(|registry| to(registry));
        if !receivers.is_empty() {
            deliver(&self.metrics, [(receivers, vec![Frame::new(message)])]).await;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Registry<Outbox, Frame>) -> T) -> T {
        change(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who is taken out of a channel begins anew where something is still queued, which may be of it: nobody
/// knows when they will read it.
fn let_go<'a>(outboxes: impl IntoIterator<Item = &'a Arc<Outbox>>) {
    outboxes.into_iter().for_each(|outbox| outbox.close_if_waiting(Closed::GoingAway));
}

/// Hands frames out, each to its receivers in order; much of it on several cores.
async fn deliver(metrics: &Metrics, due: impl IntoIterator<Item = (Receivers, Vec<Frame>)>) {
    static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));
    let due: Vec<_> = due.into_iter().filter(|(_, frames)| !frames.is_empty()).collect();
    let writes: usize = due.iter().map(|(receivers, _)| receivers.len()).sum();
    metrics.delivered.inc_by(due.iter().map(|(receivers, frames)| (receivers.len() * frames.len()) as u64).sum());
    let tasks = (writes / SHARE).clamp(1, *CORES);
    if tasks == 1 {
        let due = due.into_iter().map(|(receivers, frames)| (receivers, frames.into()));
        return hand_out(due.collect()).await;
    }
    let mut shares = JoinSet::new();
    for share in cut(due, writes.div_ceil(tasks)) {
        shares.spawn(hand_out(share));
    }
    while shares.join_next().await.is_some() {}
}

type Share = Vec<(Receivers, Arc<[Frame]>)>;

/// Cuts what is due into shares of so many writes each.
fn cut(due: Vec<(Receivers, Vec<Frame>)>, each: usize) -> Vec<Share> {
    let (mut shares, mut share, mut room) = (Vec::new(), Share::new(), each);
    for (mut receivers, frames) in due {
        let frames: Arc<[Frame]> = frames.into();
        while !receivers.is_empty() {
            let rest = receivers.split_off(receivers.len().min(room));
            room -= receivers.len();
            share.push((receivers, frames.clone()));
            receivers = rest;
            if room == 0 {
                shares.push(std::mem::take(&mut share));
                room = each;
            }
        }
    }
    shares.push(share);
    shares
}

async fn hand_out(share: Share) {
    let mut breath = 0;
    for (receivers, frames) in share {
        for outbox in receivers {
            if breath == BREATH {
                breath = 0;
                yield_now().await;
            }
            breath += 1;
            outbox.push(&frames);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::ErrorCode;
    use std::time::Duration;
    use tokio::net::TcpListener;

    /// Somebody's connection that is in a channel, and its other end, which reads nothing.
    async fn connect(hub: &Hub, user_id: UserId, channel_id: ChannelId) -> (Arc<Outbox>, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (id, outbox) = hub.connect(user_id, SessionId::generate(), near.unwrap());
        hub.settle(id, [(channel_id, 0)]);
        outbox.stream().writable().await.unwrap();
        outbox.begin(&Frame::new(&ServerFrame::Pong { reference: None }));
        (outbox, far.unwrap().0)
    }

    #[tokio::test]
    async fn of_a_channel_that_one_is_taken_out_of_nothing_waits_any_more() {
        let (user_id, channel_id) = (UserId::generate(), ChannelId::generate());
        let left = Change::Left { channel_id, user_id };
        let removed = Change::ChannelRemoved { channel_id, visibility: Visibility::Private };
        for (change, others) in [(left, None), (removed, Some(Closed::GoingAway))] {
            let hub = Hub::default();
            let (slow, _far) = connect(&hub, user_id, channel_id).await;
            let (other, _far) = connect(&hub, UserId::generate(), channel_id).await;
            let said = ServerFrame::Error { reference: None, code: ErrorCode::Invalid, detail: "x".repeat(100_000) };
            while ![&slow, &other].iter().all(|outbox| outbox.is_stuck_for(Duration::ZERO)) {
                hub.send_to_channel(channel_id, &said).await;
            }
            let (quick, _far) = connect(&hub, user_id, channel_id).await;
            hub.apply(&change).await;
            assert_eq!(slow.is_closed(), Some(Closed::GoingAway), "{change:?}");
            assert_eq!((quick.is_closed(), other.is_closed()), (None, others), "{change:?}");
        }
    }

    #[tokio::test]
    async fn only_those_whom_a_change_concerns_connect_anew() {
        let (hub, channel_id) = (Hub::default(), ChannelId::generate());
        let users: [_; 3] = std::array::from_fn(|_| UserId::generate());
        let (first, _far) = connect(&hub, users[0], channel_id).await;
        let (second, _far) = connect(&hub, users[1], ChannelId::generate()).await;
        let (third, _far) = connect(&hub, users[2], channel_id).await;
        let closed = || [&first, &second, &third].map(|outbox| outbox.is_closed().is_some());
        hub.reconnect(&Change::SessionsEnded { sessions: Vec::new() });
        assert_eq!(closed(), [false, false, false]);
        hub.reconnect(&Change::DirectOpened { channel_id: ChannelId::generate(), users: vec![users[0]] });
        assert_eq!(closed(), [true, false, false]);
        hub.reconnect(&Change::ChannelChanged { channel_id, hidden: false });
        assert_eq!(closed(), [true, false, true]);
        hub.reconnect(&Change::Unknown);
        assert_eq!(closed(), [true, true, true]);
    }

    #[tokio::test]
    async fn what_is_due_is_cut_into_equal_shares_that_leave_nobody_out() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let outbox = Arc::new(Outbox::new(stream));
        let frame = |detail: &str| {
            Frame::new(&ServerFrame::Error { reference: None, code: ErrorCode::Invalid, detail: detail.into() })
        };
        let sizes = [3, 0, 1_000, 1, 700, 296];
        let due = sizes.iter().map(|size| (vec![outbox.clone(); *size], vec![frame(&size.to_string())]));
        let shares = cut(due.collect(), 500);
        let writes = |share: &Share| share.iter().map(|(receivers, _)| receivers.len()).sum::<usize>();
        assert_eq!(shares.iter().map(writes).collect::<Vec<_>>(), [500, 500, 500, 500, 0]);
        for size in sizes {
            let theirs = shares.iter().flatten().filter(|(_, frames)| frames[0] == frame(&size.to_string()));
            assert_eq!(theirs.map(|(receivers, _)| receivers.len()).sum::<usize>(), size);
        }
    }
}
