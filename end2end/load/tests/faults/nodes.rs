//! Several nodes on one PostgreSQL and one NATS.

use crate::support::{Crowd, Node, Setup, fresh_schema, millis, scale, secs, shared_broker};
use tokio::time::sleep;

async fn two() -> (Node, Node) {
    let setup = Setup { database_url: Some(fresh_schema().await), nats_url: Some(shared_broker()), ..Setup::default() };
    (Node::start(setup.clone()).await, Node::start(setup).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed_and_its_clients_move_to_the_other() {
    let scale = scale();
    let (first, mut second) = two().await;
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds {
                sleep(secs(1) + millis(fastrand::u64(..500))).await;
                second.kill().await;
                let before = crowd.acked();
                sleep(millis(1_500)).await;
                assert!(crowd.acked() > before, "nobody gets through at the other node");
                second.up().await;
                // Some go back, so that the next to die has somebody.
                crowd.clients.iter().step_by(2).for_each(natter_load::client::Client::cut);
            }
            sleep(secs(1)).await;
        })
        .await;
    crowd.judge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_are_restarted_one_after_the_other() {
    let scale = scale();
    let (mut first, mut second) = two().await;
    let crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds {
                for node in [&mut first, &mut second] {
                    sleep(secs(1)).await;
                    println!("ended in order within {:?}", node.terminate().await);
                    sleep(millis(500)).await;
                    node.up().await;
                }
            }
            sleep(secs(1)).await;
        })
        .await;
    let counts = crowd.judge().await;
    assert_eq!(counts.refused, 0, "an orderly end refuses nobody: {counts:?}");
}
