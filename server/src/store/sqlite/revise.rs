use super::{
    SqliteStore,
    append::{mention, message},
    audit::note,
    search::reindex,
};
use crate::store::{
    Act, MessageChange, Result, Revised, Revision,
    acts::{Place, Subject},
    revising::{RevisedRow, Verdict, judge},
    rows::signed,
};
use natter::{Message, admin::AuditAction};
use sqlx::SqliteConnection;

impl SqliteStore {
    pub(super) async fn revise_one(&self, revision: Revision) -> Result<Revised> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let row: Option<RevisedRow> = sqlx::query_as(concat!(
            "SELECT ",
            message!(),
            ", c.kind, c.visibility, c.post_policy, c.rev AS channel_rev, c.name AS channel_name,
                a.role AS actor_role, a.suspended AS actor_suspended, s.user_id IS NOT NULL AS joined
             FROM messages m JOIN users u ON u.id = m.sender_id JOIN channels c ON c.id = m.channel_id
             JOIN users a ON a.id = ?2
             LEFT JOIN memberships s ON s.channel_id = c.id AND s.user_id = a.id WHERE m.id = ?1"
        ))
        .bind(revision.message_id.0)
        .bind(revision.actor.0)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(Revised::NotFound) };
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
            reindex(&mut tx, &before, &message).await?;
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
        tx.commit().await?;
        if message.text != before.text || message.deleted {
            self.erasable.notify_one();
        }
        Ok(Revised::Changed(message))
    }
}

async fn store(tx: &mut SqliteConnection, message: &Message, revision: &Revision) -> Result<()> {
    sqlx::query("UPDATE channels SET rev = ? WHERE id = ?")
        .bind(signed(message.rev))
        .bind(message.channel_id.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE messages SET rev = ?, text = ?, edited_at = ?, deleted = ?, mentions_channel = ? WHERE id = ?")
        .bind(signed(message.rev))
        .bind(&message.text)
        .bind(message.edited_at.map(natter::Timestamp::millis))
        .bind(message.deleted)
        .bind(message.mentions_channel)
        .bind(message.id.0)
        .execute(&mut *tx)
        .await?;
    match &revision.what {
        MessageChange::Edit { mentions, .. } => {
            forget_mentions(tx, message).await?;
            mention(tx, mentions.names.iter().map(|name| (message, name.as_str()))).await
        }
        MessageChange::Delete { .. } => {
            forget_mentions(tx, message).await?;
            sqlx::query("DELETE FROM reactions WHERE message_id = ?").bind(message.id.0).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM attachments WHERE message_id = ?").bind(message.id.0).execute(tx).await?;
            Ok(())
        }
        MessageChange::React { emoji, on: true } => {
            sqlx::query("INSERT INTO reactions (message_id, emoji, user_id, rev) VALUES (?, ?, ?, ?)")
                .bind(message.id.0)
                .bind(emoji)
                .bind(revision.actor.0)
                .bind(signed(message.rev))
                .execute(tx)
                .await?;
            Ok(())
        }
        MessageChange::React { emoji, on: false } => {
            sqlx::query("DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?")
                .bind(message.id.0)
                .bind(emoji)
                .bind(revision.actor.0)
                .execute(tx)
                .await?;
            Ok(())
        }
    }
}

async fn forget_mentions(tx: &mut SqliteConnection, message: &Message) -> Result<()> {
    sqlx::query("DELETE FROM mentions WHERE channel_id = ? AND seq = ?")
        .bind(message.channel_id.0)
        .bind(signed(message.seq))
        .execute(tx)
        .await?;
    Ok(())
}
