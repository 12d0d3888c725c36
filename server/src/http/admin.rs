use super::{
    extract::{Json, Path, Query},
    page::{Page, PageQuery},
};
use crate::{
    error::{ApiError, ApiResult},
    services::Caller,
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use natter::{
    AuditId, Problem,
    admin::{AuditEntry, Invite, Registration, Stats},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct RegistrationMode {
    mode: Registration,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewInvite {
    /// How long it lasts: 1–365, 7 if left out.
    #[serde(default = "a_week")]
    days: u32,
    /// How many accounts may be made with it: 1–10,000, 1 if left out.
    #[serde(default = "once")]
    uses: u32,
}

const fn a_week() -> u32 {
    7
}

const fn once() -> u32 {
    1
}

/// What admins did, newest first (admins).
#[utoipa::path(get, path = "/admin/audit", tag = "admin", params(PageQuery),
    responses((status = 200, body = Page<AuditEntry>), (status = 403, body = Problem)))]
pub(super) async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<AuditEntry>>> {
    let limit = query.limit()?;
    let before = query.cursor().map(str::parse::<AuditId>).transpose();
    let before = before.map_err(|_| ApiError::field("cursor", "Give back what `next` said."))?;
    let entries = state.place.audit(&caller, before, limit + 1).await?;
    Ok(Json(Page::cut(entries, limit, |entry| entry.id.to_string())))
}

/// The place in figures (admins).
#[utoipa::path(get, path = "/admin/stats", tag = "admin",
    responses((status = 200, body = Stats), (status = 403, body = Problem)))]
pub(super) async fn stats(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<Stats>> {
    Ok(Json(state.place.stats(&caller).await?))
}

/// Who may register.
#[utoipa::path(get, path = "/admin/registration", tag = "admin",
    responses((status = 200, body = RegistrationMode), (status = 401, body = Problem)))]
pub(super) async fn registration(State(state): State<AppState>, _: Caller) -> ApiResult<Json<RegistrationMode>> {
    Ok(Json(RegistrationMode { mode: state.place.registration().await? }))
}

/// Say who may register (admins).
#[utoipa::path(put, path = "/admin/registration", tag = "admin", request_body = RegistrationMode,
    responses((status = 200, body = RegistrationMode), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set_registration(
    State(state): State<AppState>,
    caller: Caller,
    Json(wanted): Json<RegistrationMode>,
) -> ApiResult<Json<RegistrationMode>> {
    state.place.set_registration(&caller, wanted.mode).await?;
    Ok(Json(wanted))
}

/// Invitations that can still be used, newest first, at most 100 (admins).
#[utoipa::path(get, path = "/admin/invites", tag = "admin", params(PageQuery),
    responses((status = 200, body = Page<Invite>), (status = 403, body = Problem)))]
pub(super) async fn invites(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<Invite>>> {
    let invites = state.place.invites(&caller).await?;
    // Newest first, and two of the same moment by their codes.
    let key = |invite: &Invite| format!("{:020} {}", i64::MAX - invite.created_at.millis(), invite.code);
    Ok(Json(query.page(invites, key)?))
}

/// Make an invitation (admins).
#[utoipa::path(post, path = "/admin/invites", tag = "admin", request_body = NewInvite,
    responses((status = 201, body = Invite), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn invite(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewInvite>,
) -> ApiResult<(StatusCode, Json<Invite>)> {
    Ok((StatusCode::CREATED, Json(state.place.invite(&caller, new.days, new.uses).await?)))
}

/// Withdraw an invitation (admins).
#[utoipa::path(delete, path = "/admin/invites/{code}", tag = "admin", params(("code" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn revoke_invite(
    State(state): State<AppState>,
    caller: Caller,
    Path(code): Path<String>,
) -> ApiResult<StatusCode> {
    state.place.revoke_invite(&caller, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}
