//! The live connection, `GET /api/v1/ws`.

mod handshake;
mod session;
mod socket;

use crate::{
    error::{ApiError, ApiResult},
    http::identity::{Identity, Via},
    services::{Caller, Client, ServiceError},
    state::AppState,
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use handshake::Handshake;
use natter::{ErrorCode, Problem};

const SUBPROTOCOL: &str = "natter.v1";

/// The live connection: JSON text frames both ways, see the protocol's description. Authenticated by
/// Bearer header, by the cookie (from an allowed origin), or by the subprotocols `natter.v1` and
/// `bearer.<JWT>`.
#[utoipa::path(get, path = "/ws", tag = "live", responses((status = 101), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem, description = "A cookie from a foreign origin"),
    (status = 429, body = Problem, description = "Too many connections of this account or from this address")))]
pub(crate) async fn upgrade(
    State(state): State<AppState>,
    identity: Option<Extension<Identity>>,
    client: Client,
    headers: HeaderMap,
    handshake: Result<Handshake, ApiError>,
) -> ApiResult<Response> {
    let caller = authenticate(&state, identity, &headers).await?;
    let handshake = handshake?;
    let place = state.limits.connect(caller.user.id, client.address).map_err(ServiceError::from)?;
    let tracker = state.sockets.clone();
    let offered = protocols(&headers).any(|protocol| protocol == SUBPROTOCOL);
    let (response, upgraded) = handshake.accept(offered.then_some(SUBPROTOCOL));
    tokio::spawn(async move {
        if let Some(upgraded) = upgraded.await {
            // In a task of its own: what the handshake needed isn't held for as long as this lasts.
            tokio::spawn(tracker.track_future(session::run(state, caller, upgraded, place)));
        }
    });
    Ok(response)
}

async fn authenticate(
    state: &AppState,
    identity: Option<Extension<Identity>>,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    if let Some(token) = bearer_subprotocol(headers) {
        return Ok(state.accounts.by_access_token(token).await?);
    }
    match identity {
        Some(Extension(Identity { via: Via::Cookie, .. })) if !state.origins.allows_socket(headers) => {
            Err(ApiError::new(ErrorCode::Forbidden, "This connection doesn't come from an allowed origin."))
        }
        Some(Extension(identity)) => Ok(identity.caller),
        None => Err(ApiError::unauthenticated()),
    }
}

fn bearer_subprotocol(headers: &HeaderMap) -> Option<&str> {
    protocols(headers).find_map(|protocol| protocol.strip_prefix("bearer."))
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}
