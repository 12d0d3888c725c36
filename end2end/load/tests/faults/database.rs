//! PostgreSQL goes away, or the way to it.

use crate::support::{Crowd, Mode, Node, Postgres, Proxy, Setup, millis, scale, secs, shared_broker};
use natter_load::client::Client;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What a node left locked when it vanished in the middle of a transaction holds the others up until
/// PostgreSQL gives that transaction up; the server has it do so after 3 s.
const HELD_UP: Duration = secs(7);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stops_at_once_and_comes_back() {
    let scale = scale();
    let mut postgres = Postgres::start().await;
    let setup = Setup { database_url: Some(postgres.url()), nats_url: Some(shared_broker()), ..Setup::default() };
    let (first, second) = (Node::start(setup.clone()).await, Node::start(setup).await);
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for round in 0..scale.rounds {
                sleep(secs(1) + millis(fastrand::u64(..500))).await;
                postgres.stop_at_once().await;
                // Now and then longer than a commit of unknown outcome is asked about.
                sleep(if round % 4 == 3 { secs(8) } else { millis(500) }).await;
                postgres.up().await;
                let before = crowd.acked();
                sleep(secs(2)).await;
                assert!(crowd.acked() > before, "the nodes don't find back");
            }
        })
        .await;
    crowd.judge().await;
}

/// The longest time in which nobody at one node gets through.
async fn held_up(crowd: &Crowd, base: &str, during: Duration) -> Duration {
    let acked = || crowd.clients.iter().filter(|client| client.node() == base).map(Client::acked).sum::<usize>();
    let (began, mut latest, mut longest, mut seen) = (Instant::now(), Instant::now(), Duration::ZERO, acked());
    while began.elapsed() < during {
        sleep(millis(20)).await;
        let now = acked();
        if now != seen {
            (seen, latest) = (now, Instant::now());
        }
        longest = longest.max(latest.elapsed());
    }
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_cut_off_from_the_database_and_heals() {
    let scale = scale();
    let postgres = Postgres::start().await;
    let proxy = Proxy::to(postgres.port).await;
    let through = |url| Setup { database_url: Some(url), nats_url: Some(shared_broker()), ..Setup::default() };
    let first = Node::start(through(postgres.url())).await;
    let second = Node::start(through(Postgres::url_by(proxy.port))).await;
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    let mut longest = Duration::ZERO;
    crowd
        .talk_while(async {
            for round in 0..scale.rounds {
                sleep(secs(1)).await;
                // Refused at once in one round; nothing but silence in the next.
                proxy.set(if round % 2 == 0 { Mode::Cut } else { Mode::Stalled });
                let held_up = held_up(&crowd, &first.base, secs(if round % 4 == 3 { 16 } else { 4 })).await;
                println!("round {round}: nobody got through at the other node for {held_up:?}");
                longest = longest.max(held_up);
                if round % 4 == 3 {
                    // What was swallowed doesn't come late, but never.
                    proxy.set(Mode::Cut);
                }
                proxy.set(Mode::Open);
                sleep(secs(2)).await;
            }
        })
        .await;
    crowd.judge().await;
    assert!(longest < HELD_UP, "nobody got through at the other node for {longest:?}");
}
