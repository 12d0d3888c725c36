//! Messages to be sent later.

use crate::{ChannelId, FieldError, MessageId, Ref, ScheduledId, Timestamp, channel::stored_as_word, message::Upload};
use serde::{Deserialize, Serialize};

/// Messages somebody may have waiting.
pub const PENDING_MAX: u32 = 100;
/// Of those that don't wait any more, how many are remembered, the latest, and for how long.
pub const SETTLED_MAX: u32 = 100;
pub const SETTLED_MS: i64 = 30 * DAY_MS;
/// How far ahead one may be put: a year, and the day that some have more.
pub const AHEAD_MAX_MS: i64 = 366 * DAY_MS;
/// How far back, for clocks that don't agree.
pub const BEHIND_MAX_MS: i64 = 5_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScheduledState {
    Pending,
    Sent,
    /// When its time came, it couldn't be posted, and won't be.
    Failed,
    Cancelled,
}

stored_as_word!(ScheduledState { Pending = "pending", Sent = "sent", Failed = "failed", Cancelled = "cancelled" });

/// Why one wasn't posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduledFailure {
    Suspended,
    ChannelDeleted,
    NotInChannel,
    ReadOnly,
    /// Something that it refers to is gone: a file, or the message that it answers.
    Incomplete,
}

stored_as_word!(ScheduledFailure {
    Suspended = "suspended",
    ChannelDeleted = "channel_deleted",
    NotInChannel = "not_in_channel",
    ReadOnly = "read_only",
    Incomplete = "incomplete"
});

impl ScheduledFailure {
    /// Of what was found when it was refused: whether its author is suspended, and how they stand to the
    /// channel, if it exists.
    pub const fn of(suspended: bool, channel_exists: bool, joined: bool) -> Self {
        match (suspended, channel_exists, joined) {
            (true, _, _) => Self::Suspended,
            (false, false, _) => Self::ChannelDeleted,
            (false, true, false) => Self::NotInChannel,
            (false, true, true) => Self::ReadOnly,
        }
    }

    /// The same for its author.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Suspended => "Your account was suspended.",
            Self::ChannelDeleted => "The channel was deleted.",
            Self::NotInChannel => "You were no longer in this channel.",
            Self::ReadOnly => "You were no longer allowed to write in this channel.",
            Self::Incomplete => "Something that belongs to it is gone.",
        }
    }
}

/// A message that is to be sent later, or was to be, as its author sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scheduled {
    pub id: ScheduledId,
    /// The channel or direct that it goes to; it may be gone by now.
    pub channel_id: ChannelId,
    /// Once sent, what the message says now: nothing where it was deleted.
    pub text: String,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub attachments: Vec<Upload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    pub send_at: Timestamp,
    pub state: ScheduledState,
    /// Why it wasn't sent, in words for its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// When it was sent, failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// The author's own id for it, which becomes the message's.
    #[serde(rename = "ref")]
    pub reference: Ref,
}

impl Scheduled {
    /// Where it stands in a list, in ascending order: what waits, by its time, and then what doesn't,
    /// the latest first.
    pub fn place(&self) -> String {
        match (self.state, self.settled_at) {
            (ScheduledState::Pending, _) | (_, None) => format!("0-{:015}-{}", self.send_at.millis(), self.id),
            (_, Some(at)) => format!("1-{:015}-{}", LATEST - at.millis(), self.id),
        }
    }
}

/// Later than any time in a list.
const LATEST: i64 = 999_999_999_999_999;

/// How many of somebody's wait, and how many weren't sent and are to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduledCounts {
    pub pending: u64,
    pub failed: u64,
}

/// A time at which a message may be sent, given what time it is.
pub fn check_send_at(send_at: Timestamp, now: Timestamp) -> Result<(), FieldError> {
    let ahead = send_at.millis().saturating_sub(now.millis());
    if ahead < -BEHIND_MAX_MS {
        return Err(FieldError::new("send_at", "This time is in the past."));
    }
    if ahead > AHEAD_MAX_MS {
        return Err(FieldError::new("send_at", "A message can be sent at most a year from now."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduled(state: ScheduledState, send_at: i64, settled_at: Option<i64>) -> Scheduled {
        Scheduled {
            id: ScheduledId::generate(),
            channel_id: ChannelId::generate(),
            text: "later".into(),
            attachments: Vec::new(),
            reply_to: None,
            send_at: Timestamp::from_millis(send_at),
            state,
            failure: None,
            message_id: None,
            settled_at: settled_at.map(Timestamp::from_millis),
            reference: Ref::generate(),
        }
    }

    #[test]
    fn a_time_is_from_now_to_a_year_ahead() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        for good in [0, 1, -BEHIND_MAX_MS, AHEAD_MAX_MS] {
            assert_eq!(check_send_at(now.plus_millis(good), now), Ok(()), "{good}");
        }
        for bad in [-BEHIND_MAX_MS - 1, AHEAD_MAX_MS + 1, i64::MIN / 2, i64::MAX / 2] {
            assert_eq!(check_send_at(now.plus_millis(bad), now).unwrap_err().field, "send_at", "{bad}");
        }
    }

    #[test]
    fn a_list_begins_with_what_waits_and_goes_on_with_the_latest() {
        let order = [
            scheduled(ScheduledState::Pending, 1_000, None),
            scheduled(ScheduledState::Pending, 2_000_000_000_000, None),
            scheduled(ScheduledState::Failed, 9, Some(3_000)),
            scheduled(ScheduledState::Sent, 10, Some(2_000)),
            scheduled(ScheduledState::Cancelled, 11, Some(1_000)),
        ];
        assert!(order.is_sorted_by_key(Scheduled::place));
    }

    #[test]
    fn a_failure_says_what_stands_in_the_way_first() {
        assert_eq!(ScheduledFailure::of(true, false, false), ScheduledFailure::Suspended);
        assert_eq!(ScheduledFailure::of(false, false, false), ScheduledFailure::ChannelDeleted);
        assert_eq!(ScheduledFailure::of(false, true, false), ScheduledFailure::NotInChannel);
        assert_eq!(ScheduledFailure::of(false, true, true), ScheduledFailure::ReadOnly);
    }

    #[test]
    fn words_are_stored_and_read_back() {
        use ScheduledState::{Cancelled, Failed, Pending, Sent};
        for state in [Pending, Sent, Failed, Cancelled] {
            assert_eq!(ScheduledState::from_name(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(ScheduledFailure::from_name("read_only"), Some(ScheduledFailure::ReadOnly));
        assert_eq!(ScheduledFailure::from_name("?"), None);
    }
}
