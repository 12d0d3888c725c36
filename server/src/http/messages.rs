use super::{
    extract::{Json, Path, Query, number},
    page::limit,
};
use crate::{
    error::{ApiError, ApiResult},
    services::{Caller, messages::Draft},
    state::AppState,
    store::Anchor,
};
use axum::{extract::State, http::StatusCode};
use natter::{ChannelId, Message, MessageId, MessagePage, Problem, Ref, UploadId, message::Changes};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Which stretch of history. At most one of `before`, `after` and `around`; the newest without.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Messages before this `seq`.
    #[param(value_type = Option<u64>)]
    before: Option<String>,
    /// Messages after this `seq`.
    #[param(value_type = Option<u64>)]
    after: Option<String>,
    /// Messages on both sides of this `seq`, itself included.
    #[param(value_type = Option<u64>)]
    around: Option<String>,
    /// `next` of the page before: takes the place of the number that was given for that one.
    #[param(value_type = Option<u64>)]
    cursor: Option<String>,
    /// At most this many, 1–100; 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// The last `rev` known.
    #[param(value_type = u64)]
    since: Option<String>,
    /// `next` of the page before: takes the place of `since`.
    #[param(value_type = Option<u64>)]
    cursor: Option<String>,
    /// At most this many, 1–100; 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewMessage {
    /// 1–4,000 characters after trimming; with attachments also none.
    #[serde(default)]
    text: String,
    /// The sender's own id for it: the same one again never makes a second message.
    #[serde(default, rename = "ref")]
    reference: Option<Ref>,
    /// The message that it answers, of the same channel.
    reply_to: Option<MessageId>,
    /// The sender's own uploads, at most ten.
    #[serde(default)]
    attachments: Vec<UploadId>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Edit {
    /// 1–4,000 characters after trimming.
    text: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// An admin's reason for deleting somebody else's message: for its author and the audit log.
    reason: Option<String>,
}

impl HistoryQuery {
    fn anchor(&self) -> Result<Anchor, ApiError> {
        let before = number("before", self.before.as_deref())?;
        let after = number("after", self.after.as_deref())?;
        let around = number("around", self.around.as_deref())?;
        let cursor = number("cursor", self.cursor.as_deref())?;
        match (before, after, around) {
            (None, None, None) => Ok(cursor.map_or(Anchor::Newest, Anchor::Before)),
            (Some(seq), None, None) => Ok(Anchor::Before(cursor.unwrap_or(seq))),
            (None, Some(seq), None) => Ok(Anchor::After(cursor.unwrap_or(seq))),
            (None, None, Some(seq)) => Ok(Anchor::Around(seq)),
            _ => Err(ApiError::field("before", "Give one of before, after and around, not several.")),
        }
    }
}

/// History, ascending by `seq`; the newest page unless asked otherwise.
#[utoipa::path(get, path = "/channels/{id}/messages", tag = "messages", params(("id" = ChannelId, Path), HistoryQuery),
    responses((status = 200, body = MessagePage), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<MessagePage>> {
    let (anchor, limit) = (query.anchor()?, limit(query.limit.as_deref())?);
    Ok(Json(state.messages.page(&caller, id, anchor, limit).await?))
}

/// What changed since a revision, in the order of revisions.
#[utoipa::path(get, path = "/channels/{id}/changes", tag = "messages", params(("id" = ChannelId, Path), ChangesQuery),
    responses((status = 200, body = Changes), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 410, body = Problem, description = "It can't be told: reload the channel"),
        (status = 422, body = Problem)))]
pub(super) async fn changes(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Query(query): Query<ChangesQuery>,
) -> ApiResult<Json<Changes>> {
    let (since, cursor) = (number("since", query.since.as_deref())?, number("cursor", query.cursor.as_deref())?);
    let since = cursor.or(since).ok_or_else(|| ApiError::field("since", "Missing field `since`."))?;
    Ok(Json(state.messages.changes(&caller, id, since, limit(query.limit.as_deref())?).await?))
}

/// Post a message. The same `ref` again answers 200 with the first message.
#[utoipa::path(post, path = "/channels/{id}/messages", tag = "messages", params(("id" = ChannelId, Path)),
    request_body = NewMessage, responses((status = 201, body = Message), (status = 200, body = Message),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn post(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(new): Json<NewMessage>,
) -> ApiResult<(StatusCode, Json<Message>)> {
    let draft =
        Draft { text: new.text, reference: new.reference, reply_to: new.reply_to, attachments: new.attachments };
    let posted = state.messages.post(&caller, id, draft).await?;
    let status = if posted.known { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(posted.message)))
}

/// One message.
#[utoipa::path(get, path = "/messages/{id}", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> ApiResult<Json<Message>> {
    Ok(Json(state.messages.get(&caller, id).await?))
}

/// Change the words of one's own message.
#[utoipa::path(patch, path = "/messages/{id}", tag = "messages", params(("id" = MessageId, Path)), request_body = Edit,
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Json(edit): Json<Edit>,
) -> ApiResult<Json<Message>> {
    Ok(Json(state.messages.edit(&caller, id, &edit.text).await?))
}

/// Delete one's own message, or as an admin anybody's in a channel. Its text is gone for good.
#[utoipa::path(delete, path = "/messages/{id}", tag = "messages", params(("id" = MessageId, Path), Why),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Query(why): Query<Why>,
) -> ApiResult<StatusCode> {
    state.moderation.delete(&caller, id, why.reason.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer a message with an emoji. Again changes nothing.
#[utoipa::path(put, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(("id" = MessageId, Path), ("emoji" = String, Path)),
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn react(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, emoji)): Path<(MessageId, String)>,
) -> ApiResult<Json<Message>> {
    Ok(Json(state.messages.react(&caller, id, &emoji, true).await?))
}

/// Take a reaction back. Again changes nothing.
#[utoipa::path(delete, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(("id" = MessageId, Path), ("emoji" = String, Path)),
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn unreact(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, emoji)): Path<(MessageId, String)>,
) -> ApiResult<Json<Message>> {
    Ok(Json(state.messages.react(&caller, id, &emoji, false).await?))
}
