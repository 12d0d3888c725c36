//! What every store engine has to find, and what it mustn't.

use super::{
    postgres::fresh_database,
    store_contract::{Fresh, LATER, NOW, act, channel, done, engines, message, post_many, user},
};
use natter::{
    ChannelId, Message, MessageId, Timestamp, User, UserId,
    markdown::mentions,
    search::{Query, is_match},
};
use natter_server::store::{
    Anchor, Appended, ChannelStore as _, MessageChange, MessageStore as _, NewMessage, Revised, Revision, Search,
    Store, postgres::PostgresStore, sqlite::SqliteStore,
};
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

async fn say(store: &dyn Store, channel_id: ChannelId, sender: &User, text: &str) -> Message {
    said(store, message(channel_id, sender, text, None)).await
}

async fn said(store: &dyn Store, new: NewMessage) -> Message {
    match store.append(&[new]).await.unwrap().remove(0) {
        Appended::New(message) => message,
        other => panic!("{other:?}"),
    }
}

fn looking(reader: &User, query: &str) -> Search {
    let query = Query::parse(query).unwrap();
    Search {
        reader: reader.id,
        terms: query.terms,
        channels: Vec::new(),
        senders: Vec::new(),
        before: query.before,
        after: query.after,
        has: query.has,
        cursor: None,
        limit: 100,
    }
}

async fn index(store: &dyn Store) {
    while store.tidy_index().await.unwrap() {}
}

/// The texts of all pages, newest first: the same before what is new gets into the index and after it.
async fn all(store: &dyn Store, search: Search) -> Vec<String> {
    let before = pages(store, search.clone()).await;
    index(store).await;
    let after = pages(store, search).await;
    assert_eq!(before, after, "the index changes nothing");
    after
}

async fn pages(store: &dyn Store, mut search: Search) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let found = store.search(&search).await.unwrap();
        assert!(found.items.len() <= search.limit as usize);
        texts.extend(found.items.into_iter().map(|message| message.text));
        match found.next {
            Some(next) => search.cursor = Some(next),
            None => return texts,
        }
    }
}

async fn found(store: &dyn Store, reader: &User, query: &str) -> Vec<String> {
    all(store, looking(reader, query)).await
}

async fn revise(store: &dyn Store, actor: &User, message_id: MessageId, what: MessageChange) {
    let revised = store.revise(Revision { message_id, actor: actor.id, at: LATER, what }).await.unwrap();
    assert!(matches!(revised, Revised::Changed(_)), "{revised:?}");
}

async fn any_part_of_a_word_is_found_in_any_script(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let texts = [
        "The quick BROWN fox",
        "我们明天喝绿茶吧",
        "明日の会議は東京タワーで",
        "내일 회의는 서울에서 합니다",
        "Größe ändern",
        "Привет, мир",
        "100% 🎉🎉 done",
        "see std::mem::swap(a, b)",
    ];
    for text in texts {
        say(store, id, &ada, text).await;
    }
    for (query, at) in [
        ("row", 0),
        ("THE QUICK", 0),
        ("\"quick brown\"", 0),
        ("ox", 0),
        ("x fox", 0),
        ("绿茶", 1),
        ("茶", 1),
        ("天喝绿", 1),
        ("会議", 2),
        ("東京", 2),
        ("タワ", 2),
        ("회의", 3),
        ("울에", 3),
        ("ÄNDERN", 4),
        ("öße", 4),
        ("МИР", 5),
        ("🎉", 6),
        ("0%", 6),
        ("::swap(", 7),
        ("std mem", 7),
    ] {
        assert_eq!(found(store, &ada, query).await, [texts[at]], "{query}");
    }
    for query in ["brownie", "\"brown quick\"", "fox hen", "茶绿", "회의실", "qq", "🎈", "swap()"] {
        assert_eq!(found(store, &ada, query).await, Vec::<String>::new(), "{query}");
    }
}

async fn pages_meet_newest_first_without_gap_or_overlap(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let (one, other) = (channel(store, "one", &ada).await, channel(store, "other", &ada).await);
    let mut expected = Vec::new();
    for n in 0..25 {
        let text = format!("tea {n}");
        say(store, if n % 3 == 0 { one } else { other }, &ada, &text).await;
        say(store, one, &ada, "coffee").await;
        expected.insert(0, text);
    }
    for limit in [1, 7, 24, 25, 26, 100] {
        assert_eq!(all(store, Search { limit, ..looking(&ada, "tea") }).await, expected, "{limit}");
    }
    let last = store.search(&Search { limit: 25, ..looking(&ada, "tea") }).await.unwrap();
    assert_eq!((last.items.len(), last.next), (25, None), "the end is known");
}

async fn what_is_rare_is_found_however_much_was_said_since(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let (noisy, quiet) = (channel(store, "noisy", &ada).await, channel(store, "quiet", &ada).await);
    store.join(quiet, mira.id, NOW).await.unwrap();
    say(store, quiet, &mira, "needle one and m7").await;
    say(store, noisy, &ada, "needle two").await;
    post_many(store, noisy, &ada, 2_600).await;
    assert_eq!(found(store, &ada, "needle").await, ["needle two", "needle one and m7"]);
    assert_eq!(found(store, &mira, "needle").await, ["needle one and m7"]);
    assert_eq!(found(store, &mira, "m7").await, ["needle one and m7"], "much is said of it where one isn't");
    let in_quiet = Search { channels: vec![quiet], ..looking(&ada, "m") };
    assert_eq!(all(store, in_quiet).await, ["needle one and m7"]);
    let by_mira = Search { senders: vec![mira.id], ..looking(&ada, "m7") };
    assert_eq!(all(store, by_mira).await, ["needle one and m7"]);
    // A single letter has no index: it is looked for all the same, step by step.
    assert_eq!(found(store, &ada, "z").await, Vec::<String>::new());
    assert_eq!(all(store, Search { limit: 100, ..looking(&ada, "m") }).await.len(), 2_601);
}

async fn only_what_one_may_read_now_is_found(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira, jun) = (user(store, "ada").await, user(store, "mira").await, user(store, "jun").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    say(store, id, &ada, "secret plan").await;
    let (direct, _) = store.open_direct(ChannelId::generate(), mira.id, jun.id, NOW).await.unwrap();
    say(store, direct, &mira, "secret gift").await;
    assert_eq!(found(store, &ada, "secret").await, ["secret plan"]);
    assert_eq!(found(store, &mira, "secret").await, ["secret gift", "secret plan"]);
    assert_eq!(found(store, &jun, "secret").await, ["secret gift"]);
    for id in [id, ChannelId::generate()] {
        let nosy = Search { channels: vec![id], ..looking(&jun, "secret") };
        assert_eq!(all(store, nosy).await, Vec::<String>::new());
    }
    let nobody = Search { reader: UserId::generate(), ..looking(&jun, "secret") };
    assert_eq!(all(store, nobody).await, Vec::<String>::new());

    store.leave(id, mira.id, NOW).await.unwrap();
    assert_eq!(found(store, &mira, "secret").await, ["secret gift"], "no longer");
    store.join(id, mira.id, NOW).await.unwrap();
    assert_eq!(found(store, &mira, "secret").await.len(), 2, "and again");
    done(store.expel(id, mira.id, act(&ada)).await.unwrap());
    assert_eq!(found(store, &mira, "secret").await, ["secret gift"]);
    done(store.delete_channel(id, act(&ada)).await.unwrap());
    assert_eq!(found(store, &ada, "secret").await, Vec::<String>::new());
    index(store).await;
    let again = channel(store, "general", &ada).await;
    say(store, again, &ada, "a new secret").await;
    assert_eq!(found(store, &ada, "secret").await, ["a new secret"]);
    assert_eq!(found(store, &jun, "gift").await, ["secret gift"]);
}

async fn somebody_in_very_many_channels_finds_what_is_in_theirs(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let mut ids = Vec::new();
    for n in 0..120 {
        ids.push(channel(store, &format!("c{n}"), &ada).await);
    }
    for (n, id) in ids.iter().enumerate() {
        store.join(*id, mira.id, NOW).await.unwrap();
        say(store, *id, &ada, &format!("tea {n}")).await;
    }
    store.leave(ids[60], mira.id, NOW).await.unwrap();
    assert_eq!(found(store, &ada, "tea").await.len(), 120);
    assert_eq!(found(store, &mira, "tea").await.len(), 119);
    assert_eq!(found(store, &mira, "\"tea 60\"").await, Vec::<String>::new());
}

async fn an_edited_message_is_found_by_its_new_words_and_a_deleted_one_by_none(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let one = say(store, id, &ada, "green tea").await;
    let two = say(store, id, &ada, "black tea https://example.org").await;
    revise(store, &ada, one.id, MessageChange::React { emoji: "👍".into(), on: true }).await;
    assert_eq!(found(store, &ada, "green").await, ["green tea"], "a reaction changes no words");
    let text = "绿 coffee";
    revise(store, &ada, one.id, MessageChange::Edit { text: text.into(), mentions: mentions(text) }).await;
    for (query, expected) in [("green", &[][..]), ("绿", &[text]), ("tea", &["black tea https://example.org"])] {
        assert_eq!(found(store, &ada, query).await, expected, "{query}");
    }
    assert_eq!(found(store, &ada, "has:link").await.len(), 1);
    revise(store, &ada, two.id, MessageChange::Delete { reason: None }).await;
    for query in ["black", "tea", "has:link", "e"] {
        let left = found(store, &ada, query).await;
        assert!(left.iter().all(|text| text == "绿 coffee"), "{query}: {left:?}");
    }
    say(store, id, &ada, "black tea again").await;
    assert_eq!(found(store, &ada, "tea").await, ["black tea again"]);
}

/// A message of a day, with the id that it gets then.
fn on_day(id: ChannelId, sender: &User, day: i64, text: &str) -> NewMessage {
    let at = Timestamp::from_millis(day * 24 * 60 * 60 * 1000);
    let random = Uuid::now_v7().as_u128() & ((1 << 80) - 1);
    let made = (u128::try_from(at.millis()).unwrap() << 80) | random;
    NewMessage { id: MessageId(Uuid::from_u128(made)), timestamp: at, ..message(id, sender, text, None) }
}

async fn times_and_senders_and_links_narrow_it_down(fresh: Fresh) {
    let store = &*fresh.store;
    let (ada, mira) = (user(store, "ada").await, user(store, "mira").await);
    let id = channel(store, "general", &ada).await;
    store.join(id, mira.id, NOW).await.unwrap();
    // From 2026-11-01 on.
    for (day, sender) in [(1, &ada), (2, &mira), (3, &ada), (9, &mira)] {
        let link = if day == 3 { " http://a.test" } else { "" };
        said(store, on_day(id, sender, 20_757 + day, &format!("day {day}{link}"))).await;
    }
    for (query, expected) in [
        ("before:2026-11-03", &["day 2", "day 1"][..]),
        ("after:2026-11-03", &["day 9", "day 3 http://a.test"]),
        ("day after:2026-11-02 before:2026-11-03", &["day 2"]),
        ("after:2026-11-02T00:00:00.001Z before:2026-11-09T00:00:00Z", &["day 3 http://a.test"]),
        ("after:2027-01-01", &[]),
        ("before:2020-01-01 day", &[]),
        ("has:link", &["day 3 http://a.test"]),
        ("has:link after:2026-11-04", &[]),
        ("has:image", &[]),
        ("has:file day", &[]),
    ] {
        assert_eq!(found(store, &ada, query).await, expected, "{query}");
    }
    let by = |senders: Vec<UserId>| Search { senders, ..looking(&ada, "") };
    assert_eq!(all(store, by(vec![mira.id])).await, ["day 9", "day 2"]);
    assert_eq!(all(store, by(vec![mira.id, ada.id])).await, Vec::<String>::new(), "nobody is both");
}

/// Whatever is said and whatever is looked for, the index finds what reading everything finds.
async fn an_index_finds_what_reading_all_of_it_finds(fresh: Fresh) {
    let store = &*fresh.store;
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    let letters: Vec<char> = "abcAB é茶绿会議회의🎉 .-".chars().collect();
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut word = |least: usize, most: usize| -> String {
        let length = least + random(most - least + 1);
        (0..length).map(|_| letters[random(letters.len())]).collect()
    };
    let texts: Vec<String> = (0..300).map(|_| word(1, 14)).collect();
    let batch: Vec<_> = texts.iter().map(|text| message(id, &ada, text, None)).collect();
    store.append(&batch).await.unwrap();
    let mut hits = 0;
    for _ in 0..300 {
        let query = word(1, 4);
        let search = looking(&ada, &query);
        let expected: Vec<_> = texts.iter().rev().filter(|text| is_match(text, &search.terms)).cloned().collect();
        hits += expected.len();
        assert_eq!(all(store, search).await, expected, "{query:?}");
    }
    assert!(hits > 1_000, "{hits}");
}

engines!(
    any_part_of_a_word_is_found_in_any_script,
    pages_meet_newest_first_without_gap_or_overlap,
    what_is_rare_is_found_however_much_was_said_since,
    only_what_one_may_read_now_is_found,
    somebody_in_very_many_channels_finds_what_is_in_theirs,
    an_edited_message_is_found_by_its_new_words_and_a_deleted_one_by_none,
    times_and_senders_and_links_narrow_it_down,
    an_index_finds_what_reading_all_of_it_finds,
);

/// A store whose messages are from before there was an index.
async fn fills_up(store: &dyn Store, empty: impl AsyncFnOnce()) {
    let ada = user(store, "ada").await;
    let id = channel(store, "general", &ada).await;
    post_many(store, id, &ada, 700).await;
    let old = say(store, id, &ada, "old words").await;
    let gone = say(store, id, &ada, "old gone").await;
    revise(store, &ada, gone.id, MessageChange::Delete { reason: None }).await;
    empty().await;
    assert_eq!(pages(store, looking(&ada, "old")).await, Vec::<String>::new());
    say(store, id, &ada, "new words").await;
    let text = "aged words";
    revise(store, &ada, old.id, MessageChange::Edit { text: text.into(), mentions: mentions(text) }).await;
    index(store).await;
    assert_eq!(found(store, &ada, "words").await, ["new words", "aged words"]);
    assert_eq!(found(store, &ada, "old").await, Vec::<String>::new());
    assert_eq!(found(store, &ada, "m7").await.len(), 12, "m7, m70 to m79, m700");
    assert_eq!(all(store, Search { limit: 9, ..looking(&ada, "m6") }).await.len(), 111);
    revise(store, &ada, old.id, MessageChange::Delete { reason: None }).await;
    assert_eq!(found(store, &ada, "words").await, ["new words"]);
    assert_eq!(store.page(id, Anchor::Newest, 1).await.unwrap().items[0].text, "new words");
}

#[tokio::test]
async fn an_embedded_store_from_before_there_was_an_index_fills_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("natter.db");
    let store = SqliteStore::open(&file).await.unwrap();
    fills_up(&store, async || {
        let options = SqliteConnectOptions::new().filename(&file);
        let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
        let empty = "UPDATE messages SET doc = NULL;
            INSERT INTO search_index (search_index) VALUES ('delete-all');
            INSERT OR REPLACE INTO meta (key, value) VALUES ('search_backlog', 'ffffffffffffffffffffffffffffffff')";
        sqlx::raw_sql(empty).execute(&mut conn).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_shared_store_from_before_there_was_an_index_fills_it_up() {
    let (url, _guard) = fresh_database().await;
    let store = PostgresStore::open(&url).await.unwrap();
    fills_up(&store, async || {
        let mut conn = PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("DELETE FROM search_index; DELETE FROM search_waiting").execute(&mut conn).await.unwrap();
    })
    .await;
    // The next node to start has nothing left to do.
    let next = PostgresStore::open(&url).await.unwrap();
    index(&next).await;
}

/// What an index holds when its pieces were computed in another way, and what becomes of it.
async fn is_made_again<S: Store>(open: impl AsyncFn() -> S, spoil: impl AsyncFnOnce()) {
    let store = open().await;
    let ada = user(&store, "ada").await;
    let (id, gone) = (channel(&store, "general", &ada).await, channel(&store, "gone", &ada).await);
    let tea = say(&store, id, &ada, "green tea").await;
    say(&store, gone, &ada, "black tea").await;
    post_many(&store, id, &ada, 1_100).await;
    index(&store).await;
    done(store.delete_channel(gone, act(&ada)).await.unwrap());
    store.close().await;
    spoil().await;
    let store = open().await;
    say(&store, id, &ada, "more tea").await;
    index(&store).await;
    assert_eq!(found(&store, &ada, "tea").await, ["more tea", "green tea"]);
    assert_eq!(
        found(&store, &ada, "m109").await,
        ["m1099", "m1098", "m1097", "m1096", "m1095", "m1094", "m1093", "m1092", "m1091", "m1090", "m109"]
    );
    revise(&store, &ada, tea.id, MessageChange::Delete { reason: None }).await;
    assert_eq!(found(&store, &ada, "tea").await, ["more tea"]);
    store.close().await;
    let store = open().await;
    assert_eq!(pages(&store, looking(&ada, "more")).await, ["more tea"], "once is enough");
}

#[tokio::test]
async fn an_embedded_index_that_was_made_in_another_way_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("natter.db");
    let open = async || SqliteStore::open(&file).await.unwrap();
    is_made_again(open, async || {
        let mut conn = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
        let spoil = "INSERT INTO search_index (search_index) VALUES ('delete-all');
            INSERT INTO search_index (rowid, pieces) SELECT doc, 'oth er' FROM messages;
            UPDATE meta SET value = '0/1.0.0' WHERE key = 'search_version'";
        sqlx::raw_sql(spoil).execute(&mut conn).await.unwrap();
    })
    .await;
    let mut conn = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
    sqlx::raw_sql("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        .execute(&mut conn)
        .await
        .unwrap();
    let others = "SELECT count(*) FROM search_index WHERE search_index MATCH 'oth'";
    let (others,): (i64,) = sqlx::query_as(others).fetch_one(&mut conn).await.unwrap();
    assert_eq!(others, 0);
}

#[tokio::test]
async fn a_shared_index_that_was_made_in_another_way_is_made_again() {
    let (url, _guard) = fresh_database().await;
    let open = async || PostgresStore::open(&url).await.unwrap();
    is_made_again(open, async || {
        let mut conn = PgConnection::connect(&url).await.unwrap();
        let spoil =
            "UPDATE search_index SET pieces = '{1}' WHERE id < (SELECT id FROM messages ORDER BY id DESC LIMIT 1);
            UPDATE meta SET value = '0/1.0.0' WHERE key = 'search_version'";
        sqlx::raw_sql(spoil).execute(&mut conn).await.unwrap();
    })
    .await;
    let mut conn = PgConnection::connect(&url).await.unwrap();
    // What the removed channel has left is nobody's, and goes with it.
    let others = "SELECT count(*) FROM search_index x JOIN messages m USING (id) JOIN channels c ON c.id = m.channel_id
        WHERE pieces = '{1}'";
    let (others,): (i64,) = sqlx::query_as(others).fetch_one(&mut conn).await.unwrap();
    assert_eq!(others, 0);
}

#[tokio::test]
async fn what_was_deleted_is_no_longer_in_the_file_in_pieces_either() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("natter.db");
    let traces = || String::from_utf8_lossy(&std::fs::read(&file).unwrap()).matches('𓃠').count();
    let open = async || SqliteStore::open(&file).await.unwrap();
    let store = open().await;
    let ada = user(&store, "ada").await;
    let (kept, dropped) = (channel(&store, "kept", &ada).await, channel(&store, "dropped", &ada).await);
    let cat = say(&store, kept, &ada, "a 𓃠 sits").await;
    say(&store, dropped, &ada, "another 𓃠 lies").await;
    index(&store).await;
    store.close().await;
    assert!(traces() >= 3, "two texts and a piece of both");
    let store = open().await;
    revise(&store, &ada, cat.id, MessageChange::Delete { reason: None }).await;
    done(store.delete_channel(dropped, act(&ada)).await.unwrap());
    index(&store).await;
    store.close().await;
    assert_eq!(traces(), 0);
}
