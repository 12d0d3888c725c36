use super::clock;
use crate::{
    api::Person,
    check::{Event, What},
};
use natter::{ChannelId, MessageId, UserId};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// What a client writes down, for others to read.
pub struct Book {
    pub name: String,
    pub user: UserId,
    page: Mutex<Page>,
}

#[derive(Default)]
pub struct Page {
    pub events: Vec<Event>,
    pub node: String,
    pub connected: bool,
    pub unsent: usize,
    pub acked: usize,
    pub whole: HashMap<ChannelId, u64>,
    pub closes: Vec<u16>,
    /// The latest messages that it heard of, and of its own.
    pub lately: VecDeque<MessageId>,
    pub own: VecDeque<MessageId>,
}

/// How far back people go to answer or change something.
const LATELY: usize = 12;

/// Notes the latest, which may be known.
pub fn remember(messages: &mut VecDeque<MessageId>, id: MessageId) {
    if !messages.contains(&id) {
        messages.push_back(id);
        if messages.len() > LATELY {
            messages.pop_front();
        }
    }
}

impl Book {
    pub fn new(person: &Person) -> Self {
        Self { name: person.name.clone(), user: person.user, page: Mutex::default() }
    }

    /// The time is taken under the lock, so that the log is in the order of its times.
    pub fn note(&self, what: What) {
        self.with(|page| page.events.push(Event { at: clock(), what }));
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut Page) -> T) -> T {
        look(&mut self.page.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
