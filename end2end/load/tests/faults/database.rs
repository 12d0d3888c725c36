//! PostgreSQL goes away, or the way to it.

use crate::support::{Crowd, Mode, Node, Postgres, Proxy, Setup, millis, scale, secs, shared_broker};
use tokio::time::sleep;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_cut_off_from_the_database_and_heals() {
    let scale = scale();
    let postgres = Postgres::start().await;
    let proxy = Proxy::to(postgres.port).await;
    let through = |url| Setup { database_url: Some(url), nats_url: Some(shared_broker()), ..Setup::default() };
    let first = Node::start(through(postgres.url())).await;
    let second = Node::start(through(Postgres::url_by(proxy.port))).await;
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for round in 0..scale.rounds {
                sleep(secs(1)).await;
                // Refused at once in one round; nothing but silence in the next.
                proxy.set(if round % 2 == 0 { Mode::Cut } else { Mode::Stalled });
                let before = crowd.acked();
                sleep(secs(4)).await;
                assert!(crowd.acked() > before, "the other node goes on");
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
}
