//! The disk is full.

use crate::support::{Crowd, Node, Setup, SmallDisk, millis, scale, secs};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_under_load_and_then_not_any_more() {
    let scale = scale();
    let Some(disk) = SmallDisk::mount(16) else { return };
    let node = Node::start(Setup { data_dir: Some(disk.path().join("data")), ..Setup::default() }).await;
    let crowd = Crowd::gather(&[&node.base], scale.people, scale.channels).await;
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds {
                sleep(secs(1)).await;
                disk.fill();
                // What it has room for in files that are there already still goes through.
                let mut before = crowd.acked();
                for _ in 0..60 {
                    sleep(millis(200)).await;
                    let now = crowd.acked();
                    if now == before {
                        break;
                    }
                    before = now;
                }
                assert_eq!(crowd.acked(), before, "a full disk holds no more");
                sleep(secs(1)).await;
                assert_eq!(crowd.acked(), before, "nothing is acknowledged while nothing can be stored");
                disk.free();
                sleep(secs(2)).await;
                assert!(crowd.acked() > before, "it doesn't find back by itself");
            }
        })
        .await;
    let counts = crowd.judge().await;
    assert!(counts.refused > 0, "nobody noticed: {counts:?}");
}
