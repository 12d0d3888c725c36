//! What the engines' search indexes have in common. They index the pieces of a message's words, see
//! `natter::search::pieces`; where a message stands, who sent it and what it has are pieces too. What an
//! index finds are candidates: they are compared with what is looked for before they are shown.

use natter::{
    ChannelId, Message, MessageId, Timestamp, UserId,
    search::{Has, fold, has_link, is_match, pieces},
};
use sqlx::FromRow;
use std::fmt::Write as _;
use uuid::Uuid;

/// The place in `meta` of how the index was made: see `natter::search::pieces::version`.
pub(super) const VERSION: &str = "search_version";

/// What somebody looks for, with all names resolved. All of it has to hold.
#[derive(Clone, Debug)]
pub struct Search {
    /// Only what they may read now is found.
    pub reader: UserId,
    /// Folded; each is somewhere in the text.
    pub terms: Vec<String>,
    pub channels: Vec<ChannelId>,
    pub senders: Vec<UserId>,
    pub before: Option<Timestamp>,
    /// At this moment or later.
    pub after: Option<Timestamp>,
    pub has: Vec<Has>,
    /// Only what is older than this message.
    pub cursor: Option<MessageId>,
    pub limit: u32,
}

/// What was found, newest first.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub items: Vec<Message>,
    /// Where to go on looking; None when all has been looked at.
    pub next: Option<MessageId>,
}

impl Found {
    /// Down to that message all was looked at: the next page begins there. It may be one that the reader may
    /// not read, so only its time is told.
    pub(super) fn go_on_from(&mut self, id: Uuid) {
        let after = Uuid::from_u128(((id.as_u128() >> 80) + 1) << 80);
        let last = self.items.last().map(|message| message.id.0);
        self.next = last.into_iter().chain([after]).min().map(MessageId);
    }

    /// Takes what fits until there is more than a page of it, and answers whether there is.
    pub(super) fn take(&mut self, search: &Search, messages: Vec<Message>) -> bool {
        let limit = search.limit as usize;
        self.items.extend(messages.into_iter().filter(|message| search.fits(message)));
        let full = self.items.len() > limit;
        if full {
            self.items.truncate(limit);
            self.next = self.items.last().map(|message| message.id);
        }
        full
    }
}

/// Of a candidate what mostly says that it isn't what is looked for: of nearly all that are looked at, no
/// more has to be read.
#[derive(Debug, FromRow)]
pub(super) struct Glimpse {
    pub id: Uuid,
    channel_id: Uuid,
    sender_id: Uuid,
    created_at: i64,
    deleted: bool,
    text: String,
}

/// The columns of a [`Glimpse`] of the message `m`.
macro_rules! glimpse {
    () => {
        "m.id, m.channel_id, m.sender_id, m.created_at, m.deleted, m.text"
    };
}
pub(super) use glimpse;

/// Ids carry the time they were made at, by the clock of some node. How far that may be from the time
/// of the message.
const SKEW_MILLIS: i64 = 24 * 60 * 60 * 1000;

impl Search {
    /// The pieces that a message must have.
    pub(super) fn pieces(&self) -> Vec<String> {
        let words = self.terms.iter().flat_map(|term| pieces::of_term(term)).map(ToOwned::to_owned);
        let mut pieces: Vec<_> = words.collect();
        pieces.extend(self.channels.iter().map(|id| in_channel(*id)));
        pieces.extend(self.senders.iter().map(|id| by_sender(*id)));
        pieces.extend(self.has.iter().map(|has| having(*has).to_owned()));
        pieces.sort_unstable();
        pieces.dedup();
        pieces
    }

    /// Of candidates those worth reading whole, in their order.
    pub(super) fn likely<'a>(&self, seen: impl IntoIterator<Item = &'a Glimpse>) -> Vec<Uuid> {
        seen.into_iter().filter(|seen| self.may_fit(seen)).map(|seen| seen.id).collect()
    }

    /// Whether a candidate can be what is looked for: all but its files is known.
    fn may_fit(&self, seen: &Glimpse) -> bool {
        !seen.deleted
            && self.channels.iter().all(|id| id.0 == seen.channel_id)
            && self.senders.iter().all(|id| id.0 == seen.sender_id)
            && self.before.is_none_or(|before| seen.created_at < before.millis())
            && self.after.is_none_or(|after| seen.created_at >= after.millis())
            && is_match(&seen.text, &self.terms)
    }

    /// Whether a message is what is looked for, now that all of it is known.
    fn fits(&self, message: &Message) -> bool {
        let seen = Glimpse {
            id: message.id.0,
            channel_id: message.channel_id.0,
            sender_id: message.sender.id.0,
            created_at: message.timestamp.millis(),
            deleted: message.deleted,
            text: message.text.clone(),
        };
        self.may_fit(&seen) && self.has.iter().all(|has| has_it(*has, &message.text, &media(message)))
    }

    /// By their times, ids of what is looked for come before this one.
    pub(super) fn upper(&self) -> Option<Uuid> {
        self.before.map(|before| first_id_at(before.plus_millis(SKEW_MILLIS)))
    }

    /// By their times, ids of what is looked for don't come before this one.
    pub(super) fn lower(&self) -> Option<Uuid> {
        self.after.map(|after| first_id_at(after.plus_millis(-SKEW_MILLIS)))
    }
}

/// The smallest id made at a time (RFC 9562).
fn first_id_at(time: Timestamp) -> Uuid {
    let millis = u128::try_from(time.millis().clamp(0, (1 << 48) - 1)).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

/// The pieces that a message is found by.
pub(super) struct Pieces {
    folded: String,
    /// What it has besides its words.
    others: Vec<String>,
}

impl Pieces {
    pub(super) fn of(message: &Message) -> Self {
        Self::of_parts(message.channel_id, message.sender.id, &message.text, &media(message))
    }

    /// The same of its parts: `media` are the types of its files.
    pub(super) fn of_parts<T: AsRef<str>>(channel: ChannelId, sender: UserId, text: &str, media: &[T]) -> Self {
        let all = [Has::Image, Has::Video, Has::File, Has::Link];
        let had = all.into_iter().filter(|has| has_it(*has, text, media)).map(|has| having(has).to_owned());
        let others = [in_channel(channel), by_sender(sender)].into_iter().chain(had).collect();
        Self { folded: fold(text), others }
    }

    /// Each once.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        pieces::of_text(&self.folded).into_iter().chain(self.others.iter().map(String::as_str))
    }
}

fn media(message: &Message) -> Vec<&str> {
    message.attachments.iter().map(|file| file.media_type.as_str()).collect()
}

fn has_it<T: AsRef<str>>(has: Has, text: &str, media: &[T]) -> bool {
    let carries = |kind: &str| media.iter().any(|media| media.as_ref().starts_with(kind));
    match has {
        Has::Image => carries("image/"),
        Has::Video => carries("video/"),
        Has::File => !media.is_empty(),
        Has::Link => has_link(text),
    }
}

/// Longer than any piece of a word, so that none can be mistaken for it.
const fn having(has: Has) -> &'static str {
    match has {
        Has::Image => "himage",
        Has::Video => "hvideo",
        Has::File => "hfile",
        Has::Link => "hlink",
    }
}

pub(super) fn in_channel(id: ChannelId) -> String {
    named('c', id.0)
}

fn by_sender(id: UserId) -> String {
    named('u', id.0)
}

/// By the random end of its id: two that have it in common make candidates, no more.
fn named(kind: char, id: Uuid) -> String {
    let mut piece = String::with_capacity(13);
    piece.push(kind);
    for byte in id.as_bytes().iter().skip(10) {
        let _ = write!(piece, "{byte:02x}");
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_isn_t_of_a_word_can_t_be_mistaken_for_it() {
        let (channel, sender) = (in_channel(ChannelId::generate()), by_sender(UserId::generate()));
        for piece in [channel.as_str(), &sender, having(Has::File), having(Has::Image)] {
            assert!(piece.chars().count() > 3 && piece.bytes().all(|b| b.is_ascii_alphanumeric()), "{piece}");
        }
    }

    #[test]
    fn ids_of_a_time_lie_between_those_of_the_days_around_it() {
        let day = 24 * 60 * 60 * 1000;
        let now = Timestamp::from_millis(1_800_000_000_000);
        let search = Search {
            reader: UserId::generate(),
            terms: Vec::new(),
            channels: Vec::new(),
            senders: Vec::new(),
            before: Some(now),
            after: Some(now),
            has: Vec::new(),
            cursor: None,
            limit: 1,
        };
        let made = first_id_at(now);
        let (lower, upper) = (search.lower().unwrap(), search.upper().unwrap());
        assert!(lower < made && made < upper);
        assert!(first_id_at(now.plus_millis(2 * day)) > upper);
        assert!(first_id_at(now.plus_millis(-2 * day)) < lower);
    }
}
