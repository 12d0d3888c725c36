use super::browser;
use crate::api;
use leptos::{prelude::*, task::spawn_local};
use natter::{Channel, ChannelId, Timestamp, User, UserId};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// Who was said to be writing is taken to be for this long.
const TYPING: Duration = Duration::from_secs(5);

/// What the page knows of other people.
#[derive(Clone, Copy)]
pub struct People {
    /// Who is here.
    pub online: RwSignal<HashSet<UserId>>,
    writing: RwSignal<Vec<(ChannelId, UserId, Timestamp)>>,
    members: RwSignal<HashMap<ChannelId, Members>>,
    /// Those who have changed since the page was opened, as they are now.
    changed: RwSignal<HashMap<UserId, User>>,
}

/// Who is in a channel, by name.
#[derive(Clone)]
struct Members {
    users: ArcRwSignal<Vec<User>>,
    /// They are those of an earlier connection, to be read again when somebody wants to know.
    old: bool,
    /// Nobody has asked for those of another channel since.
    latest: bool,
}

impl People {
    pub fn new() -> Self {
        let (online, writing) = (RwSignal::default(), RwSignal::default());
        Self { online, writing, members: RwSignal::default(), changed: RwSignal::default() }
    }

    pub fn is_online(self, id: UserId) -> bool {
        self.online.read().contains(&id)
    }

    pub fn came_or_went(self, id: UserId, online: bool) {
        self.online.update(|all| _ = if online { all.insert(id) } else { all.remove(&id) });
    }

    /// Who is in a channel, by name; asked for the first time that somebody wants to know.
    pub fn members(self, id: ChannelId) -> ArcRwSignal<Vec<User>> {
        let before = self.members.with_untracked(|all| all.get(&id).cloned());
        let users = before.as_ref().map_or_else(|| ArcRwSignal::new(Vec::new()), |members| members.users.clone());
        let note = |all: &mut HashMap<ChannelId, Members>| {
            for members in all.values_mut() {
                members.latest = false;
            }
            all.insert(id, Members { users: users.clone(), old: false, latest: true });
        };
        // Only a channel that wasn't known is news.
        if before.is_none() {
            self.members.update(note);
        } else {
            self.members.update_untracked(note);
        }
        if before.is_none_or(|members| members.old) {
            self.load(id, users.clone());
        }
        users
    }

    fn known(self, id: ChannelId) -> Option<ArcRwSignal<Vec<User>>> {
        self.members.read().get(&id).map(|members| members.users.clone())
    }

    fn load(self, id: ChannelId, members: ArcRwSignal<Vec<User>>) {
        spawn_local(async move {
            match api::members(id).await {
                Ok(users) => members.set(users),
                // The next one who wants to know asks again, and so does the next connection.
                Err(_) => {
                    self.members.try_update_untracked(|all| all.get_mut(&id).map(|members| members.old = true));
                }
            }
        });
    }

    pub fn forget(self, id: ChannelId) {
        if self.members.try_with_untracked(|all| all.contains_key(&id)) == Some(true) {
            self.members.update(|all| _ = all.remove(&id));
        }
    }

    /// After a reconnect: whoever came or went meanwhile. Those of the channel that is looked at are read at once.
    pub fn reload(self, online: Vec<UserId>) {
        self.online.set(online.into_iter().collect());
        let mut latest = None;
        self.members.update_untracked(|all| {
            for (id, members) in all {
                members.old |= !members.latest;
                if members.latest {
                    latest = Some((*id, members.users.clone()));
                }
            }
        });
        if let Some((id, users)) = latest {
            self.load(id, users);
        }
    }

    pub fn joined_or_left(self, id: ChannelId, user: User, joined: bool) {
        if let Some(members) = untrack(|| self.known(id)) {
            members.update(|members| {
                members.retain(|member| member.id != user.id);
                if joined {
                    let key = user.username.to_lowercase();
                    let at = members.partition_point(|member| member.username.to_lowercase() < key);
                    members.insert(at, user);
                }
            });
        }
    }

    /// Somebody's name, role or standing changed.
    pub fn changed(self, user: &User) {
        self.changed.update(|all| _ = all.insert(user.id, user.clone()));
        for Members { users: members, .. } in self.members.get_untracked().values() {
            if members.with_untracked(|members| members.iter().any(|member| member.id == user.id)) {
                members.update(|members| {
                    members.iter_mut().filter(|member| member.id == user.id).for_each(|member| member.clone_from(user));
                });
            }
        }
    }

    /// Somebody as they are now, of whom the page was told once.
    pub fn now(self, told: &User) -> User {
        self.changed.read().get(&told.id).unwrap_or(told).clone()
    }

    /// Somebody by name, if they are in a channel whose members the page knows.
    pub fn named(self, username: &str) -> Option<User> {
        let all = self.members.try_get_untracked()?;
        let is = |user: &&User| user.username.eq_ignore_ascii_case(username);
        all.values().find_map(|members| members.users.with_untracked(|members| members.iter().find(is).cloned()))
    }

    /// What somebody in a conversation is called, as far as the page knows.
    pub fn name(self, channel: &Channel, id: UserId) -> Option<String> {
        if let Some(peer) = channel.peer.as_ref().filter(|peer| peer.id == id) {
            return Some(peer.username.clone());
        }
        let members = self.known(channel.id)?;
        let members = members.read();
        members.iter().find(|member| member.id == id).map(|member| member.username.clone())
    }

    /// Somebody is writing, for the next few seconds.
    pub fn writes(self, channel: ChannelId, id: UserId) {
        let until = browser::now().plus_millis(i64::try_from(TYPING.as_millis()).unwrap_or(0));
        self.writing.update(|all| {
            all.retain(|(at, who, _)| (*at, *who) != (channel, id));
            all.push((channel, id, until));
        });
        set_timeout(
            move || {
                let now = browser::now();
                let over = self.writing.try_with_untracked(|all| all.iter().any(|(_, _, until)| *until <= now));
                if over == Some(true) {
                    self.writing.update(|all| all.retain(|(_, _, until)| *until > now));
                }
            },
            TYPING + Duration::from_millis(50),
        );
    }

    /// What they were writing has come.
    pub fn wrote(self, channel: ChannelId, id: UserId) {
        if self.writing.with_untracked(|all| all.iter().any(|(at, who, _)| (*at, *who) == (channel, id))) {
            self.writing.update(|all| all.retain(|(at, who, _)| (*at, *who) != (channel, id)));
        }
    }

    /// Who is writing in a channel.
    pub fn writing_in(self, channel: ChannelId) -> Vec<UserId> {
        self.writing.read().iter().filter(|(at, ..)| *at == channel).map(|(_, who, _)| *who).collect()
    }
}
