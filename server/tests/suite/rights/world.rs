//! A server with everybody in it, channels in every state, and what there is at a moment.

use super::{State, Who};
use crate::common::{Person, Socket, TestServer, dot};
use futures::future::join_all;
use natter::{
    AuditId, Channel, ChannelId, Message, MessageId, Scheduled, ScheduledId, SessionId, Timestamp, UploadId, User,
    UserId,
    admin::{Invite, Registration},
};
use natter_server::store::{Anchor, Store};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

/// One request to make: who asks, and about what.
pub struct Cell {
    pub who: Who,
    pub state: State,
    pub me: UserId,
    pub token: Option<String>,
    pub refresh: String,
    /// Who sent the message, and whose the session is.
    pub sender: UserId,
    pub channel: ChannelId,
    pub name: String,
    pub message: MessageId,
    /// A picture that the message carries.
    pub upload: UploadId,
    /// One that nothing carries, the sender's.
    pub unsent: UploadId,
    pub session: String,
    /// A message for later, the sender's.
    pub scheduled: String,
    pub tomorrow: Timestamp,
    pub epoch: String,
    pub invite: String,
    /// Somebody in none of the channels, somebody in all of them, and somebody whose standing nothing depends on.
    pub guest: UserId,
    pub host: UserId,
    pub subject: UserId,
    /// A name that nobody has.
    pub fresh: String,
}

/// A channel, and a message of each who was ever in it.
#[derive(Clone)]
struct Room {
    id: ChannelId,
    name: String,
    messages: HashMap<UserId, (MessageId, UploadId)>,
}

/// All that a refused request might have changed.
#[derive(Debug, PartialEq)]
pub struct Snapshot {
    journal: u64,
    audited: Option<AuditId>,
    users: Vec<User>,
    registration: Registration,
    invites: Vec<Invite>,
    sessions: Vec<SessionId>,
    channels: Vec<Channel>,
    joined: Vec<Channel>,
    members: Vec<User>,
    messages: Vec<Message>,
    /// Of whoever asks, and of whose it is.
    scheduled: [Vec<Scheduled>; 2],
    /// Those that are there of what a request may name.
    uploads: Vec<UploadId>,
}

pub struct World {
    pub server: TestServer,
    /// Of whoever asks.
    pub socket: Option<Socket>,
    store: Arc<dyn Store>,
    people: HashMap<Who, Person>,
    /// A second session of each, to be ended.
    spare: HashMap<Who, String>,
    /// A message for later of each.
    later: HashMap<UserId, String>,
    /// A file of each that no message has.
    unsent: HashMap<UserId, UploadId>,
    jun: Person,
    kim: Person,
    zoe: Person,
    /// Jun's, and Jun's notes: one in them says that everything before it has been told.
    witness: Socket,
    signal: ChannelId,
    rooms: HashMap<(State, Option<Who>), Room>,
    invite: String,
    count: u32,
}

fn id<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value["id"].clone()).unwrap()
}

fn tomorrow() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond() + 24 * 60 * 60 * 1000)
}

impl World {
    pub async fn start() -> Self {
        let server = TestServer::start().await;
        let mut people = HashMap::new();
        for (who, name) in [
            (Who::FirstAdmin, "ada"),
            (Who::SecondAdmin, "bo"),
            (Who::Inside, "mira"),
            (Who::Outside, "tomas"),
            (Who::Suspended, "eve"),
        ] {
            people.insert(who, server.register(name).await);
        }
        let (jun, kim, zoe) =
            (server.register("jun").await, server.register("kim").await, server.register("zoe").await);
        let (ada, bo, eve) = (&people[&Who::FirstAdmin], &people[&Who::SecondAdmin], &people[&Who::Suspended]);
        ada.does("PATCH", &format!("/users/{}", bo.id()), json!({ "role": "admin" })).await;
        let signal = id(&jun.does("PUT", &format!("/directs/{}", jun.id()), Value::Null).await);
        eve.does("PUT", &format!("/directs/{}", jun.id()), Value::Null).await;
        ada.does("PATCH", &format!("/users/{}", eve.id()), json!({ "suspended": true })).await;
        let witness = jun.connect().await;
        let store = server.store().await;
        let mut world = Self {
            server,
            socket: None,
            store,
            people,
            spare: HashMap::new(),
            later: HashMap::new(),
            unsent: HashMap::new(),
            jun,
            kim,
            zoe,
            witness,
            signal,
            rooms: HashMap::new(),
            invite: String::new(),
            count: 0,
        };
        world.restore().await;
        world
    }

    /// What is to be asked; the channel is made if there is none.
    pub async fn cell(&mut self, who: Who, state: State, own: bool) -> Cell {
        let room = self.room(who, state).await;
        self.count += 1;
        let person = self.people.get(&who);
        let me = person.map_or_else(UserId::generate, Person::id);
        let sender = if own { me } else { self.jun.id() };
        let of_jun = || self.jun.get("/auth/sessions");
        let session = match self.spare.get(&who).filter(|_| own) {
            Some(spare) => spare.clone(),
            None => of_jun().await.1["items"][0]["id"].as_str().unwrap().to_owned(),
        };
        let said = room.messages.get(&sender).copied();
        Cell {
            who,
            state,
            me,
            token: person.map(|person| person.token.clone()),
            refresh: person.map_or_else(|| "none".into(), |person| person.refresh.clone()),
            sender,
            channel: room.id,
            name: room.name,
            message: said.map_or_else(MessageId::generate, |said| said.0),
            upload: said.map_or_else(UploadId::generate, |said| said.1),
            unsent: self.unsent.get(&sender).copied().unwrap_or_else(UploadId::generate),
            session,
            scheduled: self.later.get(&sender).cloned().unwrap_or_else(|| ScheduledId::generate().to_string()),
            tomorrow: tomorrow(),
            epoch: self.store.epoch().to_owned(),
            invite: self.invite.clone(),
            guest: self.kim.id(),
            host: self.jun.id(),
            subject: self.zoe.id(),
            fresh: format!("x{}", self.count),
        }
    }

    async fn room(&mut self, who: Who, state: State) -> Room {
        let key = (state, (state == State::OwnDirect).then_some(who));
        if let Some(room) = self.rooms.get(&key) {
            return room.clone();
        }
        let room = match state {
            State::Missing => Room { id: ChannelId::generate(), name: "missing".into(), messages: HashMap::new() },
            State::Public | State::Private | State::ReadOnly => self.channel(state).await,
            State::OthersDirect => self.direct(&self.jun, &self.kim).await,
            // Nobody has none; any other's will do.
            State::OwnDirect => match self.people.get(&who) {
                Some(person) => self.direct(&self.jun, person).await,
                None => self.direct(&self.jun, &self.kim).await,
            },
        };
        self.rooms.insert(key, room.clone());
        self.settle().await;
        room
    }

    /// Everyone has been in it and said something before it became what it is.
    async fn channel(&self, state: State) -> Room {
        let [ada, bo, mira, tomas] =
            [Who::FirstAdmin, Who::SecondAdmin, Who::Inside, Who::Outside].map(|who| &self.people[&who]);
        let name = format!("room{}", self.count);
        let id = ada.create_channel(&name).await;
        join_all([bo, mira, tomas, &self.jun].map(|person| person.join(id))).await;
        let messages = self.said(id, &[ada, bo, mira, tomas, &self.jun]).await;
        let me = format!("/channels/{id}/members/me");
        join_all([bo, tomas].map(|person| person.does("DELETE", &me, Value::Null))).await;
        let (_, visibility, post_policy) = state.rules().unwrap();
        let rules = json!({ "visibility": visibility, "post_policy": post_policy });
        ada.does("PATCH", &format!("/channels/{id}"), rules).await;
        Room { id, name, messages }
    }

    async fn direct(&self, one: &Person, other: &Person) -> Room {
        let id = id(&one.does("PUT", &format!("/directs/{}", other.id()), Value::Null).await);
        let other = Some(other).filter(|other| other.id() != self.people[&Who::Suspended].id());
        let messages = self.said(id, &[Some(one), other].into_iter().flatten().collect::<Vec<_>>()).await;
        Room { id, name: "jun".into(), messages }
    }

    async fn said(&self, channel: ChannelId, people: &[&Person]) -> HashMap<UserId, (MessageId, UploadId)> {
        let posts = people.iter().map(async |person| {
            let picture = person.upload("dot.png", &dot()).await;
            let body = json!({ "text": "as it was", "attachments": [picture["id"]] });
            let message = person.does("POST", &format!("/channels/{channel}/messages"), body).await;
            (person.id(), (id(&message), id(&picture)))
        });
        join_all(posts).await.into_iter().collect()
    }

    pub async fn snapshot(&self, cell: &Cell) -> Snapshot {
        let (store, now) = (&self.store, Timestamp::from_millis(0));
        let named = [cell.upload, cell.unsent];
        let (
            journal,
            audit,
            users,
            registration,
            invites,
            sessions,
            channels,
            joined,
            members,
            messages,
            mine,
            theirs,
            uploads,
        ) = tokio::join!(
            store.journal_head(),
            store.audit(None, 1),
            store.users("", "", 1_000),
            store.registration(),
            store.invites(now),
            store.sessions(cell.me, now),
            store.channels(cell.me, ""),
            store.joined_channels(cell.me),
            store.members(cell.channel),
            store.page(cell.channel, Anchor::Newest, 100),
            store.scheduled_of(cell.me),
            store.scheduled_of(cell.sender),
            store.known_uploads(&named),
        );
        Snapshot {
            journal: journal.unwrap(),
            audited: audit.unwrap().first().map(|entry| entry.id),
            users: users.unwrap(),
            registration: registration.unwrap(),
            invites: invites.unwrap(),
            sessions: sessions.unwrap().into_iter().map(|session| session.id).collect(),
            channels: channels.unwrap(),
            joined: joined.unwrap(),
            members: members.unwrap(),
            messages: messages.unwrap().items,
            scheduled: [mine.unwrap(), theirs.unwrap()],
            uploads: uploads.unwrap(),
        }
    }

    /// Something was allowed and changed things: what it was done to is made anew.
    pub async fn renew(&mut self, cell: &Cell) {
        let key = (cell.state, (cell.state == State::OwnDirect).then_some(cell.who));
        if cell.state == State::Missing {
            self.restore().await;
        } else if let Some(room) = self.rooms.remove(&key) {
            // It may be gone already, and a direct stays.
            self.people[&Who::FirstAdmin].call("DELETE", &format!("/channels/{}", room.id), None).await;
        }
    }

    /// Puts right what isn't a channel's.
    async fn restore(&mut self) {
        for who in [Who::FirstAdmin, Who::SecondAdmin, Who::Inside, Who::Outside] {
            if self.people[&who].get("/me").await.0 == 401 {
                let name = self.people[&who].user["username"].as_str().unwrap().to_owned();
                self.people.insert(who, self.server.login(&name).await);
            }
            let person = &self.people[&who];
            loop {
                let (_, sessions) = person.get("/auth/sessions").await;
                let other = sessions["items"].as_array().unwrap().iter().find(|session| session["current"] == false);
                if let Some(other) = other {
                    self.spare.insert(who, other["id"].as_str().unwrap().to_owned());
                    break;
                }
                self.server.login(person.user["username"].as_str().unwrap()).await;
            }
        }
        self.renew_scheduled().await;
        self.renew_unsent().await;
        let ada = &self.people[&Who::FirstAdmin];
        ada.does("PUT", "/admin/registration", json!({ "mode": "open" })).await;
        ada.does("PATCH", &format!("/users/{}", self.zoe.id()), json!({ "role": "member", "suspended": false })).await;
        let (_, invites) = ada.get("/admin/invites").await;
        let known = invites["items"].as_array().unwrap().iter().any(|invite| invite["code"] == self.invite.as_str());
        if !known {
            let invite = ada.does("POST", "/admin/invites", json!({})).await;
            self.invite = serde_json::from_value(invite["code"].clone()).unwrap();
        }
    }

    /// Each has a message for later, in their notes.
    async fn renew_scheduled(&mut self) {
        let people = [Who::FirstAdmin, Who::SecondAdmin, Who::Inside, Who::Outside].map(|who| &self.people[&who]);
        for person in people.into_iter().chain([&self.jun]) {
            let waiting = match self.later.get(&person.id()) {
                Some(id) => person.get(&format!("/scheduled/{id}")).await.1["state"] == "pending",
                None => false,
            };
            if !waiting {
                let notes: ChannelId = id(&person.does("PUT", &format!("/directs/{}", person.id()), Value::Null).await);
                let body = json!({ "channel_id": notes, "text": "later", "send_at": tomorrow() });
                let made = person.does("POST", "/scheduled", body).await;
                self.later.insert(person.id(), made["id"].as_str().unwrap().to_owned());
            }
        }
    }

    async fn renew_unsent(&mut self) {
        let people = [Who::FirstAdmin, Who::SecondAdmin, Who::Inside, Who::Outside].map(|who| &self.people[&who]);
        for person in people.into_iter().chain([&self.jun]) {
            let there = match self.unsent.get(&person.id()) {
                Some(id) => person.get(&format!("/uploads/{id}/a.txt")).await.0 == 200,
                None => false,
            };
            if !there {
                self.unsent.insert(person.id(), id(&person.upload("a.txt", b"hello").await));
            }
        }
    }

    /// Waits until whoever asks has been told of everything so far.
    async fn settle(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        self.count += 1;
        let name = format!("Jun {}", self.count);
        self.jun.does("PATCH", "/me", json!({ "display_name": name })).await;
        while socket.next("user").await["user"]["display_name"] != name.as_str() {}
    }

    /// Whether Jun saw that person typing there, of everything so far.
    pub async fn hears_typing(&mut self, cell: &Cell) -> bool {
        // What Jun notes next comes after it.
        let last = self.jun.post(self.signal, "over").await["id"].clone();
        let mut heard = false;
        loop {
            let frame = self.witness.value().await;
            if frame["id"] == last {
                return heard;
            }
            let typing = frame["type"] == "typing" && frame["user_id"] == json!(cell.me);
            heard |= typing && frame["channel_id"] == json!(cell.channel);
        }
    }
}
