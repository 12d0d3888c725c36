//! Finding messages.

use super::{Caller, Result, ServiceError};
use crate::{
    limits::ChatLimits,
    store::{Search, Store},
};
use natter::{
    ChannelId, FieldError, Message, MessageId, UserId,
    search::{Hit, HitPage, Query, highlighted_chars},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};
use tokio::sync::Semaphore;

/// Searches under way at once: there are few connections to the database, and others want to read, too.
const AT_ONCE: usize = 2;

pub struct Finder {
    store: Arc<dyn Store>,
    limits: Arc<ChatLimits>,
    turns: Semaphore,
}

impl Finder {
    pub fn new(store: Arc<dyn Store>, limits: Arc<ChatLimits>) -> Self {
        Self { store, limits, turns: Semaphore::new(AT_ONCE) }
    }

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
        self.limits.search(caller.user.id).map_err(ServiceError::RateLimited)?;
        let _turn = self.turns.acquire().await;
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
        let ids: BTreeSet<_> = found.items.iter().map(|message| message.channel_id).collect();
        let places = self.store.readable_places(caller.user.id, &Vec::from_iter(ids)).await?;
        let places: HashMap<_, _> = places.into_iter().map(|place| (place.id, place)).collect();
        // What was left, or is gone, since it was found has no place.
        let hit = |message: Message| {
            let channel = places.get(&message.channel_id)?.clone();
            let highlights = highlighted_chars(&message.text, &query.terms);
            Some(Hit { message, channel, highlights })
        };
        Ok(HitPage { items: found.items.into_iter().filter_map(hit).collect(), next: found.next })
    }

    /// A channel by name or id, or a direct by whom it is with.
    async fn place(&self, caller: &Caller, text: &str) -> Result<Option<ChannelId>> {
        if let Some(username) = text.strip_prefix('@') {
            let Some(peer) = self.person(username).await? else { return Ok(None) };
            return Ok(self.store.direct(caller.user.id, peer).await?);
        }
        if let Ok(id) = text.parse() {
            let places = self.store.readable_places(caller.user.id, &[id]).await?;
            return Ok(places.first().map(|place| place.id));
        }
        let name = text.trim_start_matches('#').to_lowercase();
        Ok(self.store.readable_channel(caller.user.id, &name).await?)
    }

    async fn person(&self, text: &str) -> Result<Option<UserId>> {
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let user = self.store.user_by_name(text.trim_start_matches('@')).await?;
        Ok(user.map(|user| user.id))
    }
}
