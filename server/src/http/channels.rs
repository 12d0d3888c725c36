use super::{
    extract::{Json, Path, Query},
    page::{Page, PageQuery},
};
use crate::{
    error::ApiResult,
    services::{
        Caller,
        channels::{ChannelDraft, ChannelEdit},
    },
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use natter::{Channel, ChannelId, ChannelKind, PostPolicy, Problem, User, UserId, Visibility};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, ToSchema)]
pub(super) struct NewChannel {
    /// `[a-z0-9][a-z0-9_-]{0,63}`, unique.
    name: String,
    /// At most 250 characters.
    #[serde(default)]
    topic: String,
    #[serde(default)]
    visibility: Visibility,
    #[serde(default)]
    post_policy: PostPolicy,
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub(super) struct ChannelPatch {
    name: Option<String>,
    topic: Option<String>,
    visibility: Option<Visibility>,
    post_policy: Option<PostPolicy>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Looked for in names and topics; in directs, in the other's name.
    #[serde(default)]
    q: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ReadMark {
    /// The `seq` of the last message read.
    seq: u64,
    /// Move the mark back, never forward: what comes after it is unread again.
    #[serde(default)]
    back: bool,
}

/// The channels the caller may see: public ones, private ones they are in, and after those their private
/// conversations.
#[utoipa::path(get, path = "/channels", tag = "channels", params(Search, PageQuery),
    responses((status = 200, body = Page<Channel>), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(search): Query<Search>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<Channel>>> {
    let mut channels = state.channels.list(&caller, &search.q).await?;
    channels.extend(state.directs.list(&caller, &search.q).await?);
    Ok(Json(query.page(channels, place)?))
}

/// Where a channel stands in a list. Directs come last: no channel's name begins like that.
fn place(channel: &Channel) -> String {
    match channel.kind {
        ChannelKind::Channel => channel.label().to_owned(),
        ChannelKind::Direct => format!("~{}", channel.label().to_lowercase()),
    }
}

/// Create a channel (admins). Its creator is its first member.
#[utoipa::path(post, path = "/channels", tag = "channels", request_body = NewChannel,
    responses((status = 201, body = Channel), (status = 403, body = Problem),
        (status = 409, body = Problem, description = "The name is taken"), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewChannel>,
) -> ApiResult<(StatusCode, Json<Channel>)> {
    let draft =
        ChannelDraft { name: new.name, topic: new.topic, visibility: new.visibility, post_policy: new.post_policy };
    Ok((StatusCode::CREATED, Json(state.channels.create(&caller, draft).await?)))
}

/// One channel.
#[utoipa::path(get, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Channel), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> ApiResult<Json<Channel>> {
    Ok(Json(state.channels.get(&caller, id).await?))
}

/// Change a channel's name, topic or rules (admins).
#[utoipa::path(patch, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    request_body = ChannelPatch, responses((status = 200, body = Channel), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "The name is taken"),
        (status = 422, body = Problem)))]
pub(super) async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(patch): Json<ChannelPatch>,
) -> ApiResult<Json<Channel>> {
    let edit = ChannelEdit {
        name: patch.name,
        topic: patch.topic,
        visibility: patch.visibility,
        post_policy: patch.post_policy,
    };
    Ok(Json(state.channels.update(&caller, id, edit).await?))
}

/// Delete a channel with everything in it (admins).
#[utoipa::path(delete, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> ApiResult<StatusCode> {
    state.channels.delete(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is in a channel, by name.
#[utoipa::path(get, path = "/channels/{id}/members", tag = "channels", params(("id" = ChannelId, Path), PageQuery),
    responses((status = 200, body = Page<User>), (status = 404, body = Problem)))]
pub(super) async fn members(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<User>>> {
    let members = state.channels.members(&caller, id).await?;
    Ok(Json(query.page(members, |user| user.username.to_lowercase())?))
}

/// Join a public channel. Joining again changes nothing.
#[utoipa::path(put, path = "/channels/{id}/members/me", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Channel), (status = 404, body = Problem)))]
pub(super) async fn join(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> ApiResult<Json<Channel>> {
    Ok(Json(state.channels.join(&caller, id).await?))
}

/// Leave a channel. Leaving again changes nothing.
#[utoipa::path(delete, path = "/channels/{id}/members/me", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn leave(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> ApiResult<StatusCode> {
    state.channels.leave(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let somebody into a channel (admins). Again changes nothing.
#[utoipa::path(put, path = "/channels/{id}/members/{user_id}", tag = "channels",
    params(("id" = ChannelId, Path), ("user_id" = UserId, Path)),
    responses((status = 200, body = Channel), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn admit(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, user_id)): Path<(ChannelId, UserId)>,
) -> ApiResult<Json<Channel>> {
    Ok(Json(state.channels.admit(&caller, id, user_id).await?))
}

/// Put somebody out of a channel (admins). Again changes nothing.
#[utoipa::path(delete, path = "/channels/{id}/members/{user_id}", tag = "channels",
    params(("id" = ChannelId, Path), ("user_id" = UserId, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn expel(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, user_id)): Path<(ChannelId, UserId)>,
) -> ApiResult<StatusCode> {
    state.channels.expel(&caller, id, user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move one's own read mark forward, or back.
#[utoipa::path(put, path = "/channels/{id}/read", tag = "channels", params(("id" = ChannelId, Path)),
    request_body = ReadMark, responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn mark_read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(mark): Json<ReadMark>,
) -> ApiResult<StatusCode> {
    state.channels.mark_read(&caller, id, mark.seq, mark.back).await?;
    Ok(StatusCode::NO_CONTENT)
}
