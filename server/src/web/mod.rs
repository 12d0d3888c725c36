//! The web interface: rendered pages, server functions and the bundle's files.

mod assets;
mod backend;
pub mod policy;

pub use assets::Assets;

use crate::{
    http::{
        extract,
        identity::{Identity, from_our_pages},
    },
    state::AppState,
};
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use leptos::{context::provide_context, prelude::expect_context};
use leptos_axum::{LeptosRoutes as _, ResponseOptions, generate_route_list};
use natter_app::{App, backend::Backend, shell};
use std::sync::Arc;

/// Pages and server functions; who is asking has been found out before.
pub fn router(state: &AppState) -> Router<AppState> {
    let routes = generate_route_list(App);
    let context = {
        let state = state.clone();
        move || page_context(&state)
    };
    let shell = {
        let assets = state.assets.clone();
        move || shell(&assets.names())
    };
    // Leptos adds the server functions' own routes; they are the only ones here that aren't GET.
    Router::new()
        .leptos_routes_with_context(state, routes, context, shell)
        .layer(middleware::from_fn_with_state(state.clone(), from_our_pages))
}

/// The bundle's files and the icon, which are the same for everyone.
pub fn files() -> Router<AppState> {
    Router::new().route("/pkg/{*file}", get(assets::file)).route("/favicon.svg", get(assets::favicon))
}

/// What a component or server function finds in its context.
fn page_context(state: &AppState) {
    let parts = expect_context::<Parts>();
    let options = expect_context::<ResponseOptions>();
    let caller = parts.extensions.get::<Identity>().map(|identity| identity.caller.clone());
    let client = extract::client(&parts, state.trust_proxy);
    let backend = backend::RequestBackend::new(state.clone(), caller, client, &parts, options.clone());
    provide_context::<Arc<dyn Backend>>(Arc::new(backend));
    options.insert_header(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    if let Some(nonce) = leptos::nonce::use_nonce() {
        options.insert_header(header::CONTENT_SECURITY_POLICY, policy::page(&nonce));
    }
}

/// Any other address: a page for people, a problem for programs.
pub async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if request.uri().path().starts_with("/api/") || !accepts.contains("text/html") {
        return crate::error::ApiError::not_found().into_response();
    }
    let assets = state.assets.names();
    let context = {
        let state = state.clone();
        move || page_context(&state)
    };
    let handler = leptos_axum::render_app_async_with_context(context, move || shell(&assets));
    let mut response = handler(request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
