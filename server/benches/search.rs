//! What a search costs among very many messages, and what the index costs those who post. Prints figures:
//! `scripts/bench.sh search`, or `cargo bench -p natter-server --bench search -- [messages] [postgres URL]`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement ends where something is wrong")]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

use natter::{ChannelId, MessageId, PostPolicy, Timestamp, UserId, Visibility, markdown::Mentions, search::Query};
use natter_server::store::{
    Admission, NewChannel, NewMessage, NewUser, Search, Store, postgres::PostgresStore, sqlite::SqliteStore,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const CHANNELS: usize = 300;
const WORDS: usize = 30_000;
const BATCH: usize = 256;
const ROUNDS: usize = 200;

/// The same words each time: a generator of numbers that needs no crate.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    /// Small numbers far more often than large ones, as words are used (Zipf).
    fn rank(&mut self, most: usize) -> usize {
        let mut below = most;
        while below > 1 && self.below(10) < 6 {
            below = below.div_ceil(4);
        }
        self.below(below)
    }

    fn word(&mut self) -> String {
        const PARTS: [&str; 40] = [
            "de", "plo", "ser", "ver", "the", "an", "ti", "on", "in", "re", "st", "er", "ma", "il", "co", "mp", "ute",
            "ch", "at", "wor", "ld", "go", "lan", "ru", "sty", "net", "qu", "ick", "bro", "wn", "fo", "x", "lo", "g",
            "ging", "ap", "ple", "tr", "ee", "zy",
        ];
        (0..=self.below(4)).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }

    fn dense(&mut self, length: usize) -> String {
        // 3,000 of the common Chinese characters' range.
        let character = |random: &mut Self| u32::try_from(0x4e00 + random.rank(3_000)).unwrap();
        (0..length).filter_map(|_| char::from_u32(character(self))).collect()
    }
}

struct World {
    store: Arc<dyn Store>,
    /// In every channel, in three quiet ones, and in none.
    everywhere: UserId,
    somewhere: UserId,
    channels: Vec<ChannelId>,
    senders: Vec<UserId>,
}

async fn person(store: &dyn Store, name: &str) -> UserId {
    let new = NewUser {
        id: UserId::generate(),
        username: name.into(),
        password_hash: String::new(),
        created_at: Timestamp::default(),
    };
    match store.create_user(new, None).await.unwrap() {
        Admission::Admitted(user) => user.id,
        other => panic!("{other:?}"),
    }
}

async fn build(store: Arc<dyn Store>, messages: usize) -> World {
    let now = Timestamp::default();
    let everywhere = person(&*store, "everywhere").await;
    let somewhere = person(&*store, "somewhere").await;
    let mut senders = Vec::new();
    for n in 0..20 {
        senders.push(person(&*store, &format!("sender{n}")).await);
    }
    let mut channels = Vec::new();
    for n in 0..CHANNELS {
        let id = ChannelId::generate();
        let new = NewChannel {
            id,
            name: format!("c{n}"),
            topic: String::new(),
            visibility: Visibility::Public,
            post_policy: PostPolicy::Everyone,
            created_at: now,
        };
        store.create_channel(new, everywhere).await.unwrap();
        for sender in &senders {
            store.join(id, *sender, now).await.unwrap();
        }
        if n >= CHANNELS - 3 {
            store.join(id, somewhere, now).await.unwrap();
        }
        channels.push(id);
    }
    let world = World { store, everywhere, somewhere, channels, senders };
    fill(&world, messages).await;
    index(&*world.store).await;
    world
}

/// What goes on beside everything else in a server: nobody waits for it, but each step holds the writer.
async fn index(store: &dyn Store) {
    let began = Instant::now();
    let mut took = Vec::new();
    loop {
        let start = Instant::now();
        if !store.tidy_index().await.unwrap() {
            break;
        }
        took.push(start.elapsed());
    }
    took.sort_unstable();
    println!(
        "put into the index in {:.0?}; a step p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        began.elapsed(),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1],
    );
}

async fn fill(world: &World, messages: usize) {
    let mut random = Random(42);
    let words: Vec<String> = (0..WORDS).map(|_| random.word()).collect();
    let began = Instant::now();
    let mut took = Vec::new();
    for batch in 0..messages.div_ceil(BATCH) {
        let batch: Vec<_> = (0..BATCH)
            .map(|n| {
                let dense = random.below(10) == 0;
                let mut text = if dense {
                    random.dense(25)
                } else {
                    (0..5 + random.below(14)).map(|_| words[random.rank(WORDS)].as_str()).collect::<Vec<_>>().join(" ")
                };
                if batch * BATCH + n == messages / 3 {
                    text.push_str(" xylophone 鼹鼠");
                }
                NewMessage {
                    id: MessageId::generate(),
                    channel_id: world.channels[random.rank(CHANNELS)],
                    sender_id: world.senders[random.rank(20)],
                    reference: None,
                    text,
                    mentions: Mentions::default(),
                    reply_to: None,
                    attachments: Vec::new(),
                    timestamp: Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()),
                }
            })
            .collect();
        let start = Instant::now();
        world.store.append(&batch).await.unwrap();
        took.push(start.elapsed());
    }
    let storing: Duration = took.iter().sum();
    took.sort_unstable();
    let rate = f64::from(u32::try_from(took.len() * BATCH).unwrap()) / storing.as_secs_f64();
    println!(
        "{} messages stored in batches of {BATCH}, {rate:.0} a second; a batch p50 {:.1?}, p99 {:.1?}, longest {:.1?} \
         ({:.0?} in all)",
        took.len() * BATCH,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1],
        began.elapsed(),
    );
}

async fn measure(world: &World, name: &str, reader: UserId, query: &str, narrow: impl Fn(&mut Search)) {
    let query = Query::parse(query).unwrap();
    let mut search = Search {
        reader,
        terms: query.terms,
        channels: Vec::new(),
        senders: Vec::new(),
        before: query.before,
        after: query.after,
        has: query.has,
        cursor: None,
        limit: 50,
    };
    narrow(&mut search);
    let (mut took, mut found) = (Vec::new(), (0, false));
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let answer = world.store.search(&search).await.unwrap();
        took.push(start.elapsed());
        found = (answer.items.len(), answer.next.is_some());
        if took.iter().sum::<Duration>() > Duration::from_secs(20) {
            break;
        }
    }
    took.sort_unstable();
    let (p50, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    let more = if found.1 { " and more" } else { "" };
    println!("| {name} | {:.1} ms | {:.1} ms | {}{more} |", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3, found.0);
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let messages = arguments.first().map_or(1_000_000, |count| count.parse().unwrap());
    let dir = std::env::temp_dir().join(format!("natter-search-{}", std::process::id()));
    let store: Arc<dyn Store> = if let Some(url) = arguments.get(1) {
        Arc::new(PostgresStore::open(url).await.unwrap())
    } else {
        std::fs::create_dir(&dir).unwrap();
        Arc::new(SqliteStore::open(&dir.join("natter.db")).await.unwrap())
    };
    let world = build(store, messages).await;
    let (all, few) = (world.everywhere, world.somewhere);
    let mut random = Random(42);
    let words: Vec<String> = (0..WORDS).map(|_| random.word()).collect();
    let long = |from: usize| words[from..].iter().find(|word| word.len() > 7).unwrap().clone();
    let (common, middling, scarce) = (long(0), long(300), long(20_000));
    println!("| looked for | p50 | p99 | found |\n|---|---:|---:|---:|");
    let plain = |_: &mut Search| {};
    // What comes in the two seconds that it waits for the index, where very much is said.
    fill(&world, 2 * BATCH).await;
    measure(&world, "a word of one message", all, "xylophone", plain).await;
    measure(&world, "a scarce word", all, &scarce, plain).await;
    measure(&world, "a middling word", all, &middling, plain).await;
    measure(&world, "a common word", all, &common, plain).await;
    measure(&world, "a common part of words", all, "the", plain).await;
    measure(&world, "two letters", all, "qu", plain).await;
    measure(&world, "one letter", all, "z", plain).await;
    measure(&world, "a phrase of common words", all, &format!("\"{} {}\"", words[0], words[1]), plain).await;
    measure(&world, "two Chinese characters, rare", all, "鼹鼠", plain).await;
    measure(&world, "two Chinese characters, common", all, "一丁", plain).await;
    measure(&world, "one Chinese character", all, "上", plain).await;
    measure(&world, "what nobody said", all, "nobodysaidthis", plain).await;
    measure(&world, "common, in a large channel", all, &common, |search| search.channels = vec![world.channels[0]])
        .await;
    measure(&world, "common, in a quiet channel", all, &common, |search| {
        search.channels = vec![world.channels[CHANNELS - 1]];
    })
    .await;
    measure(&world, "common, from somebody", all, &common, |search| search.senders = vec![world.senders[19]]).await;
    measure(&world, "all from somebody", all, "", |search| search.senders = vec![world.senders[3]]).await;
    measure(&world, "links, of which there are none", all, "has:link", plain).await;
    measure(&world, "common, before all of it", all, &format!("{common} before:2020-01-01"), plain).await;
    measure(&world, "common, by somebody in three quiet channels", few, &common, plain).await;
    measure(&world, "scarce, by somebody in three quiet channels", few, &scarce, plain).await;
    measure(&world, "one letter, by somebody in three quiet channels", few, "z", plain).await;
    world.store.close().await;
    if let Ok(file) = std::fs::metadata(dir.join("natter.db")) {
        println!("the file has {} MiB", file.len() >> 20);
    }
    let _ = std::fs::remove_dir_all(dir);
}
