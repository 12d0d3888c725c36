use super::clock;
use crate::check::{Event, What};
use natter::{ChannelId, UserId};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// What a client writes down, for others to read.
pub struct Book(Mutex<Page>);

#[derive(Default)]
pub struct Page {
    pub name: String,
    pub user: Option<UserId>,
    pub events: Vec<Event>,
    pub connected: bool,
    pub unsent: usize,
    pub acked: usize,
    pub whole: HashMap<ChannelId, u64>,
    pub closes: Vec<u16>,
}

impl Book {
    pub fn new() -> Self {
        Self(Mutex::new(Page::default()))
    }

    /// The time is taken under the lock, so that the log is in the order of its times.
    pub fn note(&self, what: What) {
        self.with(|page| page.events.push(Event { at: clock(), what }));
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut Page) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
