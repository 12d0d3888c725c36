//! Readers who don't read, and many who come at once.

use crate::support::{Crowd, Node, Setup, millis, scale, secs, sound};
use natter_load::{
    check::{Log, Target, What},
    client::Client,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_stops_reading_is_let_go_and_catches_up() {
    let scale = scale();
    let node = Node::start(Setup::default()).await;
    let mut crowd = Crowd::gather(&[&node.base], scale.people, scale.channels).await;
    // A second device of somebody, with little room for what it doesn't read.
    crowd.add_client(1, 0, Some(4_096));
    crowd.all_connected().await;
    let slow = crowd.clients.last().unwrap();
    sleep(secs(1)).await;
    let flood = "€".repeat(4_000);
    for _ in 0..scale.rounds {
        let before = slow.closes().len();
        slow.rest(secs(4));
        // More than its queue, the server's socket and its own hold together.
        let (channel, began) = (crowd.channels[0], Instant::now());
        while began.elapsed() < millis(3_500) {
            for client in crowd.clients.iter().take(4).filter(|client| client.unsent() < 50) {
                client.say(Target::Channel(channel), flood.as_str());
            }
            sleep(millis(10)).await;
        }
        assert!(slow.until(secs(20), |slow| slow.closes().len() > before).await, "it was never let go");
        assert_eq!(slow.closes().last(), Some(&4008));
        assert!(slow.until(secs(20), Client::is_connected).await, "it doesn't come back");
    }
    crowd.settle().await;
    let mut late = Duration::ZERO;
    let verdict = crowd.end_with(|logs| late = slowest_ack(&logs[..logs.len() - 1])).await;
    let counts = sound(&verdict);
    println!("the slowest ack of the others came after {late:?}");
    assert!(late < secs(2), "the others were held up: {late:?}");
    assert!(counts.syncs > 0, "{counts:?}");
}

/// The longest that anyone waited for an `ack`.
fn slowest_ack(logs: &[Log]) -> Duration {
    let mut slowest = Duration::ZERO;
    for log in logs {
        let mut sent = HashMap::new();
        for event in &log.events {
            match &event.what {
                What::Sent { reference, .. } | What::Asked { reference, .. } => {
                    sent.entry(*reference).or_insert(event.at);
                }
                What::Acked { reference, .. } => slowest = slowest.max(event.at.saturating_sub(sent[reference])),
                _ => {}
            }
        }
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_come_back_at_once() {
    let scale = scale();
    let mut node = Node::start(Setup::default()).await;
    let mut crowd = Crowd::gather(&[&node.base.clone()], scale.people, scale.channels).await;
    for n in scale.people..scale.many {
        crowd.add_client(n % scale.people, 0, None);
    }
    crowd.all_connected().await;
    crowd.all_informed().await;
    // Some thousand deliveries a second in all.
    crowd.pause = millis((scale.many * scale.many / 8) as u64);
    let all_back = async |began: Instant| {
        crowd.all_connected().await;
        began.elapsed()
    };
    crowd
        .talk_while(async {
            for _ in 0..scale.rounds.min(3) {
                sleep(secs(1)).await;
                crowd.clients.iter().for_each(Client::cut);
                let began = Instant::now();
                sleep(millis(20)).await;
                println!("cut off: all are back after {:?}", all_back(began).await);
                sleep(millis(500)).await;
                node.kill().await;
                node.up().await;
                let began = Instant::now();
                println!("restarted: all are back {:?} after it was ready", all_back(began).await);
            }
            sleep(secs(1)).await;
        })
        .await;
    crowd.judge().await;
}
