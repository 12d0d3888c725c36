//! What every store engine has to do where people meet, and where admins run the place.

use super::store_contract::{
    END, Fresh, LATER, NOW, act, channel, channel_with, done, ended, engines, message, newcomer, post_many, session,
    user,
};
use natter::{
    ChannelId, ChannelKind, Message, MessageId, PostPolicy, Role, Timestamp, User, UserId, Visibility,
    admin::{AuditAction, AuditEntry, Registration},
    markdown::Mentions,
    message::Receiver,
};
use natter_server::store::{
    Act, Admission, Anchor, Appended, Change, ChannelChange, InviteDraft, MessageChange, NewChannel, NewMessage,
    Outcome, Revised, Revision, Store, StoreError, UserChange,
};
use uuid::Uuid;

const PROMOTE: UserChange = UserChange { role: Some(Role::Admin), suspended: None };
const DEMOTE: UserChange = UserChange { role: Some(Role::Member), suspended: None };
const SUSPEND: UserChange = UserChange { role: None, suspended: Some(true) };
const REINSTATE: UserChange = UserChange { role: None, suspended: Some(false) };

fn because(actor: &User, reason: &str) -> Act {
    Act { reason: Some(reason.into()), ..act(actor) }
}

/// What became of an act, in a word.
fn word<T>(outcome: &Outcome<T>) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::NotFound => "not found",
        Outcome::Forbidden => "forbidden",
        Outcome::LastAdmin => "last admin",
    }
}

async fn change(store: &dyn Store, subject: &User, change: UserChange, actor: &User) -> Outcome<User> {
    store.update_user(subject.id, change, act(actor)).await.unwrap()
}

async fn post(store: &dyn Store, channel_id: ChannelId, sender: &User, text: &str) -> Message {
    match store.append(&[message(channel_id, sender, text, None)]).await.unwrap().remove(0) {
        Appended::New(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The audit log, oldest first.
async fn audit(store: &dyn Store) -> Vec<AuditEntry> {
    let mut entries = store.audit(None, 100).await.unwrap();
    entries.reverse();
    entries
}

async fn actions(store: &dyn Store) -> Vec<AuditAction> {
    audit(store).await.into_iter().map(|entry| entry.action).collect()
}

fn draft(code: &str, max_uses: u32) -> InviteDraft {
    InviteDraft { code: code.into(), expires_at: END, max_uses }
}

fn private(name: &str) -> NewChannel {
    NewChannel {
        id: ChannelId::generate(),
        name: name.into(),
        topic: String::new(),
        visibility: Visibility::Private,
        post_policy: PostPolicy::Everyone,
        created_at: NOW,
    }
}

async fn a_direct_is_one_conversation_whoever_opens_it(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun) = (user(store, "ada").await, user(store, "mira").await, user(store, "jun").await);
    let zoo = channel(store, "zoo", &ada).await;
    assert_eq!(store.direct(ada.id, mira.id).await.unwrap(), None);
    let (id, entry) = store.open_direct(ChannelId::generate(), mira.id, ada.id, NOW).await.unwrap();
    let users = vec![ada.id.min(mira.id), ada.id.max(mira.id)];
    assert_eq!(entry.unwrap().change, Change::DirectOpened { channel_id: id, users });
    let again = store.open_direct(ChannelId::generate(), ada.id, mira.id, NOW).await.unwrap();
    assert_eq!(again, (id, None));
    assert_eq!(store.direct(ada.id, mira.id).await.unwrap(), Some(id));
    assert_eq!(store.direct(mira.id, ada.id).await.unwrap(), Some(id));
    assert_eq!(store.direct(ada.id, jun.id).await.unwrap(), None);

    for (viewer, peer) in [(&ada, &mira), (&mira, &ada)] {
        let seen = store.channel(viewer.id, id).await.unwrap().unwrap();
        assert_eq!((seen.kind, &seen.name, seen.visibility), (ChannelKind::Direct, &None, Visibility::Private));
        assert_eq!((seen.joined, seen.members, seen.active_at), (true, 2, None));
        assert_eq!(seen.peer.as_ref().map(|peer| peer.id), Some(peer.id));
        assert_eq!(seen.label(), peer.username);
        assert_eq!(store.access(viewer.id, id).await.unwrap(), Some(seen.access()));
    }
    let joined: Vec<_> = store.joined_channels(ada.id).await.unwrap().iter().map(|channel| channel.id).collect();
    assert_eq!(joined, [zoo, id], "after the channels");
    let listed: Vec<_> = store.channels(ada.id, "").await.unwrap().iter().map(|channel| channel.id).collect();
    assert_eq!(listed, [zoo], "directs are in no list");

    assert_eq!(store.join(id, jun.id, NOW).await.unwrap(), None, "nobody joins them");
    assert!(!store.access(jun.id, id).await.unwrap().unwrap().joined);
    let topic = ChannelChange { topic: Some("ours".into()), ..ChannelChange::default() };
    assert_eq!(store.update_channel(id, topic, act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(store.admit(id, jun.id, act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(store.expel(id, mira.id, act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(store.delete_channel(id, act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(actions(store).await, [AuditAction::ChannelCreated], "and nobody runs them");
}

async fn a_message_in_a_direct_says_whom_it_is_for(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let (id, _) = store.open_direct(ChannelId::generate(), ada.id, mira.id, NOW).await.unwrap();
    let general = channel(store, "general", &ada).await;
    let first = post(store, id, &ada, "@channel @mira hello").await;
    let second = post(store, id, &mira, "hello").await;
    let elsewhere = post(store, general, &ada, "hello").await;
    assert_eq!(first.receiver, Some(Receiver { id: mira.id }));
    assert_eq!(second.receiver, Some(Receiver { id: ada.id }));
    assert_eq!(elsewhere.receiver, None);
    assert!(!first.mentions_channel, "there is nobody else to call");
    let both = [first.clone(), second];
    assert_eq!(store.page(id, Anchor::Newest, 10).await.unwrap().items, both);
    assert_eq!(store.changes(id, 0, 10).await.unwrap().items, both);
    assert_eq!(store.message(first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.page(general, Anchor::Newest, 10).await.unwrap().items, [elsewhere]);
    let seen = store.channel(mira.id, id).await.unwrap().unwrap();
    assert_eq!((seen.unread, seen.mentions, seen.active_at), (1, 1, Some(NOW)));
}

async fn two_who_open_a_direct_at_once_get_one(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    for round in 0..10 {
        let other = user(store, &format!("user{round}")).await;
        let open = async |one: &User, other: &User| {
            store.open_direct(ChannelId::generate(), one.id, other.id, NOW).await.unwrap()
        };
        let (one, two, three) = tokio::join!(open(&ada, &other), open(&other, &ada), open(&ada, &other));
        assert_eq!((one.0, two.0), (two.0, three.0));
        assert_eq!([one.1, two.1, three.1].into_iter().flatten().count(), 1, "it was opened once");
        assert_eq!(store.channel(ada.id, one.0).await.unwrap().unwrap().members, 2);
    }
}

async fn with_oneself_one_keeps_notes(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let (id, entry) = store.open_direct(ChannelId::generate(), ada.id, ada.id, NOW).await.unwrap();
    assert_eq!(entry.unwrap().change, Change::DirectOpened { channel_id: id, users: vec![ada.id] });
    assert_eq!(store.open_direct(ChannelId::generate(), ada.id, ada.id, NOW).await.unwrap(), (id, None));
    let note = post(store, id, &ada, "milk, @ada").await;
    assert_eq!(note.receiver, Some(Receiver { id: ada.id }));
    let seen = store.channel(ada.id, id).await.unwrap().unwrap();
    assert_eq!((seen.members, seen.peer.map(|peer| peer.id)), (1, Some(ada.id)));
    assert_eq!((seen.unread, seen.mentions), (0, 0));
    let members = store.members(id).await.unwrap();
    assert_eq!(members, [ada]);
}

/// Everything that only admins do.
async fn acts(store: &dyn Store, actor: &User, channel: ChannelId, subject: UserId, code: &str) -> Vec<&'static str> {
    let topic = ChannelChange { topic: Some(Uuid::now_v7().to_string()), ..ChannelChange::default() };
    let fresh = Uuid::now_v7().simple().to_string();
    vec![
        word(&store.update_channel(channel, topic, act(actor)).await.unwrap()),
        word(&store.admit(channel, subject, act(actor)).await.unwrap()),
        word(&store.expel(channel, subject, act(actor)).await.unwrap()),
        word(&store.delete_channel(channel, act(actor)).await.unwrap()),
        word(&store.update_user(subject, SUSPEND, act(actor)).await.unwrap()),
        word(&store.end_sessions(subject, act(actor)).await.unwrap()),
        word(&store.revoke_invite(code, act(actor)).await.unwrap()),
        // These are about nothing that could be missing.
        word(&store.create_channel(private(&fresh), actor.id).await.unwrap()),
        word(&store.set_registration(Registration::Open, act(actor)).await.unwrap()),
        word(&store.create_invite(draft(&fresh, 1), act(actor)).await.unwrap()),
    ]
}

async fn only_who_is_an_admin_right_now_runs_the_place(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let (demoted, suspended) = (user(store, "tomas").await, user(store, "jun").await);
    let id = channel(store, "general", &ada).await;
    done(store.create_invite(draft("code", 1), act(&ada)).await.unwrap());
    for person in [&demoted, &suspended] {
        done(change(store, person, PROMOTE, &ada).await);
    }
    done(change(store, &demoted, DEMOTE, &ada).await);
    done(change(store, &suspended, SUSPEND, &ada).await);
    let before = (audit(store).await, store.journal_head().await.unwrap());
    let nobody = User { id: UserId::generate(), ..mira.clone() };
    for actor in [&mira, &demoted, &suspended, &nobody] {
        assert_eq!(acts(store, actor, id, mira.id, "code").await, ["forbidden"; 10]);
        let missing = acts(store, actor, ChannelId::generate(), UserId::generate(), "none").await;
        assert_eq!(missing, ["forbidden"; 10], "they aren't told what there is");
        let taken = NewChannel { name: "general".into(), ..private("") };
        assert_eq!(store.create_channel(taken, actor.id).await.unwrap(), Outcome::Forbidden);
    }
    assert_eq!((audit(store).await, store.journal_head().await.unwrap()), before, "nothing was noted or told");
    assert_eq!(store.user(mira.id).await.unwrap(), Some(mira.clone()));

    let missing = acts(store, &ada, ChannelId::generate(), UserId::generate(), "none").await;
    assert_eq!(missing[..7], ["not found"; 7]);
    assert_eq!(store.revoke_invite("co\0de", act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(store.admit(id, UserId::generate(), act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(acts(store, &ada, id, mira.id, "code").await, ["done"; 10]);
}

async fn each_act_is_noted_once_and_none_where_nothing_changes(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    let update = ChannelChange {
        name: Some("plans".into()),
        topic: Some("About general".into()),
        visibility: Some(Visibility::Private),
        post_policy: None,
    };
    let both = UserChange { role: Some(Role::Member), suspended: Some(true) };
    for again in [false, true] {
        let told = [
            done(store.update_channel(id, update.clone(), because(&ada, "ours")).await.unwrap()).1.len(),
            done(store.admit(id, mira.id, act(&ada)).await.unwrap()).1.len(),
        ];
        assert_eq!(told, if again { [0, 0] } else { [1, 1] });
    }
    for again in [false, true] {
        assert_eq!(done(store.expel(id, mira.id, because(&ada, "too loud")).await.unwrap()).1.is_empty(), again);
    }
    for (subject, changes) in [(&mira, [PROMOTE, both, REINSTATE])] {
        for to in changes {
            assert_eq!(done(change(store, subject, to, &ada).await).1.len(), 1);
            assert_eq!(done(change(store, subject, to, &ada).await).1.len(), 0);
        }
    }
    for _ in 0..2 {
        assert_eq!(done(store.set_registration(Registration::Invite, act(&ada)).await.unwrap()).1, []);
    }
    let invite = done(store.create_invite(draft("code", 3), act(&ada)).await.unwrap()).0;
    assert_eq!((invite.created_by.username.as_str(), invite.max_uses, invite.uses), ("ada", 3, 0));
    assert_eq!(done(store.revoke_invite("code", act(&ada)).await.unwrap()).1, []);
    assert_eq!(store.revoke_invite("code", act(&ada)).await.unwrap(), Outcome::NotFound);
    assert_eq!(done(store.end_sessions(mira.id, act(&ada)).await.unwrap()).1, [], "there were none");
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    assert_eq!(store.delete_channel(id, act(&ada)).await.unwrap(), Outcome::NotFound);

    let noted = audit(store).await;
    let expected = [
        (AuditAction::ChannelCreated, None, Some("general"), None, None),
        (AuditAction::ChannelUpdated, None, Some("general"), Some("name: plans, visibility: private"), Some("ours")),
        (AuditAction::MemberAdded, Some("mira"), Some("plans"), None, None),
        (AuditAction::MemberRemoved, Some("mira"), Some("plans"), None, Some("too loud")),
        (AuditAction::UserPromoted, Some("mira"), None, None, None),
        (AuditAction::UserDemoted, Some("mira"), None, None, None),
        (AuditAction::UserSuspended, Some("mira"), None, None, None),
        (AuditAction::UserReinstated, Some("mira"), None, None, None),
        (AuditAction::RegistrationChanged, None, None, Some("invite"), None),
        (AuditAction::InviteCreated, None, None, Some("uses: 3, until 1970-01-01T02:30:00.000Z"), None),
        (AuditAction::InviteRevoked, None, None, None, None),
        (AuditAction::SessionsEnded, Some("mira"), None, None, None),
        (AuditAction::ChannelDeleted, None, Some("plans"), None, None),
    ];
    let short = noted.iter().map(|entry| {
        assert_eq!((entry.actor.id, entry.at), (ada.id, NOW));
        assert!(entry.channel.as_ref().is_none_or(|channel| channel.id == id) && entry.message_id.is_none());
        let user = entry.user.as_ref().map(|user| user.username.as_str());
        let channel = entry.channel.as_ref().map(|channel| channel.name.as_str());
        (entry.action, user, channel, entry.detail.as_deref(), entry.reason.as_deref())
    });
    assert_eq!(short.collect::<Vec<_>>(), expected);

    let newest_first: Vec<_> = noted.into_iter().rev().collect();
    let page = store.audit(None, 5).await.unwrap();
    assert_eq!(page, newest_first[..5]);
    assert_eq!(store.audit(Some(page[4].id), 100).await.unwrap(), newest_first[5..]);
    assert_eq!(store.audit(Some(newest_first[12].id), 100).await.unwrap(), []);
}

async fn somebody_always_runs_the_place(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let both = UserChange { role: Some(Role::Member), suspended: Some(true) };
    for to in [DEMOTE, SUSPEND, both] {
        assert_eq!(change(store, &ada, to, &ada).await, Outcome::LastAdmin);
    }
    assert_eq!(store.user(ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(actions(store).await, []);
    done(change(store, &ada, PROMOTE, &ada).await);
    done(change(store, &ada, REINSTATE, &ada).await);

    done(change(store, &mira, PROMOTE, &ada).await);
    done(change(store, &mira, SUSPEND, &ada).await);
    assert_eq!(change(store, &ada, DEMOTE, &ada).await, Outcome::LastAdmin, "who is suspended doesn't count");
    let idle = done(change(store, &mira, DEMOTE, &ada).await).0;
    assert_eq!((idle.role, idle.suspended), (Role::Member, true));
    done(change(store, &mira, UserChange { role: Some(Role::Admin), suspended: Some(false) }, &ada).await);
    let retired = done(change(store, &ada, DEMOTE, &ada).await).0;
    assert_eq!(retired.role, Role::Member);
    assert_eq!(change(store, &ada, PROMOTE, &ada).await, Outcome::Forbidden);
    assert_eq!(change(store, &mira, SUSPEND, &mira).await, Outcome::LastAdmin);
}

async fn two_admins_at_once_never_leave_the_place_to_nobody(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    done(change(store, &mira, PROMOTE, &ada).await);
    for round in 0..50 {
        let to = [DEMOTE, SUSPEND][round % 2];
        // Each other, or each themselves.
        let (one, two) = if round % 4 < 2 {
            tokio::join!(change(store, &mira, to, &ada), change(store, &ada, DEMOTE, &mira))
        } else {
            tokio::join!(change(store, &ada, to, &ada), change(store, &mira, to, &mira))
        };
        let mut words = [word(&one), word(&two)];
        words.sort_unstable();
        assert_eq!(words, ["done", if round % 4 < 2 { "forbidden" } else { "last admin" }], "in round {round}");
        let [ada_now, mira_now] = [ada.id, mira.id].map(async |id| store.user(id).await.unwrap().unwrap());
        let (ada_now, mira_now) = (ada_now.await, mira_now.await);
        let active = |user: &User| user.role == Role::Admin && !user.suspended;
        assert!(active(&ada_now) != active(&mira_now), "{ada_now:?} {mira_now:?}");
        let (left, other) = if active(&ada_now) { (&ada, &mira) } else { (&mira, &ada) };
        done(change(store, other, UserChange { role: Some(Role::Admin), suspended: Some(false) }, left).await);
    }
}

async fn acts_and_changes_of_rights_at_once_come_in_some_order(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let general = channel(store, "general", &ada).await;
    store.join(general, mira.id, NOW).await.unwrap();
    let others = post(store, general, &ada, "hello").await;
    for round in 0_u8..12 {
        done(change(store, &mira, PROMOTE, &ada).await);
        let removed = channel(store, "removed", &ada).await;
        let hers = session(store, &mira, [round; 32]).await;
        let react = MessageChange::React { emoji: "👍".into(), on: round % 2 == 0 };
        let revision = Revision { message_id: others.id, actor: mira.id, at: NOW, what: react };
        let rename = ChannelChange { name: Some(format!("general{round}")), ..ChannelChange::default() };
        let by_mira = async || {
            let (deleted, renamed, admitted, mode, invited, ended) = tokio::join!(
                store.delete_channel(removed, act(&mira)),
                store.update_channel(general, rename, act(&mira)),
                store.admit(removed, mira.id, act(&mira)),
                store.set_registration(Registration::Invite, act(&mira)),
                store.create_invite(draft(&format!("code{round}"), 1), act(&mira)),
                store.end_sessions(ada.id, act(&mira)),
            );
            let words = [word(&renamed.unwrap()), word(&mode.unwrap()), word(&invited.unwrap()), word(&ended.unwrap())];
            assert!(words.iter().all(|word| ["done", "forbidden"].contains(word)), "{words:?}");
            (deleted.unwrap(), admitted.unwrap())
        };
        let hello = [message(general, &mira, "hello", None)];
        let (demoted, name, password, posted, revised, (deleted, _)) = tokio::join!(
            store.update_user(mira.id, DEMOTE, act(&ada)),
            store.set_display_name(mira.id, "Mira", NOW),
            store.set_password(mira.id, "hash", hers, NOW),
            store.append(&hello),
            store.revise(revision),
            by_mira(),
        );
        done(demoted.unwrap());
        assert!(name.unwrap().is_some() && password.is_ok());
        assert!(matches!(posted.unwrap()[0], Appended::New(_)) && matches!(revised.unwrap(), Revised::Changed(_)));
        assert_eq!(store.create_channel(private("late"), mira.id).await.unwrap(), Outcome::Forbidden);
        if deleted == Outcome::Forbidden {
            done(store.delete_channel(removed, act(&ada)).await.unwrap());
        }
    }
}

async fn who_is_suspended_is_logged_out_and_says_nothing_more(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    let said = post(store, id, &mira, "hello").await;
    let sessions = [session(store, &mira, [1; 32]).await, session(store, &mira, [2; 32]).await];
    let others = session(store, &ada, [3; 32]).await;
    let (suspended, mut entries) = done(change(store, &mira, SUSPEND, &ada).await);
    assert!(suspended.suspended);
    assert_eq!(entries.pop().unwrap().change, Change::UserChanged { user_id: mira.id });
    let mut gone = ended(entries.pop());
    gone.sort_unstable();
    assert_eq!((gone.as_slice(), entries.len()), (&sessions[..], 0));

    assert_eq!(store.sessions(mira.id, NOW).await.unwrap(), []);
    assert_eq!(store.session_user(sessions[0], NOW).await.unwrap(), None);
    assert!(store.session_user(others, NOW).await.unwrap().is_some());
    assert_eq!(store.append(&[message(id, &mira, "still here", None)]).await.unwrap(), [Appended::Forbidden]);
    let edit = MessageChange::Edit { text: "still here".into(), mentions: Mentions::default() };
    for what in [edit, MessageChange::Delete { reason: None }] {
        let revision = Revision { message_id: said.id, actor: mira.id, at: NOW, what };
        assert_eq!(store.revise(revision).await.unwrap(), Revised::NotFound);
    }
    session(store, &mira, [4; 32]).await;
    assert_eq!(store.sessions(mira.id, NOW).await.unwrap(), []);
    assert!(store.session_by_refresh([4; 32], NOW).await.unwrap().is_none());
    assert!(store.credentials("mira").await.unwrap().unwrap().0.suspended);

    done(change(store, &mira, REINSTATE, &ada).await);
    assert_eq!(store.sessions(mira.id, NOW).await.unwrap(), [], "what has ended stays so");
    session(store, &mira, [5; 32]).await;
    assert!(store.session_by_refresh([5; 32], NOW).await.unwrap().is_some());
    post(store, id, &mira, "back again").await;
    let entry = done(store.end_sessions(mira.id, act(&ada)).await.unwrap()).1.pop();
    assert_eq!(ended(entry).len(), 1);
    assert_eq!(store.sessions(mira.id, NOW).await.unwrap(), []);
}

async fn who_logs_in_while_being_suspended_is_out_in_the_end(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    for round in 0..20 {
        let logins = (0..3).map(|n| session(store, &mira, [round * 3 + n; 32]));
        let (_, suspended) =
            tokio::join!(futures::future::join_all(logins), store.update_user(mira.id, SUSPEND, act(&ada)));
        done(suspended.unwrap());
        assert_eq!(store.sessions(mira.id, NOW).await.unwrap(), []);
        done(change(store, &mira, REINSTATE, &ada).await);
    }
}

async fn who_may_register_is_as_an_admin_said(fresh: Fresh) {
    let store = &*fresh.store;
    let register = async |name: &str, invite: Option<&str>| {
        let admission = store.create_user(newcomer(name), invite).await.unwrap();
        if let Admission::Admitted(user) = &admission {
            assert_eq!(store.user(user.id).await.unwrap().as_ref(), Some(user));
        }
        admission
    };
    assert_eq!(store.registration().await.unwrap(), Registration::Open);
    let Admission::Admitted(ada) = register("ada", Some("none")).await else { panic!("the first is let in") };
    assert_eq!(ada.role, Role::Admin);
    let mira = user(store, "mira").await;
    assert_eq!(mira.role, Role::Member);
    let old = InviteDraft { expires_at: NOW, ..draft("old", 9) };
    for invite in [draft("twice", 2), old, draft("revoked", 9)] {
        done(store.create_invite(invite, act(&ada)).await.unwrap());
    }
    let codes = async |now| store.invites(now).await.unwrap().into_iter().map(|invite| invite.code).collect::<Vec<_>>();
    assert_eq!(codes(NOW).await, ["revoked", "twice"]);
    assert_eq!(codes(Timestamp::from_millis(NOW.millis() - 1)).await, ["old", "revoked", "twice"]);
    done(store.revoke_invite("revoked", act(&ada)).await.unwrap());

    done(store.set_registration(Registration::Closed, act(&ada)).await.unwrap());
    assert_eq!(store.registration().await.unwrap(), Registration::Closed);
    assert_eq!(register("jun", Some("twice")).await, Admission::Closed);
    done(store.set_registration(Registration::Invite, act(&ada)).await.unwrap());
    for bad in [None, Some(""), Some("none"), Some("old"), Some("revoked"), Some("TWICE"), Some("tw\0ice")] {
        assert_eq!(register("jun", bad).await, Admission::NotInvited, "{bad:?}");
        assert!(!store.invite_is_good(bad.unwrap_or_default(), NOW).await.unwrap(), "{bad:?}");
    }
    let taken = store.create_user(newcomer("MIRA"), Some("twice")).await;
    assert!(matches!(taken, Err(StoreError::Taken("username"))), "{taken:?}");
    assert_eq!(store.invites(NOW).await.unwrap()[0].uses, 0, "who wasn't let in has used nothing");
    assert!(store.invite_is_good("twice", LATER).await.unwrap());
    assert!(matches!(register("jun", Some("twice")).await, Admission::Admitted(_)));
    assert_eq!(store.invites(NOW).await.unwrap()[0].uses, 1);
    done(store.set_registration(Registration::Open, act(&ada)).await.unwrap());
    assert!(matches!(register("tomas", Some("twice")).await, Admission::Admitted(_)));
    assert_eq!(store.invites(NOW).await.unwrap()[0].uses, 1, "where none is needed none is used");
    done(store.set_registration(Registration::Invite, act(&ada)).await.unwrap());
    assert!(matches!(register("wen", Some("twice")).await, Admission::Admitted(_)));
    assert_eq!(register("kim", Some("twice")).await, Admission::NotInvited);
    assert!(!store.invite_is_good("twice", NOW).await.unwrap() && codes(NOW).await.is_empty());
    assert_eq!(store.user_count().await.unwrap(), 5);
}

async fn an_invitation_is_used_no_more_often_than_it_says_also_at_once(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    done(store.set_registration(Registration::Invite, act(&ada)).await.unwrap());
    done(store.create_invite(draft("thrice", 3), act(&ada)).await.unwrap());
    let names: Vec<_> = (0..10).map(|n| format!("user{n}")).collect();
    let coming = names.iter().map(|name| store.create_user(newcomer(name), Some("thrice")));
    let outcomes = futures::future::join_all(coming).await;
    let admitted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Admission::Admitted(_)))).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Admission::NotInvited))).count();
    assert_eq!((admitted, refused), (3, 7), "{outcomes:?}");
    assert_eq!(store.user_count().await.unwrap(), 4);
}

async fn setting_the_same_at_once_is_noted_once(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    for mode in [Registration::Closed, Registration::Open, Registration::Invite] {
        let before = audit(store).await.len();
        let setting = (0..4).map(|_| store.set_registration(mode, act(&ada)));
        for outcome in futures::future::join_all(setting).await {
            done(outcome.unwrap());
        }
        assert_eq!(store.registration().await.unwrap(), mode);
        assert_eq!(audit(store).await.len(), before + 1);
    }
}

async fn a_channel_changes_as_an_admin_says(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    channel(store, "taken", &ada).await;
    post_many(store, id, &ada, 2).await;
    let before = store.channel(ada.id, id).await.unwrap();
    let head = store.journal_head().await.unwrap();
    let update = async |change: ChannelChange| store.update_channel(id, change, act(&ada)).await;
    let named = |name: &str| ChannelChange { name: Some(name.into()), ..ChannelChange::default() };
    let taken = update(ChannelChange { topic: Some("new".into()), ..named("taken") }).await;
    assert!(matches!(taken, Err(StoreError::Taken("name"))), "{taken:?}");
    for nothing in [ChannelChange::default(), named("general")] {
        assert_eq!(done(update(nothing).await.unwrap()).1, []);
    }
    assert_eq!(store.channel(ada.id, id).await.unwrap(), before, "all or nothing");
    assert_eq!(store.journal_head().await.unwrap(), head);

    let change = ChannelChange {
        name: Some("plans".into()),
        topic: Some(String::new()),
        visibility: Some(Visibility::Private),
        post_policy: Some(PostPolicy::Admins),
    };
    let told = |hidden| Change::ChannelChanged { channel_id: id, hidden };
    let entries = done(update(change.clone()).await.unwrap()).1;
    assert_eq!(entries.iter().map(|entry| &entry.change).collect::<Vec<_>>(), [&told(true)]);
    let seen = store.channel(ada.id, id).await.unwrap().unwrap();
    assert_eq!((seen.name.as_deref(), seen.topic.as_str()), (Some("plans"), ""));
    assert_eq!((seen.visibility, seen.post_policy, seen.rev), (Visibility::Private, PostPolicy::Admins, 2));
    assert!(store.channel_by_name(ada.id, "general").await.unwrap().is_none());
    assert_eq!(store.channel_by_name(ada.id, "plans").await.unwrap(), Some(seen));
    assert_eq!(store.join(id, mira.id, NOW).await.unwrap(), None, "who saw it while it was public comes too late");
    let topic = ChannelChange { topic: Some("x".into()), visibility: Some(Visibility::Private), ..Default::default() };
    assert_eq!(done(update(topic).await.unwrap()).1[0].change, told(false), "it was hidden before");
    let open = ChannelChange { visibility: Some(Visibility::Public), ..ChannelChange::default() };
    assert_eq!(done(update(open).await.unwrap()).1[0].change, told(false));
    assert!(store.join(id, mira.id, NOW).await.unwrap().is_some());
    channel(store, "general", &ada).await;
    assert!(matches!(update(named("general")).await, Err(StoreError::Taken("name"))));
}

async fn admins_say_who_is_in_a_private_channel(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel_with(store, "secret", &ada, Visibility::Private, PostPolicy::Everyone).await;
    post_many(store, id, &ada, 3).await;
    assert_eq!(store.join(id, mira.id, NOW).await.unwrap(), None);
    let joined = Change::Joined { channel_id: id, user_id: mira.id };
    assert_eq!(done(store.admit(id, mira.id, act(&ada)).await.unwrap()).1[0].change, joined);
    let seen = store.channel(mira.id, id).await.unwrap().unwrap();
    assert_eq!((seen.joined, seen.members, seen.read_seq, seen.unread), (true, 2, 3, 0));
    post(store, id, &mira, "thank you").await;
    let left = Change::Left { channel_id: id, user_id: mira.id };
    assert_eq!(done(store.expel(id, mira.id, act(&ada)).await.unwrap()).1[0].change, left);
    assert_eq!(store.append(&[message(id, &mira, "hello?", None)]).await.unwrap(), [Appended::NotFound]);
    let admitting = (0..4).map(|_| store.admit(id, mira.id, act(&ada)));
    let outcomes = futures::future::join_all(admitting).await;
    assert_eq!(outcomes.into_iter().map(|outcome| done(outcome.unwrap()).1.len()).sum::<usize>(), 1);
    assert_eq!(actions(store).await.iter().filter(|action| **action == AuditAction::MemberAdded).count(), 2);
}

async fn people_are_found_by_their_names_page_by_page(fresh: Fresh) {
    let store = &*fresh.store;
    let mut people = Vec::new();
    for name in ["bob", "Bo", "ada", "mira", "b_o"] {
        people.push(user(store, name).await);
    }
    let found = async |query: &str, after: &str, limit| {
        let users = store.users(query, after, limit).await.unwrap();
        users.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };
    assert_eq!(found("", "", 100).await, ["ada", "b_o", "Bo", "bob", "mira"]);
    assert_eq!(found("", "", 2).await, ["ada", "b_o"]);
    assert_eq!(found("", "b_o", 2).await, ["Bo", "bob"]);
    assert_eq!(found("", "BOB", 2).await, ["mira"]);
    assert_eq!(found(" BO ", "", 100).await, ["Bo", "bob"]);
    assert_eq!(found("bo", "bo", 100).await, ["bob"]);
    assert_eq!(found("_", "", 100).await, ["b_o"], "signs of the query language mean themselves");
    for nobody in ["%", "bo\0", "\0"] {
        assert_eq!(found(nobody, "", 100).await, [""; 0], "{nobody:?}");
    }
    let (renamed, entry) = store.set_display_name(people[2].id, "Augusta B. King", NOW).await.unwrap().unwrap();
    assert_eq!((renamed.display_name.as_str(), renamed.username.as_str()), ("Augusta B. King", "ada"));
    assert_eq!(entry.change, Change::UserChanged { user_id: people[2].id });
    assert_eq!(found("b. kING", "", 100).await, ["ada"]);
    assert_eq!(store.set_display_name(UserId::generate(), "x", NOW).await.unwrap(), None);
    assert_eq!(store.user_by_name("ADA").await.unwrap(), Some(renamed));
    for nobody in ["", "ad", "ada\0"] {
        assert_eq!(store.user_by_name(nobody).await.unwrap(), None);
        assert!(store.credentials(nobody).await.unwrap().is_none());
    }
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A message as if posted at that time.
fn at(millis: i64, channel_id: ChannelId, sender: &User) -> NewMessage {
    let random = Uuid::now_v7().as_u128() & ((1 << 80) - 1);
    let time = u128::try_from(millis).unwrap() << 80;
    let (id, timestamp) = (MessageId(Uuid::from_u128(time | random)), Timestamp::from_millis(millis));
    NewMessage { id, timestamp, ..message(channel_id, sender, "hello", None) }
}

async fn figures_count_what_was_said_in_fourteen_days(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let jun = user(store, "jun").await;
    done(change(store, &jun, SUSPEND, &ada).await);
    let (quiet, busy) = (channel(store, "quiet", &ada).await, channel(store, "busy", &ada).await);
    let old = channel(store, "old", &ada).await;
    store.join(busy, mira.id, NOW).await.unwrap();
    let (direct, _) = store.open_direct(ChannelId::generate(), ada.id, mira.id, NOW).await.unwrap();
    let today = 20_000 * DAY;
    let noon = today + DAY / 2;
    let batch = [
        at(noon, busy, &ada),
        at(noon, busy, &mira),
        at(today, busy, &mira),
        at(noon, quiet, &ada),
        at(noon, direct, &ada),
        at(today - 1, busy, &ada),
        at(today - 13 * DAY, busy, &mira),
        at(today - 13 * DAY - 1, busy, &mira),
        at(today - 14 * DAY, old, &ada),
    ];
    assert!(store.append(&batch).await.unwrap().iter().all(|appended| matches!(appended, Appended::New(_))));
    let stats = store.stats(Timestamp::from_millis(noon)).await.unwrap();
    assert_eq!((stats.users, stats.suspended, stats.channels, stats.messages), (3, 1, 3, 9));
    assert!(stats.storage_bytes > 10_000, "{}", stats.storage_bytes);
    let days: Vec<_> = stats.days.iter().map(|day| (day.messages, day.active)).collect();
    let mut expected = vec![(0, 0); 14];
    (expected[0], expected[12], expected[13]) = ((1, 1), (1, 1), (5, 2));
    assert_eq!(days, expected);
    let beginnings: Vec<_> = stats.days.iter().map(|day| day.day.millis()).collect();
    assert_eq!(beginnings, (0..14).map(|n| today - (13 - n) * DAY).collect::<Vec<_>>());
    let busiest: Vec<_> = stats.busiest.iter().map(|channel| (channel.id, channel.messages)).collect();
    assert_eq!(busiest, [(busy, 5), (quiet, 1)], "neither directs nor what was before");
}

engines!(
    a_direct_is_one_conversation_whoever_opens_it,
    a_message_in_a_direct_says_whom_it_is_for,
    two_who_open_a_direct_at_once_get_one,
    with_oneself_one_keeps_notes,
    only_who_is_an_admin_right_now_runs_the_place,
    each_act_is_noted_once_and_none_where_nothing_changes,
    somebody_always_runs_the_place,
    two_admins_at_once_never_leave_the_place_to_nobody,
    acts_and_changes_of_rights_at_once_come_in_some_order,
    who_is_suspended_is_logged_out_and_says_nothing_more,
    who_logs_in_while_being_suspended_is_out_in_the_end,
    who_may_register_is_as_an_admin_said,
    an_invitation_is_used_no_more_often_than_it_says_also_at_once,
    setting_the_same_at_once_is_noted_once,
    a_channel_changes_as_an_admin_says,
    admins_say_who_is_in_a_private_channel,
    people_are_found_by_their_names_page_by_page,
    figures_count_what_was_said_in_fourteen_days,
);
