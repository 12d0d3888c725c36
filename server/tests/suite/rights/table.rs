//! The tables: each door once, with the right that it asks for and a request that is good otherwise.

use super::{Cell, Line, Right};
use crate::common::PASSWORD;
use natter::{ChannelKind, Role, channel::Access};
use serde_json::{Value, json};

fn line(name: &'static str, right: Right, request: fn(&Cell) -> Value) -> Line {
    Line { name, right, request }
}

fn nothing(_: &Cell) -> Value {
    Value::Null
}

fn later(cell: &Cell) -> Value {
    json!({ "channel_id": cell.channel, "text": "hello", "send_at": cell.tomorrow })
}

const READ_MESSAGE: Right = Right::Message(|role, access, _, _| role.can_read_channel(access));
const FETCH: Right = Right::Upload(|role, access| role.can_see_channel(access) && role.can_read_channel(access));
const REACT: Right = Right::Message(|role, access, _, _| role.can_react(access));
const LISTED: Right = Right::Lists { anyone: false, shows: listed };

/// Others said something in every channel, and nobody reads.
const WAITING: Right = Right::Lists { anyone: false, shows: Role::can_read_channel };

fn listed(role: Role, access: Access) -> bool {
    access.kind == ChannelKind::Channel && role.can_see_channel(access)
}

fn runs(role: Role, access: Access) -> bool {
    role.can_manage_channel(access.kind)
}

pub fn routes() -> Vec<Line> {
    let credentials = |c: &Cell| json!({ "username": c.fresh, "password": PASSWORD });
    vec![
        line("POST /auth/register", Right::Anyone, credentials),
        line("POST /auth/login", Right::Anyone, |_| json!({ "username": "kim", "password": PASSWORD })),
        line("POST /auth/refresh", Right::SignedIn, |c| json!({ "refresh_token": c.refresh })),
        line("POST /auth/logout", Right::SignedIn, nothing),
        line("GET /auth/sessions", Right::SignedIn, nothing),
        line("DELETE /auth/sessions/{id}", Right::Own, nothing),
        line("GET /me", Right::SignedIn, nothing),
        line("PATCH /me", Right::SignedIn, |c| json!({ "display_name": c.fresh })),
        line("PUT /me/password", Right::SignedIn, |_| json!({ "current": PASSWORD, "new": PASSWORD })),
        line("GET /channels", Right::Lists { anyone: false, shows: Role::can_see_channel }, nothing),
        line("POST /channels", Right::Place(Role::can_create_channels), |c| json!({ "name": c.fresh })),
        line("GET /channels/{id}", Right::In(Role::can_see_channel), nothing),
        line("PATCH /channels/{id}", Right::Manage, |c| json!({ "topic": c.fresh })),
        line("DELETE /channels/{id}", Right::Manage, nothing),
        line("GET /channels/{id}/members", Right::In(Role::can_see_channel), nothing),
        line("PUT /channels/{id}/members/me", Right::In(Role::can_join_channel), nothing),
        line("DELETE /channels/{id}/members/me", Right::In(Role::can_leave_channel), nothing),
        line("PUT /channels/{id}/members/{user_id}", Right::Manage, nothing),
        line("DELETE /channels/{id}/members/{user_id}", Right::Manage, nothing),
        line("PUT /channels/{id}/read", Right::In(Role::can_read_channel), |_| json!({ "seq": 1 })),
        line("PUT /channels/{id}/mute", Right::In(Role::can_mute_channel), |_| json!({ "muted": true })),
        line("GET /feed", WAITING, nothing),
        line("GET /channels/{id}/messages", Right::In(Role::can_read_channel), nothing),
        line("POST /channels/{id}/messages", Right::In(Role::can_post), |_| json!({ "text": "hello" })),
        line("GET /channels/{id}/changes", Right::In(Role::can_read_channel), nothing),
        line("GET /messages/{id}", READ_MESSAGE, nothing),
        line("PATCH /messages/{id}", Right::Message(Role::can_edit_message), |_| json!({ "text": "changed" })),
        line("DELETE /messages/{id}", Right::Message(Role::can_delete_message), nothing),
        line("PUT /messages/{id}/reactions/{emoji}", REACT, nothing),
        line("DELETE /messages/{id}/reactions/{emoji}", REACT, nothing),
        line("GET /scheduled", Right::SignedIn, nothing),
        line("POST /scheduled", Right::In(Role::can_post), later),
        line("GET /scheduled/{id}", Right::Own, nothing),
        line("PATCH /scheduled/{id}", Right::Own, |_| json!({ "text": "changed" })),
        line("POST /scheduled/{id}/send", Right::Own, nothing),
        line("DELETE /scheduled/{id}", Right::Own, nothing),
        line("GET /search", Right::Lists { anyone: false, shows: Role::can_read_channel }, nothing),
        line("POST /uploads", Right::SignedIn, |_| json!({ "file": "hello" })),
        line("DELETE /uploads/{id}", Right::Own, nothing),
        line("GET /uploads/{id}/{filename}", FETCH, nothing),
        line("GET /uploads/{id}/thumbnail", FETCH, nothing),
        line("GET /users", Right::SignedIn, nothing),
        line("GET /users/{id}", Right::SignedIn, nothing),
        line(
            "PATCH /users/{id}",
            Right::Place(Role::can_manage_people),
            |_| json!({ "role": "admin", "suspended": true }),
        ),
        line("DELETE /users/{id}/sessions", Right::Place(Role::can_manage_people), nothing),
        line("PUT /directs/{user_id}", Right::SignedIn, nothing),
        line("GET /admin/audit", Right::Place(Role::can_inspect), nothing),
        line("GET /admin/stats", Right::Place(Role::can_inspect), nothing),
        line("GET /admin/registration", Right::SignedIn, nothing),
        line("PUT /admin/registration", Right::Place(Role::can_manage_registration), |_| json!({ "mode": "invite" })),
        line("GET /admin/invites", Right::Place(Role::can_manage_registration), nothing),
        line("POST /admin/invites", Right::Place(Role::can_manage_registration), |_| json!({})),
        line("DELETE /admin/invites/{code}", Right::Place(Role::can_manage_registration), nothing),
        line("GET /ws", Right::SignedIn, nothing),
    ]
}

pub fn frames() -> Vec<Line> {
    vec![
        line("send", Right::In(Role::can_post), |c| json!({ "channel_id": c.channel, "text": "hello" })),
        line(
            "direct",
            Right::SignedIn,
            |c| json!({ "sender": { "id": c.me }, "receiver": { "id": c.guest }, "timestamp": 0, "text": "hello" }),
        ),
        line("edit", Right::Message(Role::can_edit_message), |c| json!({ "message_id": c.message, "text": "changed" })),
        line("delete", Right::Message(Role::can_delete_message), |c| json!({ "message_id": c.message })),
        line("react", REACT, |c| json!({ "message_id": c.message, "emoji": "👍", "on": true })),
        line("react", REACT, |c| json!({ "message_id": c.message, "emoji": "👍", "on": false })),
        line("typing", Right::Heard(Role::can_read_channel), |c| json!({ "channel_id": c.channel })),
        line(
            "sync",
            Right::In(Role::can_read_channel),
            |c| json!({ "epoch": c.epoch, "channels": { c.channel.to_string(): 0 } }),
        ),
        line("read", Right::In(Role::can_read_channel), |c| json!({ "channel_id": c.channel, "seq": 1 })),
        line("ping", Right::SignedIn, |_| json!({})),
    ]
}

pub fn functions() -> Vec<Line> {
    vec![
        line("bootstrap", Right::Lists { anyone: true, shows: Role::can_read_channel }, nothing),
        line("register", Right::Anyone, |c| json!({ "username": c.fresh, "password": PASSWORD })),
        line("registration", Right::Anyone, nothing),
        line("login", Right::Anyone, |_| json!({ "username": "kim", "password": PASSWORD })),
        line("logout", Right::Anyone, nothing),
        line("rename", Right::SignedIn, |c| json!({ "display_name": c.fresh })),
        line("change_password", Right::SignedIn, |_| json!({ "current": PASSWORD, "new": PASSWORD })),
        line("sessions", Right::SignedIn, nothing),
        line("end_session", Right::Own, |c| json!({ "id": c.session })),
        line("end_other_sessions", Right::SignedIn, nothing),
        line("all_channels", Right::Place(|role| role.can_manage_channel(ChannelKind::Channel)), nothing),
        line("roster", Right::Named(runs), |c| json!({ "name": c.name })),
        line("audit", Right::Place(Role::can_inspect), nothing),
        line("stats", Right::Place(Role::can_inspect), nothing),
        line("invites", Right::Place(Role::can_manage_registration), nothing),
        line(
            "update_channel",
            Right::Manage,
            |c| json!({ "id": c.channel, "name": c.name, "topic": c.fresh, "visibility": "public", "post_policy": "everyone" }),
        ),
        line("admit", Right::Manage, |c| json!({ "id": c.channel, "username": "kim", "channel": c.name })),
        line("expel", Right::Manage, |c| json!({ "id": c.channel, "user_id": c.host, "channel": c.name })),
        line("set_role", Right::Place(Role::can_manage_people), |c| json!({ "id": c.subject, "role": "admin" })),
        line("set_suspended", Right::Place(Role::can_manage_people), |c| json!({ "id": c.subject, "suspended": true })),
        line("end_sessions", Right::Place(Role::can_manage_people), |c| json!({ "id": c.subject })),
        line("set_registration", Right::Place(Role::can_manage_registration), |_| json!({ "mode": "closed" })),
        line("create_invite", Right::Place(Role::can_manage_registration), |_| json!({ "days": 7, "uses": 1 })),
        line("revoke_invite", Right::Place(Role::can_manage_registration), |c| json!({ "code": c.invite })),
        line("browse_channels", LISTED, nothing),
        line("open_channel", Right::Named(Role::can_see_channel), |c| json!({ "name": c.name })),
        line("channel_history", Right::In(Role::can_read_channel), |c| json!({ "id": c.channel })),
        line("feed", WAITING, nothing),
        line("set_muted", Right::In(Role::can_mute_channel), |c| json!({ "id": c.channel, "muted": true })),
        line("scheduled", Right::SignedIn, nothing),
        line("schedule", Right::In(Role::can_post), later),
        line(
            "schedule_direct",
            Right::SignedIn,
            |c| json!({ "user_id": c.guest, "text": "hello", "send_at": c.tomorrow }),
        ),
        line("edit_scheduled", Right::Own, |c| json!({ "id": c.scheduled, "text": "changed" })),
        line("reschedule", Right::Own, |c| json!({ "id": c.scheduled, "send_at": c.tomorrow })),
        line("send_scheduled", Right::Own, |c| json!({ "id": c.scheduled })),
        line("cancel_scheduled", Right::Own, |c| json!({ "id": c.scheduled })),
        line("history_around", Right::In(Role::can_read_channel), |c| json!({ "id": c.channel, "place": 1 })),
        line("history_after", Right::In(Role::can_read_channel), |c| json!({ "id": c.channel, "after": 1 })),
        line(
            "search",
            Right::Lists { anyone: false, shows: Role::can_read_channel },
            |c| json!({ "query": format!("in:{} \"as it was\"", c.channel) }),
        ),
        line("message", READ_MESSAGE, |c| json!({ "id": c.message })),
        line("create_channel", Right::Place(Role::can_create_channels), |c| json!({ "name": c.fresh, "topic": "" })),
        line("delete_channel", Right::Manage, |c| json!({ "id": c.channel })),
        line("join_channel", Right::In(Role::can_join_channel), |c| json!({ "id": c.channel })),
        line("leave_channel", Right::In(Role::can_leave_channel), |c| json!({ "id": c.channel })),
        line("open_direct", Right::SignedIn, |_| json!({ "username": "kim" })),
        line("person", Right::SignedIn, |_| json!({ "username": "kim" })),
        line("people", Right::SignedIn, |_| json!({ "query": "", "after": "" })),
        line("members", Right::In(Role::can_see_channel), |c| json!({ "id": c.channel })),
    ]
}
