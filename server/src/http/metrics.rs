//! `GET /metrics`, and the counting of requests.

use super::identity::Identity;
use crate::{error::ApiResult, metrics::CONTENT_TYPE, services::monitoring::Asking, state::AppState};
use axum::{
    Extension,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::SocketAddr, time::Instant};

/// What proxies say of whom they ask for.
const FORWARDED: [HeaderName; 5] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// The node's figures in `OpenMetrics` text.
pub async fn metrics(
    State(state): State<AppState>,
    identity: Option<Extension<Identity>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let caller = identity.as_ref().map(|identity| &identity.caller);
    // A proxy on this machine makes everyone look as if they were here.
    let forwarded = state.trust_proxy || FORWARDED.iter().any(|name| headers.contains_key(name));
    let from_here = peer.ip().to_canonical().is_loopback() && !forwarded;
    let text = state.monitoring.read(&Asking { caller, token, from_here })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// Counts every request by its route.
pub async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    // What leads nowhere is one route.
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    state.hub.metrics.answered(method, route, response.status().as_u16(), began.elapsed());
    response
}

/// Anybody may invent methods; these are counted apart.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
