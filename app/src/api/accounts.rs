use super::{Bootstrap, Failure};
#[cfg(feature = "ssr")]
use crate::{
    backend::backend,
    next::{LOGGED_OUT, own},
};
use leptos::prelude::*;
use natter::admin::Registration;
use serde::{Deserialize, Serialize};

/// What is to be known before one makes an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    pub registration: Registration,
    /// The invitation that was asked about is good right now.
    pub invited: bool,
    /// Nobody has an account yet: whoever makes the first becomes the admin.
    pub first: bool,
}

/// Who is logged in and their channels.
#[server(name = LoadBootstrap, prefix = "/api/fn", endpoint = "bootstrap")]
pub async fn bootstrap() -> Result<Option<Bootstrap>, Failure> {
    Ok(backend()?.bootstrap().await?)
}

/// Creates an account and logs in. `next`: where a plain form goes on to.
#[server(prefix = "/api/fn", endpoint = "register")]
pub async fn register(
    username: String,
    password: String,
    #[server(default)] invite: Option<String>,
    #[server(default)] next: String,
) -> Result<(), Failure> {
    let backend = backend()?;
    backend.register(&username, &password, invite.as_deref().filter(|code| !code.is_empty())).await?;
    backend.after_form(own(&next));
    Ok(())
}

/// Who may register, and whether that invitation is good.
#[server(name = LoadRegistration, prefix = "/api/fn", endpoint = "registration")]
pub async fn registration(invite: Option<String>) -> Result<Entrance, Failure> {
    Ok(backend()?.registration(invite.as_deref()).await?)
}

/// Logs in. `next`: where a plain form goes on to.
#[server(prefix = "/api/fn", endpoint = "login")]
pub async fn login(username: String, password: String, #[server(default)] next: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.login(&username, &password).await?;
    backend.after_form(own(&next));
    Ok(())
}

/// Logs out, everywhere this session is open.
#[server(prefix = "/api/fn", endpoint = "logout")]
pub async fn logout() -> Result<(), Failure> {
    let backend = backend()?;
    backend.logout().await?;
    backend.after_form(LOGGED_OUT);
    Ok(())
}
