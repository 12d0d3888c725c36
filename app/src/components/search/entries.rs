//! What there is to go to for what is typed.

use super::hit::{address, place};
use crate::{api, state::Chat};
use leptos::prelude::*;
use natter::{Channel, ChannelKind, User, UserRef, Visibility, search::Hit};
use serde::{Deserialize, Serialize};

/// Channels, people and messages offered, of each at most.
const CHANNELS: usize = 5;
const PEOPLE: usize = 4;
const MESSAGES: usize = 6;

/// Something to go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// All messages that fit.
    All,
    Channel {
        name: String,
        private: bool,
    },
    Person(UserRef),
    Message(Box<Hit>),
}

impl Entry {
    pub fn address(&self, query: &str) -> String {
        match self {
            Self::All => address(query.trim(), None),
            Self::Channel { name, .. } => format!("/channels/{name}"),
            Self::Person(user) => format!("/direct/{}", user.username),
            Self::Message(hit) => place(hit),
        }
    }

    /// Above the first of its kind.
    pub const fn heading(&self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Channel { .. } => Some("Channels"),
            Self::Person(_) => Some("People"),
            Self::Message(_) => Some("Messages"),
        }
    }
}

/// All that fits, in the order it is shown; `people` and `hits` are what was found for it.
pub fn entries(chat: Chat, query: &str, people: &[User], hits: &[Hit]) -> Vec<Entry> {
    let query = query.trim();
    let mut entries = Vec::new();
    if !query.is_empty() {
        entries.push(Entry::All);
    }
    if !query.starts_with('@') {
        let directory = chat.directory.read();
        let joined = chat.channels.read();
        let others = directory.iter().flatten().filter(|channel| !channel.joined && !query.is_empty());
        entries.extend(channels(joined.iter().chain(others), query));
    }
    if !query.starts_with('#') && !query.is_empty() {
        entries.extend(persons(people));
    }
    entries.extend(hits.iter().take(MESSAGES).cloned().map(|hit| Entry::Message(Box::new(hit))));
    entries
}

/// Channels and people whose names fit. None where they can't be asked for: what was said is found all the same.
pub async fn named(query: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    if !query.starts_with('@') {
        let all = api::browse_channels().await.unwrap_or_default();
        entries.extend(channels(all.iter(), query));
    }
    if !query.starts_with('#') {
        let name = query.trim_start_matches('@').to_owned();
        entries.extend(persons(&api::people(name, String::new()).await.unwrap_or_default()));
    }
    entries
}

/// Those one is in first; what begins with it before what only has it in its name.
fn channels<'a>(all: impl Iterator<Item = &'a Channel>, query: &str) -> Vec<Entry> {
    let query = query.trim_start_matches('#').to_lowercase();
    let all = all.filter(|channel| channel.kind == ChannelKind::Channel);
    let mut found: Vec<_> = all.filter(|channel| channel.label().contains(&query)).collect();
    found.sort_by_key(|channel| (!channel.joined, !channel.label().starts_with(&query)));
    let entry = |channel: &Channel| Entry::Channel {
        name: channel.label().to_owned(),
        private: channel.visibility == Visibility::Private,
    };
    found.into_iter().take(CHANNELS).map(entry).collect()
}

fn persons(people: &[User]) -> impl Iterator<Item = Entry> {
    people.iter().take(PEOPLE).map(|user| Entry::Person(UserRef::from(user)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::Bootstrap,
        state::fixtures::{channel, user},
    };
    use natter::scheduled::ScheduledCounts;

    fn shown(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|entry| entry.address("q")).collect()
    }

    #[test]
    fn what_is_typed_is_looked_for_in_names_and_words() {
        Owner::new().with(|| {
            let chat = Chat::new(Bootstrap {
                me: user("ada"),
                epoch: "one".into(),
                channels: vec![channel("general", true), channel("not-general", true), channel("random", true)],
                scheduled: ScheduledCounts::default(),
                uploads: natter::media::UploadBounds::default(),
            });
            let bob = user("bob");
            let found = |query: &str| shown(&entries(chat, query, std::slice::from_ref(&bob), &[]));
            assert_eq!(found("gen"), ["/search?q=q", "/channels/general", "/channels/not-general", "/direct/bob"]);
            assert_eq!(found("#gen"), ["/search?q=q", "/channels/general", "/channels/not-general"]);
            assert_eq!(found("@bob"), ["/search?q=q", "/direct/bob"]);
            assert_eq!(found(" "), ["/channels/general", "/channels/not-general", "/channels/random"]);
        });
    }
}
