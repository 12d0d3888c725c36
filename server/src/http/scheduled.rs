use super::{
    extract::{Json, Path, Query},
    page::{Page, PageQuery},
};
use crate::{
    error::{ApiError, ApiResult},
    services::{Caller, scheduled::ScheduledDraft},
    state::AppState,
    store::ScheduledEdit,
};
use axum::{extract::State, http::StatusCode};
use natter::{
    ChannelId, MessageId, Problem, Ref, Scheduled, ScheduledId, Timestamp, UploadId, scheduled::ScheduledState,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those in this state; of all if left out.
    #[param(value_type = Option<ScheduledState>)]
    state: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewScheduled {
    /// A channel or direct that the caller may write in.
    channel_id: ChannelId,
    /// 1–4,000 characters after trimming; with attachments also none.
    #[serde(default)]
    text: String,
    /// From now to a year ahead.
    send_at: Timestamp,
    /// The author's own id for it: the same one again never makes a second message.
    #[serde(default, rename = "ref")]
    reference: Option<Ref>,
    /// The message that it answers, of the same channel.
    reply_to: Option<MessageId>,
    /// The author's own uploads, at most ten.
    #[serde(default)]
    attachments: Vec<UploadId>,
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub(super) struct ScheduledPatch {
    text: Option<String>,
    send_at: Option<Timestamp>,
    attachments: Option<Vec<UploadId>>,
}

/// One's own messages for later: those that wait, the earliest first, then the latest that don't.
#[utoipa::path(get, path = "/scheduled", tag = "scheduled", params(Which, PageQuery),
    responses((status = 200, body = Page<Scheduled>), (status = 422, body = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<Scheduled>>> {
    let wanted = which.state.as_deref().map(|name| {
        let unknown = || ApiError::field("state", "A state is pending, sent, failed or cancelled.");
        ScheduledState::from_name(name).ok_or_else(unknown)
    });
    let wanted = wanted.transpose()?;
    let mut all = state.schedule.list(&caller).await?;
    all.retain(|scheduled| wanted.is_none_or(|wanted| scheduled.state == wanted));
    Ok(Json(query.page(all, Scheduled::place)?))
}

/// Put a message on the list. The same `ref` again answers 200 with the first one.
#[utoipa::path(post, path = "/scheduled", tag = "scheduled", request_body = NewScheduled,
    responses((status = 201, body = Scheduled), (status = 200, body = Scheduled), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewScheduled>,
) -> ApiResult<(StatusCode, Json<Scheduled>)> {
    let NewScheduled { channel_id, text, send_at, reference, reply_to, attachments } = new;
    let draft = ScheduledDraft { text, send_at, reference, reply_to, attachments };
    let (scheduled, known) = state.schedule.create(&caller, channel_id, draft).await?;
    let status = if known { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(scheduled)))
}

/// One of them.
#[utoipa::path(get, path = "/scheduled/{id}", tag = "scheduled", params(("id" = ScheduledId, Path)),
    responses((status = 200, body = Scheduled), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduledId>,
) -> ApiResult<Json<Scheduled>> {
    Ok(Json(state.schedule.get(&caller, id).await?))
}

/// Change its words or its time while it waits.
#[utoipa::path(patch, path = "/scheduled/{id}", tag = "scheduled", params(("id" = ScheduledId, Path)),
    request_body = ScheduledPatch, responses((status = 200, body = Scheduled), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It doesn't wait any more"), (status = 422, body = Problem)))]
pub(super) async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduledId>,
    Json(patch): Json<ScheduledPatch>,
) -> ApiResult<Json<Scheduled>> {
    let ScheduledPatch { text, send_at, attachments } = patch;
    Ok(Json(state.schedule.edit(&caller, id, ScheduledEdit { text, attachments, send_at }).await?))
}

/// Send it at once, and see what became of it.
#[utoipa::path(post, path = "/scheduled/{id}/send", tag = "scheduled", params(("id" = ScheduledId, Path)),
    responses((status = 200, body = Scheduled), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It doesn't wait any more")))]
pub(super) async fn send(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduledId>,
) -> ApiResult<Json<Scheduled>> {
    Ok(Json(state.schedule.send_now(&caller, id).await?))
}

/// Cancel it while it waits, or take one that failed off the list. Its text is gone for good.
#[utoipa::path(delete, path = "/scheduled/{id}", tag = "scheduled", params(("id" = ScheduledId, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It was sent, or cancelled before")))]
pub(super) async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduledId>,
) -> ApiResult<StatusCode> {
    state.schedule.cancel(&caller, id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
