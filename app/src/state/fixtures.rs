//! People, channels and messages for the tests of this folder.

use natter::{
    Channel, ChannelId, ChannelKind, Message, MessageId, PostPolicy, Ref, Role, Timestamp, User, UserId, Visibility,
};

pub fn user(name: &str) -> User {
    User {
        id: UserId::generate(),
        username: name.into(),
        display_name: name.into(),
        role: Role::Member,
        suspended: false,
        avatar_url: None,
        created_at: Timestamp::default(),
    }
}

pub fn channel(name: &str, joined: bool) -> Channel {
    Channel {
        id: ChannelId::generate(),
        kind: ChannelKind::Channel,
        name: Some(name.into()),
        topic: String::new(),
        visibility: Visibility::Public,
        post_policy: PostPolicy::Everyone,
        members: 1,
        joined,
        rev: 0,
        read_seq: 0,
        unread: 0,
        mentions: 0,
        muted: None,
        created_at: Timestamp::default(),
        active_at: None,
        peer: None,
    }
}

/// The message that made a channel's revision `rev`, so many minutes after the epoch.
pub fn message(channel_id: ChannelId, rev: u64, sender: &User, minute: i64, reference: Option<Ref>) -> Message {
    Message {
        id: MessageId::generate(),
        channel_id,
        seq: rev,
        rev,
        sender: sender.into(),
        receiver: None,
        timestamp: Timestamp::from_millis(minute * 60_000),
        text: format!("m{rev}"),
        edited_at: None,
        deleted: false,
        reply_to: None,
        mentions_channel: false,
        attachments: vec![],
        reactions: vec![],
        reference,
    }
}
