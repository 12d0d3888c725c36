//! Whether a message may be changed: decided in Rust, by the shared rules, on what a transaction has read.

use super::{
    MessageChange, Result, Revision,
    rows::{AccessRow, MessageRow, by_emoji, count, role},
};
use natter::{ChannelKind, Message, UserId, channel::Access, input::REACTIONS_MAX};
use sqlx::FromRow;
use uuid::Uuid;

/// A message that exists, and how whoever wants to change it stands to it.
#[derive(FromRow)]
pub(super) struct RevisedRow {
    #[sqlx(flatten)]
    message: MessageRow,
    #[sqlx(flatten)]
    access: AccessRow,
    channel_rev: i64,
    channel_name: Option<String>,
    actor_role: String,
    actor_suspended: bool,
}

pub(super) enum Verdict {
    /// To be stored as this is, at the revision that it has.
    Change {
        message: Message,
        /// As it was until now.
        before: Box<Message>,
        /// An admin deletes somebody else's message in the channel of this name: an entry of the audit log.
        moderated: Option<String>,
    },
    Unchanged(Message),
    NotFound,
    Forbidden,
    Full,
    Empty,
}

pub(super) fn judge(row: RevisedRow, revision: &Revision) -> Result<Verdict> {
    let access = Access::try_from(&row.access)?;
    let role = role(&row.actor_role)?;
    let reacted = row.message.reacted();
    let mut message = Message::from(row.message);
    let before = Box::new(message.clone());
    let (me, sender) = (revision.actor, message.sender.id);
    if row.actor_suspended || !role.can_see_channel(access) {
        return Ok(Verdict::NotFound);
    }
    let allowed = match revision.what {
        MessageChange::Edit { .. } => role.can_edit_message(access, me, sender),
        MessageChange::Delete { .. } => role.can_delete_message(access, me, sender),
        MessageChange::React { .. } => role.can_react(access),
    };
    if !allowed {
        // What somebody can't read doesn't exist for them, but for their own words.
        let known = role.can_read_channel(access) || me == sender;
        return Ok(if known { Verdict::Forbidden } else { Verdict::NotFound });
    }
    if message.deleted {
        let already = matches!(revision.what, MessageChange::Delete { .. });
        return Ok(if already { Verdict::Unchanged(message) } else { Verdict::NotFound });
    }
    let mut moderated = None;
    match &revision.what {
        MessageChange::Edit { text, .. } if text.is_empty() && message.attachments.is_empty() => {
            return Ok(Verdict::Empty);
        }
        MessageChange::Edit { text, .. } if *text == message.text => return Ok(Verdict::Unchanged(message)),
        MessageChange::Edit { text, mentions } => {
            message.text.clone_from(text);
            message.edited_at = Some(revision.at);
            message.mentions_channel =
                mentions.channel && role.can_mention_channel() && access.kind == ChannelKind::Channel;
        }
        MessageChange::Delete { .. } => {
            moderated = (me != sender).then(|| row.channel_name.unwrap_or_default());
            message.text.clear();
            message.reactions.clear();
            message.attachments.clear();
            message.deleted = true;
            message.mentions_channel = false;
        }
        MessageChange::React { emoji, on } => match react(&mut message, reacted, me, emoji, *on) {
            Reacted::Yes => {}
            Reacted::Already => return Ok(Verdict::Unchanged(message)),
            Reacted::Full => return Ok(Verdict::Full),
        },
    }
    message.rev = count(row.channel_rev) + 1;
    Ok(Verdict::Change { message, before, moderated })
}

enum Reacted {
    Yes,
    Already,
    Full,
}

/// `given`: all reactions one by one, since an emoji stands where the first of its own still does.
fn react(message: &mut Message, mut given: Vec<(String, Uuid)>, me: UserId, emoji: &str, on: bool) -> Reacted {
    let mine = given.iter().position(|(other, user)| other == emoji && *user == me.0);
    let known = message.reactions.iter().any(|reaction| reaction.emoji == emoji);
    match (mine, on) {
        (Some(_), true) | (None, false) => return Reacted::Already,
        (None, true) if !known && message.reactions.len() >= REACTIONS_MAX => return Reacted::Full,
        (None, true) => given.push((emoji.to_owned(), me.0)),
        (Some(at), false) => drop(given.remove(at)),
    }
    message.reactions = by_emoji(given);
    Reacted::Yes
}
