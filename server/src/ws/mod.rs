//! The live connection, `GET /api/v1/ws`.

mod session;

use crate::{
    error::{ApiError, ApiResult},
    http::identity::{Identity, Via},
    services::{Caller, Client, ServiceError},
    state::AppState,
};
use axum::{
    Extension,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, header},
    response::Response,
};
use natter::{ErrorCode, Problem, input::FRAME_MAX_BYTES};

const SUBPROTOCOL: &str = "natter.v1";
/// Chat frames are small; larger buffers would be most of what an idle connection costs.
const BUFFER: usize = 1024;

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
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    let caller = authenticate(&state, identity, &headers).await?;
    let upgrade = upgrade.map_err(|_| ApiError::unreadable("This address takes WebSocket connections only."))?;
    let place = state.limits.connect(caller.user.id, client.address).map_err(ServiceError::from)?;
    let tracker = state.sockets.clone();
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(4 * FRAME_MAX_BYTES)
        .max_message_size(FRAME_MAX_BYTES)
        .max_frame_size(FRAME_MAX_BYTES)
        .on_upgrade(move |socket| tracker.track_future(session::run(state, caller, socket, place))))
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
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix("bearer."))
}
