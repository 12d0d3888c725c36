//! Rights that end at one node while somebody is connected to another.

use crate::support::{
    Crowd, LossyBroker, Mode, Nats, Node, Proxy, Setup, fresh_schema, millis, scale, secs, shared_broker, sound,
};
use natter_load::check::{Counts, What};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_at_one_node_ends_at_the_other() {
    for (case, nats_url) in [("with a broker", Some(shared_broker())), ("without", None)] {
        let counts = rights_end(case, [nats_url.clone(), nats_url], || {}).await;
        println!("{case}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_there_though_each_hint_of_it_is_lost() {
    let nats = Nats::start().await;
    let (one, other) = (LossyBroker::to(nats.port).await, LossyBroker::to(nats.port).await);
    let lose = || [&one, &other].into_iter().for_each(|broker| broker.lose(100));
    rights_end("all hints are lost", [Some(one.url()), Some(other.url())], lose).await;
    assert!(one.lost() > 10 && other.lost() > 10, "{} and {} hints were lost", one.lost(), other.lost());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_there_though_the_broker_has_silently_gone() {
    let nats = Nats::start().await;
    let (one, other) = (Proxy::to(nats.port).await, Proxy::to(nats.port).await);
    let url = |proxy: &Proxy| Some(format!("nats://127.0.0.1:{}", proxy.port));
    // It takes everything, so it seems to be there until its silence has lasted for some seconds.
    let swallow = || [&one, &other].into_iter().for_each(|proxy| proxy.set(Mode::Stalled));
    rights_end("the broker is swallowed", [url(&one), url(&other)], swallow).await;
}

/// Person 1 leaves, person 2 logs out, person 3 leaves and comes back; then a channel is deleted. Each
/// at a node that the person isn't connected to, and each under load.
async fn rights_end(case: &str, nats_urls: [Option<String>; 2], fault: impl FnOnce()) -> Counts {
    let scale = scale();
    let database_url = Some(fresh_schema().await);
    let [one, other] = nats_urls.map(|nats_url| Setup { database_url: database_url.clone(), nats_url, data_dir: None });
    let (first, second) = (Node::start(one).await, Node::start(other).await);
    // Odd ones are at the second node, even ones at the first.
    let mut crowd = Crowd::gather(&[&first.base, &second.base], scale.people, scale.channels).await;
    let doomed = crowd.add_channel("doomed").await;
    let (left, kept) = (crowd.channels[0], crowd.channels[1]);
    let (api, people) = (crowd.api.clone(), crowd.people.clone());
    sleep(secs(1)).await;
    fault();
    crowd
        .talk_while(async {
            sleep(secs(1)).await;
            api.leave(&first.base, &people[1].token, left).await.unwrap();
            crowd.note(1, &What::LostAccess { channel: left });
            api.log_out(&second.base, &people[2].token).await.unwrap();
            crowd.note(2, &What::LoggedOut);
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
    sound(&crowd.end_with(|logs| logs.push(log)).await)
}
