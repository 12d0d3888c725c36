use super::clock;
use crate::{
    api::Person,
    check::{Event, What},
};
use natter::{ChannelId, UserId};
use std::{
    collections::HashMap,
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
