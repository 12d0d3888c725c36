//! What every store engine has to do with messages for later.

use super::store_contract::{Fresh, LATER, NOW, act, channel, channel_with, done, engines, message, user};
use natter::{
    ChannelId, MessageId, PostPolicy, Ref, Scheduled, ScheduledId, Timestamp, Upload, UploadId, User, UserId,
    Visibility,
    markdown::mentions,
    scheduled::{PENDING_MAX, SETTLED_MAX, ScheduledCounts, ScheduledFailure, ScheduledState},
};
use natter_server::store::{
    Anchor, Appended, ChannelChange, Delivered, Delivery, Due, Edited, Kept, Made, MessageChange, NewMessage,
    NewScheduled, NewUpload, Revised, Revision, ScheduledEdit, Store, UserChange,
};
use std::sync::Arc;

const TIME: Timestamp = Timestamp::from_millis(1_500_000);

pub fn new(owner: &User, channel_id: ChannelId, text: &str, send_at: Timestamp) -> NewScheduled {
    let id = ScheduledId::generate();
    NewScheduled {
        id,
        owner_id: owner.id,
        channel_id,
        reference: Ref(id.0),
        text: text.into(),
        reply_to: None,
        attachments: Vec::new(),
        send_at,
        now: NOW,
    }
}

async fn schedule(store: &dyn Store, owner: &User, channel_id: ChannelId, text: &str) -> Scheduled {
    match store.schedule(new(owner, channel_id, text, TIME)).await.unwrap() {
        Made::New(scheduled) => scheduled,
        other => panic!("{other:?}"),
    }
}

async fn upload(store: &dyn Store, owner: &User, filename: &str) -> Upload {
    let new = NewUpload {
        id: UploadId::generate(),
        owner_id: owner.id,
        filename: filename.into(),
        media_type: "text/plain".into(),
        size: 7,
        width: None,
        height: None,
        duration: None,
        thumbnail: None,
        created_at: NOW,
        expires_at: LATER,
    };
    match store.keep_upload(new, 1_000).await.unwrap() {
        Kept::Kept(upload) => upload,
        other => panic!("{other:?}"),
    }
}

fn delivery(due: Due) -> Delivery {
    let message = NewMessage {
        id: MessageId::generate(),
        channel_id: due.channel_id,
        sender_id: due.owner_id,
        reference: Some(due.reference),
        mentions: mentions(&due.text),
        text: due.text,
        reply_to: due.reply_to,
        attachments: due.attachments,
        timestamp: LATER,
    };
    Delivery { id: due.id, version: due.version, message }
}

/// All that is due, to be delivered.
async fn read(store: &dyn Store) -> Vec<Delivery> {
    store.due(LATER, 1_000).await.unwrap().into_iter().map(delivery).collect()
}

async fn deliver_all(store: &dyn Store) -> Vec<Delivered> {
    store.deliver(&read(store).await).await.unwrap()
}

async fn texts(store: &dyn Store, id: ChannelId) -> Vec<String> {
    store.page(id, Anchor::Newest, 100).await.unwrap().items.into_iter().map(|message| message.text).collect()
}

async fn get(store: &dyn Store, owner: UserId, id: ScheduledId) -> Scheduled {
    store.scheduled(owner, id).await.unwrap().unwrap()
}

/// Ada, the admin, and Mira, both in a channel.
async fn two(store: &dyn Store) -> (User, User, ChannelId) {
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    (ada, mira, id)
}

async fn one_that_waits_is_kept_as_it_was_made(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let uploads = [upload(store, &mira, "one.txt").await, upload(store, &mira, "two.txt").await];
    let files = uploads.clone().map(|upload| upload.id);
    let draft = NewScheduled { attachments: files.to_vec(), ..new(&mira, id, "good morning", TIME) };
    let reply_to = Some(MessageId::generate());
    let draft = NewScheduled { reply_to, ..draft };
    let (scheduled_id, reference) = (draft.id, draft.reference);
    let Made::New(made) = store.schedule(draft).await.unwrap() else { panic!("it is new") };
    let expected = Scheduled {
        id: scheduled_id,
        channel_id: id,
        text: "good morning".into(),
        attachments: uploads.to_vec(),
        reply_to,
        send_at: TIME,
        state: ScheduledState::Pending,
        failure: None,
        message_id: None,
        settled_at: None,
        reference,
    };
    assert_eq!(made, expected);
    assert_eq!(get(store, mira.id, scheduled_id).await, expected);
    assert_eq!(store.scheduled_of(mira.id).await.unwrap(), [expected]);
    assert_eq!(store.scheduled_counts(mira.id).await.unwrap(), ScheduledCounts { pending: 1, failed: 0 });
    // Nobody else's.
    assert_eq!(store.scheduled(ada.id, scheduled_id).await.unwrap(), None);
    assert!(store.scheduled_of(ada.id).await.unwrap().is_empty());
    assert!(store.waiting(ada.id, scheduled_id).await.unwrap().is_none());
    assert_eq!(store.next_due().await.unwrap(), Some(TIME));
    assert!(store.due(TIME.plus_millis(-1), 10).await.unwrap().is_empty());
    let due = store.due(TIME, 10).await.unwrap().remove(0);
    assert_eq!((due.id, due.owner_id, due.version, due.attachments), (scheduled_id, mira.id, 0, files.to_vec()));
    assert_eq!((due.text.as_str(), due.reply_to, due.reference), ("good morning", reply_to, reference));
}

async fn the_same_ref_makes_one(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let reference = Ref::generate();
    let draft = |owner, text| NewScheduled { reference, ..new(owner, id, text, TIME) };
    let Made::New(first) = store.schedule(draft(&mira, "once")).await.unwrap() else { panic!("it is new") };
    assert_eq!(store.schedule(draft(&mira, "twice")).await.unwrap(), Made::Known(first.clone()));
    assert!(matches!(store.schedule(draft(&ada, "mine")).await.unwrap(), Made::New(_)), "refs are one's own");
    assert_eq!(store.scheduled_of(mira.id).await.unwrap(), [first]);
}

async fn what_is_due_is_sent_once_and_in_order(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    let mut made = Vec::new();
    for (text, minutes) in [("second", 2), ("first", 1), ("later", 20)] {
        let at = Timestamp::from_millis(1_000_000 + minutes * 60_000);
        let Made::New(scheduled) = store.schedule(new(&mira, id, text, at)).await.unwrap() else { panic!("{text}") };
        made.push(scheduled);
    }
    let batch = read(store).await;
    let outcome = store.deliver(&batch).await.unwrap();
    let messages: Vec<_> = outcome
        .iter()
        .map(|delivered| match delivered {
            Delivered::Sent { message, known: false } => message.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(messages[0].timestamp, LATER, "the time of sending");
    assert_eq!(store.page(id, Anchor::Newest, 10).await.unwrap().items, messages);
    let sent = get(store, mira.id, made[1].id).await;
    assert_eq!(
        (sent.state, sent.message_id, sent.settled_at),
        (ScheduledState::Sent, Some(messages[0].id), Some(LATER))
    );
    assert_eq!(sent.text, "first");
    // Again, by whoever read it before, or reads now: nothing.
    assert_eq!(store.deliver(&batch).await.unwrap(), [Delivered::Passed, Delivered::Passed]);
    assert!(read(store).await.is_empty());
    assert_eq!(texts(store, id).await, ["first", "second"]);
    assert_eq!(store.next_due().await.unwrap(), Some(made[2].send_at));
    assert_eq!(store.scheduled_counts(mira.id).await.unwrap(), ScheduledCounts { pending: 1, failed: 0 });
    let states: Vec<_> = store.scheduled_of(mira.id).await.unwrap().into_iter().map(|one| one.state).collect();
    assert_eq!(states, [ScheduledState::Pending, ScheduledState::Sent, ScheduledState::Sent]);
}

async fn several_that_send_at_once_send_one_each(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let other = channel(store, "other", &ada).await;
    for n in 0..20 {
        schedule(store, &mira, id, &format!("m{n}")).await;
        schedule(store, &ada, other, &format!("a{n}")).await;
    }
    let senders = (0..4).map(|_| {
        let store: Arc<dyn Store> = fresh.store.clone();
        tokio::spawn(async move { deliver_all(&*store).await })
    });
    let outcomes = futures::future::join_all(senders).await.into_iter().map(Result::unwrap);
    let sent = outcomes.flatten().filter(|delivered| matches!(delivered, Delivered::Sent { known: false, .. }));
    assert_eq!(sent.count(), 40);
    for (id, letter) in [(id, 'm'), (other, 'a')] {
        let mut texts = texts(store, id).await;
        texts.sort_by_key(|text| text[1..].parse::<u32>().unwrap());
        assert_eq!(texts, (0..20).map(|n| format!("{letter}{n}")).collect::<Vec<_>>());
    }
}

async fn what_was_changed_or_taken_back_since_it_was_read_is_not_sent(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    let changed = schedule(store, &mira, id, "helo").await;
    let moved = schedule(store, &mira, id, "moved").await;
    let cancelled = schedule(store, &mira, id, "never mind").await;
    let read_before = read(store).await;
    let text = ScheduledEdit { text: Some("hello".into()), ..ScheduledEdit::default() };
    let Edited::Changed(now) = store.reschedule(mira.id, changed.id, text, NOW).await.unwrap() else {
        panic!("it waits")
    };
    assert_eq!((now.text.as_str(), now.send_at), ("hello", TIME));
    let time = ScheduledEdit { send_at: Some(LATER.plus_millis(1)), ..ScheduledEdit::default() };
    assert!(matches!(store.reschedule(mira.id, moved.id, time, NOW).await.unwrap(), Edited::Changed(_)));
    let Edited::Changed(gone) = store.unschedule(mira.id, cancelled.id, None, NOW).await.unwrap() else {
        panic!("it waits")
    };
    assert_eq!((gone.state, gone.text.as_str()), (ScheduledState::Cancelled, ""));
    assert_eq!(store.deliver(&read_before).await.unwrap(), vec![Delivered::Passed; 3]);
    assert!(texts(store, id).await.is_empty());
    assert!(matches!(deliver_all(store).await[..], [Delivered::Sent { .. }]));
    assert_eq!(texts(store, id).await, ["hello"]);
    // What doesn't wait any more isn't changed.
    for (one, state) in [(changed.id, ScheduledState::Sent), (cancelled.id, ScheduledState::Cancelled)] {
        let text = ScheduledEdit { text: Some("again".into()), ..ScheduledEdit::default() };
        assert_eq!(store.reschedule(mira.id, one, text, NOW).await.unwrap(), Edited::Settled(state));
        assert_eq!(store.unschedule(mira.id, one, None, NOW).await.unwrap(), Edited::Settled(state));
    }
}

async fn only_its_author_changes_it_and_something_stays_to_be_said(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let one = schedule(store, &mira, id, "mine").await;
    let text = |text: &str| ScheduledEdit { text: Some(text.into()), ..ScheduledEdit::default() };
    assert_eq!(store.reschedule(ada.id, one.id, text("yours"), NOW).await.unwrap(), Edited::NotFound);
    assert_eq!(store.unschedule(ada.id, one.id, None, NOW).await.unwrap(), Edited::NotFound);
    assert_eq!(store.reschedule(mira.id, one.id, text(""), NOW).await.unwrap(), Edited::Empty);
    assert_eq!(get(store, mira.id, one.id).await, one);
    let file = upload(store, &mira, "one.txt").await.id;
    let with_file = ScheduledEdit { attachments: Some(vec![file]), ..text("") };
    assert!(matches!(store.reschedule(mira.id, one.id, with_file, NOW).await.unwrap(), Edited::Changed(_)));
    let due = store.waiting(mira.id, one.id).await.unwrap().unwrap();
    assert_eq!((due.text.as_str(), due.attachments, due.version), ("", vec![file], 1));
    let without = ScheduledEdit { attachments: Some(Vec::new()), ..ScheduledEdit::default() };
    assert_eq!(store.reschedule(mira.id, one.id, without, NOW).await.unwrap(), Edited::Empty);
}

/// Ends like that, and never posts, also when it would be allowed again.
async fn fails(store: &dyn Store, owner: &User, id: ScheduledId, why: ScheduledFailure) {
    let batch = read(store).await;
    assert_eq!(store.deliver(&batch).await.unwrap(), [Delivered::Failed(why)]);
    let failed = get(store, owner.id, id).await;
    assert_eq!((failed.state, failed.failure.as_deref()), (ScheduledState::Failed, Some(why.words())));
    assert_eq!((failed.settled_at, failed.message_id), (Some(LATER), None));
    assert!(!failed.text.is_empty(), "to be written again");
    assert_eq!(store.deliver(&batch).await.unwrap(), [Delivered::Passed]);
    let settled = store.reschedule(owner.id, id, ScheduledEdit::default(), NOW).await.unwrap();
    assert_eq!(settled, Edited::Settled(ScheduledState::Failed));
}

async fn rights_that_were_lost_make_it_fail_with_the_reason(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let hidden = channel_with(store, "hidden", &ada, Visibility::Private, PostPolicy::Everyone).await;
    done(store.admit(hidden, mira.id, act(&ada)).await.unwrap());

    let out = schedule(store, &mira, hidden, "am I in?").await;
    done(store.expel(hidden, mira.id, act(&ada)).await.unwrap());
    fails(store, &mira, out.id, ScheduledFailure::NotInChannel).await;
    done(store.admit(hidden, mira.id, act(&ada)).await.unwrap());
    assert!(deliver_all(store).await.is_empty());

    let left = schedule(store, &mira, id, "bye").await;
    store.leave(id, mira.id, NOW).await.unwrap();
    fails(store, &mira, left.id, ScheduledFailure::NotInChannel).await;
    store.join(id, mira.id, NOW).await.unwrap();

    let read_only = schedule(store, &mira, id, "may I?").await;
    let policy = |policy| ChannelChange { post_policy: Some(policy), ..ChannelChange::default() };
    done(store.update_channel(id, policy(PostPolicy::Admins), act(&ada)).await.unwrap());
    fails(store, &mira, read_only.id, ScheduledFailure::ReadOnly).await;
    done(store.update_channel(id, policy(PostPolicy::Everyone), act(&ada)).await.unwrap());

    let silenced = schedule(store, &mira, id, "am I here?").await;
    let standing = |suspended| UserChange { suspended: Some(suspended), ..UserChange::default() };
    done(store.update_user(mira.id, standing(true), act(&ada)).await.unwrap());
    fails(store, &mira, silenced.id, ScheduledFailure::Suspended).await;
    done(store.update_user(mira.id, standing(false), act(&ada)).await.unwrap());

    let homeless = schedule(store, &mira, id, "where?").await;
    assert_eq!(texts(store, id).await, [""; 0], "none of them was posted");
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    fails(store, &mira, homeless.id, ScheduledFailure::ChannelDeleted).await;
    assert_eq!(store.scheduled_counts(mira.id).await.unwrap(), ScheduledCounts { pending: 0, failed: 5 });
    // Whoever has seen why puts it away.
    let Edited::Changed(gone) = store.unschedule(mira.id, homeless.id, None, LATER).await.unwrap() else {
        panic!("it failed")
    };
    assert_eq!((gone.state, gone.text.as_str()), (ScheduledState::Cancelled, ""));
    assert_eq!(store.scheduled_counts(mira.id).await.unwrap().failed, 4);
}

async fn some_of_a_batch_fail_and_the_rest_is_sent(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    schedule(store, &ada, id, "one").await;
    let answer = NewScheduled { reply_to: Some(MessageId::generate()), ..new(&ada, id, "to nothing", TIME) };
    store.schedule(answer).await.unwrap();
    schedule(store, &mira, id, "out").await;
    schedule(store, &ada, id, "two @mira").await;
    store.leave(id, mira.id, NOW).await.unwrap();
    let outcome = deliver_all(store).await;
    assert!(matches!(
        outcome[..],
        [
            Delivered::Sent { .. },
            Delivered::Failed(ScheduledFailure::Incomplete),
            Delivered::Failed(ScheduledFailure::NotInChannel),
            Delivered::Sent { .. }
        ]
    ));
    assert_eq!(texts(store, id).await, ["one", "two @mira"]);
}

async fn a_ref_that_made_a_message_makes_no_second_one(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    let reference = Ref::generate();
    let Appended::New(first) = store.append(&[message(id, &mira, "said", Some(reference))]).await.unwrap().remove(0)
    else {
        panic!("it is new")
    };
    let draft = NewScheduled { reference, ..new(&mira, id, "said later", TIME) };
    let scheduled_id = draft.id;
    store.schedule(draft).await.unwrap();
    let outcome = deliver_all(store).await;
    assert_eq!(outcome, [Delivered::Sent { message: first.clone(), known: true }]);
    assert_eq!(get(store, mira.id, scheduled_id).await.message_id, Some(first.id));
    assert_eq!(texts(store, id).await, ["said"]);
}

async fn what_was_sent_is_kept_in_its_message_alone(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let one = schedule(store, &mira, id, "a secret").await;
    let outcome = deliver_all(store).await;
    let [Delivered::Sent { message, .. }] = &outcome[..] else { panic!("{outcome:?}") };
    let revise = |what| Revision { message_id: message.id, actor: mira.id, at: LATER, what };
    let edit = MessageChange::Edit { text: "less of one".into(), mentions: mentions("") };
    assert!(matches!(store.revise(revise(edit)).await.unwrap(), Revised::Changed(_)));
    assert_eq!(get(store, mira.id, one.id).await.text, "less of one");
    let delete = MessageChange::Delete { reason: None };
    assert!(matches!(store.revise(revise(delete)).await.unwrap(), Revised::Changed(_)));
    assert_eq!(get(store, mira.id, one.id).await.text, "");
    let other = schedule(store, &mira, id, "another").await;
    deliver_all(store).await;
    assert_eq!(get(store, mira.id, other.id).await.text, "another");
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    let gone = get(store, mira.id, other.id).await;
    assert_eq!((gone.state, gone.text.as_str()), (ScheduledState::Sent, ""));
}

async fn what_waits_and_what_is_remembered_are_bounded(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    for n in 0..PENDING_MAX {
        schedule(store, &mira, id, &format!("m{n}")).await;
    }
    assert_eq!(store.schedule(new(&mira, id, "one more", TIME)).await.unwrap(), Made::Full);
    schedule(store, &ada, id, "somebody else's").await;
    deliver_all(store).await;
    assert_eq!(store.scheduled_of(mira.id).await.unwrap().len(), SETTLED_MAX as usize);
    // Beyond what is remembered, the oldest goes with the next that is made.
    let kept = schedule(store, &mira, id, "kept").await;
    store.unschedule(mira.id, kept.id, None, LATER.plus_millis(1)).await.unwrap();
    let last = schedule(store, &mira, id, "last").await;
    let all = store.scheduled_of(mira.id).await.unwrap();
    assert_eq!((all.len(), all[0].id, all[1].id), (SETTLED_MAX as usize + 1, last.id, kept.id));
    store.forget_settled(LATER.plus_millis(1)).await.unwrap();
    let all = store.scheduled_of(mira.id).await.unwrap();
    assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [last.id, kept.id]);
    assert!(store.scheduled_of(ada.id).await.unwrap().is_empty());
}

async fn the_bound_holds_also_in_a_race(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    for n in 1..PENDING_MAX {
        schedule(store, &mira, id, &format!("m{n}")).await;
    }
    let made = (0..8).map(|n| store.schedule(new(&mira, id, &format!("x{n}"), TIME)));
    let made = futures::future::join_all(made).await;
    assert_eq!(made.into_iter().filter(|made| matches!(made, Ok(Made::New(_)))).count(), 1);
    assert_eq!(store.scheduled_counts(mira.id).await.unwrap().pending, u64::from(PENDING_MAX));
}

async fn its_files_stay_as_long_as_it_waits_and_go_with_the_message(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, id) = two(store).await;
    let (kept, dropped) = (upload(store, &mira, "kept.txt").await, upload(store, &mira, "dropped.txt").await);
    let theirs = upload(store, &ada, "theirs.txt").await;
    let with = |owner, files: &[&Upload]| {
        let attachments = files.iter().map(|file| file.id).collect();
        NewScheduled { attachments, ..new(owner, id, "", TIME) }
    };
    let draft = with(&mira, &[&kept, &dropped]);
    let one = draft.id;
    assert!(matches!(store.schedule(draft).await.unwrap(), Made::New(_)));
    // Somebody else's, what waits elsewhere already, and the same one twice.
    for files in [[&theirs, &theirs].as_slice(), &[&theirs], &[&kept]] {
        assert_eq!(store.schedule(with(&mira, files)).await.unwrap(), Made::NoSuchUpload);
    }
    let fresh_one = upload(store, &mira, "fresh.txt").await;
    assert_eq!(store.schedule(with(&mira, &[&fresh_one, &fresh_one])).await.unwrap(), Made::NoSuchUpload);
    let edit = |files: &[&Upload]| {
        let attachments = Some(files.iter().map(|file| file.id).collect());
        ScheduledEdit { attachments, ..ScheduledEdit::default() }
    };
    assert_eq!(store.reschedule(mira.id, one, edit(&[&kept, &theirs]), NOW).await.unwrap(), Edited::NoSuchUpload);
    let Edited::Changed(now) = store.reschedule(mira.id, one, edit(&[&kept]), NOW).await.unwrap() else {
        panic!("it waits")
    };
    assert_eq!(now.attachments, std::slice::from_ref(&kept));
    // Long after an upload would go: what isn't held any more goes, what is stays.
    let mut gone = store.discard_uploads(LATER.plus_millis(1), 10).await.unwrap();
    gone.sort_unstable();
    let mut expected = vec![dropped.id, theirs.id, fresh_one.id];
    expected.sort_unstable();
    assert_eq!(gone, expected);
    let outcome = deliver_all(store).await;
    let [Delivered::Sent { message, .. }] = &outcome[..] else { panic!("{outcome:?}") };
    assert_eq!(message.attachments, std::slice::from_ref(&kept));
    assert!(store.discard_uploads(LATER.plus_millis(1), 10).await.unwrap().is_empty(), "the message carries it");
    assert_eq!(get(store, mira.id, one).await.attachments, std::slice::from_ref(&kept));
    let delete = MessageChange::Delete { reason: None };
    store.revise(Revision { message_id: message.id, actor: mira.id, at: LATER, what: delete }).await.unwrap();
    assert!(get(store, mira.id, one).await.attachments.is_empty());
    assert_eq!(store.discard_uploads(LATER, 10).await.unwrap(), [kept.id]);
}

async fn the_files_of_what_was_cancelled_go_and_a_missing_one_makes_it_fail(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    let (first, second) = (upload(store, &mira, "first.txt").await, upload(store, &mira, "second.txt").await);
    let with = |file: &Upload| NewScheduled { attachments: vec![file.id], ..new(&mira, id, "see there", TIME) };
    // What it answers is nowhere.
    let (cancelled, incomplete) =
        (with(&first), NewScheduled { reply_to: Some(MessageId::generate()), ..with(&second) });
    let (cancelled_id, incomplete_id) = (cancelled.id, incomplete.id);
    for draft in [cancelled, incomplete] {
        assert!(matches!(store.schedule(draft).await.unwrap(), Made::New(_)));
    }
    store.unschedule(mira.id, cancelled_id, None, NOW).await.unwrap();
    assert_eq!(store.discard_uploads(NOW, 10).await.unwrap(), [first.id]);
    // No other message takes its file meanwhile.
    let taken = NewMessage { attachments: vec![second.id], ..message(id, &mira, "now", None) };
    assert_eq!(store.append(std::slice::from_ref(&taken)).await.unwrap(), [Appended::NoSuchUpload]);
    fails(store, &mira, incomplete_id, ScheduledFailure::Incomplete).await;
    assert_eq!(store.append(&[taken]).await.unwrap(), [Appended::NoSuchUpload], "it may be written again");
    store.unschedule(mira.id, incomplete_id, None, LATER).await.unwrap();
    assert_eq!(store.discard_uploads(LATER, 10).await.unwrap(), [second.id]);
}

async fn the_files_of_what_is_to_be_written_again_stay_for_that(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    let (first, second) = (upload(store, &mira, "first.txt").await, upload(store, &mira, "second.txt").await);
    let files = vec![first.id, second.id];
    let nowhere = Some(MessageId::generate());
    let draft = NewScheduled { attachments: files, reply_to: nowhere, ..new(&mira, id, "see there", TIME) };
    let draft_id = draft.id;
    assert!(matches!(store.schedule(draft).await.unwrap(), Made::New(_)));
    fails(store, &mira, draft_id, ScheduledFailure::Incomplete).await;
    let until = LATER.plus_millis(1_000);
    let Edited::Changed(gone) = store.unschedule(mira.id, draft_id, Some(until), LATER).await.unwrap() else {
        panic!("it failed")
    };
    assert_eq!((gone.state, gone.attachments), (ScheduledState::Cancelled, Vec::new()));
    assert!(store.discard_uploads(until.plus_millis(-1), 10).await.unwrap().is_empty());
    let again = NewMessage { attachments: vec![first.id], ..message(id, &mira, "again", None) };
    let again = NewMessage { timestamp: LATER, ..again };
    let appended = store.append(&[again]).await.unwrap();
    assert!(matches!(&appended[..], [Appended::New(sent)] if sent.attachments == [first.clone()]), "{appended:?}");

    let unused = upload(store, &mira, "unused.txt").await;
    let draft = NewScheduled { attachments: vec![unused.id], ..new(&mira, id, "never mind", TIME) };
    let draft_id = draft.id;
    assert!(matches!(store.schedule(draft).await.unwrap(), Made::New(_)));
    store.unschedule(mira.id, draft_id, Some(until), LATER).await.unwrap();
    let mut gone = store.discard_uploads(until, 10).await.unwrap();
    gone.sort_unstable();
    assert_eq!(gone, [second.id, unused.id], "what messages carry stays");
}

/// Whatever comes first: what was answered is what happens.
async fn cancelling_and_sending_at_once_ends_as_both_were_told(fresh: Fresh) {
    let store = &*fresh.store;
    let (_, mira, id) = two(store).await;
    let mut posted = 0;
    for n in 0..30 {
        let text = format!("m{n}");
        let one = schedule(store, &mira, id, &text).await;
        let batch = read(store).await;
        let edit = ScheduledEdit { text: Some(format!("{text}, changed")), ..ScheduledEdit::default() };
        let (outcome, cancelled, edited) = tokio::join!(
            store.deliver(&batch),
            store.unschedule(mira.id, one.id, None, NOW),
            store.reschedule(mira.id, one.id, edit, NOW)
        );
        let sent = matches!(outcome.unwrap()[..], [Delivered::Sent { .. }]);
        let cancelled = matches!(cancelled.unwrap(), Edited::Changed(_));
        let edited = matches!(edited.unwrap(), Edited::Changed(_));
        assert!(sent != cancelled, "{n}: sent {sent}, cancelled {cancelled}");
        assert!(!(sent && edited), "{n}: what was sent isn't what an answer said");
        posted += usize::from(sent);
        assert_eq!(texts(store, id).await.len(), posted);
    }
}

engines!(
    one_that_waits_is_kept_as_it_was_made,
    the_same_ref_makes_one,
    what_is_due_is_sent_once_and_in_order,
    several_that_send_at_once_send_one_each,
    what_was_changed_or_taken_back_since_it_was_read_is_not_sent,
    only_its_author_changes_it_and_something_stays_to_be_said,
    rights_that_were_lost_make_it_fail_with_the_reason,
    some_of_a_batch_fail_and_the_rest_is_sent,
    a_ref_that_made_a_message_makes_no_second_one,
    what_was_sent_is_kept_in_its_message_alone,
    what_waits_and_what_is_remembered_are_bounded,
    the_bound_holds_also_in_a_race,
    its_files_stay_as_long_as_it_waits_and_go_with_the_message,
    the_files_of_what_was_cancelled_go_and_a_missing_one_makes_it_fail,
    the_files_of_what_is_to_be_written_again_stay_for_that,
    cancelling_and_sending_at_once_ends_as_both_were_told,
);
