//! Finds out who is asking, once a request, before any handler runs.

use crate::{
    auth::cookies,
    error::ApiError,
    services::{Caller, ServiceError},
    state::AppState,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use natter::ErrorCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Bearer,
    Cookie,
}

/// Who is asking and how they proved it.
#[derive(Clone, Debug)]
pub struct Identity {
    pub caller: Caller,
    pub via: Via,
}

/// Puts the [`Identity`] into the request, if there is one. A cookie whose access token has run out
/// is renewed on the way; a change that a cookie authorises must come from a page of ours.
pub async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let (found, renewed) = match find(&state, request.headers()).await {
        Ok(found) => found,
        Err(error) => return ApiError::from(error).into_response(),
    };
    if let Some(identity) = found {
        let forged =
            identity.via == Via::Cookie && changes(request.method()) && !state.origins.allows(request.headers());
        if forged {
            return foreign_origin().into_response();
        }
        request.extensions_mut().insert(identity);
    }
    let mut response = next.run(request).await;
    if let Some(token) = renewed
        && !response.headers().contains_key(header::SET_COOKIE)
    {
        response.headers_mut().append(header::SET_COOKIE, state.cookies.access(token.access));
        response.headers_mut().append(header::SET_COOKIE, state.cookies.refresh(token.refresh));
    }
    response
}

/// Refuses a change that doesn't come from a page of ours, whoever asks: for addresses that only
/// our own pages use.
pub async fn from_our_pages(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if changes(request.method()) && !state.origins.allows(request.headers()) {
        return foreign_origin().into_response();
    }
    next.run(request).await
}

fn foreign_origin() -> ApiError {
    ApiError::new(ErrorCode::Forbidden, "This request doesn't come from an allowed origin.")
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A new access token, and the refresh token that was shown for it: its cookie lives on with the session.
struct Renewed {
    access: String,
    refresh: String,
}

type Found = (Option<Identity>, Option<Renewed>);

async fn find(state: &AppState, headers: &HeaderMap) -> Result<Found, ServiceError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else { return Ok((None, None)) };
        let caller = known(state.accounts.by_access_token(token.trim()).await)?;
        return Ok((caller.map(|caller| Identity { caller, via: Via::Bearer }), None));
    }
    if let Some(token) = cookies::read(headers, cookies::ACCESS)
        && let Some(caller) = known(state.accounts.by_access_token(token).await)?
    {
        return Ok((Some(Identity { caller, via: Via::Cookie }), None));
    }
    if let Some(token) = cookies::read(headers, cookies::REFRESH)
        && let Some(caller) = known(state.accounts.by_refresh_token(token).await)?
    {
        let renewed = Renewed { access: state.accounts.access_token(&caller)?, refresh: token.to_owned() };
        return Ok((Some(Identity { caller, via: Via::Cookie }), Some(renewed)));
    }
    Ok((None, None))
}

/// Not being known is no error here: the handler says whether it matters.
fn known(result: Result<Caller, ServiceError>) -> Result<Option<Caller>, ServiceError> {
    match result {
        Ok(caller) => Ok(Some(caller)),
        Err(ServiceError::Unauthenticated(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts.extensions.get::<Identity>().map(|identity| identity.caller.clone()).ok_or_else(ApiError::unauthenticated)
    }
}
