#![allow(warnings, clippy::all, clippy::pedantic, clippy::unwrap_used)]
use natter::*;
use natter_server::store::{*, postgres::PostgresStore};
use std::{sync::Arc, time::Instant};
#[tokio::main]
async fn main() {
    let url = std::env::var("URL").unwrap();
    let now = Timestamp::from_millis(1);
    let nodes = [Arc::new(PostgresStore::open(&url).await.unwrap()), Arc::new(PostgresStore::open(&url).await.unwrap())];
    let mut users = vec![];
    for n in 0..50 { users.push(nodes[0].create_user(NewUser{id: UserId::generate(), username: format!("b{n}-{}", uuid::Uuid::now_v7().simple()), password_hash: "x".into(), created_at: now}).await.unwrap()); }
    let mut ids = vec![];
    for n in 0..200 { let id = ChannelId::generate(); nodes[0].create_channel(NewChannel{id, name: format!("b{}", id.0.simple()), topic: "".into(), visibility: Visibility::Public, post_policy: PostPolicy::Everyone, created_at: now}, users[0].id).await.unwrap(); ids.push(id);
        for u in &users[1..if n < 20 {50} else {2}] { nodes[0].join(id, u.id, now).await.unwrap(); } }
    for (label, channels, senders, size, rounds) in [("1 channel", 1usize, 50usize, 256usize, 100usize), ("20 channels", 20, 50, 256, 100), ("200 channels", 200, 1, 256, 100), ("single message", 20, 50, 1, 400), ("1 channel", 1, 50, 256, 100)] {
        let mut times = vec![]; let start = Instant::now();
        for r in 0..rounds {
            let batch: Vec<_> = (0..size).map(|n| NewMessage{ id: MessageId::generate(), channel_id: ids[(r+n)%channels], sender_id: users[(n*7+r)%senders].id, reference: Some(Ref::generate()), text: "hello there, this is a message of some length, as people write".into(), timestamp: now}).collect();
            let t = Instant::now();
            let out = nodes[0].append(&batch).await.unwrap();
            times.push(t.elapsed());
            assert!(out.iter().all(|a| matches!(a, Appended::New(_))));
        }
        let all = start.elapsed(); times.sort();
        println!("{label} x{size}: {:.0} msg/s, p50 {:?} p99 {:?}", (rounds*size) as f64/all.as_secs_f64(), times[rounds/2], times[rounds*99/100]);
    }
    let start = Instant::now();
    let tasks = (0..2usize).map(|k| { let (node, ids, users) = (nodes[k].clone(), ids.clone(), users.clone()); tokio::spawn(async move { for r in 0..100 {
        let batch: Vec<_> = (0..256).map(|n| NewMessage{ id: MessageId::generate(), channel_id: ids[(r+n)%20], sender_id: users[(n*7+r)%50].id, reference: Some(Ref::generate()), text: "hello there, this is a message of some length, as people write".into(), timestamp: now}).collect();
        node.append(&batch).await.unwrap(); } })});
    futures::future::join_all(tasks).await;
    println!("two nodes, same 20 channels: {:.0} msg/s", 51200.0/start.elapsed().as_secs_f64());
    let t = Instant::now(); for _ in 0..200 { nodes[0].page(ids[0], Anchor::Newest, 50).await.unwrap(); } println!("page {:?}", t.elapsed()/200);
    let p = nodes[0].shared().unwrap().changed_since(0).await.unwrap();
    let t = Instant::now(); for _ in 0..200 { nodes[0].shared().unwrap().changed_since(p.mark).await.unwrap(); } println!("changed_since {:?} ({} channels)", t.elapsed()/200, p.channels.len());
}
