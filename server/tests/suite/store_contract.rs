//! What every store engine has to do. The same bodies run on each; a new engine joins with one line
//! in `engines!`. What people do to each other's rights and messages is in `store_people.rs` and
//! `store_messages.rs`.

use super::{common::MarkRead as _, postgres::fresh_database};
use natter::{
    ChannelId, MessageId, PostPolicy, Ref, Role, SessionId, Timestamp, User, UserId, Visibility, markdown::mentions,
};
use natter_server::store::{
    Act, Admission, Anchor, Appended, Change, Entry, MarkMove, NewChannel, NewMessage, NewSession, NewUser, Outcome,
    ReadMark, Rotation, Store, StoreError, postgres::PostgresStore, sqlite::SqliteStore,
};
use std::{any::Any, collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::sleep;

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_000_000);
pub(super) const LATER: Timestamp = Timestamp::from_millis(2_000_000);
pub(super) const END: Timestamp = Timestamp::from_millis(9_000_000);

/// A fresh, empty store, and what keeps it alive.
pub(super) struct Fresh {
    pub store: Arc<dyn Store>,
    _keep: Box<dyn Any + Send>,
}

pub(super) async fn sqlite() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&dir.path().join("natter.db")).await.unwrap());
    Fresh { store, _keep: Box::new(dir) }
}

pub(super) async fn postgres() -> Fresh {
    let (url, guard) = fresh_database().await;
    let store = Arc::new(PostgresStore::open(&url).await.unwrap());
    Fresh { store, _keep: Box::new(guard) }
}

pub(super) fn newcomer(name: &str) -> NewUser {
    NewUser { id: UserId::generate(), username: name.into(), password_hash: format!("hash of {name}"), created_at: NOW }
}

pub(super) async fn user(store: &dyn Store, name: &str) -> User {
    match store.create_user(newcomer(name), None).await.unwrap() {
        Admission::Admitted(user) => user,
        other => panic!("{other:?}"),
    }
}

pub(super) fn act(actor: &User) -> Act {
    Act { actor: actor.id, at: NOW, reason: None }
}

/// What an act that was allowed led to.
pub(super) fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> (T, Vec<Entry>) {
    match outcome {
        Outcome::Done(done) => (done.value, done.entries),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn channel(store: &dyn Store, name: &str, creator: &User) -> ChannelId {
    channel_with(store, name, creator, Visibility::Public, PostPolicy::Everyone).await
}

pub(super) async fn channel_with(
    store: &dyn Store,
    name: &str,
    creator: &User,
    visibility: Visibility,
    post_policy: PostPolicy,
) -> ChannelId {
    let id = ChannelId::generate();
    let new =
        NewChannel { id, name: name.into(), topic: format!("About {name}"), visibility, post_policy, created_at: NOW };
    done(store.create_channel(new, creator.id).await.unwrap());
    id
}

pub(super) fn message(channel_id: ChannelId, sender: &User, text: &str, reference: Option<Ref>) -> NewMessage {
    NewMessage {
        id: MessageId::generate(),
        channel_id,
        sender_id: sender.id,
        reference,
        text: text.into(),
        mentions: mentions(text),
        reply_to: None,
        attachments: Vec::new(),
        timestamp: NOW,
    }
}

pub(super) async fn post_many(store: &dyn Store, channel_id: ChannelId, sender: &User, count: usize) {
    let batch: Vec<_> = (1..=count).map(|n| message(channel_id, sender, &format!("m{n}"), None)).collect();
    for appended in store.append(&batch).await.unwrap() {
        assert!(matches!(appended, Appended::New(_)), "{appended:?}");
    }
}

/// The sessions that an entry says have ended.
pub(super) fn ended(entry: Option<Entry>) -> Vec<SessionId> {
    match entry.map(|entry| entry.change) {
        Some(Change::SessionsEnded { sessions }) => sessions,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn session(store: &dyn Store, user: &User, refresh_hash: [u8; 32]) -> SessionId {
    let id = SessionId::generate();
    let new =
        NewSession { id, user_id: user.id, user_agent: "test".into(), created_at: NOW, expires_at: END, refresh_hash };
    store.create_session(new).await.unwrap();
    id
}

async fn the_first_account_is_admin_also_in_a_race(fresh: Fresh) {
    let names = ["ada", "mira", "tomas", "jun"];
    let made = futures::future::join_all(names.map(|name| user(&*fresh.store, name))).await;
    let admins = made.iter().filter(|user| user.role == Role::Admin).count();
    assert_eq!(admins, 1);
    assert_eq!(fresh.store.user_count().await.unwrap(), 4);
}

async fn usernames_are_unique_ignoring_case_and_kept_as_written(fresh: Fresh) {
    let ada = user(&*fresh.store, "Ada").await;
    let again = fresh.store.create_user(newcomer("aDA"), None).await;
    assert!(matches!(again, Err(StoreError::Taken("username"))), "{again:?}");
    let (found, hash) = fresh.store.credentials("ADA").await.unwrap().unwrap();
    assert_eq!((found, hash.as_str()), (ada.clone(), "hash of Ada"));
    assert_eq!(fresh.store.user(ada.id).await.unwrap(), Some(ada));
    assert!(fresh.store.credentials("nobody").await.unwrap().is_none());
}

async fn a_session_lives_until_its_end(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let id = session(&*fresh.store, &ada, [1; 32]).await;
    assert_eq!(fresh.store.session_user(id, NOW).await.unwrap(), Some(ada.clone()));
    assert_eq!(fresh.store.session_user(id, END).await.unwrap(), None);
    assert_eq!(fresh.store.sessions(ada.id, LATER).await.unwrap().len(), 1);
    assert_eq!(fresh.store.purge_sessions(LATER).await.unwrap(), None);
    assert_eq!(ended(fresh.store.purge_sessions(END).await.unwrap()), [id]);
    assert!(fresh.store.sessions(ada.id, NOW).await.unwrap().is_empty());
}

async fn only_its_owner_ends_a_session(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let id = session(&*fresh.store, &ada, [1; 32]).await;
    assert_eq!(fresh.store.end_session(mira.id, id, NOW).await.unwrap(), None);
    assert_eq!(ended(fresh.store.end_session(ada.id, id, NOW).await.unwrap()), [id]);
    assert_eq!(fresh.store.end_session(ada.id, id, NOW).await.unwrap(), None);
    assert_eq!(fresh.store.session_user(id, NOW).await.unwrap(), None);
}

async fn refresh_tokens_rotate_and_a_reused_one_ends_the_session(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let id = session(&*fresh.store, &ada, [1; 32]).await;
    let rotate = async |old, new| fresh.store.rotate_refresh(old, new, LATER, END).await.unwrap();
    assert!(matches!(rotate([9; 32], [8; 32]).await, Rotation::Unknown));
    match rotate([1; 32], [2; 32]).await {
        Rotation::Rotated { session_id, user } => assert_eq!((session_id, user.id), (id, ada.id)),
        other => panic!("{other:?}"),
    }
    assert!(fresh.store.session_by_refresh([1; 32], LATER).await.unwrap().is_none());
    assert_eq!(fresh.store.session_by_refresh([2; 32], LATER).await.unwrap().unwrap().0, id);
    let Rotation::Reused(entry) = rotate([1; 32], [3; 32]).await else { panic!("an old token was taken") };
    assert_eq!(ended(Some(entry)), [id]);
    assert!(matches!(rotate([2; 32], [4; 32]).await, Rotation::Unknown));
    assert_eq!(fresh.store.session_user(id, LATER).await.unwrap(), None);
}

async fn a_new_password_ends_the_other_sessions(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let (keep, other) = (session(&*fresh.store, &ada, [1; 32]).await, session(&*fresh.store, &ada, [2; 32]).await);
    assert_eq!(ended(fresh.store.set_password(ada.id, "new hash", keep, NOW).await.unwrap()), [other]);
    assert_eq!(fresh.store.set_password(ada.id, "new hash", keep, NOW).await.unwrap(), None);
    assert_eq!(fresh.store.password_hash(ada.id).await.unwrap().as_deref(), Some("new hash"));
    assert!(fresh.store.session_user(keep, NOW).await.unwrap().is_some());
    assert!(fresh.store.session_user(other, NOW).await.unwrap().is_none());
}

async fn a_channel_begins_with_its_creator(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let id = channel(&*fresh.store, "general", &ada).await;
    let seen = fresh.store.channel(ada.id, id).await.unwrap().unwrap();
    assert_eq!((seen.joined, seen.members, seen.rev, seen.unread), (true, 1, 0, 0));
    assert_eq!(seen.topic, "About general");
    let outside = fresh.store.channel_by_name(mira.id, "general").await.unwrap().unwrap();
    assert_eq!((outside.id, outside.joined), (id, false));
    let again = NewChannel {
        id: ChannelId::generate(),
        name: "general".into(),
        topic: String::new(),
        visibility: Visibility::Public,
        post_policy: PostPolicy::Everyone,
        created_at: NOW,
    };
    assert!(matches!(fresh.store.create_channel(again, ada.id).await, Err(StoreError::Taken("name"))));
}

async fn channels_are_listed_by_name_and_found_by_name_or_topic(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    for name in ["zebra", "apple", "mango"] {
        channel(&*fresh.store, name, &ada).await;
    }
    let names = async |query: &str| {
        let found = fresh.store.channels(ada.id, query).await.unwrap();
        found.iter().map(|channel| channel.label().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["apple", "mango", "zebra"]);
    assert_eq!(names("AN").await, ["mango"]);
    assert_eq!(names("about z").await, ["zebra"]);
    assert!(names("%").await.is_empty(), "signs of the query language mean themselves");
}

async fn access_is_as_the_channel_says(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let mira = user(&*fresh.store, "mira").await;
    let id = channel_with(&*fresh.store, "news", &ada, Visibility::Private, PostPolicy::Admins).await;
    for (viewer, joined) in [(&ada, true), (&mira, false)] {
        let access = fresh.store.access(viewer.id, id).await.unwrap().unwrap();
        assert_eq!(access, fresh.store.channel(viewer.id, id).await.unwrap().unwrap().access());
        assert_eq!((access.visibility, access.joined), (Visibility::Private, joined));
    }
    assert_eq!(fresh.store.access(ada.id, ChannelId::generate()).await.unwrap(), None);
}

async fn joining_and_leaving_are_idempotent_and_joining_starts_read(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let id = channel(&*fresh.store, "general", &ada).await;
    post_many(&*fresh.store, id, &ada, 3).await;
    assert!(fresh.store.join(id, mira.id, NOW).await.unwrap().is_some());
    assert_eq!(fresh.store.join(id, mira.id, NOW).await.unwrap(), None);
    let seen = fresh.store.channel(mira.id, id).await.unwrap().unwrap();
    assert_eq!((seen.members, seen.read_seq, seen.unread), (2, 3, 0));
    let members: Vec<_> = fresh.store.members(id).await.unwrap().into_iter().map(|user| user.username).collect();
    assert_eq!(members, ["ada", "mira"]);
    assert_eq!(fresh.store.joined_channels(mira.id).await.unwrap().len(), 1);
    assert!(fresh.store.leave(id, mira.id, NOW).await.unwrap().is_some());
    assert_eq!(fresh.store.leave(id, mira.id, NOW).await.unwrap(), None);
    assert!(fresh.store.joined_channels(mira.id).await.unwrap().is_empty());
    assert_eq!(fresh.store.join(ChannelId::generate(), mira.id, NOW).await.unwrap(), None);
    assert_eq!(fresh.store.append(&[message(id, &mira, "gone", None)]).await.unwrap(), [Appended::Forbidden]);
}

async fn read_marks_move_forward_only_and_own_messages_never_count(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let id = channel(&*fresh.store, "general", &ada).await;
    fresh.store.join(id, mira.id, NOW).await.unwrap();
    post_many(&*fresh.store, id, &ada, 4).await;
    post_many(&*fresh.store, id, &mira, 1).await;
    let unread = async |user: &User| fresh.store.channel(user.id, id).await.unwrap().unwrap().unread;
    assert_eq!((unread(&ada).await, unread(&mira).await), (1, 4));
    let mark = fresh.store.mark_read(id, mira.id, 3, false).await.unwrap().unwrap();
    assert_eq!((mark.seq, mark.unread), (3, 1));
    let back = fresh.store.mark_read(id, mira.id, 1, false).await.unwrap().unwrap();
    assert_eq!((back.seq, back.unread, mark.moved, back.moved), (3, 1, true, false));
    let past = fresh.store.mark_read(id, mira.id, u64::MAX, false).await.unwrap().unwrap();
    assert_eq!((past.seq, past.unread), (5, 0));
    assert_eq!(unread(&ada).await, 1, "another's mark stays");
    let stranger = user(&*fresh.store, "jun").await;
    assert_eq!(fresh.store.mark_read(id, stranger.id, 1, false).await.unwrap(), None);
}

async fn many_marks_move_in_one_commit_each_as_its_reader_wants(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, tomas) = (user(store, "ada").await, user(store, "mira").await, user(store, "tomas").await);
    let (one, two) = (channel(store, "one", &ada).await, channel(store, "two", &ada).await);
    for id in [one, two] {
        store.join(id, mira.id, NOW).await.unwrap();
        post_many(store, id, &ada, 4).await;
    }
    store.mark_read(two, mira.id, 4, false).await.unwrap();
    let wanted = |channel_id, user: &User, seq, back| MarkMove { channel_id, user_id: user.id, seq, back };
    let moves = [
        wanted(one, &mira, 3, false),
        wanted(one, &tomas, 3, false),
        wanted(two, &mira, 1, true),
        wanted(ChannelId::generate(), &mira, 1, false),
        wanted(one, &ada, u64::MAX, false),
    ];
    let marks = store.move_marks(&moves).await.unwrap();
    let stand = |mark: &Result<Option<ReadMark>, _>| {
        mark.as_ref().unwrap().map(|mark| (mark.seq, mark.unread, mark.rev, mark.moved))
    };
    let expected = [Some((3, 1, 4, true)), None, Some((1, 3, 4, true)), None, Some((4, 0, 4, true))];
    assert_eq!(marks.iter().map(stand).collect::<Vec<_>>(), expected);
    let unread = async |id| store.channel(mira.id, id).await.unwrap().unwrap().unread;
    assert_eq!((unread(one).await, unread(two).await), (1, 3));
    // Forward never goes back, nor back forward.
    let marks = store.move_marks(&[wanted(one, &mira, 2, false), wanted(two, &mira, 2, true)]).await.unwrap();
    assert_eq!(marks.into_iter().map(|mark| mark.unwrap().unwrap().seq).collect::<Vec<_>>(), [3, 1]);
    assert!(store.move_marks(&[]).await.unwrap().is_empty());
}

async fn revisions_have_no_gaps_whatever_arrives_together(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let (one, two) = (channel(&*fresh.store, "one", &ada).await, channel(&*fresh.store, "two", &ada).await);
    let batches = (0..8).map(|batch| {
        let (store, ada) = (fresh.store.clone(), ada.clone());
        async move {
            let batch: Vec<_> = (0..25)
                .map(|n| message(if n % 3 == 0 { two } else { one }, &ada, &format!("{batch}/{n}"), None))
                .collect();
            store.append(&batch).await.unwrap()
        }
    });
    let mut revs = BTreeMap::<ChannelId, Vec<u64>>::new();
    for appended in futures::future::join_all(batches).await.into_iter().flatten() {
        let Appended::New(message) = appended else { panic!("{appended:?}") };
        assert_eq!(message.seq, message.rev);
        revs.entry(message.channel_id).or_default().push(message.rev);
    }
    for (id, mut revs) in revs {
        revs.sort_unstable();
        let expected: Vec<u64> = (1..=revs.len() as u64).collect();
        assert_eq!(revs, expected);
        assert_eq!(fresh.store.channel(ada.id, id).await.unwrap().unwrap().rev, expected.len() as u64);
    }
}

async fn the_same_ref_never_makes_a_second_message(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let id = channel(&*fresh.store, "general", &ada).await;
    fresh.store.join(id, mira.id, NOW).await.unwrap();
    let reference = Some(Ref::generate());
    let twice = [message(id, &ada, "first", reference), message(id, &ada, "second", reference)];
    let outcome = fresh.store.append(&twice).await.unwrap();
    let [Appended::New(first), Appended::Known(known)] = outcome.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(first, known);
    let later = fresh.store.append(&[message(id, &ada, "third", reference)]).await.unwrap();
    assert_eq!(later, [Appended::Known(first.clone())]);
    let others = fresh.store.append(&[message(id, &mira, "mine", reference)]).await.unwrap();
    assert!(matches!(others.as_slice(), [Appended::New(_)]), "another sender's ref is another: {others:?}");
    assert_eq!(fresh.store.channel(ada.id, id).await.unwrap().unwrap().rev, 2);
}

async fn who_may_not_post_is_refused_and_takes_no_revision(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let public = channel(&*fresh.store, "public", &ada).await;
    let private = channel_with(&*fresh.store, "private", &ada, Visibility::Private, PostPolicy::Everyone).await;
    let news = channel_with(&*fresh.store, "news", &ada, Visibility::Public, PostPolicy::Admins).await;
    fresh.store.join(news, mira.id, NOW).await.unwrap();
    let batch = [
        message(public, &mira, "not joined", None),
        message(private, &mira, "not seen", None),
        message(ChannelId::generate(), &mira, "nowhere", None),
        message(news, &mira, "read only", None),
        message(news, &ada, "news", None),
    ];
    let outcome = fresh.store.append(&batch).await.unwrap();
    assert_eq!(outcome[..4], [Appended::Forbidden, Appended::NotFound, Appended::NotFound, Appended::Forbidden]);
    assert!(matches!(&outcome[4], Appended::New(message) if message.rev == 1));
}

async fn a_ref_is_spent_for_ever_also_when_its_channel_is_gone(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let (gone, stays) = (channel(store, "gone", &ada).await, channel(store, "stays", &ada).await);
    store.join(stays, mira.id, NOW).await.unwrap();
    let reference = Ref::generate();
    let said = |sender: &User, id| message(id, sender, "once", Some(reference));
    assert!(matches!(store.append(&[said(&ada, gone)]).await.unwrap()[..], [Appended::New(_)]));
    done(store.delete_channel(gone, act(&ada)).await.unwrap());
    // Its messages may be going still, then be gone.
    for _ in 0..20 {
        assert_eq!(store.append(&[said(&ada, stays)]).await.unwrap(), [Appended::Spent]);
        sleep(Duration::from_millis(10)).await;
    }
    // Another's is another.
    let both = store.append(&[said(&ada, stays), said(&mira, stays)]).await.unwrap();
    assert!(matches!(both[..], [Appended::Spent, Appended::New(_)]), "{both:?}");
}

async fn history_pages_meet_without_gap_or_overlap(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let id = channel(&*fresh.store, "general", &ada).await;
    post_many(&*fresh.store, id, &ada, 23).await;
    let page = async |anchor, limit| fresh.store.page(id, anchor, limit).await.unwrap();
    let newest = page(Anchor::Newest, 10).await;
    let seqs = |page: &natter::MessagePage| page.items.iter().map(|message| message.seq).collect::<Vec<_>>();
    assert_eq!((seqs(&newest), newest.next, newest.rev), ((14..=23).collect(), Some(14), 23));
    assert_eq!(newest.epoch, fresh.store.epoch());
    let before = page(Anchor::Before(14), 10).await;
    assert_eq!((seqs(&before), before.next), ((4..=13).collect(), Some(4)));
    let last = page(Anchor::Before(4), 10).await;
    assert_eq!((seqs(&last), last.next), ((1..=3).collect(), None));
    let after = page(Anchor::After(10), 10).await;
    assert_eq!((seqs(&after), after.next), ((11..=20).collect(), Some(20)));
    let end = page(Anchor::After(20), 10).await;
    assert_eq!((seqs(&end), end.next), ((21..=23).collect(), None));
    assert_eq!(seqs(&page(Anchor::Around(10), 10).await), (5..=14).collect::<Vec<_>>());
    assert_eq!(seqs(&page(Anchor::Around(2), 10).await)[..2], [1, 2]);
    let last = page(Anchor::Around(23), 1).await;
    assert_eq!((seqs(&last), last.next), (vec![23], Some(23)));
    assert_eq!(newest.items[0].sender.username, "ada");
    let exact = page(Anchor::Newest, 23).await;
    assert_eq!((exact.items.len(), exact.next), (23, None));
}

async fn changes_come_in_the_order_of_revisions(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let id = channel(&*fresh.store, "general", &ada).await;
    post_many(&*fresh.store, id, &ada, 7).await;
    let first = fresh.store.changes(id, 2, 3).await.unwrap();
    let revs: Vec<_> = first.items.iter().map(|message| message.rev).collect();
    assert_eq!((revs, first.next, first.rev), (vec![3, 4, 5], Some(5), 7));
    let rest = fresh.store.changes(id, 5, 3).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));
    let none = fresh.store.changes(id, 7, 3).await.unwrap();
    assert_eq!((none.items.len(), none.rev), (0, 7));
}

async fn deleting_a_channel_takes_everything_with_it(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let id = channel(&*fresh.store, "general", &ada).await;
    post_many(&*fresh.store, id, &ada, 5).await;
    let reference = Some(Ref::generate());
    let posted = message(id, &ada, "gone", reference);
    fresh.store.append(std::slice::from_ref(&posted)).await.unwrap();
    assert_eq!(done(fresh.store.delete_channel(id, act(&ada)).await.unwrap()).1.len(), 1);
    assert_eq!(fresh.store.delete_channel(id, act(&ada)).await.unwrap(), Outcome::NotFound);
    assert!(fresh.store.channel(ada.id, id).await.unwrap().is_none());
    assert!(fresh.store.page(id, Anchor::Newest, 10).await.unwrap().items.is_empty());
    assert!(fresh.store.joined_channels(ada.id).await.unwrap().is_empty());
    assert_eq!(fresh.store.append(&[message(id, &ada, "late", None)]).await.unwrap(), [Appended::NotFound]);
    let id = channel(&*fresh.store, "general", &ada).await;
    let again = fresh.store.append(&[message(id, &ada, "again", reference), posted]).await.unwrap();
    assert_eq!(again, [Appended::Spent, Appended::Spent], "its refs stay used");
}

async fn the_same_id_again_changes_nothing(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let id = channel(&*fresh.store, "general", &ada).await;
    let new = message(id, &ada, "once", None);
    let batch = [new.clone(), new.clone(), message(id, &ada, "other", None)];
    let outcome = fresh.store.append(&batch).await.unwrap();
    let [Appended::New(first), Appended::Known(second), Appended::New(other)] = outcome.as_slice() else {
        panic!("{outcome:?}")
    };
    assert_eq!((first, first.rev, other.rev), (second, 1, 2));
    fresh.store.leave(id, ada.id, NOW).await.unwrap();
    // Also to who may not post any more: it tells what became of it.
    let known = [Appended::Known(first.clone()), Appended::Known(first.clone()), Appended::Known(other.clone())];
    assert_eq!(fresh.store.append(&batch).await.unwrap(), known);
    assert_eq!(fresh.store.channel(ada.id, id).await.unwrap().unwrap().rev, 2);
}

async fn the_same_ref_at_the_same_moment_stores_one_message(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let channels = [channel(&*fresh.store, "one", &ada).await, channel(&*fresh.store, "two", &ada).await];
    let references: Vec<_> = (0..20).map(|_| Ref::generate()).collect();
    let tasks = (0..4).map(|task| {
        let (store, ada, references) = (fresh.store.clone(), ada.clone(), references.clone());
        let post = move |reference| message(channels[task % 2], &ada, "hello", Some(reference));
        tokio::spawn(async move { store.append(&references.into_iter().map(post).collect::<Vec<_>>()).await.unwrap() })
    });
    let mut stored = BTreeMap::<Ref, Vec<MessageId>>::new();
    let mut new = 0;
    for appended in futures::future::join_all(tasks).await.into_iter().flat_map(Result::unwrap) {
        new += usize::from(matches!(appended, Appended::New(_)));
        let (Appended::New(message) | Appended::Known(message)) = appended else { panic!("{appended:?}") };
        stored.entry(message.reference.unwrap()).or_default().push(message.id);
    }
    assert_eq!((stored.len(), new), (20, 20));
    assert!(stored.values().all(|ids| ids.len() == 4 && ids.iter().all(|id| *id == ids[0])), "{stored:?}");
}

async fn the_journal_says_what_happened_in_order(fresh: Fresh) {
    let store = &*fresh.store;
    assert_eq!((store.journal_head().await.unwrap(), store.journal(0, 10).await.unwrap()), (0, vec![]));
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let channel_id = channel_with(store, "secret", &ada, Visibility::Private, PostPolicy::Everyone).await;
    let first = session(store, &ada, [1; 32]).await;
    let returned = [
        done(store.admit(channel_id, mira.id, act(&ada)).await.unwrap()).1.pop(),
        store.leave(channel_id, mira.id, NOW).await.unwrap(),
        done(store.delete_channel(channel_id, act(&ada)).await.unwrap()).1.pop(),
        store.end_session(ada.id, first, NOW).await.unwrap(),
    ];
    let happened = [
        Change::ChannelCreated { channel_id, creator: ada.id },
        Change::Joined { channel_id, user_id: mira.id },
        Change::Left { channel_id, user_id: mira.id },
        Change::ChannelRemoved { channel_id, visibility: Visibility::Private },
        Change::SessionsEnded { sessions: vec![first] },
    ];
    let expected: Vec<_> = (1..).zip(happened).map(|(pos, change)| Entry { pos, change }).collect();
    assert_eq!(store.journal(0, 10).await.unwrap(), expected);
    assert_eq!(store.journal(1, 2).await.unwrap(), expected[1..3]);
    assert_eq!(returned.into_iter().flatten().collect::<Vec<_>>(), expected[1..]);
    assert_eq!(store.journal_head().await.unwrap(), 5);
}

async fn journal_positions_have_no_gaps_whatever_happens_together(fresh: Fresh) {
    let ada = user(&*fresh.store, "ada").await;
    let ids = [channel(&*fresh.store, "one", &ada).await, channel(&*fresh.store, "two", &ada).await];
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(user(&*fresh.store, &format!("user{n}")).await);
    }
    let tasks = people.into_iter().map(|person| {
        let store = fresh.store.clone();
        tokio::spawn(async move {
            let mut entries = Vec::new();
            for id in ids.repeat(5) {
                entries.extend(store.join(id, person.id, NOW).await.unwrap());
                // What changes nothing takes no position.
                entries.extend(store.join(id, person.id, NOW).await.unwrap());
                entries.extend(store.leave(id, person.id, NOW).await.unwrap());
            }
            assert!(entries.is_sorted_by_key(|entry| entry.pos), "in the order of the commits");
            entries
        })
    });
    let made: Vec<Vec<Entry>> = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let mut made = made.concat();
    made.sort_unstable_by_key(|entry| entry.pos);
    assert_eq!(made.iter().map(|entry| entry.pos).collect::<Vec<_>>(), (3..=122).collect::<Vec<_>>());
    assert_eq!(fresh.store.journal(2, 200).await.unwrap(), made);
    assert_eq!(fresh.store.journal_head().await.unwrap(), 122);
}

async fn trimming_the_journal_keeps_the_newest(fresh: Fresh) {
    let (ada, mira) = (user(&*fresh.store, "ada").await, user(&*fresh.store, "mira").await);
    let id = channel(&*fresh.store, "general", &ada).await;
    fresh.store.join(id, mira.id, LATER).await.unwrap();
    fresh.store.leave(id, mira.id, LATER).await.unwrap();
    let left = async || {
        let entries = fresh.store.journal(0, 10).await.unwrap();
        entries.into_iter().map(|entry| entry.pos).collect::<Vec<_>>()
    };
    fresh.store.trim_journal(NOW).await.unwrap();
    assert_eq!(left().await, [1, 2, 3]);
    fresh.store.trim_journal(LATER).await.unwrap();
    assert_eq!(left().await, [2, 3]);
    fresh.store.trim_journal(END).await.unwrap();
    assert_eq!(left().await, [3]);
    assert_eq!(fresh.store.journal_head().await.unwrap(), 3);
    assert_eq!(fresh.store.join(id, mira.id, END).await.unwrap().unwrap().pos, 4);
}

async fn it_says_whether_it_can_be_used(fresh: Fresh) {
    fresh.store.check().await.unwrap();
    fresh.store.close().await;
    assert!(fresh.store.check().await.is_err());
}

/// Runs bodies of the contract on an engine.
macro_rules! contract {
    ($engine:ident: $($body:ident),+ $(,)?) => {
        mod $engine {
            $(#[tokio::test]
            async fn $body() {
                super::$body($crate::store_contract::$engine().await).await;
            })+
        }
    };
}
pub(super) use contract;

/// Runs them on each engine: a new one joins here.
macro_rules! engines {
    ($($body:ident),+ $(,)?) => {
        $crate::store_contract::contract!(sqlite: $($body),+);
        $crate::store_contract::contract!(postgres: $($body),+);
    };
}
pub(super) use engines;

engines!(
    the_first_account_is_admin_also_in_a_race,
    usernames_are_unique_ignoring_case_and_kept_as_written,
    a_session_lives_until_its_end,
    only_its_owner_ends_a_session,
    refresh_tokens_rotate_and_a_reused_one_ends_the_session,
    a_new_password_ends_the_other_sessions,
    a_channel_begins_with_its_creator,
    channels_are_listed_by_name_and_found_by_name_or_topic,
    access_is_as_the_channel_says,
    joining_and_leaving_are_idempotent_and_joining_starts_read,
    read_marks_move_forward_only_and_own_messages_never_count,
    many_marks_move_in_one_commit_each_as_its_reader_wants,
    revisions_have_no_gaps_whatever_arrives_together,
    the_same_ref_never_makes_a_second_message,
    who_may_not_post_is_refused_and_takes_no_revision,
    a_ref_is_spent_for_ever_also_when_its_channel_is_gone,
    history_pages_meet_without_gap_or_overlap,
    changes_come_in_the_order_of_revisions,
    deleting_a_channel_takes_everything_with_it,
    the_same_id_again_changes_nothing,
    the_same_ref_at_the_same_moment_stores_one_message,
    the_journal_says_what_happened_in_order,
    journal_positions_have_no_gaps_whatever_happens_together,
    trimming_the_journal_keeps_the_newest,
    it_says_whether_it_can_be_used,
);
