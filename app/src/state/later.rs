//! One's own messages for later.

use leptos::prelude::*;
use natter::{
    Scheduled,
    scheduled::{ScheduledCounts, ScheduledState},
};

#[derive(Clone, Copy)]
pub struct Later {
    pub counts: RwSignal<ScheduledCounts>,
    /// Those that wait and those that failed, once the page has asked.
    pub list: RwSignal<Option<Vec<Scheduled>>>,
    /// Counts the times that something may have happened unheard; and, untold, what was heard: a list that was
    /// read meanwhile may not know of it.
    pub gaps: RwSignal<(u32, u32)>,
}

impl Later {
    pub fn new(counts: ScheduledCounts) -> Self {
        Self { counts: RwSignal::new(counts), list: RwSignal::new(None), gaps: RwSignal::new((0, 0)) }
    }

    /// The connection is up again.
    pub fn reconnected(self, counts: ScheduledCounts) {
        self.counts.set(counts);
        self.gaps.update_untracked(|gaps| gaps.1 += 1);
        if self.list.with_untracked(Option::is_some) {
            self.gaps.update(|gaps| gaps.0 += 1);
        }
    }

    /// How much was heard.
    pub fn heard_so_far(self) -> u32 {
        self.gaps.get_untracked().1
    }

    /// The list as it was read, from when `heard` was so much on. What was heard since is asked for.
    pub fn read(self, heard: u32, all: Vec<Scheduled>) {
        if self.heard_so_far() == heard {
            self.reload(all);
        } else {
            if self.list.with_untracked(Option::is_none) {
                self.reload(all);
            }
            self.gaps.update(|gaps| gaps.0 += 1);
        }
    }

    /// The list as it is.
    pub fn reload(self, all: Vec<Scheduled>) {
        let mut all = all;
        all.retain(|one| is_listed(one.state));
        all.sort_by_cached_key(Scheduled::place);
        self.list.set(Some(all));
    }

    /// One is new, or has changed.
    pub fn heard(self, scheduled: Scheduled, counts: ScheduledCounts) {
        self.counts.set(counts);
        self.put(scheduled);
    }

    /// The same, as a form's answer has it.
    pub fn put(self, scheduled: Scheduled) {
        self.gaps.update_untracked(|gaps| gaps.1 += 1);
        if self.list.with_untracked(Option::is_none) {
            return;
        }
        self.list.update(|list| {
            let Some(list) = list else { return };
            list.retain(|known| known.id != scheduled.id);
            if is_listed(scheduled.state) {
                let at = list.partition_point(|known| known.place() < scheduled.place());
                list.insert(at, scheduled);
            }
        });
    }
}

fn is_listed(state: ScheduledState) -> bool {
    matches!(state, ScheduledState::Pending | ScheduledState::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::prelude::Owner;
    use natter::{ChannelId, Ref, ScheduledId, Timestamp};

    fn pending(minute: i64) -> Scheduled {
        let id = ScheduledId::generate();
        Scheduled {
            id,
            channel_id: ChannelId::generate(),
            text: "later".into(),
            attachments: Vec::new(),
            reply_to: None,
            send_at: Timestamp::from_millis(minute * 60_000),
            state: ScheduledState::Pending,
            failure: None,
            message_id: None,
            settled_at: None,
            reference: Ref(id.0),
        }
    }

    #[test]
    fn what_was_heard_while_the_list_was_read_is_asked_for() {
        Owner::new().with(|| {
            let later = Later::new(ScheduledCounts::default());
            later.read(0, Vec::new());
            let heard = later.heard_so_far();
            let one = pending(1);
            later.heard(one.clone(), ScheduledCounts::default());
            later.read(heard, Vec::new());
            assert_eq!((later.list.get_untracked().unwrap(), later.gaps.get_untracked().0), (vec![one], 1));
            later.read(later.heard_so_far(), Vec::new());
            assert_eq!((later.list.get_untracked().unwrap(), later.gaps.get_untracked().0), (Vec::new(), 1));
        });
    }

    #[test]
    fn the_list_follows_what_is_heard() {
        Owner::new().with(|| {
            let later = Later::new(ScheduledCounts::default());
            let counts = |pending, failed| ScheduledCounts { pending, failed };
            later.heard(pending(1), counts(1, 0));
            assert_eq!((later.counts.get_untracked(), later.list.get_untracked()), (counts(1, 0), None));
            let (first, second) = (pending(1), pending(2));
            later.reload(vec![second.clone(), first.clone()]);
            let ids = || later.list.get_untracked().unwrap().iter().map(|one| one.id).collect::<Vec<_>>();
            assert_eq!(ids(), [first.id, second.id]);
            let moved = Scheduled { send_at: Timestamp::from_millis(180_000), ..first.clone() };
            later.heard(moved, counts(2, 0));
            assert_eq!(ids(), [second.id, first.id]);
            let at = Some(Timestamp::from_millis(200_000));
            later.heard(Scheduled { state: ScheduledState::Sent, settled_at: at, ..second.clone() }, counts(1, 0));
            assert_eq!(ids(), [first.id]);
            later.heard(Scheduled { state: ScheduledState::Failed, settled_at: at, ..first.clone() }, counts(0, 1));
            assert_eq!(ids(), [first.id], "to be looked at");
            later.heard(Scheduled { state: ScheduledState::Cancelled, settled_at: at, ..first }, counts(0, 0));
            assert!(ids().is_empty());
        });
    }
}
