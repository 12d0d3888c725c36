//! What Natter keeps, behind traits that say nothing of SQL. Each engine is a module; one contract
//! suite (`tests/suite/store_contract.rs`) holds them all to the same behaviour.

mod acts;
mod feed;
pub mod postgres;
mod posting;
mod revising;
mod rows;
mod scheduled;
mod searching;
pub mod sqlite;
mod uploads;

pub use acts::{
    Act, Admission, Change as MessageChange, ChannelChange, Done, InviteDraft, Outcome, Revised, Revision, UserChange,
    describe,
};
pub use scheduled::{Delivered, Delivery, Due, Edited, Made, NewScheduled, ScheduledEdit, ScheduledStore};
pub use searching::{Found, Search};
pub use uploads::{FoundUpload, Kept, NewUpload, UploadStore, Withdrawn};

use async_trait::async_trait;
use natter::{
    AuditId, Channel, ChannelId, FeedItem, Message, MessageId, MessagePage, PostPolicy, Ref, Scheduled, SessionId,
    Timestamp, UploadId, User, UserId, Visibility,
    admin::{AuditEntry, Invite, Registration, Stats},
    channel::Access,
    feed::Place,
    markdown::Mentions,
    message::Changes,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A name that has to be unique is in use; says which field.
    #[error("{0} is taken")]
    Taken(&'static str),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The stored data contradicts the schema's promises.
    #[error("stored data is not valid: {0}")]
    Corrupt(&'static str),
    #[error("{0}")]
    Unsupported(String),
    /// The connection broke while committing: it may be stored or not. Ask again with the same ids.
    #[error("the outcome of a commit is not known: {0}")]
    Unsure(sqlx::Error),
}

pub type Result<T> = std::result::Result<T, StoreError>;

pub struct NewUser {
    pub id: UserId,
    pub username: String,
    pub password_hash: String,
    pub created_at: Timestamp,
}

pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub user_agent: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub refresh_hash: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_agent: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What presenting a refresh token led to.
#[derive(Debug)]
pub enum Rotation {
    Rotated {
        session_id: SessionId,
        user: User,
    },
    /// An old token came back: the session has been ended.
    Reused(Entry),
    Unknown,
}

pub struct NewChannel {
    pub id: ChannelId,
    pub name: String,
    pub topic: String,
    pub visibility: Visibility,
    pub post_policy: PostPolicy,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct NewMessage {
    pub id: MessageId,
    pub channel_id: ChannelId,
    pub sender_id: UserId,
    pub reference: Option<Ref>,
    pub text: String,
    /// Whom the text names.
    pub mentions: Mentions,
    /// Has to be a message of the same channel.
    pub reply_to: Option<MessageId>,
    /// The sender's own uploads, in the order they are shown.
    pub attachments: Vec<UploadId>,
    pub timestamp: Timestamp,
}

/// What became of a message in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    New(Message),
    /// The sender used this `ref` before: this is the message it made then.
    Known(Message),
    /// The sender used this `ref` before, for a message that went with its channel.
    Spent,
    /// The channel doesn't exist, or the sender may not read it.
    NotFound,
    /// The sender may read but not write there.
    Forbidden,
    /// What it answers isn't in that channel.
    NoSuchReply,
    /// One of its attachments isn't the sender's, or another message carries it.
    NoSuchUpload,
}

/// Which stretch of history to read. All bounds are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Newest,
    Before(u64),
    After(u64),
    Around(u64),
}

/// How far somebody has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    pub seq: u64,
    /// Whether this call moved it.
    pub moved: bool,
    pub unread: u64,
    pub mentions: u64,
    /// The channel's number at the moment those were counted.
    pub rev: u64,
}

/// Where somebody wants to have their read mark: not before `seq` or, with `back`, not after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkMove {
    pub channel_id: ChannelId,
    pub user_id: UserId,
    pub seq: u64,
    pub back: bool,
}

/// Where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkStanding {
    /// It stands so already.
    There(ReadMark),
    Elsewhere,
}

/// A change of who may see what. It names what changed: whoever applies it reads the details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// `creator` is in it from the start.
    ChannelCreated {
        channel_id: ChannelId,
        creator: UserId,
    },
    ChannelRemoved {
        channel_id: ChannelId,
        visibility: Visibility,
    },
    Joined {
        channel_id: ChannelId,
        user_id: UserId,
    },
    Left {
        channel_id: ChannelId,
        user_id: UserId,
    },
    /// A private conversation between those two, or with oneself.
    DirectOpened {
        channel_id: ChannelId,
        users: Vec<UserId>,
    },
    /// Its name, topic or rules.
    ChannelChanged {
        channel_id: ChannelId,
        /// It was public until now: those outside don't see it any more.
        hidden: bool,
    },
    /// Somebody wants a channel to stay quiet, or not any more.
    Muted {
        channel_id: ChannelId,
        user_id: UserId,
    },
    /// Somebody's name, role or standing.
    UserChanged {
        user_id: UserId,
    },
    SessionsEnded {
        sessions: Vec<SessionId>,
    },
    /// Of a newer version, written by another node: during an upgrade there may be some.
    #[serde(other)]
    Unknown,
}

/// A change's place in the journal: numbers without gaps, in the order of the commits. It is written
/// in the transaction that makes the change, and so lets a node that missed a hint catch up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub pos: u64,
    pub change: Change,
}

#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Makes the first account an admin and later ones members, also when several register at once.
    /// Whether the place is open to it, and how often an invitation was used, is decided inside the
    /// transaction; the first account is always let in.
    async fn create_user(&self, user: NewUser, invite: Option<&str>) -> Result<Admission>;
    async fn user(&self, id: UserId) -> Result<Option<User>>;
    /// The person of that name, in any case.
    async fn user_by_name(&self, username: &str) -> Result<Option<User>>;
    /// At most `limit` people, by name in lower case, past `after`, whose username or display name
    /// contains `query` in any case (ASCII).
    async fn users(&self, query: &str, after: &str, limit: u32) -> Result<Vec<User>>;
    async fn user_count(&self) -> Result<u64>;
    /// The person of that name, in any case, and the stored password hash.
    async fn credentials(&self, username: &str) -> Result<Option<(User, String)>>;
    async fn password_hash(&self, id: UserId) -> Result<Option<String>>;
    async fn set_display_name(&self, id: UserId, name: &str, now: Timestamp) -> Result<Option<(User, Entry)>>;
    /// Stores a new hash and ends every session but `keep`; None if there was no other.
    async fn set_password(&self, id: UserId, hash: &str, keep: SessionId, now: Timestamp) -> Result<Option<Entry>>;

    async fn create_session(&self, session: NewSession) -> Result<()>;
    /// Whom a live session belongs to.
    async fn session_user(&self, id: SessionId, now: Timestamp) -> Result<Option<User>>;
    /// The session that this refresh token is the current one of; changes nothing.
    async fn session_by_refresh(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<(SessionId, User)>>;
    async fn rotate_refresh(
        &self,
        old: [u8; 32],
        new: [u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Rotation>;
    /// Live sessions of a person, newest first.
    async fn sessions(&self, user_id: UserId, now: Timestamp) -> Result<Vec<Session>>;
    /// Marks a session as in use and moves its end.
    async fn touch_session(&self, id: SessionId, now: Timestamp, expires_at: Timestamp) -> Result<()>;
    /// Ends a session of that person; None if there is none.
    async fn end_session(&self, user_id: UserId, id: SessionId, now: Timestamp) -> Result<Option<Entry>>;
    /// Forgets sessions past their end; None if there are none.
    async fn purge_sessions(&self, now: Timestamp) -> Result<Option<Entry>>;
}

#[async_trait]
pub trait ChannelStore: Send + Sync {
    /// Its creator is its first member. Audited.
    async fn create_channel(&self, channel: NewChannel, creator: UserId) -> Result<Outcome<()>>;
    /// Every channel that exists and matches, as this person stands to it, by name; no directs.
    /// Deciding which of them may be seen is the caller's.
    async fn channels(&self, viewer: UserId, query: &str) -> Result<Vec<Channel>>;
    /// By kind, then by name; directs, which have none, by id.
    async fn joined_channels(&self, viewer: UserId) -> Result<Vec<Channel>>;
    async fn channel(&self, viewer: UserId, id: ChannelId) -> Result<Option<Channel>>;
    /// The same for those of these people who are in it, read together: as each stands to it.
    async fn channel_of(&self, id: ChannelId, members: &[UserId]) -> Result<Vec<(UserId, Channel)>>;
    /// What rights in a channel are decided from, without the counting that a whole [`Channel`] takes.
    async fn access(&self, viewer: UserId, id: ChannelId) -> Result<Option<Access>>;
    async fn channel_by_name(&self, viewer: UserId, name: &str) -> Result<Option<Channel>>;
    /// Changes what is given of it. Audited, unless nothing changes.
    async fn update_channel(&self, id: ChannelId, change: ChannelChange, act: Act) -> Result<Outcome<()>>;
    /// Deletes it with everything in it. Audited.
    async fn delete_channel(&self, id: ChannelId, act: Act) -> Result<Outcome<()>>;
    /// Lets somebody in, or puts them out. Audited, unless they were in, or out, already.
    async fn admit(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>>;
    async fn expel(&self, id: ChannelId, user_id: UserId, act: Act) -> Result<Outcome<()>>;
    /// The private conversation of two people, or of one with themselves; `fresh` becomes its id if
    /// there is none, and then there is an entry.
    async fn open_direct(
        &self,
        fresh: ChannelId,
        one: UserId,
        other: UserId,
        now: Timestamp,
    ) -> Result<(ChannelId, Option<Entry>)>;
    /// Their private conversation, if there is one.
    async fn direct(&self, one: UserId, other: UserId) -> Result<Option<ChannelId>>;
    /// None if already in, or there is no such channel.
    async fn join(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>>;
    /// None if not in.
    async fn leave(&self, id: ChannelId, user_id: UserId, now: Timestamp) -> Result<Option<Entry>>;
    async fn members(&self, id: ChannelId) -> Result<Vec<User>>;
    /// Whether a read mark has to be moved for that; reads only. None if not in.
    async fn mark_standing(&self, wanted: &MarkMove) -> Result<Option<MarkStanding>>;
    /// Moves read marks forward, or `back`, in one commit; never past their channels' ends. No two of the
    /// same person in the same channel. Answers for each where it is then, None if not in: one that can't be
    /// told, though perhaps moved, spoils no other.
    async fn move_marks(&self, wanted: &[MarkMove]) -> Result<Vec<Result<Option<ReadMark>>>>;
}

/// What waits for somebody, and what they don't want to hear of.
#[async_trait]
pub trait FeedStore: Send + Sync {
    /// At most `limit` of the conversations that somebody is in and in which something is unread, each at
    /// its place past `after`. All is read at one moment.
    async fn feed(&self, viewer: UserId, after: Option<Place>, limit: u32) -> Result<Vec<(Place, FeedItem)>>;
    /// None if not in, or it was so already.
    async fn set_muted(&self, id: ChannelId, user_id: UserId, muted: bool, now: Timestamp) -> Result<Option<Entry>>;
}

#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Stores a batch in one durable transaction, in order. Whether each sender may post is decided
    /// inside it, by the shared rules. Storing the same `id` again changes nothing and answers `Known`.
    /// An error other than [`StoreError::Unsure`] means that nothing of the batch was stored.
    async fn append(&self, batch: &[NewMessage]) -> Result<Vec<Appended>>;
    /// Changes a message, in a durable transaction that decides whether the actor may.
    async fn revise(&self, revision: Revision) -> Result<Revised>;
    /// One message; no check of rights.
    async fn message(&self, id: MessageId) -> Result<Option<Message>>;
    /// At most `limit` messages, ascending by `seq`; no check of rights.
    async fn page(&self, id: ChannelId, anchor: Anchor, limit: u32) -> Result<MessagePage>;
    /// At most `limit` messages whose rev is later than `since`, by rev; no check of rights.
    async fn changes(&self, id: ChannelId, since: u64, limit: u32) -> Result<Changes>;
    /// Ends the database's life, so that the next start begins another: after it was restored to an
    /// earlier state. Nothing may be running on it.
    async fn forget_epoch(&self) -> Result<()>;
    /// Names the database's life.
    fn epoch(&self) -> &str;
    /// Can it be read and written right now?
    async fn check(&self) -> Result<()>;
    /// Waits until words have been taken away that may lie in the database's files still, and overwrites them
    /// there. Never returns where that isn't the program's business.
    async fn erase(&self) -> Result<()>;
    /// Finishes what is under way and closes the database.
    async fn close(&self);
}

#[async_trait]
pub trait SearchStore: Send + Sync {
    /// What the reader may read right now and fits, newest first: at most `limit` messages. Looks at a
    /// bounded number of candidates; `next` says how to go on.
    async fn search(&self, search: &Search) -> Result<Found>;
    /// Those of the channels that the reader may read right now, and what they are called.
    async fn readable_places(&self, reader: UserId, ids: &[ChannelId]) -> Result<Vec<natter::search::Place>>;
    /// The channel of that name, if the reader may read it right now.
    async fn readable_channel(&self, reader: UserId, name: &str) -> Result<Option<ChannelId>>;
    /// Puts some messages into the index that aren't in it yet, or takes some out whose channel is gone;
    /// false when there are none left.
    async fn tidy_index(&self) -> Result<bool>;
    /// Returns when messages have come since it last did that aren't in the index yet: they are found all
    /// the same, but not as fast.
    async fn unindexed(&self);
}

/// What admins do to people and to the place. Whether the actor is an admin still, and whether one
/// would be left, is decided inside each transaction.
#[async_trait]
pub trait AdminStore: Send + Sync {
    /// Changes role or standing. Who is suspended loses every session. Audited, once for each of the
    /// two that changes.
    async fn update_user(&self, id: UserId, change: UserChange, act: Act) -> Result<Outcome<User>>;
    /// Ends every session of somebody. Audited.
    async fn end_sessions(&self, id: UserId, act: Act) -> Result<Outcome<()>>;
    async fn registration(&self) -> Result<Registration>;
    /// Whether anybody has an account.
    async fn has_accounts(&self) -> Result<bool>;
    /// Audited, unless nothing changes.
    async fn set_registration(&self, mode: Registration, act: Act) -> Result<Outcome<()>>;
    /// Audited.
    async fn create_invite(&self, invite: InviteDraft, act: Act) -> Result<Outcome<Invite>>;
    /// Those that can still be used at `now`, newest first, at most 100.
    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>>;
    /// Whether an account may be made with it at `now`.
    async fn invite_is_good(&self, code: &str, now: Timestamp) -> Result<bool>;
    /// Audited.
    async fn revoke_invite(&self, code: &str, act: Act) -> Result<Outcome<()>>;
    /// At most `limit` entries, newest first, of those before `before`.
    async fn audit(&self, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditEntry>>;
    /// The place in figures at `now`.
    async fn stats(&self, now: Timestamp) -> Result<Stats>;
}

/// The changes of who may see what, in the order of their commits.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// At most `limit` entries of the journal past `after`, in order.
    async fn journal(&self, after: u64, limit: u32) -> Result<Vec<Entry>>;
    /// The position of its newest entry; 0 when nothing was ever written.
    async fn journal_head(&self) -> Result<u64>;
    /// Forgets entries written before that time; the newest stays.
    async fn trim_journal(&self, before: Timestamp) -> Result<()>;
    /// What only engines that several nodes share can do; None for an embedded one.
    fn shared(&self) -> Option<&dyn SharedStore> {
        None
    }
}

/// For nodes that may miss each other's hints.
#[async_trait]
pub trait SharedStore: Send + Sync {
    /// The channels whose `rev` may have changed since an earlier answer's `mark` (0: all of them),
    /// each with its `rev` now. Some come again though nothing changed; none is ever left out.
    async fn changed_since(&self, mark: u64) -> Result<Positions>;

    /// The read marks of these people that moved since an earlier answer's `mark`, as they are now.
    /// Some come again though nothing moved; none is ever left out.
    async fn marks_since(&self, mark: u64, users: &[UserId]) -> Result<Vec<MovedMark>>;

    /// The same of their messages for later.
    async fn scheduled_since(&self, mark: u64, owners: &[UserId]) -> Result<Vec<(UserId, Scheduled)>>;
}

/// A read mark that was moved lately, `back` or forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedMark {
    pub user_id: UserId,
    pub channel_id: ChannelId,
    pub mark: ReadMark,
    pub back: bool,
}

/// Where channels stand at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positions {
    pub channels: Vec<(ChannelId, u64)>,
    /// To ask with next time.
    pub mark: u64,
}

pub trait Store:
    AccountStore
    + AdminStore
    + ChannelStore
    + FeedStore
    + MessageStore
    + JournalStore
    + ScheduledStore
    + SearchStore
    + UploadStore
{
}
impl<T> Store for T where
    T: AccountStore
        + AdminStore
        + ChannelStore
        + FeedStore
        + MessageStore
        + JournalStore
        + ScheduledStore
        + SearchStore
        + UploadStore
{
}
