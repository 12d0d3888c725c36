//! What a client does: one task, from its first connection until it is told to stop.

mod frames;

use super::{
    Command, Plan, Post,
    book::Book,
    socket::{Failure, Heard, Socket},
};
use crate::{
    api::{Api, ApiError},
    check::{History, What},
};
use natter::{
    ChannelId, Ref,
    wire::{ClientFrame, ServerFrame, close},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep, sleep_until, timeout},
};

/// Waits between reconnects: the shortest and the longest.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
const READY_WITHIN: Duration = Duration::from_secs(10);
/// A connection on which nothing comes for this long, pings unanswered, is given up.
const SILENCE: Duration = Duration::from_secs(15);

#[derive(Default)]
struct Known {
    revs: BTreeSet<u64>,
    /// Everything up to here.
    whole: u64,
    /// Its history is being read, by the reading of that number.
    reloading: Option<u64>,
}

impl Known {
    fn learn(&mut self, rev: u64) {
        self.revs.insert(rev);
        self.settle(self.whole);
    }

    fn settle(&mut self, whole: u64) {
        self.whole = self.whole.max(whole);
        while self.revs.contains(&(self.whole + 1)) {
            self.whole += 1;
        }
        self.revs.retain(|rev| *rev > self.whole);
    }
}

/// What a reading of a history led to, with its number.
type Page = (ChannelId, u64, Result<History, ApiError>);

struct Run {
    api: Api,
    plan: Plan,
    book: Arc<Book>,
    node: String,
    epoch: Option<String>,
    known: BTreeMap<ChannelId, Known>,
    outbox: VecDeque<Post>,
    /// Changes that this connection was asked for and hasn't answered.
    changing: HashSet<Ref>,
    /// The `sync` under way, and the channels it hasn't answered yet.
    asked: Option<(Ref, BTreeSet<ChannelId>)>,
    /// Channels to ask for at the next look.
    to_ask: BTreeSet<ChannelId>,
    readings: u64,
    pages: mpsc::UnboundedSender<Page>,
    /// When to look for holes and for what to send again.
    look_at: Option<Instant>,
}

/// Why a connection is over.
enum End {
    Lost,
    Stop,
}

pub async fn run(api: Api, plan: Plan, book: Arc<Book>, mut orders: mpsc::UnboundedReceiver<Command>) {
    let (pages, mut coming) = mpsc::unbounded_channel();
    let (nodes, mut next, mut wait) = (plan.nodes.clone(), 0, WAIT.0);
    let mut run = Run {
        api,
        plan,
        book,
        node: String::new(),
        epoch: None,
        known: BTreeMap::new(),
        outbox: VecDeque::new(),
        changing: HashSet::new(),
        asked: None,
        to_ask: BTreeSet::new(),
        readings: 0,
        pages,
        look_at: None,
    };
    loop {
        run.node.clone_from(&nodes[next % nodes.len()]);
        next += 1;
        run.book.with(|page| page.node.clone_from(&run.node));
        match Socket::open(&run.plan, &run.node).await {
            Ok(socket) => {
                let began = Instant::now();
                let end = run.connection(socket, &mut orders, &mut coming).await;
                run.book.with(|page| page.connected = false);
                run.book.note(What::Disconnected);
                run.give_up_changes();
                if matches!(end, End::Stop) {
                    return;
                }
                if began.elapsed() > WAIT.1 {
                    wait = WAIT.0;
                }
            }
            Err(Failure::Unwanted) => return,
            Err(Failure::Other) => {}
        }
        if run.rest_offline(wait.mul_f64(0.5 + fastrand::f64()), &mut orders).await {
            return;
        }
        wait = (wait * 2).min(WAIT.1);
    }
}

impl Run {
    /// Waits before the next attempt; true if it is to stop.
    async fn rest_offline(&mut self, wait: Duration, orders: &mut mpsc::UnboundedReceiver<Command>) -> bool {
        let end = Instant::now() + wait;
        loop {
            match tokio::time::timeout_at(end, orders.recv()).await {
                Err(_) => return false,
                Ok(None | Some(Command::Stop)) => return true,
                Ok(Some(Command::Say(post))) => self.outbox.push_back(post),
                Ok(Some(Command::Ask { .. } | Command::Rest(_) | Command::Cut)) => {}
            }
        }
    }

    async fn connection(
        &mut self,
        mut socket: Socket,
        orders: &mut mpsc::UnboundedReceiver<Command>,
        pages: &mut mpsc::UnboundedReceiver<Page>,
    ) -> End {
        let Ok(Heard::Frame(first)) = timeout(READY_WITHIN, socket.hear()).await else { return End::Lost };
        let ServerFrame::Ready { epoch, channels, .. } = *first else { return End::Lost };
        if !self.begin(&mut socket, epoch, channels).await {
            return End::Lost;
        }
        let (mut ping, mut heard_at) = (interval(SILENCE / 3), Instant::now());
        loop {
            let look_at = self.look_at;
            let look = async move { sleep_until(look_at.unwrap_or(Instant::now())).await };
            let goes_on = tokio::select! {
                heard = socket.hear() => match heard {
                    Heard::Frame(frame) => {
                        heard_at = Instant::now();
                        self.take(&mut socket, *frame).await
                    }
                    Heard::Nothing => true,
                    Heard::End(code) => {
                        self.book.with(|page| page.closes.extend(code));
                        return if code == Some(close::NOT_ALLOWED) { End::Stop } else { End::Lost };
                    }
                },
                order = orders.recv() => match order {
                    None | Some(Command::Stop) => return End::Stop,
                    Some(Command::Cut) => false,
                    Some(Command::Rest(duration)) => {
                        sleep(duration).await;
                        heard_at = Instant::now();
                        true
                    }
                    Some(Command::Say(post)) => {
                        self.outbox.push_back(post);
                        self.send(&mut socket).await
                    }
                    Some(Command::Ask { message, change }) => self.ask(&mut socket, message, change).await,
                },
                Some((channel, reading, page)) = pages.recv() => {
                    self.reloaded(channel, reading, page);
                    true
                }
                () = look, if look_at.is_some() => {
                    self.look_at = None;
                    self.look(&mut socket).await
                }
                _ = ping.tick() => {
                    heard_at.elapsed() < SILENCE && socket.say(&ClientFrame::Ping { reference: None }).await
                }
            };
            if !goes_on {
                return End::Lost;
            }
        }
    }
}
