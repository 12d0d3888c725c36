//! NATS goes away, or loses what it is given.

use crate::support::{Crowd, LossyBroker, Mode, Nats, Node, Proxy, Setup, fresh_schema, millis, scale, secs};
use tokio::time::sleep;

async fn node(database_url: &str, nats_url: String) -> Node {
    let (database_url, nats_url) = (Some(database_url.to_owned()), Some(nats_url));
    Node::start(Setup { database_url, nats_url, ..Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_is_killed_and_comes_back() {
    let scale = scale();
    let (mut nats, database) = (Nats::start().await, fresh_schema().await);
    let (first, second) = (node(&database, nats.url()).await, node(&database, nats.url()).await);
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds {
                sleep(secs(1)).await;
                nats.kill().await;
                sleep(secs(2)).await;
                nats.up().await;
                sleep(secs(1)).await;
            }
            nats.kill().await;
            sleep(millis(500)).await;
        })
        .await;
    // The end comes without a broker: the database says what was missed.
    crowd.judge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_are_lost_while_all_seems_well() {
    let scale = scale();
    let (nats, database) = (Nats::start().await, fresh_schema().await);
    let lossy = LossyBroker::to(nats.port).await;
    let (first, second) = (node(&database, nats.url()).await, node(&database, lossy.url()).await);
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds {
                lossy.lose(30);
                sleep(secs(2)).await;
                lossy.lose(100);
                sleep(secs(1)).await;
            }
        })
        .await;
    // Nor are the last ones said again by anything that follows.
    let counts = crowd.judge().await;
    assert!(lossy.lost() > 10, "only {} hints were lost", lossy.lost());
    println!("{} payloads lost; {} frames came with a hole before them", lossy.lost(), counts.skips);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_cut_off_from_the_broker() {
    let scale = scale();
    let (nats, database) = (Nats::start().await, fresh_schema().await);
    let proxy = Proxy::to(nats.port).await;
    let first = node(&database, nats.url()).await;
    let second = node(&database, format!("nats://127.0.0.1:{}", proxy.port)).await;
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds {
                sleep(secs(1)).await;
                proxy.set(Mode::Stalled);
                sleep(millis(1_500)).await;
                // What was held back comes late, all at once and out of date.
                proxy.set(Mode::Open);
                sleep(secs(1)).await;
                proxy.set(Mode::Cut);
                sleep(millis(1_500)).await;
                proxy.set(Mode::Open);
            }
            sleep(secs(1)).await;
        })
        .await;
    crowd.judge().await;
}
