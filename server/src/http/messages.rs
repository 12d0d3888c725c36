use super::{
    extract::{Json, Path, Query, number},
    page::limit,
};
use crate::{
    error::{ApiError, ApiResult},
    services::Caller,
    state::AppState,
    store::Anchor,
};
use axum::{extract::State, http::StatusCode};
use natter::{ChannelId, Message, MessagePage, Problem, Ref, message::Changes};
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
    /// At most this many, 1–100; 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewMessage {
    /// 1–4,000 characters after trimming.
    text: String,
    /// The sender's own id for it: the same one again never makes a second message.
    #[serde(default, rename = "ref")]
    reference: Option<Ref>,
}

impl HistoryQuery {
    fn anchor(&self) -> Result<Anchor, ApiError> {
        let before = number("before", self.before.as_deref())?;
        let after = number("after", self.after.as_deref())?;
        let around = number("around", self.around.as_deref())?;
        match (before, after, around) {
            (None, None, None) => Ok(Anchor::Newest),
            (Some(seq), None, None) => Ok(Anchor::Before(seq)),
            (None, Some(seq), None) => Ok(Anchor::After(seq)),
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
    let since = number("since", query.since.as_deref())?;
    let since = since.ok_or_else(|| ApiError::field("since", "Missing field `since`."))?;
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
    let posted = state.messages.post(&caller, id, &new.text, new.reference).await?;
    let status = if posted.known { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(posted.message)))
}
