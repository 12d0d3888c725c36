//! What every store engine has to do with what is unread, and with what is to stay quiet.

use super::common::MarkRead as _;
use super::store_contract::{Fresh, LATER, NOW, channel, done, engines, message, post_many, user};
use natter::{
    Channel, ChannelId, FeedItem, Message, MessageId, User, UserId, channel::UNREAD_MAX, feed::Place,
    markdown::mentions,
};
use natter_server::store::{Appended, Change, MessageChange, NewMessage, Revision, Store};

async fn post(store: &dyn Store, id: ChannelId, sender: &User, text: &str) -> Message {
    match store.append(&[message(id, sender, text, None)]).await.unwrap().remove(0) {
        Appended::New(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn revise(store: &dyn Store, actor: &User, message_id: MessageId, what: MessageChange) {
    store.revise(Revision { message_id, actor: actor.id, at: LATER, what }).await.unwrap();
}

async fn delete(store: &dyn Store, message: &Message, actor: &User) {
    revise(store, actor, message.id, MessageChange::Delete { reason: None }).await;
}

async fn direct(store: &dyn Store, one: &User, other: &User) -> ChannelId {
    store.open_direct(ChannelId::generate(), one.id, other.id, NOW).await.unwrap().0
}

async fn feed(store: &dyn Store, viewer: &User) -> Vec<FeedItem> {
    store.feed(viewer.id, None, 100).await.unwrap().into_iter().map(|(_, item)| item).collect()
}

async fn order(store: &dyn Store, viewer: &User) -> Vec<String> {
    feed(store, viewer).await.iter().map(|item| item.channel.label().to_owned()).collect()
}

async fn seen(store: &dyn Store, viewer: &User, id: ChannelId) -> Channel {
    store.channel(viewer.id, id).await.unwrap().unwrap()
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

async fn rooms(store: &dyn Store, names: &[&str]) -> (User, User, Vec<ChannelId>) {
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let mut ids = Vec::new();
    for name in names {
        let id = channel(store, name, &ada).await;
        store.join(id, mira.id, NOW).await.unwrap();
        ids.push(id);
    }
    (ada, mira, ids)
}

async fn the_feed_has_what_is_unread_and_its_first_and_latest_messages(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, ids) = rooms(store, &["general", "quiet", "mine"]).await;
    let [general, quiet, mine] = ids[..] else { panic!() };
    assert!(feed(store, &mira).await.is_empty());
    post(store, general, &ada, "before").await;
    post(store, quiet, &ada, "read").await;
    for id in [general, quiet] {
        store.mark_read(id, mira.id, 1, false).await.unwrap();
    }
    post(store, mine, &mira, "of one's own").await;
    post(store, general, &mira, "own").await;
    let gone = post(store, general, &ada, "gone").await;
    delete(store, &gone, &ada).await;
    post_many(store, general, &ada, 9).await;
    let last = post(store, general, &ada, "gone, too").await;
    delete(store, &last, &ada).await;
    let [item] = &feed(store, &mira).await[..] else { panic!() };
    assert_eq!(item.channel, seen(store, &mira, general).await, "as it is seen everywhere");
    assert_eq!((item.unread, item.mentions, item.channel.unread), (9, 0, 9));
    assert_eq!(texts(&item.first), ["m1", "m2", "m3"]);
    assert_eq!(texts(&item.latest), ["m5", "m6", "m7", "m8", "m9"]);
    assert_eq!(item.first_unread_seq, item.first[0].seq);
    assert_eq!(item.before.as_ref().map(|before| before.text.as_str()), Some("own"), "not what is deleted");
    // Whole messages.
    let stored = store.message(item.first[0].id).await.unwrap();
    assert_eq!(stored.as_ref(), item.first.first());
    store.mark_read(general, mira.id, item.first[1].seq, false).await.unwrap();
    let [item] = &feed(store, &mira).await[..] else { panic!() };
    assert_eq!((item.unread, texts(&item.first)), (7, vec!["m3", "m4", "m5"]));
    assert_eq!(item.before.as_ref().map(|before| before.text.as_str()), Some("m2"));
    store.mark_read(general, mira.id, u64::MAX, false).await.unwrap();
    assert!(feed(store, &mira).await.is_empty());
    assert_eq!(order(store, &ada).await, ["general", "mine"], "each has their own");
}

async fn what_is_to_oneself_comes_first_then_what_is_new_and_what_is_muted_last(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, ids) = rooms(store, &["muted", "old", "named", "new"]).await;
    let jun = user(store, "jun").await;
    let [muted, old, named, new] = ids[..] else { panic!() };
    let (with_ada, with_jun) = (direct(store, &ada, &mira).await, direct(store, &jun, &mira).await);
    post(store, with_jun, &jun, "psst").await;
    post(store, named, &ada, "@mira").await;
    post(store, with_ada, &ada, "hello").await;
    post(store, old, &ada, "one").await;
    post(store, new, &ada, "two").await;
    store.set_muted(muted, mira.id, true, NOW).await.unwrap().unwrap();
    post(store, muted, &ada, "three").await;
    assert_eq!(order(store, &mira).await, ["ada", "named", "jun", "new", "old", "muted"]);
    post(store, old, &ada, "four").await;
    store.set_muted(with_jun, mira.id, true, NOW).await.unwrap().unwrap();
    assert_eq!(order(store, &mira).await, ["ada", "named", "old", "new", "muted", "jun"]);
    // A name calls from there, too.
    post(store, muted, &ada, "@mira!").await;
    assert_eq!(order(store, &mira).await, ["muted", "ada", "named", "old", "new", "jun"]);
}

async fn pages_of_the_feed_meet(fresh: Fresh) {
    let store = &*fresh.store;
    let names = ["a", "b", "c", "d", "e"];
    let (ada, mira, ids) = rooms(store, &names).await;
    for id in &ids {
        post(store, *id, &ada, "hello").await;
    }
    post(store, ids[1], &ada, "@mira").await;
    let (mut found, mut after): (Vec<String>, Option<Place>) = (Vec::new(), None);
    loop {
        let page = store.feed(mira.id, after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some((place, _)) = page.last() else { break };
        after = Some(*place);
        found.extend(page.iter().map(|(_, item)| item.channel.label().to_owned()));
        // What comes meanwhile is for the next visit: nothing comes twice.
        post(store, ids[0], &ada, "again").await;
    }
    assert_eq!(found, ["b", "e", "d", "c"]);
}

async fn the_feed_is_of_what_one_is_in(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, ids) = rooms(store, &["general"]).await;
    post(store, ids[0], &ada, "hello").await;
    assert_eq!(order(store, &mira).await, ["general"]);
    store.leave(ids[0], mira.id, NOW).await.unwrap();
    assert!(feed(store, &mira).await.is_empty());
    store.join(ids[0], mira.id, NOW).await.unwrap();
    assert!(feed(store, &mira).await.is_empty(), "what was said before isn't news");
    post(store, ids[0], &ada, "again").await;
    done(store.delete_channel(ids[0], super::store_contract::act(&ada)).await.unwrap());
    assert!(feed(store, &mira).await.is_empty());
}

async fn somebody_mutes_for_themselves_and_only_names_call(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, ids) = rooms(store, &["general"]).await;
    let id = ids[0];
    let jun = user(store, "jun").await;
    let state = async |who: &User| {
        let seen = seen(store, who, id).await;
        (seen.muted, seen.unread, seen.mentions)
    };
    assert_eq!((state(&mira).await, state(&jun).await), ((Some(false), 0, 0), (None, 0, 0)));
    let entry = store.set_muted(id, mira.id, true, NOW).await.unwrap().unwrap();
    assert_eq!(entry.change, Change::Muted { channel_id: id, user_id: mira.id });
    assert_eq!(store.journal(entry.pos - 1, 10).await.unwrap(), [entry]);
    assert_eq!(store.set_muted(id, mira.id, true, NOW).await.unwrap(), None, "again");
    assert_eq!(store.set_muted(id, jun.id, true, NOW).await.unwrap(), None, "not in it");
    assert_eq!(store.set_muted(ChannelId::generate(), mira.id, true, NOW).await.unwrap(), None);
    assert_eq!(store.joined_channels(mira.id).await.unwrap()[0].muted, Some(true));
    let call = |text: &str| NewMessage { mentions: mentions(text), ..message(id, &ada, text, None) };
    store.append(&[call("@channel"), call("@mira"), call("@channel @mira")]).await.unwrap();
    assert_eq!(state(&mira).await, (Some(true), 3, 2));
    let mark = store.mark_read(id, mira.id, 1, false).await.unwrap().unwrap();
    assert_eq!((mark.unread, mark.mentions, mark.rev), (2, 2, 3));
    let mark = store.mark_read(id, mira.id, 0, true).await.unwrap().unwrap();
    assert_eq!((mark.unread, mark.mentions, mark.rev), (3, 2, 3));
    let mark = store.mark_read(id, mira.id, 0, false).await.unwrap().unwrap();
    assert_eq!((mark.unread, mark.mentions, mark.rev, mark.moved), (3, 2, 3, false));
    assert_eq!(state(&ada).await, (Some(false), 0, 0), "nobody else's");
    store.set_muted(id, mira.id, false, NOW).await.unwrap().unwrap();
    assert_eq!(state(&mira).await, (Some(false), 3, 3));
    store.set_muted(id, mira.id, true, NOW).await.unwrap().unwrap();
    store.leave(id, mira.id, NOW).await.unwrap();
    store.join(id, mira.id, NOW).await.unwrap();
    assert_eq!(state(&mira).await.0, Some(false), "it goes with the membership");
}

async fn a_channel_is_read_for_many_as_for_each_of_them(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun) = (user(store, "ada").await, user(store, "mira").await, user(store, "jun").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    let named = NewMessage { mentions: mentions("@mira"), ..message(id, &ada, "@mira", None) };
    store.append(&[named, message(id, &mira, "here", None)]).await.unwrap();
    store.set_muted(id, mira.id, true, NOW).await.unwrap();
    let (direct, _) = store.open_direct(ChannelId::generate(), ada.id, mira.id, NOW).await.unwrap();
    let people = [ada.id, mira.id, jun.id, UserId::generate()];
    for (id, among) in
        [(id, &people[..]), (id, &people[1..]), (direct, &people), (direct, &[]), (ChannelId::generate(), &people)]
    {
        let mut expected = Vec::new();
        for viewer in among {
            let seen = store.channel(*viewer, id).await.unwrap().filter(|channel| channel.joined);
            expected.extend(seen.map(|channel| (*viewer, channel)));
        }
        let mut seen = store.channel_of(id, among).await.unwrap();
        seen.sort_by_key(|(viewer, _)| people.iter().position(|id| id == viewer));
        assert_eq!(seen, expected);
    }
}

/// What somebody neglects for years is counted to a bound, so that it costs nobody time.
async fn what_is_unread_is_counted_to_a_bound(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    let most = usize::try_from(UNREAD_MAX).unwrap();
    post_many(store, id, &ada, most - 1).await;
    assert_eq!(store.joined_channels(mira.id).await.unwrap()[0].unread, UNREAD_MAX - 1);
    post_many(store, id, &ada, 2).await;
    assert_eq!(store.joined_channels(mira.id).await.unwrap()[0].unread, UNREAD_MAX);
    assert_eq!(store.feed(mira.id, None, 1).await.unwrap()[0].1.unread, UNREAD_MAX);
    let mark = store.mark_read(id, mira.id, 1, false).await.unwrap().unwrap();
    assert_eq!(mark.unread, UNREAD_MAX);
}

engines!(
    what_is_unread_is_counted_to_a_bound,
    a_channel_is_read_for_many_as_for_each_of_them,
    the_feed_has_what_is_unread_and_its_first_and_latest_messages,
    what_is_to_oneself_comes_first_then_what_is_new_and_what_is_muted_last,
    pages_of_the_feed_meet,
    the_feed_is_of_what_one_is_in,
    somebody_mutes_for_themselves_and_only_names_call,
);
