use crate::{error::ApiError, services::ServiceError, state::AppState};
use axum::{extract::State, http::header};

type Plain = ([(header::HeaderName, &'static str); 1], &'static str);
const OK: Plain = ([(header::CACHE_CONTROL, "no-store")], "ok\n");

/// Alive: the process answers.
pub async fn healthz() -> Plain {
    OK
}

/// Ready: it can serve and store.
pub async fn readyz(State(state): State<AppState>) -> Result<Plain, ApiError> {
    if state.shutdown.is_cancelled() {
        return Err(ApiError::new(natter::ErrorCode::Unavailable, "Shutting down."));
    }
    state.store.check().await.map_err(ServiceError::from)?;
    Ok(OK)
}
