//! What every store engine has to do with files: keep them within bounds, hand them to messages once,
//! and know who may have them.

use super::{
    store_contract::{END, Fresh, LATER, NOW, act, channel, channel_with, done, engines, message, user},
    store_scheduled,
};
use natter::{
    Message, PostPolicy, Timestamp, Upload, UploadId, User, Visibility,
    admin::{StorageKind, StorageStats},
    channel::Access,
    markdown::mentions,
};
use natter_server::store::{
    Anchor, Appended, Kept, Made, MessageChange, NewMessage, NewScheduled, NewUpload, Revised, Revision, Store,
    UserChange, Withdrawn,
};

const QUOTA: u64 = 1_000;

fn picture(owner: &User) -> NewUpload {
    NewUpload {
        id: UploadId::generate(),
        owner_id: owner.id,
        filename: "Über \"cat\".png".into(),
        media_type: "image/png".into(),
        size: 100,
        width: Some(40),
        height: Some(30),
        duration: None,
        thumbnail: Some(10),
        created_at: NOW,
        expires_at: LATER,
    }
}

async fn kept(store: &dyn Store, new: NewUpload) -> Upload {
    match store.keep_upload(new, QUOTA).await.unwrap() {
        Kept::Kept(upload) => upload,
        other => panic!("{other:?}"),
    }
}

fn carrying(channel_id: natter::ChannelId, sender: &User, files: &[&Upload]) -> NewMessage {
    let attachments = files.iter().map(|file| file.id).collect();
    NewMessage { attachments, ..message(channel_id, sender, "", None) }
}

async fn post(store: &dyn Store, new: NewMessage) -> Message {
    match store.append(&[new]).await.unwrap().remove(0) {
        Appended::New(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn revise(store: &dyn Store, actor: &User, message: &Message, what: MessageChange) -> Revised {
    store.revise(Revision { message_id: message.id, actor: actor.id, at: LATER, what }).await.unwrap()
}

/// How somebody stands to a file: None where it isn't there; whether a message carries it, and how they stand to that.
async fn found(store: &dyn Store, viewer: &User, file: &Upload, now: Timestamp) -> Option<Option<Access>> {
    store.upload(viewer.id, file.id, now).await.unwrap().map(|found| {
        assert_eq!(&found.upload, file);
        found.carried
    })
}

async fn a_file_is_kept_as_it_is_described(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let new = picture(&ada);
    let file = kept(store, new.clone()).await;
    let expected = Upload {
        id: new.id,
        filename: new.filename,
        media_type: "image/png".into(),
        size: 100,
        width: Some(40),
        height: Some(30),
        duration: None,
        url: format!("/api/v1/uploads/{}/%C3%9Cber%20%22cat%22.png", new.id),
        thumbnail_url: Some(format!("/api/v1/uploads/{}/thumbnail", new.id)),
    };
    assert_eq!(file, expected);
    for viewer in [&ada, &mira] {
        let found = store.upload(viewer.id, file.id, NOW).await.unwrap().unwrap();
        assert_eq!((&found.upload, found.owner_id, found.carried), (&file, ada.id, None));
    }
    assert_eq!(store.upload(ada.id, UploadId::generate(), NOW).await.unwrap(), None);
    assert_eq!(store.upload(ada.id, file.id, LATER).await.unwrap(), None, "its time is over");
}

async fn nobody_has_more_than_their_quota_also_in_a_race(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let tries = (0..12).map(|_| store.keep_upload(picture(&ada), QUOTA));
    let outcomes: Vec<_> = futures::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let fit = outcomes.iter().filter(|outcome| matches!(outcome, Kept::Kept(_))).count();
    assert_eq!((fit, store.uploaded_bytes(ada.id).await.unwrap()), (9, 990), "110 bytes each");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Kept::Full).count(), 3);
    assert_eq!(store.uploaded_bytes(mira.id).await.unwrap(), 0);
    kept(store, picture(&mira)).await;
    let suspended = UserChange { suspended: Some(true), ..UserChange::default() };
    done(store.update_user(mira.id, suspended, act(&ada)).await.unwrap());
    assert_eq!(store.keep_upload(picture(&mira), QUOTA).await.unwrap(), Kept::NotAllowed);
}

async fn a_message_carries_its_files_wherever_it_is_read(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let (first, second) = (kept(store, picture(&ada)).await, kept(store, picture(&ada)).await);
    let new = carrying(id, &ada, &[&second, &first]);
    let said = post(store, new.clone()).await;
    assert_eq!(said.attachments, [second.clone(), first.clone()], "in the sender's order");
    assert_eq!(store.message(said.id).await.unwrap().as_ref(), Some(&said));
    assert_eq!(store.page(id, Anchor::Newest, 10).await.unwrap().items, std::slice::from_ref(&said));
    assert_eq!(store.changes(id, 0, 10).await.unwrap().items, std::slice::from_ref(&said));
    assert_eq!(store.append(&[new]).await.unwrap(), [Appended::Known(said.clone())], "the same again");
    let plain = post(store, message(id, &ada, "no files", None)).await;
    assert_eq!(plain.attachments, []);
}

async fn only_one_s_own_files_and_each_in_one_message(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    let (mine, hers) = (kept(store, picture(&ada)).await, kept(store, picture(&mira)).await);
    let unknown = Upload { id: UploadId::generate(), ..mine.clone() };
    let late = NewUpload { expires_at: NOW, ..picture(&ada) };
    let late = kept(store, late).await;
    for files in [&[&hers][..], &[&mine, &hers], &[&unknown], &[&mine, &mine], &[&late]] {
        assert_eq!(store.append(&[carrying(id, &ada, files)]).await.unwrap(), [Appended::NoSuchUpload]);
    }
    assert_eq!(store.page(id, Anchor::Newest, 1).await.unwrap().rev, 0, "and no revision was taken");
    let batch = [carrying(id, &ada, &[&mine]), carrying(id, &ada, &[&mine]), carrying(id, &mira, &[&hers])];
    let outcome = store.append(&batch).await.unwrap();
    let [Appended::New(said), Appended::NoSuchUpload, Appended::New(_)] = outcome.as_slice() else {
        panic!("{outcome:?}")
    };
    assert_eq!(store.append(&[carrying(id, &ada, &[&mine])]).await.unwrap(), [Appended::NoSuchUpload]);
    assert!(matches!(revise(store, &ada, said, MessageChange::Delete { reason: None }).await, Revised::Changed(_)));
    assert_eq!(store.append(&[carrying(id, &ada, &[&mine])]).await.unwrap(), [Appended::NoSuchUpload], "nor after");
}

async fn the_same_file_at_the_same_moment_is_in_one_message(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let (one, other) = (channel(store, "one", &ada).await, channel(store, "other", &ada).await);
    for _ in 0..5 {
        let file = kept(store, NewUpload { size: 1, thumbnail: None, ..picture(&ada) }).await;
        let (one, other) = ([carrying(one, &ada, &[&file])], [carrying(other, &ada, &[&file])]);
        let (one, other) = tokio::join!(store.append(&one), store.append(&other));
        let outcomes = [one.unwrap().remove(0), other.unwrap().remove(0)];
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Appended::NoSuchUpload).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Appended::New(_))).count(), 1);
    }
}

async fn who_may_have_it_follows_the_channel(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun) = (user(store, "ada").await, user(store, "mira").await, user(store, "jun").await);
    let id = channel_with(store, "secret", &ada, Visibility::Private, PostPolicy::Everyone).await;
    done(store.admit(id, mira.id, act(&ada)).await.unwrap());
    let file = kept(store, picture(&mira)).await;
    post(store, carrying(id, &mira, &[&file])).await;
    let access = |joined| Access {
        kind: natter::ChannelKind::Channel,
        visibility: Visibility::Private,
        post_policy: PostPolicy::Everyone,
        joined,
    };
    for (viewer, joined) in [(&ada, true), (&mira, true), (&jun, false)] {
        assert_eq!(found(store, viewer, &file, END).await, Some(Some(access(joined))));
    }
    done(store.expel(id, mira.id, act(&ada)).await.unwrap());
    assert_eq!(found(store, &mira, &file, NOW).await, Some(Some(access(false))), "though it was hers");
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    for viewer in [&ada, &mira, &jun] {
        assert_eq!(found(store, viewer, &file, NOW).await, None);
    }
}

async fn of_a_deleted_message_no_file_is_left(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let (file, other) = (kept(store, picture(&ada)).await, kept(store, picture(&ada)).await);
    let said = post(store, carrying(id, &ada, &[&file])).await;
    post(store, carrying(id, &ada, &[&other])).await;
    let Revised::Changed(gone) = revise(store, &ada, &said, MessageChange::Delete { reason: None }).await else {
        panic!("it was not deleted")
    };
    assert_eq!(gone.attachments, []);
    assert_eq!(store.message(said.id).await.unwrap(), Some(gone));
    assert_eq!(found(store, &ada, &file, NOW).await, None, "from that moment");
    assert_eq!(store.discard_uploads(NOW, 10).await.unwrap(), [file.id]);
    assert_eq!(store.discard_uploads(NOW, 10).await.unwrap(), []);
    assert_eq!(store.known_uploads(&[file.id, other.id]).await.unwrap(), [other.id]);
    assert_eq!(store.uploaded_bytes(ada.id).await.unwrap(), 110);
}

async fn of_a_deleted_channel_no_file_is_left(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let (id, other) = (channel(store, "general", &ada).await, channel(store, "other", &ada).await);
    let (file, kept_file) = (kept(store, picture(&ada)).await, kept(store, picture(&ada)).await);
    post(store, carrying(id, &ada, &[&file])).await;
    post(store, carrying(other, &ada, &[&kept_file])).await;
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    // The messages may go a moment later.
    let mut gone = Vec::new();
    while gone.is_empty() {
        gone = store.discard_uploads(NOW, 10).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(gone, [file.id]);
    assert_eq!(store.known_uploads(&[file.id, kept_file.id]).await.unwrap(), [kept_file.id]);
}

async fn what_no_message_carries_goes_when_its_time_is_over(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let (unused, used) = (kept(store, picture(&ada)).await, kept(store, picture(&ada)).await);
    post(store, carrying(id, &ada, &[&used])).await;
    assert_eq!(store.discard_uploads(NOW, 10).await.unwrap(), []);
    assert_eq!(store.discard_uploads(LATER, 10).await.unwrap(), [unused.id]);
    assert_eq!(store.discard_uploads(END, 10).await.unwrap(), []);
    for _ in 0..3 {
        kept(store, picture(&ada)).await;
    }
    let mut gone: Vec<_> = store.discard_uploads(END, 2).await.unwrap();
    assert_eq!(gone.len(), 2);
    gone.extend(store.discard_uploads(END, 2).await.unwrap());
    assert_eq!(gone.len(), 3);
}

async fn what_nothing_holds_can_be_taken_back_by_its_owner(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    let (unused, said, later) =
        (kept(store, picture(&ada)).await, kept(store, picture(&ada)).await, kept(store, picture(&ada)).await);
    post(store, carrying(id, &ada, &[&said])).await;
    let new = NewScheduled { attachments: vec![later.id], ..store_scheduled::new(&ada, id, "later", LATER) };
    assert!(matches!(store.schedule(new).await.unwrap(), Made::New(_)));
    let withdraw =
        async |owner: &User, file: &Upload, now| store.withdraw_upload(owner.id, file.id, now).await.unwrap();
    assert_eq!(withdraw(&mira, &unused, NOW).await, Withdrawn::NotFound);
    assert_eq!(withdraw(&ada, &unused, LATER).await, Withdrawn::NotFound, "its time is over");
    for held in [&said, &later] {
        assert_eq!(withdraw(&ada, held, NOW).await, Withdrawn::Held);
        assert_eq!(withdraw(&mira, held, NOW).await, Withdrawn::NotFound);
    }
    assert_eq!(store.uploaded_bytes(ada.id).await.unwrap(), 330);
    assert_eq!(withdraw(&ada, &unused, NOW).await, Withdrawn::Gone);
    assert_eq!(withdraw(&ada, &unused, NOW).await, Withdrawn::NotFound);
    assert_eq!(store.uploaded_bytes(ada.id).await.unwrap(), 220);
    assert_eq!(store.append(&[carrying(id, &ada, &[&unused])]).await.unwrap(), [Appended::NoSuchUpload]);
}

async fn what_is_sent_and_taken_back_at_the_same_moment_is_one_of_both(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    for _ in 0..10 {
        let file = kept(store, NewUpload { size: 1, thumbnail: None, ..picture(&ada) }).await;
        let message = [carrying(id, &ada, &[&file])];
        let (sent, withdrawn) = tokio::join!(store.append(&message), store.withdraw_upload(ada.id, file.id, NOW));
        match (sent.unwrap().remove(0), withdrawn.unwrap()) {
            (Appended::New(message), Withdrawn::Held) => {
                assert_eq!(store.message(message.id).await.unwrap().unwrap().attachments, [file]);
            }
            (Appended::NoSuchUpload, Withdrawn::Gone) => {
                assert_eq!(store.known_uploads(&[file.id]).await.unwrap(), []);
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn an_edit_keeps_the_files_and_may_take_all_words(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let file = kept(store, picture(&ada)).await;
    let with = post(store, NewMessage { text: "a cat".into(), ..carrying(id, &ada, &[&file]) }).await;
    let without = post(store, message(id, &ada, "words", None)).await;
    let edit = |text: &str| MessageChange::Edit { text: text.into(), mentions: mentions(text) };
    let Revised::Changed(edited) = revise(store, &ada, &with, edit("")).await else { panic!("it was not edited") };
    assert_eq!((edited.text.as_str(), &edited.attachments[..]), ("", std::slice::from_ref(&file)));
    assert_eq!(revise(store, &ada, &without, edit("")).await, Revised::Empty);
    assert_eq!(store.message(without.id).await.unwrap(), Some(without));
    let react = MessageChange::React { emoji: "👍".into(), on: true };
    let Revised::Changed(reacted) = revise(store, &ada, &edited, react).await else { panic!("no reaction") };
    assert_eq!(reacted.attachments, [file]);
}

async fn the_figures_say_what_files_take(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    kept(store, picture(&ada)).await;
    kept(store, NewUpload { media_type: "video/mp4".into(), thumbnail: None, size: 7, ..picture(&ada) }).await;
    for media_type in ["text/plain", "audio/mpeg"] {
        kept(store, NewUpload { media_type: media_type.into(), thumbnail: None, size: 3, ..picture(&ada) }).await;
    }
    let stats = store.stats(NOW).await.unwrap();
    let (database, files) = stats.storage.split_first().unwrap();
    assert_eq!(*database, StorageStats { kind: StorageKind::Database, bytes: stats.storage_bytes });
    let kinds = [(StorageKind::Pictures, 110), (StorageKind::Videos, 7), (StorageKind::Files, 6)];
    assert_eq!(files, kinds.map(|(kind, bytes)| StorageStats { kind, bytes }));
}

engines!(
    a_file_is_kept_as_it_is_described,
    nobody_has_more_than_their_quota_also_in_a_race,
    a_message_carries_its_files_wherever_it_is_read,
    only_one_s_own_files_and_each_in_one_message,
    the_same_file_at_the_same_moment_is_in_one_message,
    who_may_have_it_follows_the_channel,
    of_a_deleted_message_no_file_is_left,
    of_a_deleted_channel_no_file_is_left,
    what_no_message_carries_goes_when_its_time_is_over,
    what_nothing_holds_can_be_taken_back_by_its_owner,
    what_is_sent_and_taken_back_at_the_same_moment_is_one_of_both,
    an_edit_keeps_the_files_and_may_take_all_words,
    the_figures_say_what_files_take,
);
