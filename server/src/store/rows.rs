//! What the engines read, whatever their dialect: rows, and how they become what the traits name.

use super::{Change, Entry, Result, Session, StoreError};
use natter::{
    Channel, ChannelId, ChannelKind, Message, MessageId, PostPolicy, Ref, Role, SessionId, Timestamp, User, UserId,
    UserRef, Visibility, channel::Access, message::Changes,
};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
pub(super) struct UserRow {
    id: Uuid,
    username: String,
    display_name: String,
    role: String,
    suspended: bool,
    avatar_url: Option<String>,
    created_at: i64,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;
    fn try_from(row: UserRow) -> Result<Self> {
        Ok(Self {
            id: UserId(row.id),
            username: row.username,
            display_name: row.display_name,
            role: role(&row.role)?,
            suspended: row.suspended,
            avatar_url: row.avatar_url,
            created_at: time(row.created_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct CredentialRow {
    #[sqlx(flatten)]
    pub user: UserRow,
    pub password_hash: String,
}

#[derive(FromRow)]
pub(super) struct SessionUserRow {
    pub session_id: Uuid,
    pub superseded: bool,
    #[sqlx(flatten)]
    pub user: UserRow,
}

#[derive(FromRow)]
pub(super) struct SessionRow {
    id: Uuid,
    user_agent: String,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId(row.id),
            user_agent: row.user_agent,
            created_at: time(row.created_at),
            last_seen_at: time(row.last_seen_at),
            expires_at: time(row.expires_at),
        }
    }
}

#[derive(FromRow)]
pub(super) struct ChannelRow {
    id: Uuid,
    kind: String,
    name: Option<String>,
    topic: String,
    visibility: String,
    post_policy: String,
    members: i64,
    joined: bool,
    rev: i64,
    read_seq: i64,
    unread: i64,
    created_at: i64,
}

impl TryFrom<ChannelRow> for Channel {
    type Error = StoreError;
    fn try_from(row: ChannelRow) -> Result<Self> {
        Ok(Self {
            id: ChannelId(row.id),
            kind: ChannelKind::from_name(&row.kind).ok_or(StoreError::Corrupt("channels.kind"))?,
            name: row.name,
            topic: row.topic,
            visibility: visibility(&row.visibility)?,
            post_policy: post_policy(&row.post_policy)?,
            members: count(row.members),
            joined: row.joined,
            rev: count(row.rev),
            read_seq: count(row.read_seq),
            unread: count(row.unread),
            mentions: 0,
            muted: None,
            created_at: time(row.created_at),
            peer: None,
        })
    }
}

#[derive(FromRow)]
pub(super) struct AccessRow {
    visibility: String,
    post_policy: String,
    joined: bool,
}

impl TryFrom<AccessRow> for Access {
    type Error = StoreError;
    fn try_from(row: AccessRow) -> Result<Self> {
        let (visibility, post_policy) = (visibility(&row.visibility)?, post_policy(&row.post_policy)?);
        Ok(Self { visibility, post_policy, joined: row.joined })
    }
}

#[derive(FromRow)]
pub(super) struct MessageRow {
    id: Uuid,
    channel_id: Uuid,
    seq: i64,
    rev: i64,
    sender_id: Uuid,
    sender_name: String,
    #[sqlx(rename = "ref")]
    reference: Option<Uuid>,
    text: String,
    created_at: i64,
    edited_at: Option<i64>,
    deleted: bool,
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: MessageId(row.id),
            channel_id: ChannelId(row.channel_id),
            seq: count(row.seq),
            rev: count(row.rev),
            sender: UserRef { id: UserId(row.sender_id), username: row.sender_name },
            receiver: None,
            timestamp: time(row.created_at),
            text: row.text,
            edited_at: row.edited_at.map(time),
            deleted: row.deleted,
            reply_to: None,
            attachments: Vec::new(),
            reactions: Vec::new(),
            reference: row.reference.map(Ref),
        }
    }
}

/// What stands in the journal.
pub(super) fn written(change: &Change) -> Result<String> {
    serde_json::to_string(change).map_err(|_| StoreError::Corrupt("journal.change"))
}

pub(super) fn entry((pos, change): (i64, String)) -> Result<Entry> {
    let change = serde_json::from_str(&change).map_err(|_| StoreError::Corrupt("journal.change"))?;
    Ok(Entry { pos: count(pos), change })
}

/// Changes in the order of their revisions, of which one more than `limit` was asked for: it tells
/// whether there is more.
pub(super) fn changes(mut items: Vec<Message>, limit: u32, rev: u64, epoch: &str) -> Changes {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().map(|message| message.rev).filter(|_| more);
    Changes { items, next, rev, epoch: epoch.to_owned() }
}

pub(super) fn role(name: &str) -> Result<Role> {
    Role::from_name(name).ok_or(StoreError::Corrupt("users.role"))
}

pub(super) fn visibility(name: &str) -> Result<Visibility> {
    Visibility::from_name(name).ok_or(StoreError::Corrupt("channels.visibility"))
}

pub(super) fn post_policy(name: &str) -> Result<PostPolicy> {
    PostPolicy::from_name(name).ok_or(StoreError::Corrupt("channels.post_policy"))
}

pub(super) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Counters in a database are signed; ours never go below zero.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Turns a broken UNIQUE constraint into the name of the field that is taken.
pub(super) fn taken(field: &'static str) -> impl Fn(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Database(sqlx::Error::Database(cause)) if cause.is_unique_violation() => StoreError::Taken(field),
        other => other,
    }
}
