use super::{
    extract::{Json, Path, Query},
    page::{Page, PageQuery},
};
use crate::{
    error::{ApiError, ApiResult},
    services::Caller,
    state::AppState,
};
use axum::extract::State;
use natter::{Channel, ChannelId, FeedItem, Problem, feed::Place};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct Mute {
    muted: bool,
}

/// What is unread: private conversations and those with a mention first, then channels by their latest
/// activity, muted ones last.
#[utoipa::path(get, path = "/feed", tag = "feed", params(PageQuery),
    responses((status = 200, body = Page<FeedItem>), (status = 422, body = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<FeedItem>>> {
    let limit = query.limit()?;
    let after = query.cursor().map(str::parse::<Place>).transpose();
    let after = after.map_err(|()| ApiError::field("cursor", "Give back what `next` said."))?;
    let page = state.feed.page(&caller, after, limit).await?;
    Ok(Json(Page { items: page.items, next: page.next.map(|next| next.to_string()) }))
}

/// Keep a conversation quiet, or not any more. Of a muted one only mentions by name call.
#[utoipa::path(put, path = "/channels/{id}/mute", tag = "feed", params(("id" = ChannelId, Path)),
    request_body = Mute, responses((status = 200, body = Channel),
        (status = 403, body = Problem, description = "Not in it"), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn mute(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(mute): Json<Mute>,
) -> ApiResult<Json<Channel>> {
    Ok(Json(state.feed.set_muted(&caller, id, mute.muted).await?))
}
