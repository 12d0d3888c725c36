//! What every store engine has to do with messages that exist: change them, answer them, and count
//! whom they name.

use super::common::MarkRead as _;
use super::store_contract::{Fresh, LATER, NOW, act, channel, channel_with, done, engines, message, post_many, user};
use natter::{
    ChannelId, Message, MessageId, PostPolicy, Role, User, UserId, Visibility, admin::AuditAction, markdown::mentions,
};
use natter_server::store::{
    Anchor, Appended, ChannelChange, MessageChange, NewMessage, Revised, Revision, Store, UserChange,
};

async fn post(store: &dyn Store, channel_id: ChannelId, sender: &User, text: &str) -> Message {
    match store.append(&[message(channel_id, sender, text, None)]).await.unwrap().remove(0) {
        Appended::New(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn revise(store: &dyn Store, actor: &User, id: MessageId, what: MessageChange) -> Revised {
    store.revise(Revision { message_id: id, actor: actor.id, at: LATER, what }).await.unwrap()
}

/// The message that a revision led to.
fn changed(revised: Revised) -> Message {
    match revised {
        Revised::Changed(message) => message,
        other => panic!("{other:?}"),
    }
}

fn unchanged(revised: Revised) -> Message {
    match revised {
        Revised::Unchanged(message) => message,
        other => panic!("{other:?}"),
    }
}

fn edit(text: &str) -> MessageChange {
    MessageChange::Edit { text: text.into(), mentions: mentions(text) }
}

fn delete() -> MessageChange {
    MessageChange::Delete { reason: None }
}

fn on(emoji: &str) -> MessageChange {
    MessageChange::React { emoji: emoji.into(), on: true }
}

fn off(emoji: &str) -> MessageChange {
    MessageChange::React { emoji: emoji.into(), on: false }
}

/// Under a message: each emoji with those who gave it.
fn reactions(message: &Message) -> Vec<(&str, Vec<UserId>)> {
    message.reactions.iter().map(|reaction| (reaction.emoji.as_str(), reaction.user_ids.clone())).collect()
}

async fn rev(store: &dyn Store, id: ChannelId) -> u64 {
    store.page(id, Anchor::Newest, 1).await.unwrap().rev
}

/// The message is stored like this, wherever one looks, and is the latest change of its channel.
async fn is_stored(store: &dyn Store, message: &Message) {
    assert_eq!(store.message(message.id).await.unwrap().as_ref(), Some(message));
    let page = store.page(message.channel_id, Anchor::Around(message.seq), 1).await.unwrap();
    assert_eq!((&page.items[..], page.rev), (std::slice::from_ref(message), message.rev));
    let changes = store.changes(message.channel_id, message.rev - 1, 10).await.unwrap();
    assert_eq!((&changes.items[..], changes.rev), (std::slice::from_ref(message), message.rev));
}

/// Ada, the admin, Mira and Jun, all in a channel.
async fn three(store: &dyn Store) -> (User, User, User, ChannelId) {
    let (ada, mira, jun) = (user(store, "ada").await, user(store, "mira").await, user(store, "jun").await);
    let id = channel(store, "general", &ada).await;
    for person in [&mira, &jun] {
        store.join(id, person.id, NOW).await.unwrap();
    }
    (ada, mira, jun, id)
}

async fn an_edited_message_keeps_its_place_and_takes_the_next_revision(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, _, id) = three(store).await;
    let first = post(store, id, &mira, "helo").await;
    let second = post(store, id, &ada, "hello").await;
    let edited = changed(revise(store, &mira, first.id, edit("hello")).await);
    let expected = Message { rev: 3, text: "hello".into(), edited_at: Some(LATER), ..first.clone() };
    assert_eq!(edited, expected);
    is_stored(store, &edited).await;
    assert_eq!(store.page(id, Anchor::Newest, 10).await.unwrap().items, [edited.clone(), second.clone()]);
    assert_eq!(store.changes(id, 0, 10).await.unwrap().items, [second, edited.clone()], "at its new place");
    assert_eq!(unchanged(revise(store, &mira, first.id, edit("hello")).await), edited);
    assert_eq!(rev(store, id).await, 3);
    let third = post(store, id, &mira, "and on").await;
    assert_eq!((third.seq, third.rev), (4, 4));
    if let Some(shared) = store.shared() {
        // Until nothing comes again only because others are at work on the same server.
        let mut since = shared.changed_since(0).await.unwrap();
        while !since.channels.is_empty() {
            since = shared.changed_since(since.mark).await.unwrap();
        }
        changed(revise(store, &mira, first.id, edit("hi")).await);
        let since = shared.changed_since(since.mark).await.unwrap();
        assert!(since.channels.contains(&(id, 5)), "other nodes find it: {since:?}");
    }
}

async fn only_the_sender_edits_and_only_where_they_may_post(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let said = post(store, id, &mira, "hello").await;
    for other in [&ada, &jun] {
        assert_eq!(revise(store, other, said.id, edit("bye")).await, Revised::Forbidden);
        assert_eq!(revise(store, other, said.id, edit("hello")).await, Revised::Forbidden);
    }
    assert_eq!(revise(store, &mira, MessageId::generate(), edit("bye")).await, Revised::NotFound);
    let nobody = User { id: UserId::generate(), ..mira.clone() };
    assert_eq!(revise(store, &nobody, said.id, edit("bye")).await, Revised::NotFound);

    let read_only = ChannelChange { post_policy: Some(PostPolicy::Admins), ..ChannelChange::default() };
    done(store.update_channel(id, read_only, act(&ada)).await.unwrap());
    assert_eq!(revise(store, &mira, said.id, edit("bye")).await, Revised::Forbidden);
    let open = ChannelChange { post_policy: Some(PostPolicy::Everyone), ..ChannelChange::default() };
    done(store.update_channel(id, open, act(&ada)).await.unwrap());
    store.leave(id, mira.id, NOW).await.unwrap();
    assert_eq!(revise(store, &mira, said.id, edit("bye")).await, Revised::Forbidden);
    let hide = ChannelChange { visibility: Some(Visibility::Private), ..ChannelChange::default() };
    done(store.update_channel(id, hide, act(&ada)).await.unwrap());
    for what in [edit("bye"), delete(), on("👍")] {
        assert_eq!(revise(store, &mira, said.id, what).await, Revised::NotFound);
    }
    assert_eq!(rev(store, id).await, 1);
    is_stored(store, &said).await;
}

async fn a_deleted_message_leaves_its_place_and_nothing_else(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let said = post(store, id, &ada, "@mira and @channel").await;
    post(store, id, &ada, "next").await;
    changed(revise(store, &jun, said.id, on("👍")).await);
    let counts = async |viewer: &User| {
        let seen = store.channel(viewer.id, id).await.unwrap().unwrap();
        (seen.unread, seen.mentions)
    };
    assert_eq!((counts(&mira).await, counts(&jun).await), ((2, 1), (2, 1)));
    let gone = changed(revise(store, &ada, said.id, delete()).await);
    let expected = Message { rev: 4, text: String::new(), deleted: true, mentions_channel: false, ..said.clone() };
    assert_eq!(gone, expected);
    is_stored(store, &gone).await;
    assert_eq!((counts(&mira).await, counts(&jun).await), ((1, 0), (1, 0)));
    assert_eq!(unchanged(revise(store, &ada, said.id, delete()).await), gone, "it is gone already");
    for what in [edit("back"), on("👍"), off("👍")] {
        assert_eq!(revise(store, &ada, said.id, what).await, Revised::NotFound);
    }
    assert_eq!(rev(store, id).await, 4);
    store.mark_read(id, mira.id, 4, false).await.unwrap();
    let mark = store.mark_read(id, mira.id, 0, true).await.unwrap().unwrap();
    assert_eq!((mark.seq, mark.unread, mark.mentions), (0, 1, 0));
}

async fn people_delete_their_own_messages_and_admins_others_which_is_noted(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let (hers, other) = (post(store, id, &mira, "hello").await, post(store, id, &mira, "rude").await);
    let (his, admins) = (post(store, id, &jun, "mine").await, post(store, id, &ada, "mine").await);
    let noted = async || store.audit(None, 100).await.unwrap();
    let before = noted().await.len();
    assert_eq!(revise(store, &jun, hers.id, delete()).await, Revised::Forbidden);
    assert_eq!(revise(store, &jun, admins.id, delete()).await, Revised::Forbidden);
    store.leave(id, mira.id, NOW).await.unwrap();
    changed(revise(store, &mira, hers.id, delete()).await);
    changed(revise(store, &jun, his.id, delete()).await);
    changed(revise(store, &ada, admins.id, delete()).await);
    assert_eq!(noted().await.len(), before, "one's own is one's own matter");

    store.leave(id, ada.id, NOW).await.unwrap();
    let because = || MessageChange::Delete { reason: Some("rude".into()) };
    changed(revise(store, &ada, other.id, because()).await);
    unchanged(revise(store, &ada, other.id, because()).await);
    let log = noted().await;
    assert_eq!(log.len(), before + 1);
    assert_eq!((log[0].action, log[0].actor.id, log[0].at), (AuditAction::MessageDeleted, ada.id, LATER));
    assert_eq!((log[0].user.as_ref().map(|user| user.id), log[0].message_id), (Some(mira.id), Some(other.id)));
    let place = log[0].channel.as_ref().map(|channel| (channel.id, channel.name.as_str()));
    assert_eq!((place, log[0].reason.as_deref(), &log[0].detail), (Some((id, "general")), Some("rude"), &None));

    let (direct, _) = store.open_direct(ChannelId::generate(), ada.id, mira.id, NOW).await.unwrap();
    let word = post(store, direct, &mira, "between us").await;
    assert_eq!(revise(store, &ada, word.id, delete()).await, Revised::Forbidden);
    assert_eq!(revise(store, &jun, word.id, delete()).await, Revised::NotFound);
    let promote = UserChange { role: Some(Role::Admin), suspended: None };
    done(store.update_user(jun.id, promote, act(&ada)).await.unwrap());
    assert_eq!(revise(store, &jun, word.id, delete()).await, Revised::NotFound, "nor another admin");
    let secret = channel_with(store, "secret", &ada, Visibility::Private, PostPolicy::Everyone).await;
    let word = post(store, secret, &ada, "among us").await;
    assert_eq!(revise(store, &jun, word.id, delete()).await, Revised::NotFound, "what they can't see");
    done(store.update_user(ada.id, UserChange { role: Some(Role::Member), suspended: None }, act(&jun)).await.unwrap());
    let said = post(store, id, &jun, "no more").await;
    assert_eq!(revise(store, &ada, said.id, because()).await, Revised::NotFound, "no admin any more");
}

async fn of_a_deleted_channel_there_is_no_message(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, _, id) = three(store).await;
    let said = post(store, id, &mira, "hello").await;
    changed(revise(store, &mira, said.id, on("👍")).await);
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    assert_eq!(store.message(said.id).await.unwrap(), None);
    assert_eq!(store.message(MessageId::generate()).await.unwrap(), None);
    for what in [edit("bye"), delete(), on("❤️"), off("👍")] {
        assert_eq!(revise(store, &mira, said.id, what).await, Revised::NotFound);
    }
}

async fn a_channel_deleted_at_that_moment_takes_revisions_with_it(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    for round in 0..8 {
        let id = channel(store, "general", &ada).await;
        store.join(id, mira.id, NOW).await.unwrap();
        let said = post(store, id, &mira, "hello").await;
        let more = [message(id, &mira, "more, @ada", None)];
        let (edited, reacted, posted, deleted, moderated) = tokio::join!(
            revise(store, &mira, said.id, edit("bye")),
            revise(store, &mira, said.id, on("👍")),
            store.append(&more),
            store.delete_channel(id, act(&ada)),
            revise(store, &ada, said.id, delete()),
        );
        done(deleted.unwrap());
        for revised in [edited, reacted, moderated] {
            assert!(matches!(revised, Revised::Changed(_) | Revised::NotFound), "in round {round}: {revised:?}");
        }
        assert!(matches!(posted.unwrap()[0], Appended::New(_) | Appended::NotFound));
        assert_eq!(store.message(said.id).await.unwrap(), None);
    }
}

async fn reactions_come_and_go_one_revision_each(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let said = post(store, id, &mira, "hello").await;
    let steps = [(&ada, on("👍")), (&jun, on("❤️")), (&mira, on("👍")), (&jun, on("👍"))];
    for (n, (person, what)) in (2..).zip(steps) {
        let message = changed(revise(store, person, said.id, what.clone()).await);
        assert_eq!((message.rev, message.seq, message.edited_at), (n, 1, None));
        is_stored(store, &message).await;
        assert_eq!(unchanged(revise(store, person, said.id, what).await), message, "once is enough");
    }
    let all = store.message(said.id).await.unwrap().unwrap();
    assert_eq!(reactions(&all), [("👍", vec![ada.id, mira.id, jun.id]), ("❤️", vec![jun.id])]);

    // The first thumb goes: the heart was there before the second.
    let fewer = changed(revise(store, &ada, said.id, off("👍")).await);
    assert_eq!(reactions(&fewer), [("❤️", vec![jun.id]), ("👍", vec![mira.id, jun.id])]);
    is_stored(store, &fewer).await;
    assert_eq!(unchanged(revise(store, &ada, said.id, off("👍")).await), fewer);
    assert_eq!(unchanged(revise(store, &ada, said.id, off("🎉")).await), fewer);
    let again = changed(revise(store, &ada, said.id, on("👍")).await);
    assert_eq!(reactions(&again), [("❤️", vec![jun.id]), ("👍", vec![mira.id, jun.id, ada.id])]);
    is_stored(store, &again).await;
    let last = changed(revise(store, &jun, said.id, off("❤️")).await);
    assert_eq!(reactions(&last), [("👍", vec![mira.id, jun.id, ada.id])]);
    is_stored(store, &last).await;
    let edited = changed(revise(store, &mira, said.id, edit("hi")).await);
    assert_eq!((edited.rev, reactions(&edited)), (9, reactions(&last)), "an edit leaves them");
    is_stored(store, &edited).await;
}

async fn whoever_reads_reacts_and_twenty_emoji_are_enough(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let (mira, jun) = (user(store, "mira").await, user(store, "jun").await);
    let id = channel_with(store, "news", &ada, Visibility::Public, PostPolicy::Admins).await;
    store.join(id, mira.id, NOW).await.unwrap();
    let said = post(store, id, &ada, "hello").await;
    assert_eq!(revise(store, &jun, said.id, on("👍")).await, Revised::NotFound, "from outside");
    let emoji: Vec<_> = (0..20).map(|n| char::from_u32(0x1F600 + n).unwrap().to_string()).collect();
    for emoji in &emoji {
        changed(revise(store, &mira, said.id, on(emoji)).await);
    }
    assert_eq!(revise(store, &mira, said.id, on("👍")).await, Revised::Full);
    assert_eq!(rev(store, id).await, 21);
    let more = changed(revise(store, &ada, said.id, on(&emoji[7])).await);
    assert_eq!(
        more.reactions.iter().map(|reaction| &reaction.emoji).collect::<Vec<_>>(),
        emoji.iter().collect::<Vec<_>>()
    );
    changed(revise(store, &mira, said.id, off(&emoji[7])).await);
    assert_eq!(revise(store, &mira, said.id, on("👍")).await, Revised::Full, "Ada's is still there");
    changed(revise(store, &ada, said.id, off(&emoji[7])).await);
    let full = changed(revise(store, &mira, said.id, on("👍")).await);
    assert_eq!((full.reactions.len(), full.reactions[19].emoji.as_str()), (20, "👍"));
    is_stored(store, &full).await;
}

async fn what_changes_at_once_takes_one_number_each(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let said = post(store, id, &mira, "hello").await;
    let edits = (0..6).map(async |n| changed(revise(store, &mira, said.id, edit(&format!("{n}"))).await).rev);
    let likes = [&ada, &mira, &jun].map(async |person| changed(revise(store, person, said.id, on("👍")).await).rev);
    let posts = (0..8).map(async |n| post(store, id, &jun, &format!("m{n}")).await.rev);
    let (edits, likes, posts) = tokio::join!(
        futures::future::join_all(edits),
        futures::future::join_all(likes),
        futures::future::join_all(posts),
    );
    let mut revs = [edits, likes, posts].concat();
    revs.sort_unstable();
    assert_eq!(revs, (2..=18).collect::<Vec<_>>());
    let now = store.message(said.id).await.unwrap().unwrap();
    assert_eq!(now.reactions[0].user_ids.len(), 3);
    let changes = store.changes(id, 0, 100).await.unwrap();
    assert_eq!((changes.rev, changes.items.len()), (18, 9));
    assert!(changes.items.is_sorted_by_key(|message| message.rev));
    assert_eq!(changes.items.iter().find(|message| message.id == said.id), Some(&now));
}

async fn answers_are_to_messages_of_the_same_channel(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, _, id) = three(store).await;
    let elsewhere = channel(store, "elsewhere", &ada).await;
    let (question, other) = (post(store, id, &ada, "how?").await, post(store, elsewhere, &ada, "what?").await);
    let answer = |to| NewMessage { reply_to: Some(to), ..message(id, &mira, "so", None) };
    let batch =
        [answer(question.id), answer(other.id), answer(MessageId::generate()), message(id, &mira, "or so", None)];
    let outcome = store.append(&batch).await.unwrap();
    let [Appended::New(so), Appended::NoSuchReply, Appended::NoSuchReply, Appended::New(or_so)] = outcome.as_slice()
    else {
        panic!("{outcome:?}")
    };
    assert_eq!((so.reply_to, so.rev, or_so.reply_to, or_so.rev), (Some(question.id), 2, None, 3));
    assert_eq!(store.page(id, Anchor::Newest, 2).await.unwrap().items, [so.clone(), or_so.clone()]);
    assert_eq!(store.append(&batch[..1]).await.unwrap(), [Appended::Known(so.clone())]);
    changed(revise(store, &ada, question.id, delete()).await);
    let late = store.append(&[answer(question.id)]).await.unwrap();
    assert!(matches!(late.as_slice(), [Appended::New(_)]), "its place is still there: {late:?}");
    let edited = changed(revise(store, &mira, so.id, edit("like that")).await);
    assert_eq!(edited.reply_to, Some(question.id));
}

/// Unread messages and mentions of somebody in a channel.
async fn counts(store: &dyn Store, viewer: &User, id: ChannelId) -> (u64, u64) {
    let seen = store.channel(viewer.id, id).await.unwrap().unwrap();
    let joined = store.joined_channels(viewer.id).await.unwrap();
    let same = joined.iter().find(|channel| channel.id == id).map_or((0, 0), |same| (same.unread, same.mentions));
    assert_eq!(same, (seen.unread, seen.mentions));
    same
}

async fn who_is_named_is_counted_if_they_are_in_the_channel(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let tomas = user(store, "tomas").await;
    let both = async || (counts(store, &mira, id).await, counts(store, &jun, id).await);
    post(store, id, &ada, "@mira @MIRA and @mira again, @tomas, @nobody").await;
    assert_eq!(both().await, ((1, 1), (1, 0)), "once, however often");
    post(store, id, &mira, "@mira @jun").await;
    assert_eq!(both().await, ((1, 1), (2, 1)), "nobody names themselves");
    store.join(id, tomas.id, NOW).await.unwrap();
    assert_eq!(counts(store, &tomas, id).await, (0, 0), "they weren't there");
    store.mark_read(id, tomas.id, 0, true).await.unwrap();
    assert_eq!(counts(store, &tomas, id).await, (2, 0), "nor does going back tell them");
    let batch =
        [message(id, &ada, "@tomas", None), message(id, &jun, "`@tomas`", None), message(id, &jun, "@Tomas", None)];
    store.append(&batch).await.unwrap();
    assert_eq!(counts(store, &tomas, id).await, (5, 2));
    store.leave(id, tomas.id, NOW).await.unwrap();
    assert_eq!(counts(store, &tomas, id).await, (0, 0));
}

async fn reading_and_marking_as_unread_take_mentions_along(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, _, id) = three(store).await;
    for text in ["@mira one", "two", "@mira three", "@channel @mira four"] {
        post(store, id, &ada, text).await;
    }
    post(store, id, &mira, "five").await;
    assert_eq!(counts(store, &mira, id).await, (4, 3), "called twice in one is once");
    let mark = async |seq, back| {
        let mark = store.mark_read(id, mira.id, seq, back).await.unwrap().unwrap();
        assert_eq!(counts(store, &mira, id).await, (mark.unread, mark.mentions));
        (mark.seq, mark.moved, mark.unread, mark.mentions)
    };
    assert_eq!(mark(1, false).await, (1, true, 3, 2));
    assert_eq!(mark(1, false).await, (1, false, 3, 2));
    assert_eq!(mark(0, false).await, (1, false, 3, 2), "forward only");
    assert_eq!(mark(99, false).await, (5, true, 0, 0), "never past the end");
    assert_eq!(mark(99, true).await, (5, false, 0, 0), "back only");
    assert_eq!(mark(5, true).await, (5, false, 0, 0));
    assert_eq!(mark(2, true).await, (2, true, 2, 2));
    assert_eq!(mark(2, true).await, (2, false, 2, 2));
    assert_eq!(mark(0, true).await, (0, true, 4, 3));
    assert_eq!(mark(u64::MAX, false).await, (5, true, 0, 0));
}

async fn only_admins_call_everyone(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let theirs = post(store, id, &mira, "@channel").await;
    assert!(!theirs.mentions_channel);
    assert_eq!((counts(store, &jun, id).await, counts(store, &ada, id).await), ((1, 0), (1, 0)));
    let admins = post(store, id, &ada, "@channel").await;
    assert!(admins.mentions_channel);
    is_stored(store, &admins).await;
    assert_eq!((counts(store, &mira, id).await, counts(store, &jun, id).await), ((1, 1), (2, 1)));
    assert_eq!(counts(store, &ada, id).await, (1, 0), "not themselves");
    let edited = changed(revise(store, &mira, theirs.id, edit("@channel!")).await);
    assert!(!edited.mentions_channel, "nor by an edit");
}

async fn an_edit_names_anew(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun, id) = three(store).await;
    let said = post(store, id, &ada, "@mira").await;
    let both = async || (counts(store, &mira, id).await.1, counts(store, &jun, id).await.1);
    assert_eq!(both().await, (1, 0));
    changed(revise(store, &ada, said.id, edit("@jun @ada")).await);
    assert_eq!((both().await, counts(store, &ada, id).await), ((0, 1), (0, 0)));
    let called = changed(revise(store, &ada, said.id, edit("@channel")).await);
    assert!(called.mentions_channel);
    is_stored(store, &called).await;
    assert_eq!(both().await, (1, 1));
    changed(revise(store, &ada, said.id, on("👍")).await);
    assert_eq!(both().await, (1, 1), "a reaction leaves it");
    store.mark_read(id, jun.id, 1, false).await.unwrap();
    changed(revise(store, &ada, said.id, edit("@jun @mira")).await);
    assert_eq!(both().await, (1, 0), "what was read isn't unread again");
    let plain = changed(revise(store, &ada, said.id, edit("never mind")).await);
    assert!(!plain.mentions_channel);
    assert_eq!(both().await, (0, 0));
    store.mark_read(id, jun.id, 0, true).await.unwrap();
    assert_eq!(both().await, (0, 0));
}

async fn a_channel_says_when_it_was_last_active(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, _, _, id) = three(store).await;
    let active_at = async || store.channel(ada.id, id).await.unwrap().unwrap().active_at;
    assert_eq!(active_at().await, None);
    post_many(store, id, &ada, 2).await;
    let late = NewMessage { timestamp: LATER, ..message(id, &ada, "late", None) };
    store.append(std::slice::from_ref(&late)).await.unwrap();
    assert_eq!(active_at().await, Some(LATER));
    changed(store.revise(Revision { message_id: late.id, actor: ada.id, at: NOW, what: edit("x") }).await.unwrap());
    assert_eq!(active_at().await, Some(LATER));
}

engines!(
    an_edited_message_keeps_its_place_and_takes_the_next_revision,
    only_the_sender_edits_and_only_where_they_may_post,
    a_deleted_message_leaves_its_place_and_nothing_else,
    people_delete_their_own_messages_and_admins_others_which_is_noted,
    of_a_deleted_channel_there_is_no_message,
    a_channel_deleted_at_that_moment_takes_revisions_with_it,
    reactions_come_and_go_one_revision_each,
    whoever_reads_reacts_and_twenty_emoji_are_enough,
    what_changes_at_once_takes_one_number_each,
    answers_are_to_messages_of_the_same_channel,
    who_is_named_is_counted_if_they_are_in_the_channel,
    reading_and_marking_as_unread_take_mentions_along,
    only_admins_call_everyone,
    an_edit_names_anew,
    a_channel_says_when_it_was_last_active,
);
