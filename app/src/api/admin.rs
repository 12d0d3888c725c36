//! The admin area. Each is for admins alone: the services behind say so. Forms come back to the page
//! they were on.

#[cfg(feature = "ssr")]
use super::ChannelRules;
use super::{Failure, Roster};
#[cfg(feature = "ssr")]
use crate::backend::backend;
use leptos::prelude::*;
use natter::{
    AuditId, Channel, ChannelId, PostPolicy, Role, User, UserId, Visibility,
    admin::{AuditEntry, Invite, Registration, Stats},
};

/// Every channel.
#[server(name = LoadAllChannels, prefix = "/api/fn", endpoint = "all_channels")]
pub async fn all_channels() -> Result<Vec<Channel>, Failure> {
    Ok(backend()?.all_channels().await?)
}

/// A channel and who is in it.
#[server(name = LoadRoster, prefix = "/api/fn", endpoint = "roster")]
pub async fn roster(name: String) -> Result<Roster, Failure> {
    Ok(backend()?.roster(&name).await?)
}

/// What admins did, a page before an entry.
#[server(name = LoadAudit, prefix = "/api/fn", endpoint = "audit")]
pub async fn audit(before: Option<AuditId>) -> Result<Vec<AuditEntry>, Failure> {
    Ok(backend()?.audit(before).await?)
}

/// The place in figures.
#[server(name = LoadStats, prefix = "/api/fn", endpoint = "stats")]
pub async fn stats() -> Result<Stats, Failure> {
    Ok(backend()?.stats().await?)
}

/// Invitations that can still be used.
#[server(name = LoadInvites, prefix = "/api/fn", endpoint = "invites")]
pub async fn invites() -> Result<Vec<Invite>, Failure> {
    Ok(backend()?.invites().await?)
}

/// A channel's name, topic and rules.
#[server(prefix = "/api/fn", endpoint = "update_channel")]
pub async fn update_channel(
    id: ChannelId,
    name: String,
    topic: String,
    visibility: Visibility,
    post_policy: PostPolicy,
) -> Result<Channel, Failure> {
    let backend = backend()?;
    let channel = backend.update_channel(id, &name, &topic, ChannelRules { visibility, post_policy }).await?;
    backend.after_form(&format!("/admin/channels/{}", channel.label()));
    Ok(channel)
}

/// Lets somebody into a channel. `channel`: its name, for the way back.
#[server(prefix = "/api/fn", endpoint = "admit")]
pub async fn admit(id: ChannelId, username: String, channel: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.admit(id, &username).await?;
    backend.after_form(&format!("/admin/channels/{channel}"));
    Ok(())
}

/// Puts somebody out of a channel.
#[server(prefix = "/api/fn", endpoint = "expel")]
pub async fn expel(id: ChannelId, user_id: UserId, channel: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.expel(id, user_id).await?;
    backend.after_form(&format!("/admin/channels/{channel}"));
    Ok(())
}

/// Gives or takes the role of an admin.
#[server(prefix = "/api/fn", endpoint = "set_role")]
pub async fn set_role(id: UserId, role: Role) -> Result<User, Failure> {
    let backend = backend()?;
    let user = backend.set_role(id, role).await?;
    backend.after_form("/admin/people");
    Ok(user)
}

/// Suspends or reinstates.
#[server(prefix = "/api/fn", endpoint = "set_suspended")]
pub async fn set_suspended(id: UserId, suspended: bool, #[server(default)] reason: String) -> Result<User, Failure> {
    let backend = backend()?;
    let user = backend.set_suspended(id, suspended, &reason).await?;
    backend.after_form("/admin/people");
    Ok(user)
}

/// Logs somebody out everywhere.
#[server(prefix = "/api/fn", endpoint = "end_sessions")]
pub async fn end_sessions(id: UserId) -> Result<(), Failure> {
    let backend = backend()?;
    backend.end_sessions(id).await?;
    backend.after_form("/admin/people");
    Ok(())
}

/// Says who may register.
#[server(prefix = "/api/fn", endpoint = "set_registration")]
pub async fn set_registration(mode: Registration) -> Result<(), Failure> {
    let backend = backend()?;
    backend.set_registration(mode).await?;
    backend.after_form("/admin/registration");
    Ok(())
}

/// Makes an invitation.
#[server(prefix = "/api/fn", endpoint = "create_invite")]
pub async fn create_invite(days: u32, uses: u32) -> Result<Invite, Failure> {
    let backend = backend()?;
    let invite = backend.create_invite(days, uses).await?;
    backend.after_form("/admin/registration");
    Ok(invite)
}

/// Withdraws an invitation.
#[server(prefix = "/api/fn", endpoint = "revoke_invite")]
pub async fn revoke_invite(code: String) -> Result<(), Failure> {
    let backend = backend()?;
    backend.revoke_invite(&code).await?;
    backend.after_form("/admin/registration");
    Ok(())
}
