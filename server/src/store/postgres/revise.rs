use super::{
    PostgresStore,
    append::mention,
    audit::note,
    begin, commit,
    messages::{message, other},
    optional, run,
    search::reindex,
};
use crate::store::{
    Act, MessageChange, Result, Revised, Revision,
    acts::{Place, Subject},
    revising::{RevisedRow, Verdict, judge},
    rows::signed,
};
use natter::{Message, Timestamp, admin::AuditAction};
use sqlx::PgConnection;
use uuid::Uuid;

impl PostgresStore {
    pub(super) async fn revise_one(&self, revision: Revision) -> Result<Revised> {
        let mut tx = begin(&self.pool).await?;
        let Some(row) = read(&mut tx, &revision).await? else { return Ok(Revised::NotFound) };
        let (message, before, moderated) = match judge(row, &revision)? {
            Verdict::Change { message, before, moderated } => (message, before, moderated),
            Verdict::Unchanged(message) => return Ok(Revised::Unchanged(message)),
            Verdict::NotFound => return Ok(Revised::NotFound),
            Verdict::Forbidden => return Ok(Revised::Forbidden),
            Verdict::Full => return Ok(Revised::Full),
            Verdict::Empty => return Ok(Revised::Empty),
        };
        store(&mut tx, &message, &revision).await?;
        if message.text != before.text || message.deleted {
            reindex(&mut tx, &message).await?;
        }
        if let Some(name) = moderated {
            let MessageChange::Delete { reason } = &revision.what else { return Ok(Revised::Forbidden) };
            let act = Act { actor: revision.actor, at: revision.at, reason: reason.clone() };
            let subject = Subject {
                user: Some(message.sender.id),
                place: Some(Place { id: message.channel_id, name }),
                message: Some(message.id),
                detail: None,
            };
            note(&mut tx, &act, AuditAction::MessageDeleted, subject).await?;
        }
        commit(tx).await?;
        Ok(Revised::Changed(message))
    }
}

/// The message as it is while nobody else can change it, or post beside it. Of a channel that is gone,
/// so are its messages.
async fn read(tx: &mut PgConnection, revision: &Revision) -> Result<Option<RevisedRow>> {
    let id = revision.message_id.0;
    // A message never moves, so where it stands may be read before anything is held.
    let place = optional(&mut *tx, sqlx::query_as("SELECT channel_id FROM messages WHERE id = $1").bind(id)).await?;
    let Some((channel,)): Option<(Uuid,)> = place else { return Ok(None) };
    let lock = sqlx::query("SELECT FROM channels WHERE id = $1 FOR NO KEY UPDATE").bind(channel);
    if run(&mut *tx, lock).await? == 0 {
        return Ok(None);
    }
    // The actor's row shared, as an admin's act has it: see `audit.rs`.
    let row = sqlx::query_as(concat!(
        "SELECT ",
        message!(),
        ", c.kind, c.visibility, c.post_policy, c.rev AS channel_rev, c.name AS channel_name,
            a.role AS actor_role, a.suspended AS actor_suspended, s.user_id IS NOT NULL AS joined
         FROM messages m JOIN channels c ON c.id = m.channel_id JOIN users a ON a.id = $2
         LEFT JOIN memberships s ON s.channel_id = c.id AND s.user_id = a.id
         WHERE m.id = $1 FOR SHARE OF a"
    ));
    optional(tx, row.bind(id).bind(revision.actor.0)).await
}

async fn store(tx: &mut PgConnection, message: &Message, revision: &Revision) -> Result<()> {
    let update = sqlx::query(
        "WITH moved AS (UPDATE channels SET rev = $2, changed_xid = pg_current_xact_id() WHERE id = $7)
         UPDATE messages SET rev = $2, text = $3, edited_at = $4, deleted = $5, mentions_channel = $6 WHERE id = $1",
    )
    .bind(message.id.0)
    .bind(signed(message.rev))
    .bind(&message.text)
    .bind(message.edited_at.map(Timestamp::millis))
    .bind(message.deleted)
    .bind(message.mentions_channel)
    .bind(message.channel_id.0);
    run(&mut *tx, update).await?;
    match &revision.what {
        MessageChange::Edit { mentions, .. } => {
            forget_mentions(tx, message).await?;
            mention(tx, mentions.names.iter().map(|name| (message, name.as_str()))).await
        }
        MessageChange::Delete { .. } => {
            forget_mentions(tx, message).await?;
            let reactions = sqlx::query("DELETE FROM reactions WHERE message_id = $1").bind(message.id.0);
            run(&mut *tx, reactions).await?;
            run(tx, sqlx::query("DELETE FROM attachments WHERE message_id = $1").bind(message.id.0)).await?;
            Ok(())
        }
        MessageChange::React { emoji, on: true } => {
            let insert = sqlx::query("INSERT INTO reactions (message_id, emoji, user_id, rev) VALUES ($1, $2, $3, $4)");
            let insert = insert.bind(message.id.0).bind(emoji).bind(revision.actor.0).bind(signed(message.rev));
            run(tx, insert).await?;
            Ok(())
        }
        MessageChange::React { emoji, on: false } => {
            let delete = sqlx::query("DELETE FROM reactions WHERE message_id = $1 AND emoji = $2 AND user_id = $3");
            run(tx, delete.bind(message.id.0).bind(emoji).bind(revision.actor.0)).await?;
            Ok(())
        }
    }
}

async fn forget_mentions(tx: &mut PgConnection, message: &Message) -> Result<()> {
    let delete = sqlx::query("DELETE FROM mentions WHERE channel_id = $1 AND seq = $2");
    run(tx, delete.bind(message.channel_id.0).bind(signed(message.seq))).await?;
    Ok(())
}
