//! What people at the toy server do to messages that are there already.

use super::{Bug, Job, Task, Toy, uuid};
use crate::check::{Change, Seen, What};
use natter::{ErrorCode, MessageId, Ref, UserId};

const EMOJI: [&str; 2] = ["👍", "🎉"];

impl Toy {
    /// Somebody asks for something to become of one of the latest messages they can read.
    pub(super) fn change(&mut self, client: usize) {
        if !self.people[client].up {
            return;
        }
        let channel = self.channels[self.rng.usize(..self.channels.len())];
        if !self.members.contains(&(client, channel)) {
            return;
        }
        let user = self.people[client].log.user;
        let lately: Vec<_> = self.stored[&channel].iter().rev().take(5).map(|seen| (seen.id, seen.sender)).collect();
        let Some(&(message, sender)) = self.rng.choice(lately.iter()) else { return };
        let change = match self.rng.u32(..10) {
            0..4 if sender == user => Change::Edit { text: format!("edited {}", self.rng.u32(..)) },
            4..6 if sender == user => Change::Delete,
            _ => {
                let emoji = EMOJI[self.rng.usize(..EMOJI.len())].to_owned();
                Change::React { emoji, on: self.rng.bool() }
            }
        };
        let reference = Ref(uuid(&mut self.rng));
        self.note(client, What::Asked { reference, message, change: change.clone() });
        let connection = self.people[client].connection;
        self.inbox.push(Job { client, connection, reference, what: Task::Change(message, change) });
    }

    pub(super) fn revise(&mut self, job: &Job, id: MessageId, change: &Change) {
        let user = self.people[job.client].log.user;
        let Some(before) = self.stored.values().flatten().find(|seen| seen.id == id).cloned() else { return };
        if !self.members.contains(&(job.client, before.channel)) {
            return self.refuse(job, ErrorCode::Forbidden);
        }
        if before.deleted && self.bug != Bug::DeletedStaysOpen {
            return match change {
                Change::Delete => self.acknowledge(job, &before),
                _ => self.refuse(job, ErrorCode::NotFound),
            };
        }
        let mut seen = self.changed(&before, user, change);
        if seen == before {
            return self.acknowledge(job, &before);
        }
        let is_edit = matches!(change, Change::Edit { .. });
        let lost = match self.bug {
            Bug::EditLost | Bug::EditLostInCrash => is_edit,
            Bug::ReactionLost => matches!(change, Change::React { .. }),
            _ => false,
        } && self.chance(4);
        if !(is_edit && self.bug == Bug::EditWithoutRev) {
            let twice = self.bug == Bug::ChangeTakesTwoRevs && self.chance(4);
            seen.rev = self.revs[&seen.channel] + 1 + u64::from(twice);
        }
        if !lost {
            self.put(&seen);
        }
        if !lost || self.bug == Bug::EditLostInCrash {
            self.publish(&seen, lost);
        }
        if self.bug == Bug::EditOfRefusedStored && is_edit && self.chance(4) {
            self.refuse(job, ErrorCode::Unavailable);
        } else {
            self.acknowledge(job, &seen);
        }
        if lost && self.bug == Bug::EditLostInCrash {
            self.crash();
        }
    }

    /// The message as it is after a change, but for its revision.
    fn changed(&mut self, before: &Seen, user: UserId, change: &Change) -> Seen {
        let mut seen = before.clone();
        match change {
            Change::Edit { text } => {
                seen.text.clone_from(text);
                seen.edited = true;
            }
            Change::Delete => {
                seen.deleted = true;
                seen.reactions.clear();
                if self.bug != Bug::DeleteKeepsText {
                    seen.text.clear();
                }
            }
            Change::React { emoji, on } => {
                let user = if self.bug == Bug::ReactionOfAnother && self.chance(8) { self.someone() } else { user };
                react(&mut seen, user, emoji, *on, self.bug == Bug::ReactionDoubled);
                if self.bug == Bug::EditUndoneByReaction && seen.edited {
                    seen.text = "as it was".to_owned();
                }
            }
        }
        seen
    }

    fn someone(&mut self) -> UserId {
        let place = self.rng.usize(..self.people.len());
        self.people[place].log.user
    }

    fn put(&mut self, seen: &Seen) {
        let messages = self.stored.entry(seen.channel).or_default();
        messages.iter_mut().filter(|other| other.id == seen.id).for_each(|other| *other = seen.clone());
        self.revs.entry(seen.channel).and_modify(|last| *last = seen.rev.max(*last));
    }
}

fn react(seen: &mut Seen, user: UserId, emoji: &str, on: bool, doubled: bool) {
    let place = seen.reactions.iter().position(|(other, _)| other == emoji);
    match (place, on) {
        (None, true) => seen.reactions.push((emoji.to_owned(), vec![user])),
        (None, false) => {}
        (Some(place), _) => {
            let users = &mut seen.reactions[place].1;
            let given = users.contains(&user);
            if on && (doubled || !given) {
                users.push(user);
            } else if !on {
                users.retain(|other| *other != user);
            }
            seen.reactions.retain(|(_, users)| !users.is_empty());
        }
    }
}
