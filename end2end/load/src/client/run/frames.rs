//! What a client does with what it hears.

use super::{Known, Run};
use crate::{
    api::ApiError,
    check::{Ack, Change, History, Target, What},
    client::{book::remember, socket::Socket},
};
use natter::{
    Channel, ChannelId, ErrorCode, Message, MessageId, Ref,
    wire::{ClientFrame, ServerFrame},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a hole may stand before a `sync`.
const PATIENCE: Duration = Duration::from_millis(300);
/// After the server said that it can't right now.
const RETRY: Duration = Duration::from_millis(250);
/// Messages on their way at once.
const IN_FLIGHT: usize = 32;

impl Run {
    /// After `ready`: says what it knows, then sends again what was never acknowledged.
    pub(super) async fn begin(&mut self, socket: &mut Socket, epoch: String, channels: Vec<Channel>) -> bool {
        self.book.with(|page| page.connected = true);
        self.book.note(What::Connected);
        let joined: HashSet<_> = channels.iter().map(|channel| channel.id).collect();
        let gone: Vec<_> = self.known.keys().filter(|id| !joined.contains(id)).copied().collect();
        for channel in gone {
            self.forget(channel);
        }
        let known: Vec<_> = self.known.keys().copied().collect();
        for channel in channels.into_iter().filter(|channel| !known.contains(&channel.id)) {
            self.enter(channel.id, channel.rev);
        }
        let half: Vec<_> =
            self.known.iter().filter(|(_, known)| known.reloading.is_some()).map(|(id, _)| *id).collect();
        // What was being read is of another connection: what came between the two might be in neither.
        for channel in half {
            self.reload(channel, Duration::ZERO);
        }
        self.outbox.iter_mut().for_each(|post| post.on_its_way = false);
        self.asked = None;
        self.to_ask.clear();
        let asked = self.sync(socket, known).await;
        self.epoch = Some(epoch);
        asked && self.send(socket).await
    }

    fn enter(&mut self, channel: ChannelId, rev: u64) {
        self.book.note(What::Joined { channel, rev });
        self.known.insert(channel, Known::default());
        self.reload(channel, Duration::ZERO);
    }

    fn forget(&mut self, channel: ChannelId) {
        self.known.remove(&channel);
        self.book.with(|page| _ = page.whole.remove(&channel));
    }

    /// Asks for what came after what it knows, under the epoch it knows.
    async fn sync(&mut self, socket: &mut Socket, channels: impl IntoIterator<Item = ChannelId>) -> bool {
        let known = channels.into_iter().filter_map(|id| Some((id, self.known.get(&id)?)));
        let since = known.filter(|(_, known)| known.reloading.is_none()).map(|(id, known)| (id, known.whole));
        let since: BTreeMap<_, _> = since.collect();
        let Some(epoch) = self.epoch.clone().filter(|_| !since.is_empty()) else { return true };
        let reference = Ref::generate();
        self.asked = Some((reference, since.keys().copied().collect()));
        self.book.note(What::SyncAsked { since: since.clone() });
        socket.say(&ClientFrame::Sync { reference: Some(reference), epoch, channels: since }).await
    }

    /// A channel has been answered.
    fn answered(&mut self, channel: ChannelId) {
        if let Some((_, channels)) = &mut self.asked {
            channels.remove(&channel);
        }
        self.asked.take_if(|(_, channels)| channels.is_empty());
    }

    pub(super) async fn send(&mut self, socket: &mut Socket) -> bool {
        let me = self.plan.person.user;
        for post in self.outbox.iter_mut().take(IN_FLIGHT).filter(|post| !post.on_its_way) {
            let (reference, to, text) = (post.reference, post.to, post.text.clone());
            post.on_its_way = true;
            self.book.note(What::Sent { reference, to, text: text.clone() });
            let said = match to {
                Target::Channel(channel_id) => {
                    let (reply_to, attachments) = (None, Vec::new());
                    let reference = Some(reference);
                    socket.say(&ClientFrame::Send { reference, channel_id, text, reply_to, attachments }).await
                }
                Target::Person(them) => {
                    // As private messages were first specified: the only frame without a type.
                    let (sender, receiver) = (json!({ "id": me }), json!({ "id": them }));
                    let timestamp = "2026-11-24T10:00:00.000Z";
                    let frame = json!({
                        "sender": sender, "receiver": receiver, "timestamp": timestamp, "text": text, "ref": reference
                    });
                    socket.say(&frame).await
                }
            };
            if !said {
                return false;
            }
        }
        true
    }

    /// Asks for a change, this once.
    pub(super) async fn ask(&mut self, socket: &mut Socket, message_id: MessageId, change: Change) -> bool {
        let reference = Ref::generate();
        self.changing.insert(reference);
        self.book.with(|page| page.unsent += 1);
        self.book.note(What::Asked { reference, message: message_id, change: change.clone() });
        let reference = Some(reference);
        socket
            .say(&match change {
                Change::Edit { text } => ClientFrame::Edit { reference, message_id, text },
                Change::Delete => ClientFrame::Delete { reference, message_id, reason: None },
                Change::React { emoji, on } => ClientFrame::React { reference, message_id, emoji, on },
            })
            .await
    }

    /// With the connection, the answers are gone.
    pub(super) fn give_up_changes(&mut self) {
        let gone = self.changing.drain().count();
        self.book.with(|page| page.unsent -= gone);
    }

    /// Closes holes that have stood for a while, and sends again what was put off.
    pub(super) async fn look(&mut self, socket: &mut Socket) -> bool {
        if self.asked.is_none() {
            let holes = self.known.iter().filter(|(_, known)| !known.revs.is_empty()).map(|(id, _)| *id);
            let channels: BTreeSet<_> = holes.chain(std::mem::take(&mut self.to_ask)).collect();
            if !self.sync(socket, channels).await {
                return false;
            }
        }
        self.send(socket).await
    }

    fn look_after(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        self.look_at = Some(self.look_at.map_or(at, |before| before.min(at)));
    }

    pub(super) async fn take(&mut self, socket: &mut Socket, frame: ServerFrame) -> bool {
        match frame {
            ServerFrame::Message(message) | ServerFrame::Direct(message) => self.message(message),
            ServerFrame::Ack { reference: Some(reference), id, channel_id: channel, seq, rev, .. } => {
                self.book.note(What::Acked { reference, ack: Ack { id, channel, seq, rev } });
                if self.changed(reference) {
                    return true;
                }
                self.book.with(|page| {
                    page.acked += 1;
                    remember(&mut page.own, id);
                });
                self.drop_post(reference);
                return self.send(socket).await;
            }
            ServerFrame::Error { reference: Some(reference), code, .. } => self.refused(reference, code),
            ServerFrame::Synced { channel_id: channel, rev, .. } => {
                self.book.note(What::Synced { channel, rev });
                self.answered(channel);
                if let Some(known) = self.known.get_mut(&channel) {
                    known.settle(rev);
                }
                self.tell(channel);
            }
            ServerFrame::Resync { channel_id: channel, .. } => {
                self.book.note(What::Resync { channel });
                self.answered(channel);
                if let Some(known) = self.known.get_mut(&channel) {
                    *known = Known::default();
                    self.reload(channel, Duration::ZERO);
                }
            }
            ServerFrame::Channel { channel } if channel.joined && self.known.contains_key(&channel.id) => {}
            ServerFrame::Channel { channel } if channel.joined => self.enter(channel.id, channel.rev),
            ServerFrame::Channel { channel: Channel { id: channel_id, .. } }
            | ServerFrame::ChannelRemoved { channel_id } => {
                self.forget(channel_id);
                self.answered(channel_id);
            }
            _ => {}
        }
        true
    }

    fn message(&mut self, message: Message) {
        let (channel, rev) = (message.channel_id, message.rev);
        self.book.with(|page| remember(&mut page.lately, message.id));
        self.book.note(What::Received(message.into()));
        if let Some(known) = self.known.get_mut(&channel) {
            known.learn(rev);
            if !known.revs.is_empty() && known.reloading.is_none() {
                self.look_after(PATIENCE);
            }
        }
        self.tell(channel);
    }

    /// Whether an answer is to a change.
    fn changed(&mut self, reference: Ref) -> bool {
        let changed = self.changing.remove(&reference);
        self.book.with(|page| page.unsent -= usize::from(changed));
        changed
    }

    fn refused(&mut self, reference: Ref, code: ErrorCode) {
        if let Some((_, channels)) = self.asked.take_if(|(asked, _)| *asked == reference) {
            self.book.note(What::SyncFailed);
            self.to_ask.extend(channels);
            return self.look_after(RETRY);
        }
        self.book.note(What::Refused { reference, code });
        if self.changed(reference) {
            return;
        }
        if matches!(code, ErrorCode::Unavailable | ErrorCode::Internal | ErrorCode::RateLimited) {
            if let Some(post) = self.outbox.iter_mut().find(|post| post.reference == reference) {
                post.on_its_way = false;
            }
            self.look_after(RETRY);
        } else {
            self.drop_post(reference);
        }
    }

    fn drop_post(&mut self, reference: Ref) {
        let before = self.outbox.len();
        self.outbox.retain(|post| post.reference != reference);
        let gone = before - self.outbox.len();
        self.book.with(|page| page.unsent -= gone);
    }

    /// Reads the history beside the connection, which goes on being read.
    fn reload(&mut self, channel: ChannelId, after: Duration) {
        self.readings += 1;
        let reading = self.readings;
        if let Some(known) = self.known.get_mut(&channel) {
            known.reloading = Some(reading);
        }
        let (api, node, token) = (self.api.clone(), self.node.clone(), self.plan.person.token.clone());
        let pages = self.pages.clone();
        tokio::spawn(async move {
            sleep(after).await;
            let history = api.history(&node, &token, channel).await.map(|(history, _)| history);
            // An error means that the client has stopped.
            let _ = pages.send((channel, reading, history));
        });
    }

    pub(super) fn reloaded(&mut self, channel: ChannelId, reading: u64, history: Result<History, ApiError>) {
        let known = self.known.get_mut(&channel).filter(|known| known.reloading == Some(reading));
        let Some(known) = known else { return };
        match history {
            Ok(history) => {
                known.reloading = None;
                known.settle(history.rev);
                self.book.note(What::Reloaded(history));
                self.tell(channel);
                self.look_after(PATIENCE);
            }
            Err(error) if error.is_final() => self.forget(channel),
            Err(_) => self.reload(channel, RETRY),
        }
    }

    fn tell(&self, channel: ChannelId) {
        if let Some(known) = self.known.get(&channel) {
            self.book.with(|page| _ = page.whole.insert(channel, known.whole));
        }
    }
}
