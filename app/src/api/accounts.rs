use super::{Bootstrap, Failure};
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;

/// Who is logged in and their channels.
#[server(name = LoadBootstrap, prefix = "/api/fn", endpoint = "bootstrap")]
pub async fn bootstrap() -> Result<Option<Bootstrap>, Failure> {
    Ok(backend()?.bootstrap().await?)
}

/// Creates an account and logs in.
#[server(prefix = "/api/fn", endpoint = "register")]
pub async fn register(username: String, password: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.register(&username, &password).await?;
    backend.after_form("/");
    Ok(())
}

/// Logs in.
#[server(prefix = "/api/fn", endpoint = "login")]
pub async fn login(username: String, password: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.login(&username, &password).await?;
    backend.after_form("/");
    Ok(())
}

/// Logs out, everywhere this session is open.
#[server(prefix = "/api/fn", endpoint = "logout")]
pub async fn logout() -> Result<(), Failure> {
    let backend = backend()?;
    backend.logout().await?;
    backend.after_form("/login");
    Ok(())
}
