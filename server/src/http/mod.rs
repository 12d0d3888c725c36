//! The HTTP API, `/api/v1`: one file a resource. Handlers translate, services decide.

mod admin;
mod auth;
mod channels;
mod docs;
pub mod extract;
mod feed;
pub mod health;
pub mod identity;
mod incoming;
mod me;
mod messages;
pub mod metrics;
mod page;
mod range;
mod scheduled;
mod search;
mod uploads;
mod users;

pub use docs::{complete as complete_document, document, page as docs_page, redirect as docs_redirect};

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
        .routes(routes!(channels::get, channels::patch, channels::delete))
        .routes(routes!(channels::members))
        .routes(routes!(channels::join, channels::leave))
        .routes(routes!(channels::admit, channels::expel))
        .routes(routes!(channels::mark_read))
        .routes(routes!(feed::list))
        .routes(routes!(feed::mute))
        .routes(routes!(messages::list, messages::post))
        .routes(routes!(messages::changes))
        .routes(routes!(messages::get, messages::edit, messages::delete))
        .routes(routes!(messages::react, messages::unreact))
        .routes(routes!(uploads::create))
        .routes(routes!(uploads::withdraw))
        .routes(routes!(uploads::thumbnail))
        .routes(routes!(uploads::get))
        .routes(routes!(scheduled::list, scheduled::create))
        .routes(routes!(scheduled::get, scheduled::patch, scheduled::delete))
        .routes(routes!(scheduled::send))
        .routes(routes!(search::find))
        .routes(routes!(users::list))
        .routes(routes!(users::get, users::patch))
        .routes(routes!(users::end_sessions))
        .routes(routes!(users::direct))
        .routes(routes!(admin::audit))
        .routes(routes!(admin::stats))
        .routes(routes!(admin::registration, admin::set_registration))
        .routes(routes!(admin::invites, admin::invite))
        .routes(routes!(admin::revoke_invite))
        .routes(routes!(crate::ws::upgrade))
}
