//! The OpenAPI document, made from the handlers, and a page of our own that shows it.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use std::sync::Arc;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, OpenApi as OpenApiDocument, Ref, RefOr, ResponseBuilder,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
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
        (name = "feed", description = "What is unread, and what stays quiet"),
        (name = "scheduled", description = "Messages for later"), (name = "live", description = "The WebSocket"))
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApiDocument) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::auth::cookies::ACCESS));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// The document before any route is in it.
pub fn document() -> OpenApiDocument {
    Document::openapi()
}

/// Says of each operation what holds for all: errors are problems, and there are more than those that
/// its handler names.
pub fn complete(document: &mut OpenApiDocument) {
    const PROBLEM: &str = "application/problem+json";
    let problem = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        RefOr::T(ResponseBuilder::new().description(description).content(PROBLEM, content).build())
    };
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            for (status, response) in responses.iter_mut() {
                if let RefOr::T(response) = response {
                    let refused = status.as_str() >= "400";
                    if refused && let Some(content) = response.content.shift_remove("application/json") {
                        response.content.insert(PROBLEM.to_owned(), content);
                    }
                    // Each has to have one (OpenAPI 3.1, 4.8.17).
                    if response.description.is_empty() {
                        words(status).clone_into(&mut response.description);
                    }
                }
            }
            // Open to anyone is what says so.
            if operation.security.is_none() {
                responses.entry("401".to_owned()).or_insert_with(|| problem(words("401")));
            }
            responses.insert("default".to_owned(), problem("Anything else that is wrong: see its `code`"));
        }
    }
}

fn words(status: &str) -> &'static str {
    match status {
        "101" => "Frames both ways from here on",
        "200" => "As it is now",
        "201" => "Made",
        "204" => "Done",
        "206" => "The part that was asked for",
        "304" => "Nothing has changed",
        "401" => "Not logged in, or not any more",
        "403" => "Not allowed",
        "404" => "It doesn't exist, or not for the caller",
        "409" => "It contradicts what there is",
        "413" => "More than is taken",
        "415" => "Not what is taken here",
        "416" => "Behind the end",
        "410" => "It can't be told any more",
        "422" => "A field isn't valid: `errors` names it",
        "429" => "Too often: `Retry-After` says when",
        _ => "Refused",
    }
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
