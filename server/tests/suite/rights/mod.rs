//! Who may do what, generated: everybody at every door, to a channel in every state. What the answer
//! has to be is computed from `src/role.rs`; a table names each door once and the right behind it.

mod table;
mod world;

use crate::common::{Socket, answer, form};
use natter::{
    ChannelKind, PostPolicy, Ref, Role, UserId, Visibility,
    channel::Access,
    wire::{ClientFrame, ServerFrame},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use world::{Cell, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    FirstAdmin,
    /// In none of the channels.
    SecondAdmin,
    Inside,
    Outside,
    /// With the tokens they had before.
    Suspended,
    Nobody,
}

impl Who {
    const ALL: [Self; 6] =
        [Self::FirstAdmin, Self::SecondAdmin, Self::Inside, Self::Outside, Self::Suspended, Self::Nobody];

    /// As what they are known; not at all where nobody is logged in.
    fn role(self) -> Option<Role> {
        match self {
            Self::FirstAdmin | Self::SecondAdmin => Some(Role::Admin),
            Self::Inside | Self::Outside => Some(Role::Member),
            Self::Suspended | Self::Nobody => None,
        }
    }

    /// How they stand to a channel.
    fn access(self, state: State) -> Option<Access> {
        let (kind, visibility, post_policy) = state.rules()?;
        let joined = match state {
            State::OwnDirect => true,
            State::OthersDirect => false,
            _ => matches!(self, Self::FirstAdmin | Self::Inside),
        };
        Some(Access { kind, visibility, post_policy, joined })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    /// There is none of that id.
    Missing,
    Public,
    Private,
    ReadOnly,
    OthersDirect,
    OwnDirect,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Missing, Self::Public, Self::Private, Self::ReadOnly, Self::OthersDirect, Self::OwnDirect];

    fn rules(self) -> Option<(ChannelKind, Visibility, PostPolicy)> {
        match self {
            Self::Missing => None,
            Self::Public => Some((ChannelKind::Channel, Visibility::Public, PostPolicy::Everyone)),
            Self::Private => Some((ChannelKind::Channel, Visibility::Private, PostPolicy::Everyone)),
            Self::ReadOnly => Some((ChannelKind::Channel, Visibility::Public, PostPolicy::Admins)),
            Self::OthersDirect | Self::OwnDirect => {
                Some((ChannelKind::Direct, Visibility::Private, PostPolicy::Everyone))
            }
        }
    }
}

/// The right that a door asks for.
#[derive(Clone, Copy)]
enum Right {
    Anyone,
    SignedIn,
    /// About a session, a message for later, or a file that no message has: one's own, or there is none.
    Own,
    /// About the place.
    Place(fn(Role) -> bool),
    /// In a channel that one has to see.
    In(fn(Role, Access) -> bool),
    /// About a channel by its name: where the right is missing, there is none.
    Named(fn(Role, Access) -> bool),
    /// About a message, given who asks and who sent it.
    Message(fn(Role, Access, UserId, UserId) -> bool),
    /// About a file of a message: where the right is missing, there is none, also of one's own.
    Upload(fn(Role, Access) -> bool),
    /// Running a channel, seen or not.
    Manage,
    /// A list for those signed in, or also for others, and which channels it shows.
    Lists {
        anyone: bool,
        shows: fn(Role, Access) -> bool,
    },
    /// The same, without an answer: heard by the others in the channel.
    Heard(fn(Role, Access) -> bool),
}

impl Right {
    /// Where it makes a difference: in which states, and whether what it is about is one's own.
    fn cells(self, who: Who) -> Vec<(State, bool)> {
        let others = State::ALL.map(|state| (state, false));
        match self {
            Self::Anyone | Self::SignedIn | Self::Place(_) => vec![(State::Missing, false)],
            Self::Own => vec![(State::Missing, false), (State::Missing, true)],
            Self::Message(_) | Self::Upload(_) if who.role().is_some() => {
                let own = State::ALL.into_iter().filter(|state| ![State::Missing, State::OthersDirect].contains(state));
                others.into_iter().chain(own.map(|state| (state, true))).collect()
            }
            _ => others.into(),
        }
    }

    fn expected(self, who: Who, cell: &Cell) -> Answer {
        if matches!(self, Self::Anyone | Self::Lists { anyone: true, .. }) {
            return Answer::Yes;
        }
        let Some(role) = who.role() else { return Answer::Unauthenticated };
        let access = who.access(cell.state);
        let or = |allowed: bool, refusal| if allowed { Answer::Yes } else { refusal };
        let seen = access.filter(|access| role.can_see_channel(*access));
        match self {
            Self::Anyone | Self::SignedIn | Self::Lists { .. } => Answer::Yes,
            Self::Own => or(cell.sender == cell.me, Answer::NotFound),
            Self::Place(right) => or(right(role), Answer::Forbidden),
            Self::In(right) | Self::Heard(right) => {
                seen.map_or(Answer::NotFound, |access| or(right(role, access), Answer::Forbidden))
            }
            Self::Named(right) => {
                let named = access.filter(|access| access.kind == ChannelKind::Channel);
                or(named.is_some_and(|access| right(role, access)), Answer::NotFound)
            }
            Self::Message(right) => {
                // Words that aren't one's own and can't be read don't exist.
                let known = |access| role.can_read_channel(access) || cell.me == cell.sender;
                let refusal = |access| if known(access) { Answer::Forbidden } else { Answer::NotFound };
                seen.map_or(Answer::NotFound, |access| or(right(role, access, cell.me, cell.sender), refusal(access)))
            }
            Self::Upload(right) => or(access.is_some_and(|access| right(role, access)), Answer::NotFound),
            Self::Manage => match access {
                Some(access) if role.can_manage_channel(access.kind) => Answer::Yes,
                _ => or(false, if seen.is_some() { Answer::Forbidden } else { Answer::NotFound }),
            },
        }
    }
}

/// A door: how it is called, what right it asks for, and what to send.
struct Line {
    name: &'static str,
    right: Right,
    request: fn(&Cell) -> Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    Unauthenticated,
    Forbidden,
    NotFound,
}

impl Answer {
    fn of(status: u16) -> Option<Self> {
        match status {
            101 | 200..300 => Some(Self::Yes),
            401 => Some(Self::Unauthenticated),
            403 => Some(Self::Forbidden),
            404 => Some(Self::NotFound),
            _ => None,
        }
    }

    /// Of an error's frame.
    fn of_code(error: &Value) -> Self {
        match error["code"].as_str() {
            Some("forbidden") => Self::Forbidden,
            Some("not_found") => Self::NotFound,
            other => panic!("{other:?}: {error}"),
        }
    }
}

fn assert_complete(lines: &[Line], doors: BTreeSet<String>) {
    let known: BTreeSet<_> = lines.iter().map(|line| line.name.to_owned()).collect();
    assert!(doors.len() > 5, "{doors:?}");
    assert_eq!(known, doors, "the table on the left, the program on the right");
}

/// Makes every request of a table as everybody, and compares with what the rules say.
async fn check(lines: &[Line], ask: impl AsyncFn(&mut World, &Line, &Cell) -> (Answer, Value)) {
    let mut world = World::start().await;
    for who in Who::ALL {
        world.socket = None;
        for line in lines {
            let mut unknown = None;
            for (state, own) in line.right.cells(who) {
                let cell = world.cell(who, state, own).await;
                let before = world.snapshot(&cell).await;
                let (answer, body) = ask(&mut world, line, &cell).await;
                let at = format!("{} as {who:?}, {state:?}{}", line.name, if own { ", one's own" } else { "" });
                assert_eq!(answer, line.right.expected(who, &cell), "{at}: {body}");
                let after = world.snapshot(&cell).await;
                if answer != Answer::Yes {
                    assert_eq!(after, before, "{at}: refused, and yet something changed");
                } else if after != before {
                    world.renew(&cell).await;
                }
                if answer == Answer::NotFound && !matches!(line.right, Right::Own) {
                    let first: &Value = unknown.get_or_insert(body.clone());
                    assert_eq!(&body, first, "{at}: what isn't seen answers like what there isn't");
                }
                if let Right::Lists { shows, .. } = line.right {
                    let shown = body.to_string().contains(&cell.channel.to_string());
                    let visible = who.role().zip(who.access(state)).is_some_and(|(role, access)| shows(role, access));
                    assert_eq!(shown && answer == Answer::Yes, visible, "{at}: {body}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_its_right() {
    let document = serde_json::to_value(natter_server::router::openapi()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap();
        let methods =
            operations.as_object().unwrap().keys().filter(|key| !["parameters", "summary"].contains(&&***key));
        routes.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert_complete(&table::routes(), routes);
    check(&table::routes(), by_route).await;
}

async fn by_route(world: &mut World, line: &Line, cell: &Cell) -> (Answer, Value) {
    let (method, path) = line.name.split_once(' ').unwrap();
    let of_user = if path.starts_with("/users") { cell.subject } else { cell.guest };
    let path = path
        .replace("/channels/{id}", &format!("/channels/{}", cell.channel))
        .replace("/messages/{id}", &format!("/messages/{}", cell.message))
        .replace("/sessions/{id}", &format!("/sessions/{}", cell.session))
        .replace("/scheduled/{id}", &format!("/scheduled/{}", cell.scheduled))
        .replace("/uploads/{id}", &format!("/uploads/{}", if method == "DELETE" { cell.unsent } else { cell.upload }))
        .replace("{filename}", "dot.png")
        .replace("/users/{id}", &format!("/users/{of_user}"))
        .replace("{user_id}", &if method == "DELETE" { cell.host } else { cell.guest }.to_string())
        .replace("{emoji}", "%F0%9F%91%8D")
        .replace("{code}", &cell.invite)
        .replace("/changes", "/changes?since=0")
        .replace("/search", &format!("/search?q=%22as+it+was%22&in={}", cell.channel));
    let mut request = world.server.http.request(method.parse().unwrap(), world.server.url(&path));
    if let Some(token) = &cell.token {
        request = request.bearer_auth(token);
    }
    if path == "/ws" {
        for (name, value) in [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")] {
            request = request.header(name, value);
        }
        request = request.header("sec-websocket-key", "bmF0dGVyIG5hdHRlciBuYQ==");
    }
    let body = (line.request)(cell);
    if path == "/uploads" {
        request = form(request, "hello.txt", b"hello");
    } else if !body.is_null() {
        request = request.json(&body);
    }
    let (status, body) = answer(request).await;
    (Answer::of(status).unwrap_or_else(|| panic!("{}: {status} {body}", line.name)), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_function_asks_for_its_right() {
    let functions = leptos::server_fn::axum::server_fn_paths();
    let names = functions.map(|(path, _)| path.strip_prefix("/api/fn/").unwrap_or(path).to_owned()).collect();
    assert_complete(&table::functions(), names);
    check(&table::functions(), by_function).await;
}

async fn by_function(world: &mut World, line: &Line, cell: &Cell) -> (Answer, Value) {
    let arguments = (line.request)(cell);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let form: Vec<_> = arguments.as_object().into_iter().flatten().map(|(name, value)| (name, text(value))).collect();
    let request = world.server.http.post(format!("{}/api/fn/{}", world.server.base, line.name)).form(&form);
    let mut request = request.header("accept", "application/json").header("origin", &world.server.base);
    if let Some(token) = &cell.token {
        request = request.bearer_auth(token);
    }
    let (status, body) = answer(request).await;
    (Answer::of(status).unwrap_or_else(|| panic!("{}: {status} {body}", line.name)), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_asks_for_its_right() {
    // The reader names all that it knows when it meets one that it doesn't.
    let unknown = ClientFrame::parse(r#"{"type":"?"}"#).unwrap_err().detail;
    let kinds = unknown.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert_complete(&table::frames(), kinds);
    check(&table::frames(), by_frame).await;
}

async fn by_frame(world: &mut World, line: &Line, cell: &Cell) -> (Answer, Value) {
    if world.socket.is_none() {
        let bearer = format!("Bearer {}", cell.token.as_deref().unwrap_or_default());
        match Socket::open(&world.server.base, &[("authorization", &bearer)]).await {
            Ok(mut socket) => {
                assert!(matches!(socket.frame().await, ServerFrame::Ready { .. }));
                world.socket = Some(socket);
            }
            Err(status) => return (Answer::of(status).unwrap(), Value::Null),
        }
    }
    let reference = Ref::generate().to_string();
    let mut frame = (line.request)(cell);
    frame["type"] = json!(line.name);
    frame["ref"] = json!(reference);
    let socket = world.socket.as_mut().unwrap();
    socket.say(&frame).await;
    if matches!(line.right, Right::Heard(_)) {
        let mut said = socket.drain().await;
        let heard = world.hears_typing(cell).await;
        assert_eq!(heard, said.is_empty(), "{} is answered where it is refused, and only there: {said:?}", line.name);
        let Some(mut error) = said.pop() else { return (Answer::Yes, Value::Null) };
        assert_eq!(error["ref"], reference.as_str(), "{error}");
        error.as_object_mut().unwrap().remove("ref");
        return (Answer::of_code(&error), error);
    }
    loop {
        let mut got = socket.value().await;
        let here = got["ref"] == reference.as_str();
        let about = got["channel_id"] == json!(cell.channel) || got["channel"]["id"] == json!(cell.channel);
        let answer = match (got["type"].as_str().unwrap(), line.name) {
            ("ack" | "pong", _) if here => Answer::Yes,
            ("error", _) if here => Answer::of_code(&got),
            ("read", "read") | ("synced", "sync") if about && here => Answer::Yes,
            // It is seen from outside, or not at all.
            ("channel", "sync") if about => Answer::Forbidden,
            ("channel_removed", "sync") if about => Answer::NotFound,
            _ => continue,
        };
        for own in ["ref", "channel_id"] {
            got.as_object_mut().unwrap().remove(own);
        }
        return (answer, got);
    }
}
