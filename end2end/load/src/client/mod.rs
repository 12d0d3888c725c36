//! A client that behaves as the browser does and writes down all it sees: it keeps what it sends
//! until that is acknowledged, reconnects with a growing wait, to the next node if there are several,
//! sends again the messages of unknown outcome, and makes good what it missed by `sync`. It also asks for
//! changes to messages, each once: it can't know whether one without an answer was done.

mod book;
mod run;
mod socket;

use crate::{
    api::{Api, Person},
    check::{Change, Log, Target, What},
};
use book::Book;
use natter::{ChannelId, MessageId, Ref};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};

/// How often a condition is looked at that somebody waits for.
const LOOK: Duration = Duration::from_millis(10);

/// The time on the clock of all clients of this process.
pub fn clock() -> Duration {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}

/// How a client goes about it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub person: Person,
    /// Addresses of nodes; it begins with the first and goes round.
    pub nodes: Vec<String>,
    /// The socket's receive buffer, for a reader who is to fall behind soon.
    pub receive_buffer: Option<u32>,
}

/// A message of its own.
#[derive(Debug)]
struct Post {
    reference: Ref,
    to: Target,
    text: String,
    on_its_way: bool,
}

#[derive(Debug)]
enum Command {
    Say(Post),
    Ask {
        message: MessageId,
        change: Change,
    },
    /// Reads nothing for a while.
    Rest(Duration),
    /// Drops the connection without a word.
    Cut,
    Stop,
}

/// A client at work.
pub struct Client {
    book: Arc<Book>,
    commands: mpsc::UnboundedSender<Command>,
    task: JoinHandle<()>,
}

impl Client {
    pub fn start(api: Api, plan: Plan) -> Self {
        let book = Arc::new(Book::new(&plan.person));
        let (commands, orders) = mpsc::unbounded_channel();
        let task = tokio::spawn(run::run(api, plan, book.clone(), orders));
        Self { book, commands, task }
    }

    /// Puts a message into the outbox.
    pub fn say(&self, to: Target, text: impl Into<String>) {
        self.book.with(|page| page.unsent += 1);
        self.order(Command::Say(Post { reference: Ref::generate(), to, text: text.into(), on_its_way: false }));
    }

    /// Asks for a change, if it is connected.
    pub fn ask(&self, message: MessageId, change: Change) {
        self.order(Command::Ask { message, change });
    }

    /// One of the messages that it heard of lately, if it did.
    pub fn some_message(&self) -> Option<MessageId> {
        self.book.with(|page| fastrand::choice(page.lately.iter()).copied())
    }

    /// The same among those that it sent itself.
    pub fn some_own_message(&self) -> Option<MessageId> {
        self.book.with(|page| fastrand::choice(page.own.iter()).copied())
    }

    pub fn rest(&self, duration: Duration) {
        self.order(Command::Rest(duration));
    }

    pub fn cut(&self) {
        self.order(Command::Cut);
    }

    fn order(&self, command: Command) {
        // An error means that it has stopped, which its log shows.
        let _ = self.commands.send(command);
    }

    /// Writes something into its log that it can't see itself.
    pub fn note(&self, what: What) {
        self.book.note(what);
    }

    /// The username of whom it belongs to.
    pub fn name(&self) -> &str {
        &self.book.name
    }

    /// The node it is connected to, or tries to be.
    pub fn node(&self) -> String {
        self.book.with(|page| page.node.clone())
    }

    pub fn is_connected(&self) -> bool {
        self.book.with(|page| page.connected)
    }

    /// Messages and changes whose outcome it doesn't know yet.
    pub fn unsent(&self) -> usize {
        self.book.with(|page| page.unsent)
    }

    /// The `rev` up to which it knows everything of a channel; None where it isn't in it.
    pub fn knows(&self, channel: ChannelId) -> Option<u64> {
        self.book.with(|page| page.whole.get(&channel).copied())
    }

    /// The codes with which the server closed its connections.
    pub fn closes(&self) -> Vec<u16> {
        self.book.with(|page| page.closes.clone())
    }

    /// How many of its messages have been acknowledged.
    pub fn acked(&self) -> usize {
        self.book.with(|page| page.acked)
    }

    /// Waits until something is true of it; false if it isn't in time.
    pub async fn until(&self, within: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + within;
        while !condition(self) {
            if Instant::now() > end {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    /// Stops it and takes its log. `complete`: it had the time to receive everything.
    pub async fn finish(self, complete: bool) -> Log {
        self.order(Command::Stop);
        let _ = self.task.await;
        let events = self.book.with(|page| std::mem::take(&mut page.events));
        Log { name: self.book.name.clone(), user: self.book.user, events, complete }
    }
}
