//! How the engines put together what waits for somebody.

use super::{
    Result,
    rows::{ChannelRow, MessageRow},
};
use natter::{
    Channel, ChannelId, FeedItem, Message, MessageId, UserId,
    feed::{FEED_FIRST, FEED_LATEST, Place},
};
use sqlx::FromRow;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A conversation in which something is unread, and its newest message, whosever that is.
#[derive(FromRow)]
pub(super) struct UnreadRow {
    #[sqlx(flatten)]
    channel: ChannelRow,
    newest: Uuid,
}

/// A page of them. They are few, and where each belongs depends on its counts: so that is decided here.
pub(super) fn page(rows: Vec<UnreadRow>, after: Option<Place>, limit: u32) -> Result<Vec<(Place, Channel)>> {
    let mut placed = Vec::with_capacity(rows.len());
    for row in rows {
        let channel = Channel::try_from(row.channel)?;
        placed.push((Place::of(&channel, MessageId(row.newest)), channel));
    }
    placed.retain(|(place, _)| after.is_none_or(|after| *place > after));
    placed.sort_unstable_by_key(|(place, _)| *place);
    placed.truncate(limit as usize);
    Ok(placed)
}

/// Gives each conversation its messages, which come in any order, some twice.
pub(super) fn items(page: Vec<(Place, Channel)>, viewer: UserId, rows: Vec<MessageRow>) -> Vec<(Place, FeedItem)> {
    let mut messages: HashMap<ChannelId, BTreeMap<u64, Message>> = HashMap::new();
    for message in rows.into_iter().map(Message::from) {
        messages.entry(message.channel_id).or_default().insert(message.seq, message);
    }
    let item = |(place, channel): (Place, Channel)| {
        let messages = messages.remove(&channel.id).unwrap_or_default();
        let unread = |message: &&Message| message.seq > channel.read_seq && message.sender.id != viewer;
        let first_unread_seq = messages.values().find(unread)?.seq;
        let before = messages.range(..first_unread_seq).next_back().map(|(_, message)| message.clone());
        let first: Vec<_> = messages.values().filter(unread).take(FEED_FIRST).cloned().collect();
        let mut latest: Vec<_> = messages.values().rev().filter(unread).take(FEED_LATEST).cloned().collect();
        latest.reverse();
        let (unread, mentions) = (channel.unread, channel.mentions);
        Some((place, FeedItem { channel, unread, mentions, first_unread_seq, latest, first, before }))
    };
    page.into_iter().filter_map(item).collect()
}
