//! One process on SQLite.

use crate::support::{Crowd, Node, Setup, millis, scale, secs};
use std::time::Instant;
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_and_started_again() {
    let scale = scale();
    let mut node = Node::start(Setup::default()).await;
    let crowd = Crowd::gather(&[&node.base.clone()], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for round in 0..=scale.rounds {
                let before = crowd.acked();
                sleep(secs(1) + millis(fastrand::u64(..700))).await;
                assert!(crowd.acked() > before, "round {round}: nobody gets through");
                node.kill().await;
                let began = Instant::now();
                node.up().await;
                println!("round {round}: ready again {:?} after it was killed", began.elapsed());
            }
            sleep(secs(1)).await;
        })
        .await;
    let counts = crowd.judge().await;
    assert!(counts.retried > 0, "nothing was under way when it was killed: {counts:?}");
}
