//! The one place where errors become answers: problem details (RFC 9457).

use crate::services::ServiceError;
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use natter::{ErrorCode, FieldError, Problem};

/// An error on its way out.
#[derive(Debug)]
pub struct ApiError {
    problem: Box<Problem>,
    status: StatusCode,
    retry_after: Option<u64>,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Problem::invalid(vec![FieldError::new(field, message)]).into()
    }

    /// JSON that can't be read at all: `invalid`, but 400.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        let mut error = Self::from(Problem::invalid(vec![FieldError::new("body", detail)]));
        error.status = StatusCode::BAD_REQUEST;
        error.problem.status = 400;
        error
    }

    /// A range that starts behind the end: `invalid`, but 416.
    pub fn beyond_the_end() -> Self {
        let mut error = Self::field("range", "That is behind the end of the file.");
        error.status = StatusCode::RANGE_NOT_SATISFIABLE;
        error.problem.status = 416;
        error
    }

    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "Log in to continue.")
    }

    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing here.")
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = (problem.code == ErrorCode::Unavailable).then_some(1);
        Self { problem: Box::new(problem), status, retry_after }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let wait = match &error {
            ServiceError::RateLimited(limited) => Some(limited.retry_after_seconds),
            _ => None,
        };
        let mut answer = Self::from(error.into_problem());
        answer.retry_after = wait.or(answer.retry_after);
        answer
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(&self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Gives every error that a library made for us (a wrong method, a body too large, a panic) the same
/// shape as our own. Pages for people stay as they are, and so do server functions, which have a
/// shape of their own.
pub async fn problems_outside_pages(request: Request, next: Next) -> Response {
    let server_function = request.uri().path().starts_with("/api/fn/");
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let ours = kind == "application/problem+json" || kind.starts_with("text/html");
    let has_shape = ours || (server_function && response.headers().contains_key("serverfnerror"));
    if has_shape || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut problem = plain(status);
    for (name, value) in response.headers() {
        if name == header::ALLOW || name == header::RETRY_AFTER {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

fn plain(status: StatusCode) -> Response {
    let (code, detail) = match status {
        StatusCode::UNAUTHORIZED => return ApiError::unauthenticated().into_response(),
        StatusCode::NOT_FOUND => return ApiError::not_found().into_response(),
        StatusCode::FORBIDDEN => (ErrorCode::Forbidden, "That isn't allowed."),
        StatusCode::METHOD_NOT_ALLOWED => (ErrorCode::MethodNotAllowed, "This address doesn't answer to that method."),
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorCode::TooLarge, "That is more than this address takes."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (ErrorCode::UnsupportedMediaType, "Send application/json."),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => {
            (ErrorCode::Unavailable, "That took too long. Try again in a moment.")
        }
        status if status.is_server_error() => (ErrorCode::Internal, "Something broke on our side."),
        _ => (ErrorCode::Invalid, "This request can't be understood."),
    };
    let mut error = ApiError::new(code, detail);
    error.status = status;
    error.problem.status = status.as_u16();
    error.into_response()
}
