//! The OpenAPI document, made from the handlers, and a page of our own that shows it.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use std::sync::Arc;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_swagger_ui::{Config, serve};

const DOCUMENT: &str = "/api/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(title = "Natter", description = "Real-time team chat. Errors are problem details (RFC 9457) with a stable `code`.",
        license(name = "MIT OR Apache-2.0")),
    security(("bearer" = []), ("cookie" = [])),
    modifiers(&Security),
    tags((name = "auth", description = "Accounts and sessions"), (name = "me", description = "Oneself"),
        (name = "channels", description = "Topic channels"), (name = "messages", description = "History and posting"),
        (name = "people", description = "Everyone, and private conversations"), (name = "admin", description = "Running the place"),
        (name = "live", description = "The WebSocket"))
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::auth::cookies::ACCESS));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// The document before any route is in it.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Where the page is; the addresses of its files are relative to the slash.
pub async fn redirect() -> Redirect {
    Redirect::permanent("/api/docs/")
}

/// The files of the page, from inside the binary. The page itself is the one without a name.
pub async fn page(path: Option<Path<String>>) -> Response {
    let name = path.map(|Path(name)| name).unwrap_or_default();
    match serve(&name, Arc::new(Config::from(DOCUMENT))) {
        Ok(Some(file)) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "the API page failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
