use super::{
    extract::{Json, OptionalJson, Path},
    page::{Page, PageQuery},
};
use crate::{
    auth::cookies,
    error::{ApiError, ApiResult},
    http::extract::Query,
    services::{Caller, Client, accounts::LoggedIn},
    state::AppState,
    store::Session,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use natter::{Problem, SessionId, Timestamp, User};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct Credentials {
    /// `[A-Za-z0-9_.-]{2,32}`, unique ignoring case.
    username: String,
    /// 8–128 characters.
    password: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewAccount {
    /// `[A-Za-z0-9_.-]{2,32}`, unique ignoring case.
    username: String,
    /// 8–128 characters.
    password: String,
    /// The code of an invitation, where registration needs one.
    invite: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
pub(super) struct RefreshRequest {
    refresh_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    user: User,
    access_token: String,
    refresh_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SessionInfo {
    id: SessionId,
    user_agent: String,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    /// The session that asks.
    current: bool,
}

/// The tokens, and the browser's cookies where a page of ours asked.
fn answer(state: &AppState, headers: &HeaderMap, status: StatusCode, login: LoggedIn) -> Response {
    let allowed = state.origins.allows(headers);
    let set = [state.cookies.access(login.access_token.clone()), state.cookies.refresh(login.refresh_token.clone())];
    let body = Tokens {
        user: login.user,
        access_token: login.access_token,
        refresh_token: login.refresh_token,
        token_type: "Bearer",
        expires_in: login.expires_in,
    };
    let mut response = (status, Json(body)).into_response();
    if allowed {
        response.headers_mut().extend(set.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}

/// Create an account. The first one is the admin.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = NewAccount, security(()), responses(
    (status = 201, body = Tokens), (status = 403, body = Problem, description = "Registration is closed, or needs an invitation"),
    (status = 409, body = Problem, description = "The name is taken"),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn register(
    State(state): State<AppState>,
    client: Client,
    headers: HeaderMap,
    Json(input): Json<NewAccount>,
) -> ApiResult<Response> {
    let invite = input.invite.as_deref();
    let login = state.accounts.register(&input.username, &input.password, invite, &client).await?;
    Ok(answer(&state, &headers, StatusCode::CREATED, login))
}

/// Log in.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Credentials, security(()), responses(
    (status = 200, body = Tokens), (status = 401, body = Problem, description = "One answer for every wrong pair"),
    (status = 429, body = Problem)))]
pub(super) async fn login(
    State(state): State<AppState>,
    client: Client,
    headers: HeaderMap,
    Json(input): Json<Credentials>,
) -> ApiResult<Response> {
    let login = state.accounts.login(&input.username, &input.password, &client).await?;
    Ok(answer(&state, &headers, StatusCode::OK, login))
}

/// Exchange a refresh token for a new pair. An old token that comes back ends the session.
/// A browser may leave the token out: its cookie carries it.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = RefreshRequest, security(()),
    responses((status = 200, body = Tokens), (status = 401, body = Problem)))]
pub(super) async fn refresh(
    State(state): State<AppState>,
    client: Client,
    headers: HeaderMap,
    body: OptionalJson<RefreshRequest>,
) -> ApiResult<Response> {
    let input = body.0.unwrap_or_default();
    let cookie = cookies::read(&headers, cookies::REFRESH).filter(|_| state.origins.allows(&headers));
    let token = input.refresh_token.as_deref().or(cookie);
    let token = token.ok_or_else(|| ApiError::field("refresh_token", "Missing field `refresh_token`."))?;
    let login = state.accounts.refresh(token, &client).await?;
    Ok(answer(&state, &headers, StatusCode::OK, login))
}

/// Log out: the session ends everywhere, its sockets too.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204), (status = 401, body = Problem)))]
pub(super) async fn logout(State(state): State<AppState>, caller: Caller) -> ApiResult<Response> {
    state.accounts.logout(&caller).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(state.cookies.clear().map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

/// One's own live sessions, newest first.
#[utoipa::path(get, path = "/auth/sessions", tag = "auth", params(PageQuery),
    responses((status = 200, body = Page<SessionInfo>), (status = 401, body = Problem)))]
pub(super) async fn sessions(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<SessionInfo>>> {
    let info = |session: Session| SessionInfo {
        id: session.id,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
        current: session.id == caller.session_id,
    };
    let sessions = state.accounts.sessions(&caller).await?.into_iter().map(info).collect();
    Ok(Json(query.page(sessions, |session| session.id.to_string())?))
}

/// End one of one's own sessions.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth", params(("id" = SessionId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn end_session(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> ApiResult<StatusCode> {
    state.accounts.end_session(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
