//! Everything the server answers, from the outside in.

use crate::{
    error,
    http::{self, health, identity::identify},
    state::AppState,
    web,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::get,
};
use natter::input::JSON_BODY_MAX_BYTES;
use std::{sync::Arc, time::Duration};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
    limit::RequestBodyLimitLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    timeout::RequestBodyTimeoutLayer,
    trace::TraceLayer,
};
use utoipa_axum::router::OpenApiRouter;

pub const API: &str = "/api/v1";
/// Between two parts of a request's body: a client that stops in the middle holds nothing for long.
const BODY_WITHIN: Duration = Duration::from_secs(20);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The API's routes with the document they make.
fn api() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let (routes, mut document) =
        OpenApiRouter::with_openapi(http::document()).nest(API, http::router()).split_for_parts();
    http::complete_document(&mut document);
    (routes, document)
}

/// The OpenAPI document of everything under `/api/v1`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().1
}

pub fn build(state: AppState, allowed_origins: &[String]) -> Router {
    let (api, document) = api();
    let document = Arc::new(serde_json::to_vec(&document).unwrap_or_default());
    let document = move || {
        let body = document.to_vec();
        async move {
            ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], body).into_response()
        }
    };
    let api = api
        .method_not_allowed_fallback(|| async { axum::http::StatusCode::METHOD_NOT_ALLOWED })
        .layer(DefaultBodyLimit::max(JSON_BODY_MAX_BYTES));
    let known = Router::new()
        .merge(api)
        .route("/metrics", get(http::metrics::metrics))
        .merge(web::router(&state).layer(RequestBodyLimitLayer::new(JSON_BODY_MAX_BYTES)))
        .fallback(web::not_found)
        .layer(from_fn_with_state(state.clone(), identify));
    let plain = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/api/openapi.json", get(document))
        .route("/api/docs", get(http::docs_redirect))
        .route("/api/docs/", get(http::docs_page))
        .route("/api/docs/{*file}", get(http::docs_page))
        .merge(web::files());
    let trace = TraceLayer::new_for_http().make_span_with(span).on_failure(());
    let count = from_fn_with_state(state.clone(), http::metrics::count);
    known.merge(plain).with_state(state).layer(
        ServiceBuilder::new()
            .layer(count)
            .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
            .layer(trace)
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            .layer(from_fn(web::policy::headers))
            .layer(cors(allowed_origins))
            .layer(from_fn(error::problems_outside_pages))
            .layer(RequestBodyTimeoutLayer::new(BODY_WITHIN))
            .layer(CatchPanicLayer::new()),
    )
}

/// What each log line of a request carries. Of the address only the path: queries can hold words.
fn span(request: &axum::extract::Request) -> tracing::Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

fn cors(allowed_origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        allowed_origins.iter().filter_map(|origin| origin.trim_end_matches('/').parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, REQUEST_ID])
        .allow_credentials(true)
        .max_age(Duration::from_hours(1))
}
