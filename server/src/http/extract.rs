//! Axum's extractors with our errors: whatever is wrong names the field and answers as a problem.

use crate::{error::ApiError, services::Client, state::AppState};
use axum::{
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use natter::{ErrorCode, wire::plain_json_error};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// A JSON body, either way.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], axum::Json(self.0)).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if kind != "application/json" && !kind.ends_with("+json") {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "Send the body as application/json."));
        }
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|error| body_error(&error))?;
        // Serde would take a list for an object, field by field.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(ApiError::field("body", "Send an object."));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        match serde_path_to_error::deserialize(&mut reader) {
            Ok(value) => {
                reader.end().map_err(|error| ApiError::unreadable(format!("This isn't JSON: {error}.")))?;
                Ok(Self(value))
            }
            Err(error) if error.inner().is_data() => {
                Err(ApiError::field(&field_name(&error), plain(&error.into_inner().to_string())))
            }
            Err(error) => Err(ApiError::unreadable(format!("This isn't JSON: {}.", error.into_inner()))),
        }
    }
}

/// A JSON body that may be left out.
pub struct OptionalJson<T>(pub Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|error| body_error(&error))?;
        // Layers around a body hide whether it is empty before it is read.
        if bytes.is_empty() && !typed {
            return Ok(Self(None));
        }
        let request = Request::from_parts(parts, bytes.into());
        Json::from_request(request, state).await.map(|Json(body)| Self(Some(body)))
    }
}

fn body_error(error: &BytesRejection) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(ErrorCode::TooLarge, "A JSON body has at most 256 KiB.")
    } else {
        ApiError::unreadable("The body didn't arrive whole.")
    }
}

/// The field a data error is about: its path, or the name in "missing field `x`".
fn field_name(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let missing = error.inner().to_string();
    let named = missing.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (named, path.as_str()) {
        (Some(name), ".") => name.to_owned(),
        (Some(name), path) => format!("{path}.{name}"),
        (None, ".") => "body".to_owned(),
        (None, path) => path.to_owned(),
    }
}

/// Serde's words without the position, which means nothing to whoever filled in a form.
fn plain(message: &str) -> String {
    let text = plain_json_error(message);
    let text = text.split(" at line ").next().unwrap_or(&text);
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| ApiError::field("query", error.body_text()))
    }
}

/// Reads a query parameter that arrived as text, so that the error can name it.
pub fn number<T: FromStr>(field: &str, text: Option<&str>) -> Result<Option<T>, ApiError> {
    text.map(|text| text.parse().map_err(|_| ApiError::field(field, format!("{field} is a whole number.")))).transpose()
}

/// An identifier in the path. One that can't be an identifier names nothing: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|_| ApiError::not_found())
    }
}

impl FromRequestParts<AppState> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(client(parts, state.trust_proxy))
    }
}

/// The address that a request came from: the connection's, or what our own proxy says it is.
pub fn client(parts: &Parts, trust_proxy: bool) -> Client {
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
    let forwarded = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    let address = forwarded.filter(|_| trust_proxy).or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Client { address, user_agent: text(header::USER_AGENT).unwrap_or_default().to_owned() }
}
