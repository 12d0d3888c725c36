//! Finding messages.

use super::{Caller, Result};
use crate::store::{Search, Store};
use natter::{
    ChannelId, ChannelKind, FieldError, MessageId, UserId,
    search::{Hit, HitPage, Place, Query, highlighted_chars},
};
use std::{collections::HashMap, sync::Arc};

pub struct Finder {
    pub store: Arc<dyn Store>,
}

impl Finder {
    /// What the caller may read and fits the query, newest first. A channel or a person that the caller
    /// doesn't see leads to nothing, like one that there isn't.
    pub async fn search(
        &self,
        caller: &Caller,
        query: &Query,
        cursor: Option<MessageId>,
        limit: u32,
    ) -> Result<HitPage> {
        if query.is_empty() {
            return Err(FieldError::new("q", "Say what to look for: a word, or where, from whom or when.").into());
        }
        let nothing = HitPage { items: Vec::new(), next: None };
        let mut channels = Vec::new();
        for place in &query.places {
            let Some(id) = self.place(caller, place).await? else { return Ok(nothing) };
            channels.push(id);
        }
        let mut senders = Vec::new();
        for sender in &query.senders {
            let Some(id) = self.person(sender).await? else { return Ok(nothing) };
            senders.push(id);
        }
        let search = Search {
            reader: caller.user.id,
            terms: query.terms.clone(),
            channels,
            senders,
            before: query.before,
            after: query.after,
            has: query.has.clone(),
            cursor,
            limit,
        };
        let found = self.store.search(&search).await?;
        let mut places = HashMap::new();
        let mut items = Vec::with_capacity(found.items.len());
        for message in found.items {
            let channel = match places.get(&message.channel_id) {
                Some(known) => Clone::clone(known),
                None => match self.named(caller, message.channel_id).await? {
                    Some(place) => places.entry(message.channel_id).or_insert(place).clone(),
                    // Left, or gone, since it was found.
                    None => continue,
                },
            };
            let highlights = highlighted_chars(&message.text, &query.terms);
            items.push(Hit { message, channel, highlights });
        }
        Ok(HitPage { items, next: found.next })
    }

    /// A channel by name or id, or a direct by whom it is with.
    async fn place(&self, caller: &Caller, text: &str) -> Result<Option<ChannelId>> {
        if let Some(username) = text.strip_prefix('@') {
            let Some(peer) = self.person(username).await? else { return Ok(None) };
            return Ok(self.store.direct(caller.user.id, peer).await?);
        }
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let name = text.trim_start_matches('#').to_lowercase();
        let channel = self.store.channel_by_name(caller.user.id, &name).await?;
        Ok(channel.filter(|channel| caller.user.role.can_see_channel(channel.access())).map(|channel| channel.id))
    }

    async fn person(&self, text: &str) -> Result<Option<UserId>> {
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let user = self.store.user_by_name(text.trim_start_matches('@')).await?;
        Ok(user.map(|user| user.id))
    }

    async fn named(&self, caller: &Caller, id: ChannelId) -> Result<Option<Place>> {
        let channel = self.store.channel(caller.user.id, id).await?;
        let readable = channel.filter(|channel| caller.user.role.can_read_channel(channel.access()));
        Ok(readable.map(|channel| {
            let peer = channel.peer.filter(|_| channel.kind == ChannelKind::Direct);
            Place { id, kind: channel.kind, name: channel.name, peer }
        }))
    }
}
