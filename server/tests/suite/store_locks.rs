//! What holds on a shared store while another node is in the middle of something.

use super::{
    postgres::{Guard, fresh_database},
    store_contract::{NOW, act, channel, done, message, newcomer, session, user},
};
use natter::{ChannelId, PostPolicy, Role, Timestamp, User, Visibility, admin::Registration, markdown::Mentions};
use natter_server::store::{
    AccountStore as _, AdminStore as _, Admission, Appended, ChannelChange, ChannelStore as _, InviteDraft,
    JournalStore as _, MarkMove, MessageChange, MessageStore as _, NewChannel, Outcome, Revised, Revision, UserChange,
    postgres::PostgresStore,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::Duration;
use tokio::time::{sleep, timeout};

struct Place {
    store: PostgresStore,
    url: String,
    _guard: Guard,
    ada: User,
    /// An admin as well.
    mira: User,
    general: ChannelId,
}

async fn place() -> Place {
    let (url, guard) = fresh_database().await;
    let store = PostgresStore::open(&url).await.unwrap();
    let (ada, mira) = (user(&store, "ada").await, user(&store, "mira").await);
    let promote = UserChange { role: Some(Role::Admin), suspended: None };
    done(store.update_user(mira.id, promote, act(&ada)).await.unwrap());
    let general = channel(&store, "general", &ada).await;
    Place { store, url, _guard: guard, ada, mira, general }
}

impl Place {
    /// Does something that has to wait for what another node has done and not yet committed.
    async fn while_elsewhere<T>(&self, sql: &str, work: impl Future<Output = T>) -> T {
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        let mut tx = conn.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap();
        let (holder,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut *tx).await.unwrap();
        let mut watch = PgConnection::connect(&self.url).await.unwrap();
        let commit = async {
            let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))";
            let mut waits = async || {
                while !sqlx::query_as::<_, (bool,)>(waiting).bind(holder).fetch_one(&mut watch).await.unwrap().0 {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(Duration::from_secs(4), waits()).await.expect("it didn't wait");
            tx.commit().await.unwrap();
        };
        tokio::join!(work, commit).0
    }

    async fn sql(&self, sql: &str) {
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }

    /// Mira acts while she is being demoted.
    async fn demoted<T: std::fmt::Debug + PartialEq>(&self, work: impl Future<Output = T>, refused: &T) {
        let outcome = self.while_elsewhere("UPDATE users SET role = 'member' WHERE username = 'mira'", work).await;
        assert_eq!(outcome, *refused);
        self.sql("UPDATE users SET role = 'admin' WHERE username = 'mira'").await;
    }
}

#[tokio::test]
async fn who_is_being_demoted_does_nothing_more_as_an_admin() {
    let place = place().await;
    let (store, mira, general) = (&place.store, &place.mira, place.general);
    let Appended::New(said) = store.append(&[message(general, &place.ada, "hi", None)]).await.unwrap().remove(0) else {
        panic!("it is stored")
    };
    let new = NewChannel {
        id: ChannelId::generate(),
        name: "new".into(),
        topic: String::new(),
        visibility: Visibility::Public,
        post_policy: PostPolicy::Everyone,
        created_at: NOW,
    };
    let topic = ChannelChange { topic: Some("new".into()), ..ChannelChange::default() };
    let code = |code: &str| InviteDraft { code: code.into(), expires_at: NOW.plus_millis(1), max_uses: 1 };
    done(store.create_invite(code("code"), act(mira)).await.unwrap());
    let refused = &Outcome::Forbidden;
    place.demoted(async { store.create_channel(new, mira.id).await.unwrap() }, refused).await;
    place.demoted(async { store.update_channel(general, topic, act(mira)).await.unwrap() }, refused).await;
    place.demoted(async { store.admit(general, mira.id, act(mira)).await.unwrap() }, refused).await;
    place.demoted(async { store.expel(general, place.ada.id, act(mira)).await.unwrap() }, refused).await;
    place.demoted(async { store.delete_channel(general, act(mira)).await.unwrap() }, refused).await;
    place.demoted(async { store.end_sessions(place.ada.id, act(mira)).await.unwrap() }, refused).await;
    place.demoted(async { store.set_registration(Registration::Closed, act(mira)).await.unwrap() }, refused).await;
    place.demoted(async { store.revoke_invite("code", act(mira)).await.unwrap() }, refused).await;
    let invited = async { store.create_invite(code("other"), act(mira)).await.unwrap() };
    place.demoted(invited, &Outcome::Forbidden).await;
    let what = MessageChange::Delete { reason: None };
    let revision = Revision { message_id: said.id, actor: mira.id, at: NOW, what };
    place.demoted(async { store.revise(revision).await.unwrap() }, &Revised::NotFound).await;
    assert_eq!(store.message(said.id).await.unwrap(), Some(said));
}

#[tokio::test]
async fn whoever_is_demoted_finishes_what_they_are_at() {
    let place = place().await;
    let demote = UserChange { role: Some(Role::Member), suspended: None };
    // As an act has it, until it is committed.
    let acting = "SELECT FROM users WHERE username = 'mira' FOR SHARE";
    let demotion = place.store.update_user(place.mira.id, demote, act(&place.ada));
    let (demoted, _) = done(place.while_elsewhere(acting, demotion).await.unwrap());
    assert_eq!(demoted.role, Role::Member);
}

#[tokio::test]
async fn a_role_changes_while_another_node_posts_in_that_name() {
    let place = place().await;
    let store = &place.store;
    store.join(place.general, place.mira.id, NOW).await.unwrap();
    let mut conn = PgConnection::connect(&place.url).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    // What messages, mentions and the audit log refer to people by.
    sqlx::query("SELECT FROM users FOR KEY SHARE").execute(&mut *tx).await.unwrap();
    let suspend = UserChange { role: None, suspended: Some(true) };
    let suspended = timeout(Duration::from_secs(4), store.update_user(place.mira.id, suspend, act(&place.ada)));
    done(suspended.await.expect("it waited").unwrap());
}

#[tokio::test]
async fn nobody_gets_in_past_a_change_that_is_under_way() {
    let place = place().await;
    let store = &place.store;
    let suspension = "UPDATE users SET suspended = true WHERE username = 'mira'";
    place.while_elsewhere(suspension, session(store, &place.mira, [1; 32])).await;
    assert_eq!(store.sessions(place.mira.id, NOW).await.unwrap(), []);
    assert!(store.session_by_refresh([1; 32], NOW).await.unwrap().is_none());

    let closing = "UPDATE meta SET value = 'closed' WHERE key = 'registration'";
    let admission = place.while_elsewhere(closing, store.create_user(newcomer("jun"), None)).await.unwrap();
    assert_eq!(admission, Admission::Closed);
    let entering = "SELECT FROM meta WHERE key = 'registration' FOR SHARE";
    let opened = place.while_elsewhere(entering, store.set_registration(Registration::Open, act(&place.ada))).await;
    done(opened.unwrap());

    let hiding = "UPDATE channels SET visibility = 'private' WHERE name = 'general'";
    let joined = place.while_elsewhere(hiding, store.join(place.general, place.mira.id, NOW)).await;
    assert_eq!(joined.unwrap(), None);
}

#[tokio::test]
async fn a_mark_that_is_held_elsewhere_moves_when_it_is_free() {
    let place = place().await;
    let store = &place.store;
    store.join(place.general, place.mira.id, NOW).await.unwrap();
    store
        .append(&[message(place.general, &place.ada, "one", None), message(place.general, &place.ada, "two", None)])
        .await
        .unwrap();
    let wanted = [&place.mira, &place.ada].map(|user| MarkMove {
        channel_id: place.general,
        user_id: user.id,
        seq: 2,
        back: false,
    });
    let muting = format!("UPDATE memberships SET muted = true WHERE user_id = '{}'", place.mira.id);
    let marks = place.while_elsewhere(&muting, store.move_marks(&wanted)).await.unwrap();
    assert_eq!(marks.into_iter().map(|mark| mark.unwrap().unwrap().seq).collect::<Vec<_>>(), [2, 2]);
    let leaving = format!("DELETE FROM memberships WHERE user_id = '{}'", place.mira.id);
    let back = wanted.map(|one| MarkMove { seq: 1, back: true, ..one });
    let marks = place.while_elsewhere(&leaving, store.move_marks(&back)).await.unwrap();
    let marks: Vec<_> = marks.into_iter().map(|mark| mark.unwrap().map(|mark| mark.seq)).collect();
    assert_eq!(marks, [None, Some(1)]);
}

#[tokio::test]
async fn a_message_goes_with_its_channel_also_while_it_is_changed() {
    let place = place().await;
    let store = &place.store;
    let Appended::New(said) = store.append(&[message(place.general, &place.ada, "hi", None)]).await.unwrap().remove(0)
    else {
        panic!("it is stored")
    };
    let what = MessageChange::Edit { text: "bye".into(), mentions: Mentions::default() };
    let revision = Revision { message_id: said.id, actor: place.ada.id, at: NOW, what };
    let removal = "DELETE FROM channels WHERE name = 'general'";
    assert_eq!(place.while_elsewhere(removal, store.revise(revision)).await.unwrap(), Revised::NotFound);
}

#[tokio::test]
async fn a_removed_channel_leaves_neither_mentions_nor_reactions() {
    let place = place().await;
    let store = &place.store;
    let other = channel(store, "other", &place.ada).await;
    for id in [place.general, other] {
        store.join(id, place.mira.id, NOW).await.unwrap();
        let Appended::New(said) = store.append(&[message(id, &place.ada, "@mira", None)]).await.unwrap().remove(0)
        else {
            panic!("it is stored")
        };
        let what = MessageChange::React { emoji: "👍".into(), on: true };
        store.revise(Revision { message_id: said.id, actor: place.mira.id, at: NOW, what }).await.unwrap();
    }
    done(store.delete_channel(place.general, act(&place.ada)).await.unwrap());
    store.trim_journal(Timestamp::from_millis(0)).await.unwrap();
    let mut conn = PgConnection::connect(&place.url).await.unwrap();
    let left = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM mentions),
        (SELECT count(*) FROM reactions), (SELECT count(*) FROM removed_channels)";
    let left: (i64, i64, i64, i64) = sqlx::query_as(left).fetch_one(&mut conn).await.unwrap();
    assert_eq!(left, (1, 1, 1, 0), "what is left is of the other channel");
}
