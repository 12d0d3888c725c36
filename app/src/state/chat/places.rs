//! What became of channels that an open page may still be about: what they are called now, and why
//! they can't be read any more.

use leptos::prelude::*;
use natter::{Channel, ChannelId};
use std::collections::HashMap;

/// Why a channel can't be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// One is out of it: by one's own wish on another device, or by an admin's.
    Left,
    Deleted,
    /// Taken out, or deleted: of private channels it isn't told which.
    Closed,
}

#[derive(Clone, Copy)]
pub struct Places {
    names: StoredValue<HashMap<ChannelId, String>>,
    /// From what a channel was called to what it is called since.
    renamed: RwSignal<HashMap<String, String>>,
    lost: RwSignal<HashMap<String, Loss>>,
}

impl Places {
    pub fn new(channels: &[Channel]) -> Self {
        let (names, renamed, lost) = (StoredValue::default(), RwSignal::default(), RwSignal::default());
        let places = Self { names, renamed, lost };
        for channel in channels {
            places.note(channel);
        }
        places
    }

    /// Takes note of a channel as it is now.
    pub fn note(self, channel: &Channel) {
        let Some(name) = channel.name.clone() else { return };
        let before = self.names.try_update_value(|names| names.insert(channel.id, name.clone())).flatten();
        let renamed = before.filter(|before| *before != name);
        if renamed.is_some() || self.renamed.with_untracked(|renamed| renamed.contains_key(&name)) {
            self.renamed.update(|all| {
                // The name is taken again: it doesn't lead elsewhere any more.
                all.remove(&name);
                all.extend(renamed.map(|before| (before, name.clone())));
            });
        }
        let left = self.lost.with_untracked(|lost| lost.get(&name) == Some(&Loss::Left));
        if channel.joined || !left {
            self.forget(&name);
        }
    }

    /// What the channel is called now that was called so.
    pub fn now(self, name: &str) -> String {
        let renamed = self.renamed.read();
        let mut name = name;
        while let Some(next) = renamed.get(name) {
            name = next;
        }
        name.to_owned()
    }

    /// The first word on what is gone for good stays: it may be told twice, and less is known then.
    pub fn lose(self, id: ChannelId, loss: Loss) {
        let Some(name) = self.names.with_value(|names| names.get(&id).cloned()) else { return };
        let known = self.lost.with_untracked(|lost| lost.get(&name).copied());
        if matches!(known, None | Some(Loss::Left)) {
            self.lost.update(|lost| _ = lost.insert(name, loss));
        }
    }

    /// Why the channel of that name can't be read any more, if it was lost while this page was open.
    pub fn lost(self, name: &str) -> Option<Loss> {
        self.lost.read().get(name).copied()
    }

    /// Whoever looked at it knows by now.
    pub fn forget(self, name: &str) {
        if self.lost.try_with_untracked(|lost| lost.contains_key(name)) == Some(true) {
            self.lost.update(|lost| _ = lost.remove(name));
        }
    }
}
