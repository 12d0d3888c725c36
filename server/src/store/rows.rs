//! What the engines read, whatever their dialect: rows, and how they become what the traits name.

use super::{Change, Entry, Result, Session, StoreError, uploads::attached};
use natter::{
    AuditId, Channel, ChannelId, ChannelKind, Message, MessageId, PostPolicy, Ref, Role, SessionId, Timestamp, User,
    UserId, UserRef, Visibility,
    admin::{AuditAction, AuditChannel, AuditEntry, DayStats, Invite},
    channel::Access,
    message::{Changes, Reaction, Receiver},
    search::Place,
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
    mentions: i64,
    muted: bool,
    created_at: i64,
    active_at: Option<i64>,
    peer_id: Option<Uuid>,
    peer_name: Option<String>,
}

impl TryFrom<ChannelRow> for Channel {
    type Error = StoreError;
    fn try_from(row: ChannelRow) -> Result<Self> {
        Ok(Self {
            id: ChannelId(row.id),
            kind: kind(&row.kind)?,
            name: row.name,
            topic: row.topic,
            visibility: visibility(&row.visibility)?,
            post_policy: post_policy(&row.post_policy)?,
            members: count(row.members),
            joined: row.joined,
            rev: count(row.rev),
            read_seq: count(row.read_seq),
            unread: count(row.unread),
            mentions: count(row.mentions),
            muted: row.joined.then_some(row.muted),
            created_at: time(row.created_at),
            active_at: row.active_at.map(time),
            peer: row.peer_id.zip(row.peer_name).map(|(id, username)| UserRef { id: UserId(id), username }),
        })
    }
}

/// A channel as that person stands to it.
#[derive(FromRow)]
pub(super) struct MemberRow {
    viewer: Uuid,
    #[sqlx(flatten)]
    channel: ChannelRow,
}

impl TryFrom<MemberRow> for (UserId, Channel) {
    type Error = StoreError;
    fn try_from(row: MemberRow) -> Result<Self> {
        Ok((UserId(row.viewer), row.channel.try_into()?))
    }
}

#[derive(FromRow)]
pub(super) struct PlaceRow {
    id: Uuid,
    kind: String,
    name: Option<String>,
    peer_id: Option<Uuid>,
    peer_name: Option<String>,
}

impl TryFrom<PlaceRow> for Place {
    type Error = StoreError;
    fn try_from(row: PlaceRow) -> Result<Self> {
        Ok(Self {
            id: ChannelId(row.id),
            kind: kind(&row.kind)?,
            name: row.name,
            peer: row.peer_id.zip(row.peer_name).map(|(id, username)| UserRef { id: UserId(id), username }),
        })
    }
}

#[derive(FromRow)]
pub(super) struct AccessRow {
    pub kind: String,
    pub visibility: String,
    pub post_policy: String,
    pub joined: bool,
}

impl TryFrom<&AccessRow> for Access {
    type Error = StoreError;
    fn try_from(row: &AccessRow) -> Result<Self> {
        Ok(Self {
            kind: kind(&row.kind)?,
            visibility: visibility(&row.visibility)?,
            post_policy: post_policy(&row.post_policy)?,
            joined: row.joined,
        })
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
    reply_to: Option<Uuid>,
    mentions_channel: bool,
    receiver_id: Option<Uuid>,
    /// JSON: pairs of emoji and user, in the order they came.
    reactions: Option<String>,
    /// JSON: the files that it carries, in their order.
    attachments: Option<String>,
}

impl MessageRow {
    /// Who answered it with which emoji, in the order they did.
    pub(super) fn reacted(&self) -> Vec<(String, Uuid)> {
        self.reactions.as_deref().and_then(|pairs| serde_json::from_str(pairs).ok()).unwrap_or_default()
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        let reactions = by_emoji(row.reacted());
        let attachments = attached(row.attachments.as_deref());
        Self {
            id: MessageId(row.id),
            channel_id: ChannelId(row.channel_id),
            seq: count(row.seq),
            rev: count(row.rev),
            sender: UserRef { id: UserId(row.sender_id), username: row.sender_name },
            receiver: row.receiver_id.map(|id| Receiver { id: UserId(id) }),
            timestamp: time(row.created_at),
            text: row.text,
            edited_at: row.edited_at.map(time),
            deleted: row.deleted,
            reply_to: row.reply_to.map(MessageId),
            mentions_channel: row.mentions_channel,
            attachments,
            reactions,
            reference: row.reference.map(Ref),
        }
    }
}

/// Pairs by emoji; each emoji where it first came.
pub(super) fn by_emoji(pairs: Vec<(String, Uuid)>) -> Vec<Reaction> {
    let mut reactions: Vec<Reaction> = Vec::new();
    for (emoji, user) in pairs {
        match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) => reaction.user_ids.push(UserId(user)),
            None => reactions.push(Reaction { emoji, user_ids: vec![UserId(user)] }),
        }
    }
    reactions
}

#[derive(FromRow)]
pub(super) struct InviteRow {
    code: String,
    created_by: Uuid,
    created_by_name: String,
    created_at: i64,
    expires_at: i64,
    max_uses: i64,
    uses: i64,
}

impl From<InviteRow> for Invite {
    fn from(row: InviteRow) -> Self {
        Self {
            code: row.code,
            created_by: UserRef { id: UserId(row.created_by), username: row.created_by_name },
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
            max_uses: u32::try_from(row.max_uses).unwrap_or(0),
            uses: u32::try_from(row.uses).unwrap_or(0),
        }
    }
}

#[derive(FromRow)]
pub(super) struct AuditRow {
    id: Uuid,
    at: i64,
    actor_id: Uuid,
    actor_name: String,
    action: String,
    user_id: Option<Uuid>,
    user_name: Option<String>,
    channel_id: Option<Uuid>,
    channel_name: Option<String>,
    message_id: Option<Uuid>,
    detail: Option<String>,
    reason: Option<String>,
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;
    fn try_from(row: AuditRow) -> Result<Self> {
        let named = |(id, username)| UserRef { id: UserId(id), username };
        Ok(Self {
            id: AuditId(row.id),
            at: time(row.at),
            actor: named((row.actor_id, row.actor_name)),
            action: AuditAction::from_name(&row.action).ok_or(StoreError::Corrupt("audit.action"))?,
            user: row.user_id.zip(row.user_name).map(named),
            channel: row.channel_id.zip(row.channel_name).map(|(id, name)| AuditChannel { id: ChannelId(id), name }),
            message_id: row.message_id.map(MessageId),
            detail: row.detail,
            reason: row.reason,
        })
    }
}

/// Fourteen days up to `now`, of which `found` has those (by number since 1970) on which something was said.
pub(super) fn days(now: Timestamp, found: &[(i64, i64, i64)]) -> Vec<DayStats> {
    let today = now.millis().div_euclid(DAY_MILLIS);
    let day = |day: i64| {
        let (messages, active) = found.iter().find(|row| row.0 == day).map_or((0, 0), |row| (row.1, row.2));
        DayStats { day: time(day * DAY_MILLIS), messages: count(messages), active: count(active) }
    };
    (today + 1 - STATS_DAYS..=today).map(day).collect()
}

/// The smallest id that a message of those days can have: they begin with the time (RFC 9562).
pub(super) fn first_id_of_days(now: Timestamp) -> Uuid {
    let from = (now.millis().div_euclid(DAY_MILLIS) + 1 - STATS_DAYS) * DAY_MILLIS;
    Uuid::from_u128(u128::from(count(from)) << 80)
}

pub(super) const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
const STATS_DAYS: i64 = 14;

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

pub(super) fn kind(name: &str) -> Result<ChannelKind> {
    ChannelKind::from_name(name).ok_or(StoreError::Corrupt("channels.kind"))
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
