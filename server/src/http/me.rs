use super::extract::Json;
use crate::{
    error::ApiResult,
    services::{Caller, Client},
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use natter::{Problem, User};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct Profile {
    /// 1–64 characters.
    display_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordChange {
    current: String,
    /// 8–128 characters.
    new: String,
}

/// Oneself.
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, body = User), (status = 401, body = Problem)))]
pub(super) async fn get(caller: Caller) -> Json<User> {
    Json(caller.user)
}

/// Change one's own profile.
#[utoipa::path(patch, path = "/me", tag = "me", request_body = Profile,
    responses((status = 200, body = User), (status = 422, body = Problem)))]
pub(super) async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Json(profile): Json<Profile>,
) -> ApiResult<Json<User>> {
    match profile.display_name {
        Some(name) => Ok(Json(state.accounts.rename(&caller, &name).await?)),
        None => Ok(Json(caller.user)),
    }
}

/// Change one's own password; every other session ends.
#[utoipa::path(put, path = "/me/password", tag = "me", request_body = PasswordChange,
    responses((status = 204), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    client: Client,
    Json(input): Json<PasswordChange>,
) -> ApiResult<StatusCode> {
    state.accounts.change_password(&caller, &input.current, &input.new, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
