//! Follows what is committed, here and on other nodes: hints say it first, the database says it for
//! sure. Hints may be lost, doubled or out of order; what leaves here is none of these.

use super::{Hub, marks::Marks, telling::Telling};
use crate::{
    bus::{Bus, Hint},
    hub::line::Line,
    store::{Change, Entry, MovedMark, ReadMark, Result as StoreResult, Store},
};
use natter::{ChannelId, Message, UserId, wire::ServerFrame};
use std::{
    collections::{BTreeSet, HashMap, hash_map},
    panic::resume_unwind,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

/// Hints overtake each other by moments; what is missing for longer is read from the database.
const PATIENCE: Duration = Duration::from_millis(20);
/// After the database couldn't be read.
const PAUSE: Duration = Duration::from_millis(250);
/// How often the journal's position is asked for: access ends within a second, whatever becomes of
/// hints. A broker that has just gone seems to be there for seconds.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often the channels' positions in the database are compared while hints arrive from other nodes;
/// while they don't, each time the journal's is asked for.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// What is read of a hole at once.
const READ: u32 = 500;
/// Commits whose hints are taken at once.
const TAKEN: usize = 64;
/// People whose read marks are read at once.
const PEOPLE: usize = 1_000;

/// A reading that closed a hole, or found that it couldn't.
enum News {
    /// Look again whether that channel, which has got to that `rev`, has a hole.
    Look(ChannelId, u64),
    /// It has got there in the database.
    At(ChannelId, u64),
    /// The same of the journal.
    LookAtJournal,
    Journal(Vec<Entry>),
    /// Where it stands in the database, if that could be read.
    JournalIsAt(Option<u64>),
    /// Where the database stood, if the channels' positions in it could be compared.
    Checked(Option<u64>),
    /// What people are told of their own again, if it could be read.
    Marks(Option<Vec<Hint>>),
}

/// What came between two changes of who may see what.
#[derive(Default)]
struct Together {
    messages: Vec<Message>,
    others: Vec<Hint>,
    writing: BTreeSet<(ChannelId, UserId)>,
}

/// Follows until `hints` ends.
pub struct Follower {
    hub: Arc<Hub>,
    store: Arc<dyn Store>,
    bus: Weak<dyn Bus>,
    journal: Line<Change>,
    /// The furthest that is known of it.
    journal_head: u64,
    /// Channels whose hole is being read already, and how far they are known to have got.
    reading: HashMap<ChannelId, u64>,
    reading_journal: bool,
    asking: bool,
    checking: bool,
    mark: u64,
    marks: Marks,
    news: mpsc::UnboundedSender<News>,
    telling: Arc<Telling>,
    /// What is being read.
    tasks: JoinSet<()>,
}

impl Follower {
    /// `from`: the journal's position before the first connection.
    pub async fn run(
        hub: Arc<Hub>,
        store: Arc<dyn Store>,
        bus: Weak<dyn Bus>,
        from: u64,
        hints: mpsc::Receiver<Vec<Hint>>,
    ) {
        let (news, coming) = mpsc::unbounded_channel();
        let telling = Arc::new(Telling::default());
        let mut journal = Line::new();
        journal.start(from);
        let follower = Self {
            hub: hub.clone(),
            store: store.clone(),
            bus,
            journal,
            journal_head: from,
            reading: HashMap::new(),
            reading_journal: false,
            asking: false,
            checking: false,
            mark: 0,
            marks: Marks::new(Instant::now()),
            news,
            telling: telling.clone(),
            tasks: JoinSet::new(),
        };
        let several = store.shared().is_some();
        let presence = hub.presence.run(hub.clone(), follower.bus.clone(), several);
        tokio::select! {
            () = follower.follow(hints, coming) => {}
            () = telling.run(&hub, &*store) => {}
            () = presence => {}
        }
    }

    async fn follow(mut self, mut hints: mpsc::Receiver<Vec<Hint>>, mut news: mpsc::UnboundedReceiver<News>) {
        let shared = self.store.shared().is_some();
        let mut check = interval(ASK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // At once for the first time: what is missed later is asked for from there on.
        let mut quiet = CHECK_EVERY;
        let mut arrived = Vec::new();
        loop {
            tokio::select! {
                count = hints.recv_many(&mut arrived, TAKEN) => match count {
                    0 => return,
                    _ => self.take(&mut arrived).await,
                },
                Some(news) = news.recv() => self.hear(news).await,
                // Nobody would look again for what it didn't read: then this one has failed, too.
                Some(done) = self.tasks.join_next() => {
                    if let Err(error) = done && let Ok(panic) = error.try_into_panic() {
                        resume_unwind(panic);
                    }
                }
                _ = check.tick(), if shared => {
                    self.ask();
                    quiet += ASK_EVERY;
                    let Some(bus) = self.bus.upgrade() else { continue };
                    let cut_off = !bus.is_up();
                    if quiet >= CHECK_EVERY || cut_off {
                        quiet = Duration::ZERO;
                        self.check();
                    }
                    if cut_off {
                        self.marks.lose();
                    }
                    self.read_marks();
                }
            }
        }
    }

    /// Takes all that has come: messages leave together, up to a change of who may see what. What people
    /// are told of their own, and who is writing, may follow them.
    async fn take(&mut self, hints: &mut Vec<Vec<Hint>>) {
        let mut together = Together::default();
        for hint in hints.drain(..).flatten() {
            match hint {
                Hint::Message(message) => {
                    // What was being written has come.
                    together.writing.remove(&(message.channel_id, message.sender.id));
                    together.messages.push(message);
                }
                Hint::Changed(_) => {
                    self.let_out(std::mem::take(&mut together)).await;
                    self.act(hint).await;
                }
                hint if together.messages.is_empty() => self.act(hint).await,
                Hint::Typing { channel_id, user_id } => _ = together.writing.insert((channel_id, user_id)),
                hint => together.others.push(hint),
            }
        }
        self.let_out(together).await;
    }

    async fn let_out(&mut self, together: Together) {
        self.say(together.messages).await;
        for hint in together.others {
            self.act(hint).await;
        }
        for (channel_id, user_id) in together.writing {
            self.act(Hint::Typing { channel_id, user_id }).await;
        }
    }

    async fn say(&mut self, messages: Vec<Message>) {
        if !messages.is_empty() {
            for (channel_id, rev) in self.hub.messages(messages).await {
                self.look_later(channel_id, rev, PATIENCE);
            }
        }
    }

    async fn act(&mut self, hint: Hint) {
        self.marks.tell(&hint);
        match hint {
            Hint::Message(message) => self.say(vec![message]).await,
            Hint::Changed(Entry { pos, change }) => {
                let due = self.journal.offer(pos, change);
                self.apply(due).await;
                if self.journal.gap().is_some() {
                    self.journal_head = self.journal_head.max(pos);
                    self.look_at_journal_later(PATIENCE);
                }
            }
            Hint::Read { user_id, channel_id, seq, unread, mentions, rev, back } => {
                let frame = ServerFrame::Read { reference: None, channel_id, seq, unread, mentions, rev, back };
                self.hub.send_to_user(user_id, &frame).await;
            }
            Hint::Scheduled { owner, scheduled, counts } => {
                self.hub.send_to_user(owner, &ServerFrame::Scheduled { scheduled: *scheduled, counts }).await;
            }
            Hint::Typing { channel_id, user_id } => {
                self.hub.send_to_others(channel_id, user_id, &ServerFrame::Typing { channel_id, user_id }).await;
            }
            Hint::Here { node, users } => self.hub.presence.heard_all(node, users),
            Hint::Moved { node, users } => self.hub.presence.heard(node, users),
            Hint::Lost => {
                self.hub.metrics.lost_hints.inc();
                self.marks.lose();
            }
            Hint::From { .. } | Hint::Parted { .. } | Hint::Unknown => {}
        }
    }

    async fn hear(&mut self, news: News) {
        match news {
            News::Look(channel_id, head) => {
                let head = self.reading.remove(&channel_id).unwrap_or(0).max(head);
                self.look(channel_id, head);
            }
            News::At(channel_id, head) => match self.reading.get_mut(&channel_id) {
                // It is looked again when that reading has ended.
                Some(known) => *known = head.max(*known),
                None => self.look(channel_id, head),
            },
            News::LookAtJournal => {
                self.reading_journal = false;
                self.look_at_journal();
            }
            News::JournalIsAt(head) => {
                self.asking = false;
                self.journal_head = self.journal_head.max(head.unwrap_or(0));
                // Whoever reads it already goes on until it is there.
                if !self.reading_journal {
                    self.look_at_journal();
                }
            }
            News::Journal(entries) => {
                let at = self.journal.at().unwrap_or(0);
                if entries.first().is_some_and(|first| first.pos > at + 1) {
                    // Cut off for longer than the journal remembers.
                    self.hub.reconnect_everyone();
                }
                let upto = entries.last().map_or(at, |last| last.pos);
                let due = self.journal.fill(entries.into_iter().map(|entry| (entry.pos, entry.change)), upto);
                self.apply(due).await;
            }
            News::Checked(mark) => {
                self.checking = false;
                if let Some(mark) = mark {
                    self.mark = mark;
                    self.marks.at(mark, Instant::now());
                }
            }
            News::Marks(read) => {
                for hint in self.marks.end(read) {
                    self.act(hint).await;
                }
            }
        }
    }

    async fn apply(&self, changes: Vec<Change>) {
        for change in changes {
            self.hub.apply(&change).await;
            // Waiting for room would hold up what is being said, and then whoever says it.
            if let Err(change) = self.telling.add(change) {
                tracing::error!(?change, "too much waits to be told; those whom this concerns connect anew");
                self.hub.reconnect(&change);
            }
        }
    }

    fn look_later(&mut self, channel_id: ChannelId, head: u64, after: Duration) {
        if let hash_map::Entry::Vacant(entry) = self.reading.entry(channel_id) {
            entry.insert(head);
            let news = self.news.clone();
            self.tasks.spawn(async move {
                sleep(after).await;
                let _ = news.send(News::Look(channel_id, head));
            });
        }
    }

    fn look_at_journal_later(&mut self, after: Duration) {
        if !std::mem::replace(&mut self.reading_journal, true) {
            let news = self.news.clone();
            self.tasks.spawn(async move {
                sleep(after).await;
                let _ = news.send(News::LookAtJournal);
            });
        }
    }

    fn look_at_journal(&mut self) {
        let at = self.journal.at().unwrap_or(0);
        if self.journal.gap().is_some() || at < self.journal_head {
            self.read_journal(at);
        }
    }

    fn look(&mut self, channel_id: ChannelId, head: u64) {
        if let Some(since) = self.hub.missing(channel_id, head) {
            self.read(channel_id, since, head);
        }
    }

    fn read(&mut self, channel_id: ChannelId, since: u64, head: u64) {
        self.reading.insert(channel_id, head);
        let (hub, store, news) = (self.hub.clone(), self.store.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let moved = match store.changes(channel_id, since, READ).await {
                Ok(changes) => hub.fill(channel_id, changes).await,
                Err(error) => {
                    tracing::warn!(%error, %channel_id, "a channel can't be read");
                    false
                }
            };
            if !moved {
                sleep(PAUSE).await;
            }
            let _ = news.send(News::Look(channel_id, head));
        });
    }

    fn read_journal(&mut self, after: u64) {
        self.reading_journal = true;
        let (store, news) = (self.store.clone(), self.news.clone());
        self.tasks.spawn(async move {
            match store.journal(after, READ).await {
                Ok(entries) if !entries.is_empty() => _ = news.send(News::Journal(entries)),
                Ok(_) => sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "the journal can't be read");
                    sleep(PAUSE).await;
                }
            }
            let _ = news.send(News::LookAtJournal);
        });
    }

    /// Asks where the journal stands.
    fn ask(&mut self) {
        if std::mem::replace(&mut self.asking, true) {
            return;
        }
        let (store, news) = (self.store.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let head = match store.journal_head().await {
                Ok(head) => Some(head),
                Err(error) => {
                    tracing::warn!(%error, "the journal's position can't be read");
                    None
                }
            };
            let _ = news.send(News::JournalIsAt(head));
        });
    }

    /// Compares with the database where the channels stand.
    fn check(&mut self) {
        if std::mem::replace(&mut self.checking, true) {
            return;
        }
        let (store, news, mark) = (self.store.clone(), self.news.clone(), self.mark);
        self.tasks.spawn(async move {
            let Some(shared) = store.shared() else { return };
            let mark = match shared.changed_since(mark).await {
                Ok(positions) => {
                    for (channel_id, rev) in positions.channels {
                        let _ = news.send(News::At(channel_id, rev));
                    }
                    Some(positions.mark)
                }
                Err(error) => {
                    tracing::warn!(%error, "the positions can't be read");
                    None
                }
            };
            let _ = news.send(News::Checked(mark));
        });
    }
    /// Reads what moved of people's own, where hints of that may have been lost.
    fn read_marks(&mut self) {
        let Some(since) = self.marks.begin(Instant::now()) else { return };
        let (hub, store, news) = (self.hub.clone(), self.store.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let read = moved_since(&*store, since, &hub.users()).await;
            let read = read.inspect_err(|error| tracing::warn!(%error, "read marks can't be read")).ok();
            let _ = news.send(News::Marks(read));
        });
    }
}

/// What these people are told of their own, of what moved since.
async fn moved_since(store: &dyn Store, since: u64, users: &[UserId]) -> StoreResult<Vec<Hint>> {
    let mut hints = Vec::new();
    let Some(shared) = store.shared() else { return Ok(hints) };
    for some in users.chunks(PEOPLE) {
        hints.extend(shared.marks_since(since, some).await?.into_iter().map(read));
        for (owner, scheduled) in shared.scheduled_since(since, some).await? {
            let counts = store.scheduled_counts(owner).await?;
            hints.push(Hint::Scheduled { owner, scheduled: Box::new(scheduled), counts });
        }
    }
    Ok(hints)
}

fn read(moved: MovedMark) -> Hint {
    let MovedMark { user_id, channel_id, mark: ReadMark { seq, unread, mentions, rev, .. }, back } = moved;
    Hint::Read { user_id, channel_id, seq, unread, mentions, rev, back }
}
