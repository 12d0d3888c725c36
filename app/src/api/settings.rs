use super::{Failure, OwnSession};
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;
use natter::{SessionId, User};

/// Where plain forms lead.
#[cfg(feature = "ssr")]
const PAGE: &str = "/settings";

/// Changes one's own display name.
#[server(prefix = "/api/fn", endpoint = "rename")]
pub async fn rename(display_name: String) -> Result<User, Failure> {
    let backend = backend()?;
    let user = backend.rename(&display_name).await?;
    backend.after_form(PAGE);
    Ok(user)
}

/// Changes one's own password; every other session ends.
#[server(prefix = "/api/fn", endpoint = "change_password")]
pub async fn change_password(current: String, new: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.change_password(&current, &new).await?;
    backend.after_form(PAGE);
    Ok(())
}

/// Where one is logged in, newest first.
#[server(name = LoadSessions, prefix = "/api/fn", endpoint = "sessions")]
pub async fn sessions() -> Result<Vec<OwnSession>, Failure> {
    Ok(backend()?.sessions().await?)
}

/// Ends one of one's own sessions.
#[server(prefix = "/api/fn", endpoint = "end_session")]
pub async fn end_session(id: SessionId) -> Result<(), Failure> {
    let backend = backend()?;
    backend.end_session(id).await?;
    backend.after_form(PAGE);
    Ok(())
}

/// Ends all of one's own sessions but this one.
#[server(prefix = "/api/fn", endpoint = "end_other_sessions")]
pub async fn end_other_sessions() -> Result<(), Failure> {
    let backend = backend()?;
    backend.end_other_sessions().await?;
    backend.after_form(PAGE);
    Ok(())
}
