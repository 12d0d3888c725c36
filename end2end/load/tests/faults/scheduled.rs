//! Messages for later, with the server killed while they fall due: each is there exactly once.

use crate::support::{Node, Setup, fresh_schema, millis, scale, secs, shared_broker};
use natter::{ChannelId, Scheduled, Timestamp, scheduled::ScheduledState};
use natter_load::api::{Api, Person};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

/// As many as one person may have waiting.
const MANY: usize = 100;
/// From one to the next.
const APART_MS: i64 = 15;

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

struct Waiting {
    api: Api,
    author: Person,
    channel: ChannelId,
    all: Vec<Scheduled>,
    /// When the first is due.
    from: Timestamp,
}

impl Waiting {
    /// Puts messages on the list that fall due one shortly after the other.
    async fn at(base: &str, round: usize) -> Self {
        let api = Api::new().unwrap();
        let author = api.enter(base, &format!("author{round}")).await.unwrap();
        let admin = if round == 0 { author.clone() } else { api.enter(base, "author0").await.unwrap() };
        let channel = api.channel(base, &admin.token, &format!("later{round}")).await.unwrap().id;
        api.join(base, &author.token, channel).await.unwrap();
        let from = now().plus_millis(3_000);
        let mut all = Vec::new();
        for n in 0..MANY {
            let at = from.plus_millis(APART_MS * i64::try_from(n).unwrap());
            all.push(api.schedule(base, &author.token, channel, &format!("m{n}"), at).await.unwrap());
        }
        Self { api, author, channel, all, from }
    }

    /// Waits until so many milliseconds after the first is due.
    async fn until(&self, millis: i64) {
        let left = self.from.plus_millis(millis).millis() - now().millis();
        assert!(left > 0, "putting them on the list took too long");
        sleep(Duration::from_millis(u64::try_from(left).unwrap())).await;
    }

    /// Each is sent, and is in the channel exactly once. Answers by how much the latest was late.
    async fn judge(&self, base: &str) -> Duration {
        let began = Instant::now();
        for one in &self.all {
            loop {
                let now = self.api.scheduled(base, &self.author.token, one.id).await.unwrap();
                match now.state {
                    ScheduledState::Sent => break,
                    ScheduledState::Pending => assert!(began.elapsed() < secs(20), "it still waits: {now:?}"),
                    _ => panic!("{now:?}"),
                }
                sleep(millis(20)).await;
            }
        }
        let mut page = self.api.page(base, &self.author.token, self.channel, None).await.unwrap();
        assert!(page.next.is_none(), "more than were written");
        page.items.sort_by_key(|message| message.text[1..].parse::<usize>().unwrap());
        let texts: Vec<_> = page.items.iter().map(|message| message.text.clone()).collect();
        assert_eq!(texts, (0..MANY).map(|n| format!("m{n}")).collect::<Vec<_>>());
        let late = page.items.iter().zip(&self.all).map(|(message, one)| {
            let late = message.timestamp.millis() - one.send_at.millis();
            u64::try_from(late).expect("not before its time")
        });
        Duration::from_millis(late.max().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed_while_they_fall_due() {
    let mut node = Node::start(Setup::default()).await;
    for round in 0..=scale().rounds {
        let waiting = Waiting::at(&node.base, round).await;
        waiting.until(200 + i64::try_from(round).unwrap() * 150).await;
        node.kill().await;
        node.up().await;
        println!("round {round}: the latest was {:?} late", waiting.judge(&node.base).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_nodes_is_killed_and_the_other_goes_on() {
    let setup = Setup { database_url: Some(fresh_schema().await), nats_url: Some(shared_broker()), ..Setup::default() };
    let (first, mut second) = (Node::start(setup.clone()).await, Node::start(setup).await);
    for round in 0..scale().rounds {
        let waiting = Waiting::at(&second.base, round).await;
        waiting.until(200 + i64::try_from(round).unwrap() * 150).await;
        second.kill().await;
        println!("round {round}: the latest was {:?} late", waiting.judge(&first.base).await);
        second.up().await;
    }
}
