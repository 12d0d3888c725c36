use super::{
    extract::{Json, Query},
    page::limit,
};
use crate::{
    error::{ApiError, ApiResult},
    services::Caller,
    state::AppState,
};
use axum::extract::State;
use natter::{
    FieldError, MessageId, Problem,
    search::{self, HitPage},
};
use serde::Deserialize;
use utoipa::IntoParams;

/// What to look for. All of it has to hold; at least one has to be given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the documentation: they are read from a list of pairs, since some may come again")]
struct SearchParams {
    /// Words and "quoted phrases", found in any place of a word in any case; and the same operators as below, such as
    /// `in:general from:mira has:link before:2026-11-26`. At most 200 characters.
    q: Option<String>,
    /// A channel, by name or id; a direct, by `@username` or id.
    r#in: Option<String>,
    /// Who sent it: a username or an id.
    from: Option<String>,
    /// Before this time (RFC 3339), or this day in UTC.
    before: Option<String>,
    /// At this time (RFC 3339) or later; of a day, from its beginning in UTC.
    after: Option<String>,
    /// `image`, `video`, `file` or `link`; several, separated by commas, or the parameter again.
    has: Option<String>,
    /// `next` of the page before.
    cursor: Option<MessageId>,
    /// At most this many, 1–100; 50 if left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Pairs(Vec<(String, String)>);

fn refused(error: FieldError) -> ApiError {
    ApiError::field(&error.field, error.message)
}

/// Messages that the caller may read, newest first.
#[utoipa::path(get, path = "/search", tag = "messages", params(SearchParams),
    responses((status = 200, body = HitPage), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn find(
    State(state): State<AppState>,
    caller: Caller,
    Query(Pairs(pairs)): Query<Pairs>,
) -> ApiResult<Json<HitPage>> {
    let first = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let mut query = search::Query::parse(first("q").unwrap_or_default()).map_err(refused)?;
    for (name, value) in &pairs {
        let value = value.trim();
        if !value.is_empty() {
            // Names that are no operators are this request's own, or unknown.
            query.narrow(name, value).map_err(refused)?;
        }
    }
    let cursor = first("cursor").map(str::parse).transpose();
    let cursor = cursor.map_err(|_| ApiError::field("cursor", "A cursor is `next` of the page before."))?;
    Ok(Json(state.finder.search(&caller, &query, cursor, limit(first("limit"))?).await?))
}
