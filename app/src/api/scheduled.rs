use super::Failure;
#[cfg(feature = "ssr")]
use crate::backend::{Later, backend};
use leptos::prelude::*;
use natter::{ChannelId, MessageId, Ref, Scheduled, ScheduledId, Timestamp, UploadId, UserId};

/// Where plain forms lead.
#[cfg(feature = "ssr")]
const PAGE: &str = "/scheduled";

/// One's own messages for later.
#[server(name = LoadScheduled, prefix = "/api/fn", endpoint = "scheduled")]
pub async fn scheduled() -> Result<Vec<Scheduled>, Failure> {
    Ok(backend()?.scheduled().await?)
}

/// Puts a message to a channel on the list.
#[server(name = ScheduleMessage, prefix = "/api/fn", endpoint = "schedule")]
pub async fn schedule(
    channel_id: ChannelId,
    #[server(default)] text: String,
    send_at: Timestamp,
    #[server(default)] reference: Option<Ref>,
    #[server(default)] reply_to: Option<MessageId>,
    #[server(default)] attachments: Vec<UploadId>,
) -> Result<Scheduled, Failure> {
    let later = Later { text, send_at, reference, reply_to, attachments };
    Ok(backend()?.schedule(channel_id, later).await?)
}

/// Puts a private message on the list; opens the conversation if need be.
#[server(name = ScheduleDirect, prefix = "/api/fn", endpoint = "schedule_direct")]
pub async fn schedule_direct(
    user_id: UserId,
    #[server(default)] text: String,
    send_at: Timestamp,
    #[server(default)] reference: Option<Ref>,
    #[server(default)] reply_to: Option<MessageId>,
    #[server(default)] attachments: Vec<UploadId>,
) -> Result<Scheduled, Failure> {
    let later = Later { text, send_at, reference, reply_to, attachments };
    Ok(backend()?.schedule_direct(user_id, later).await?)
}

/// Changes the words and files of one that waits.
#[server(name = EditScheduled, prefix = "/api/fn", endpoint = "edit_scheduled")]
pub async fn edit_scheduled(
    id: ScheduledId,
    #[server(default)] text: String,
    #[server(default)] attachments: Vec<UploadId>,
) -> Result<Scheduled, Failure> {
    Ok(backend()?.edit_scheduled(id, text, attachments).await?)
}

/// Gives one that waits another time.
#[server(name = Reschedule, prefix = "/api/fn", endpoint = "reschedule")]
pub async fn reschedule(id: ScheduledId, send_at: Timestamp) -> Result<Scheduled, Failure> {
    Ok(backend()?.reschedule(id, send_at).await?)
}

/// Sends one that waits at once.
#[server(name = SendScheduled, prefix = "/api/fn", endpoint = "send_scheduled")]
pub async fn send_scheduled(id: ScheduledId) -> Result<Scheduled, Failure> {
    let backend = backend()?;
    let sent = backend.send_scheduled(id).await?;
    backend.after_form(PAGE);
    Ok(sent)
}

/// Takes one back that waits, or one that failed off the list. `keep_files`: they are to be sent with
/// something else.
#[server(name = CancelScheduled, prefix = "/api/fn", endpoint = "cancel_scheduled")]
pub async fn cancel_scheduled(id: ScheduledId, #[server(default)] keep_files: bool) -> Result<Scheduled, Failure> {
    let backend = backend()?;
    let gone = backend.cancel_scheduled(id, keep_files).await?;
    backend.after_form(PAGE);
    Ok(gone)
}
