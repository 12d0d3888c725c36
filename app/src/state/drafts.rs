use super::{browser, outbox::Target, uploads::FILES};
use leptos::prelude::*;
use natter::{Timestamp, UserId, input::MESSAGE_CHARS};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Drafts that are kept; the oldest go.
pub const DRAFTS_MAX: usize = 50;

/// What their keys begin with in the browser's storage, whoever's they are.
const DRAFTS: &str = "natter.draft.";

/// What was begun, as it survives a reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Draft {
    to: Target,
    text: String,
    at: Timestamp,
}

/// What one person has begun to write, by where it would go.
#[derive(Debug)]
struct Begun {
    owner: UserId,
    drafts: HashMap<Target, Draft>,
    /// The words that stand where one writes them now.
    shown: Vec<(Target, RwSignal<String>)>,
}

impl Begun {
    fn new(owner: UserId) -> Self {
        Self { owner, drafts: HashMap::new(), shown: Vec::new() }
    }

    /// Answers whether there is one more or less, and which has to go for it.
    fn put(&mut self, to: Target, text: String, at: Timestamp) -> (bool, Option<Target>) {
        if text.trim().is_empty() {
            return (self.drafts.remove(&to).is_some(), None);
        }
        let fresh = self.drafts.insert(to, Draft { to, text, at }).is_none();
        let oldest = self.drafts.values().filter(|draft| draft.to != to).min_by_key(|draft| draft.at).map(|it| it.to);
        let gone = oldest.filter(|_| self.drafts.len() > DRAFTS_MAX);
        if let Some(gone) = gone {
            self.drafts.remove(&gone);
        }
        (fresh, gone)
    }

    /// In the browser's storage, where each has an entry: several tabs don't write over each other's.
    fn key(&self, to: Target) -> String {
        match to {
            Target::Channel(id) => format!("{}{id}", self.prefix()),
            Target::Person(id) => format!("{}{id}", self.prefix()),
        }
    }

    fn prefix(&self) -> String {
        format!("{DRAFTS}{}.", self.owner)
    }
}

/// The words of each conversation's next message, here and in the browser's storage.
#[derive(Clone, Copy)]
pub struct Drafts(RwSignal<Begun>);

impl Drafts {
    pub fn new(owner: UserId) -> Self {
        Self(RwSignal::new(Begun::new(owner)))
    }

    pub fn of(self, to: Target) -> String {
        self.0.with_untracked(|begun| begun.drafts.get(&to).map(|draft| draft.text.clone()).unwrap_or_default())
    }

    /// Whether there is one; wakes its readers only when that changes.
    pub fn any(self, to: Target) -> bool {
        self.0.read().drafts.contains_key(&to)
    }

    pub fn set(self, to: Target, text: String) {
        self.0.maybe_update(|begun| {
            let (changed, gone) = begun.put(to, text, browser::now());
            match begun.drafts.get(&to) {
                Some(draft) => {
                    let kept = serde_json::to_string(&Draft { text: stored(&draft.text), ..draft.clone() });
                    browser::remember(&begun.key(to), &kept.unwrap_or_default());
                }
                None => browser::forget(&begun.key(to)),
            }
            if let Some(gone) = gone {
                browser::forget(&begun.key(gone));
            }
            changed
        });
    }

    /// Brings back what was there when the last visit ended.
    pub fn recall(self) {
        self.0.update(|begun| {
            for draft in browser::recall(&begun.prefix()).iter().filter_map(|draft| parse(draft)) {
                let (_, gone) = begun.put(draft.to, draft.text, draft.at);
                if let Some(gone) = gone {
                    browser::forget(&begun.key(gone));
                }
            }
        });
    }

    /// Words are being written, and follow what other tabs make of them until the owner is gone.
    pub fn follow(self, to: Target, words: RwSignal<String>) {
        let begun = self.0;
        begun.update_untracked(|begun| begun.shown.push((to, words)));
        on_cleanup(move || {
            begun.try_update_untracked(|begun| begun.shown.retain(|(_, it)| *it != words));
        });
    }

    /// Another tab has changed the browser's storage. Where the words are being written here, they follow, unless
    /// something else was written meanwhile that the other tab hadn't heard of: then they are put back.
    pub fn heard(self, key: &str, before: Option<&str>, now: Option<&str>) {
        let (before, now) = (before.and_then(parse), now.and_then(parse));
        let Some(to) = now.as_ref().or(before.as_ref()).map(|draft| draft.to) else { return };
        if self.0.with_untracked(|begun| begun.key(to)) != key {
            return;
        }
        let at = now.as_ref().map_or_else(browser::now, |draft| draft.at);
        let [before, now] = [before, now].map(|draft| draft.map(|draft| draft.text).unwrap_or_default());
        let shown: Vec<_> = self
            .0
            .with_untracked(|begun| begun.shown.iter().filter(|(it, _)| *it == to).map(|(_, words)| *words).collect());
        self.0.maybe_update(|begun| begun.put(to, now.clone(), at).0);
        for words in shown {
            let Some(own) = words.try_get_untracked() else { continue };
            if stored(&own) == before {
                words.set(now.clone());
            } else if stored(&own) != now {
                self.set(to, own);
            }
        }
    }
}

/// What was begun is nobody else's business on this device.
pub fn forget_drafts() {
    browser::forget_all(DRAFTS);
    browser::forget_all(FILES);
}

/// What the storage holds of words.
fn stored(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { words.chars().take(*MESSAGE_CHARS.end()).collect() }
}

fn parse(draft: &str) -> Option<Draft> {
    serde_json::from_slice(draft.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::prelude::Owner;
    use natter::ChannelId;

    fn channel() -> Target {
        Target::Channel(ChannelId::generate())
    }

    fn told(to: Target, text: &str) -> String {
        serde_json::to_string(&Draft { to, text: text.into(), at: Timestamp::default() }).unwrap()
    }

    #[test]
    fn what_is_blank_is_no_draft_and_only_coming_and_going_is_told() {
        let mut begun = Begun::new(UserId::generate());
        let to = channel();
        let at = Timestamp::from_millis;
        assert_eq!(begun.put(to, " ".into(), at(1)), (false, None));
        assert_eq!(begun.put(to, "h".into(), at(2)), (true, None));
        assert_eq!(begun.put(to, "hi".into(), at(3)), (false, None));
        assert_eq!(begun.put(to, String::new(), at(4)), (true, None));
        assert!(begun.drafts.is_empty());
    }

    #[test]
    fn there_are_only_so_many_and_the_oldest_goes() {
        let mut begun = Begun::new(UserId::generate());
        let all: Vec<_> = (0..=DRAFTS_MAX).map(|_| channel()).collect();
        for (to, millis) in all.iter().zip(10..) {
            begun.put(*to, "begun".into(), Timestamp::from_millis(millis));
        }
        assert_eq!(begun.drafts.len(), DRAFTS_MAX);
        assert!(!begun.drafts.contains_key(&all[0]));
        // Written in again, it isn't the oldest, whatever the clock says.
        assert_eq!(begun.put(all[0], "again".into(), Timestamp::from_millis(0)), (true, Some(all[1])));
    }

    #[test]
    fn what_another_tab_writes_and_sends_is_known_here() {
        Owner::new().with(|| {
            let (owner, to) = (UserId::generate(), channel());
            let (drafts, key) = (Drafts::new(owner), Begun::new(owner).key(to));
            let told = told(to, "from the other");
            drafts.heard("natter.draft.somebody.else", None, Some(&told));
            assert_eq!(drafts.of(to), "");
            drafts.heard(&key, None, Some(&told));
            assert_eq!((drafts.of(to).as_str(), drafts.any(to)), ("from the other", true));
            drafts.heard(&key, Some(&told), None);
            assert_eq!((drafts.of(to), drafts.any(to)), (String::new(), false));
        });
    }

    #[test]
    fn what_is_being_written_follows_the_other_tab_unless_that_had_not_heard_of_it() {
        Owner::new().with(|| {
            let (owner, to) = (UserId::generate(), channel());
            let (drafts, key, words) = (Drafts::new(owner), Begun::new(owner).key(to), RwSignal::new(String::new()));
            let long = "x".repeat(*MESSAGE_CHARS.end() + 1);
            let [one, two, three] = ["one", "one two", &stored(&long)].map(|text| told(to, text));
            let writing = Owner::new();
            writing.with(|| drafts.follow(to, words));
            let now = || (words.get_untracked(), drafts.of(to));
            let both = |text: &str| (text.to_owned(), text.to_owned());
            drafts.heard(&key, None, Some(&one));
            assert_eq!(now(), both("one"));
            words.set("own".into());
            drafts.heard(&key, Some(&one), Some(&two));
            assert_eq!(now(), both("own"));
            drafts.heard(&key, Some(&two), None);
            assert_eq!(now(), both("own"), "nor are they gone with what was sent there");
            // Of which the storage holds a part.
            words.set(long);
            drafts.heard(&key, Some(&three), None);
            assert_eq!(now(), both(""));
            writing.cleanup();
            drafts.heard(&key, None, Some(&one));
            assert_eq!(now(), (String::new(), "one".to_owned()));
        });
    }
}
