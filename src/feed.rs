//! What waits for somebody: conversations with unread messages, in the order in which to catch up.

use crate::{Channel, Message, MessageId};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, fmt, str::FromStr};

/// How many of a conversation's first unread messages come with it.
pub const FEED_FIRST: usize = 3;
/// How many of its latest.
pub const FEED_LATEST: usize = 5;

/// A conversation in which something is unread. Own and deleted messages never are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedItem {
    pub channel: Channel,
    pub unread: u64,
    /// Those among them that name the person asking.
    pub mentions: u64,
    /// Where unread begins: the `seq` of the first unread message.
    pub first_unread_seq: u64,
    /// The newest unread messages, at most five, ascending.
    pub latest: Vec<Message>,
    /// The first unread messages, at most three, ascending.
    pub first: Vec<Message>,
    /// What was said just before those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Message>,
}

/// A page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPage {
    pub items: Vec<FeedItem>,
    /// Where the next page begins; none at the end.
    pub next: Option<Place>,
}

/// What is to oneself comes first, what is muted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    ToMe,
    Others,
    Muted,
}

impl Group {
    pub const ALL: [Self; 3] = [Self::ToMe, Self::Others, Self::Muted];

    pub const fn of(channel: &Channel) -> Self {
        if channel.to_me() > 0 {
            Self::ToMe
        } else if channel.is_muted() {
            Self::Muted
        } else {
            Self::Others
        }
    }
}

/// A conversation's place in the feed: by group, and in it by the newest message, latest first. Messages'
/// ids begin with the time (RFC 9562). It is also how a page says where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    group: Group,
    newest: Reverse<MessageId>,
}

impl Place {
    pub const fn of(channel: &Channel, newest: MessageId) -> Self {
        Self { group: Group::of(channel), newest: Reverse(newest) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.group as u8, self.newest.0)
    }
}

impl FromStr for Place {
    /// It isn't one of ours; there is no more to say.
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (group, newest) = text.split_once('.').ok_or(())?;
        let group = group.parse().ok().and_then(|at: usize| Group::ALL.get(at).copied()).ok_or(())?;
        Ok(Self { group, newest: Reverse(newest.parse().map_err(drop)?) })
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|()| serde::de::Error::custom("not a place in the feed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelId, ChannelKind, PostPolicy, Timestamp, Visibility};

    fn channel(kind: ChannelKind, muted: bool, unread: u64, mentions: u64) -> Channel {
        Channel {
            id: ChannelId::generate(),
            kind,
            name: None,
            topic: String::new(),
            visibility: Visibility::Public,
            post_policy: PostPolicy::Everyone,
            members: 2,
            joined: true,
            rev: 9,
            read_seq: 0,
            unread,
            mentions,
            muted: Some(muted),
            created_at: Timestamp::default(),
            active_at: None,
            peer: None,
        }
    }

    #[test]
    fn what_is_to_oneself_comes_first_and_what_is_muted_last() {
        use ChannelKind::{Channel, Direct};
        for (kind, muted, mentions, expected) in [
            (Direct, false, 0, Group::ToMe),
            (Channel, false, 1, Group::ToMe),
            (Channel, false, 0, Group::Others),
            (Channel, true, 0, Group::Muted),
            (Direct, true, 0, Group::Muted),
            (Channel, true, 1, Group::ToMe),
            (Direct, true, 1, Group::ToMe),
        ] {
            let channel = channel(kind, muted, 3, mentions);
            assert_eq!(Group::of(&channel), expected, "{kind:?}, muted: {muted}, {mentions}");
        }
        assert!(Group::ALL.is_sorted());
    }

    #[test]
    fn in_a_group_the_newest_message_decides() {
        let (old, new) = (MessageId::generate(), MessageId::generate());
        let place = |kind, muted, newest| Place::of(&channel(kind, muted, 1, 0), newest);
        let mut places = [
            place(ChannelKind::Channel, true, new),
            place(ChannelKind::Channel, false, old),
            place(ChannelKind::Direct, false, old),
            place(ChannelKind::Channel, false, new),
            place(ChannelKind::Direct, false, new),
        ];
        let [muted, channel, direct, channel_new, direct_new] = places;
        places.sort_unstable();
        assert_eq!(places, [direct_new, direct, channel_new, channel, muted]);
    }

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is() {
        let place = Place::of(&channel(ChannelKind::Channel, true, 1, 0), MessageId::generate());
        assert_eq!(place.to_string().parse(), Ok(place));
        let json = serde_json::to_string(&place).unwrap();
        assert_eq!(serde_json::from_str::<Place>(&json).unwrap(), place);
        for bad in ["", "x", "1", "3.018f2f3e-7c1a-7000-8000-000000000000", "0.x", "-1.", "0"] {
            assert_eq!(bad.parse::<Place>(), Err(()), "{bad}");
        }
    }
}
