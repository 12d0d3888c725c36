//! Who may do an admin's act, and the note of its having been done.

use crate::store::{Act, Result, acts::Subject};
use natter::{AuditId, UserId, admin::AuditAction};
use sqlx::SqliteConnection;

/// Whether somebody is an admin right now, inside the transaction that relies on it.
pub(super) async fn is_admin(tx: &mut SqliteConnection, id: UserId) -> Result<bool> {
    let row: Option<(bool,)> = sqlx::query_as("SELECT role = 'admin' AND NOT suspended FROM users WHERE id = ?")
        .bind(id.0)
        .fetch_optional(tx)
        .await?;
    Ok(row.is_some_and(|(admin,)| admin))
}

/// Notes an act in the transaction that does it.
pub(super) async fn note(tx: &mut SqliteConnection, act: &Act, action: AuditAction, subject: Subject) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit (id, at, actor_id, action, user_id, channel_id, channel_name, message_id, detail, reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(AuditId::generate().0)
    .bind(act.at.millis())
    .bind(act.actor.0)
    .bind(action.as_str())
    .bind(subject.user.map(|id| id.0))
    .bind(subject.place.as_ref().map(|place| place.id.0))
    .bind(subject.place.map(|place| place.name))
    .bind(subject.message.map(|id| id.0))
    .bind(subject.detail)
    .bind(act.reason.as_deref())
    .execute(tx)
    .await?;
    Ok(())
}
