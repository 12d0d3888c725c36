//! The HTTP API, `/api/v1`: one file a resource. Handlers translate, services decide.

mod auth;
mod channels;
mod docs;
pub mod extract;
pub mod health;
pub mod identity;
mod me;
mod messages;
mod page;

pub use docs::{document, page as docs_page, redirect as docs_redirect};

use crate::state::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Every route under `/api/v1`, together with its documentation: `routes!` takes both from the
/// handler, so a route can't be without.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(auth::register))
        .routes(routes!(auth::login))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::sessions))
        .routes(routes!(auth::end_session))
        .routes(routes!(me::get, me::patch))
        .routes(routes!(me::change_password))
        .routes(routes!(channels::list, channels::create))
        .routes(routes!(channels::get, channels::delete))
        .routes(routes!(channels::members))
        .routes(routes!(channels::join, channels::leave))
        .routes(routes!(channels::mark_read))
        .routes(routes!(messages::list, messages::post))
        .routes(routes!(messages::changes))
        .routes(routes!(crate::ws::upgrade))
}
