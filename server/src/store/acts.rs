//! What people with a right do, and what becomes of it.

use super::Entry;
use natter::{
    ChannelId, Message, MessageId, PostPolicy, Timestamp, User, UserId, Visibility, admin::AuditAction,
    markdown::Mentions,
};

/// Who does something, when, and why.
#[derive(Clone, Debug)]
pub struct Act {
    pub actor: UserId,
    pub at: Timestamp,
    /// For the audit log.
    pub reason: Option<String>,
}

/// What an admin's act came to. The store decides it on what holds in its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    Done(Done<T>),
    /// There is no such channel, person or invitation; or, of a direct, none to manage.
    NotFound,
    /// The actor isn't an admin, or no longer.
    Forbidden,
    /// Nobody would be left to run the place.
    LastAdmin,
}

/// What was done, and what is to be told of it: nothing where nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done<T> {
    pub value: T,
    pub entries: Vec<Entry>,
}

impl<T> Outcome<T> {
    pub fn done(value: T, entries: impl IntoIterator<Item = Entry>) -> Self {
        Self::Done(Done { value, entries: entries.into_iter().collect() })
    }
}

/// What became of somebody who wants an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted(User),
    /// Nobody may register.
    Closed,
    /// Only with an invitation, and there was none, or none that is good.
    NotInvited,
}

/// What is to change of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelChange {
    pub name: Option<String>,
    pub topic: Option<String>,
    pub visibility: Option<Visibility>,
    pub post_policy: Option<PostPolicy>,
}

impl ChannelChange {
    /// What of it differs from how a channel is.
    pub(super) fn of_those(self, name: &str, topic: &str, visibility: Visibility, post_policy: PostPolicy) -> Self {
        Self {
            name: self.name.filter(|new| new != name),
            topic: self.topic.filter(|new| new != topic),
            visibility: self.visibility.filter(|new| *new != visibility),
            post_policy: self.post_policy.filter(|new| *new != post_policy),
        }
    }
}

/// What is to change of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub role: Option<natter::Role>,
    pub suspended: Option<bool>,
}

impl UserChange {
    /// What of it differs from how somebody is, as the audit log calls it.
    pub(super) fn acts(self, user: &User) -> impl Iterator<Item = AuditAction> {
        let role = self.role.filter(|role| *role != user.role).map(|role| match role {
            natter::Role::Admin => AuditAction::UserPromoted,
            natter::Role::Member => AuditAction::UserDemoted,
        });
        let standing = self
            .suspended
            .filter(|suspended| *suspended != user.suspended)
            .map(|suspended| if suspended { AuditAction::UserSuspended } else { AuditAction::UserReinstated });
        role.into_iter().chain(standing)
    }

    /// Whether it takes an active admin away.
    pub(super) fn unseats(self, user: &User) -> bool {
        let active = user.role == natter::Role::Admin && !user.suspended;
        active && (self.role == Some(natter::Role::Member) || self.suspended == Some(true))
    }
}

pub struct InviteDraft {
    pub code: String,
    pub expires_at: Timestamp,
    pub max_uses: u32,
}

/// A change to a message that exists.
#[derive(Clone, Debug)]
pub struct Revision {
    pub message_id: MessageId,
    pub actor: UserId,
    pub at: Timestamp,
    pub what: Change,
}

#[derive(Clone, Debug)]
pub enum Change {
    Edit {
        text: String,
        mentions: Mentions,
    },
    /// Audited where it is somebody else's.
    Delete {
        reason: Option<String>,
    },
    React {
        emoji: String,
        on: bool,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revised {
    Changed(Message),
    /// It was so already.
    Unchanged(Message),
    /// There is no such message, or the actor may not know of it; or it is deleted.
    NotFound,
    /// The actor sees it and may not.
    Forbidden,
    /// It has as many different reactions as it may have.
    Full,
    /// It would have neither words nor files.
    Empty,
}

/// What changes of a channel, for the audit log: `name: plans, visibility: private`. A topic's words
/// aren't in it.
pub fn describe(change: &ChannelChange) -> String {
    let name = change.name.as_ref().map(|name| format!("name: {name}"));
    let topic = change.topic.is_some().then(|| "topic".to_owned());
    let visibility = change.visibility.map(|visibility| format!("visibility: {}", visibility.as_str()));
    let policy = change.post_policy.map(|policy| format!("post_policy: {}", policy.as_str()));
    [name, topic, visibility, policy].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A channel that an act was about.
pub(super) struct Place {
    pub id: ChannelId,
    pub name: String,
}

/// All that an act was about, as the audit log keeps it.
#[derive(Default)]
pub(super) struct Subject {
    pub user: Option<UserId>,
    pub place: Option<Place>,
    pub message: Option<MessageId>,
    pub detail: Option<String>,
}
