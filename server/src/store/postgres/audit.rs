//! Who may do an admin's act, and the note of its having been done.
//!
//! Roles and standings change in `update_user` alone. These come one at a time, under a lock of their
//! own that is taken first ([`STANDING`]), and so decide on what the one before has committed: of two
//! admins who demote each other, the second isn't one any more. Every other act holds its actor's row
//! shared from [`is_admin`] to the commit, so that nobody acts on a right that is lost by then.
//!
//! Nobody waits in a circle. Acts lock channels first, then their actor, and never change a row of
//! `users`. `update_user` locks no channel. For the row that it changes it may wait for an act of that
//! person, which by then waits for nothing it holds: acts don't take [`STANDING`], and what the audit log
//! and other tables refer to people by (`FOR KEY SHARE`) goes together with a change of role.

use super::{optional, run};
use crate::store::{Act, Result, acts::Subject};
use natter::{AuditId, UserId, admin::AuditAction};
use sqlx::PgConnection;

/// Names the lock under which roles and standings change.
const STANDING: i64 = 0x7374_616e_6469_6e67;

/// Whoever has it is the only one to change roles and standings, until the commit. What decides is read
/// by statements after this one.
pub(super) async fn hold_standing(tx: &mut PgConnection) -> Result<()> {
    run(tx, sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(STANDING)).await?;
    Ok(())
}

/// Whether somebody is an admin, and stays one until the transaction ends.
pub(super) async fn is_admin(tx: &mut PgConnection, id: UserId) -> Result<bool> {
    let admin = sqlx::query_as("SELECT role = 'admin' AND NOT suspended FROM users WHERE id = $1 FOR SHARE");
    let row: Option<(bool,)> = optional(tx, admin.bind(id.0)).await?;
    Ok(row.is_some_and(|(admin,)| admin))
}

/// Notes an act in the transaction that does it.
pub(super) async fn note(tx: &mut PgConnection, act: &Act, action: AuditAction, subject: Subject) -> Result<()> {
    let entry = sqlx::query(
        "INSERT INTO audit (id, at, actor_id, action, user_id, channel_id, channel_name, message_id, detail, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
    .bind(act.reason.as_deref());
    run(tx, entry).await?;
    Ok(())
}
