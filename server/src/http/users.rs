use super::{
    extract::{Json, Path, Query},
    page::{Page, PageQuery},
};
use crate::{error::ApiResult, services::Caller, state::AppState, store::UserChange};
use axum::{extract::State, http::StatusCode};
use natter::{Channel, Problem, Role, User, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Looked for in usernames and display names.
    #[serde(default)]
    q: String,
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserPatch {
    role: Option<Role>,
    suspended: Option<bool>,
    /// For the audit log, at most 250 characters.
    reason: Option<String>,
}

/// Everyone, by username.
#[utoipa::path(get, path = "/users", tag = "people", params(Search, PageQuery),
    responses((status = 200, body = Page<User>), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    _: Caller,
    Query(search): Query<Search>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<User>>> {
    let limit = query.limit()?;
    let users = state.people.list(&search.q, query.cursor().unwrap_or_default(), limit + 1).await?;
    Ok(Json(Page::cut(users, limit, |user| user.username.to_lowercase())))
}

/// One person.
#[utoipa::path(get, path = "/users/{id}", tag = "people", params(("id" = UserId, Path)),
    responses((status = 200, body = User), (status = 404, body = Problem)))]
pub(super) async fn get(State(state): State<AppState>, _: Caller, Path(id): Path<UserId>) -> ApiResult<Json<User>> {
    Ok(Json(state.people.get(id).await?))
}

/// Give or take a role, suspend or reinstate (admins). Suspension ends every session.
#[utoipa::path(patch, path = "/users/{id}", tag = "people", params(("id" = UserId, Path)), request_body = UserPatch,
    responses((status = 200, body = User), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It is the last active admin"), (status = 422, body = Problem)))]
pub(super) async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
    Json(patch): Json<UserPatch>,
) -> ApiResult<Json<User>> {
    let change = UserChange { role: patch.role, suspended: patch.suspended };
    Ok(Json(state.people.update(&caller, id, change, patch.reason.as_deref()).await?))
}

/// Log somebody out everywhere (admins).
#[utoipa::path(delete, path = "/users/{id}/sessions", tag = "people", params(("id" = UserId, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn end_sessions(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> ApiResult<StatusCode> {
    state.people.end_sessions(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The private conversation with somebody, or with oneself; opened if need be.
#[utoipa::path(put, path = "/directs/{user_id}", tag = "people", params(("user_id" = UserId, Path)),
    responses((status = 200, body = Channel), (status = 403, body = Problem, description = "They are suspended"),
        (status = 404, body = Problem)))]
pub(super) async fn direct(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> ApiResult<Json<Channel>> {
    Ok(Json(state.directs.get(&caller, id).await?))
}
