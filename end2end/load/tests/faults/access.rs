//! Rights that end at one node while somebody is connected to another.

use crate::support::{Crowd, Node, Setup, fresh_schema, millis, scale, secs, shared_broker, sound};
use natter_load::check::What;
use tokio::time::sleep;

/// Person 1 leaves, person 2 logs out, person 3 leaves and comes back; then a channel is deleted. Each
/// at a node that the person isn't connected to, and each under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_at_one_node_ends_at_the_other() {
    let scale = scale();
    let nats_url = Some(shared_broker());
    for (case, nats_url) in [("with a broker", nats_url), ("without", None)] {
        let database_url = Some(fresh_schema().await);
        let setup = Setup { database_url, nats_url, ..Setup::default() };
        let (first, second) = (Node::start(setup.clone()).await, Node::start(setup).await);
        // Odd ones are at the second node, even ones at the first.
        let mut crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
        let doomed = crowd.add_channel("doomed").await;
        let (left, kept) = (crowd.channels[0], crowd.channels[1]);
        let (api, people) = (crowd.api.clone(), crowd.people.clone());
        sleep(secs(1)).await;
        crowd
            .talk_while(async {
                sleep(secs(1)).await;
                api.leave(&first.base, &people[1].token, left).await.unwrap();
                crowd.note(1, &What::LostAccess { channel: left });
                api.log_out(&second.base, &people[2].token).await.unwrap();
                for channel in &crowd.channels {
                    crowd.note(2, &What::LostAccess { channel: *channel });
                }
                for _ in 0..scale.rounds {
                    api.leave(&first.base, &people[3].token, kept).await.unwrap();
                    crowd.note(3, &What::LostAccess { channel: kept });
                    sleep(millis(1_500)).await;
                    crowd.note(3, &What::MayRead { channel: kept });
                    api.join(&first.base, &people[3].token, kept).await.unwrap();
                    sleep(secs(1)).await;
                }
                api.delete_channel(&second.base, &people[0].token, doomed).await.unwrap();
                for person in 0..people.len() {
                    crowd.note(person, &What::LostAccess { channel: doomed });
                }
                sleep(secs(2)).await;
            })
            .await;
        crowd.removed.insert(doomed);
        assert_eq!(crowd.clients[1].knows(left), None, "{case}: it doesn't know that it is out");
        assert!(crowd.clients[3].knows(kept).is_some(), "{case}: it doesn't know that it is in again");
        let ended = crowd.clients.remove(2);
        assert!(ended.until(secs(5), |client| client.closes() == [1008]).await, "{case}: {:?}", ended.closes());
        crowd.settle().await;
        let log = ended.finish(false).await;
        let counts = sound(&crowd.end_with(|logs| logs.push(log)).await);
        println!("{case}: {counts:?}");
    }
}
