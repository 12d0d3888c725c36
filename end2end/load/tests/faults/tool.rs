//! The load tool itself, against a server and in small.

use crate::support::{Node, Setup, secs};
use serde_json::Value;
use tokio::{process::Command, time::timeout};

async fn measure(node: &Node, mode: &str, options: &[&str]) -> Value {
    let (dir, pid) = (tempfile::tempdir().unwrap(), node.pid().to_string());
    let json = dir.path().join("figures.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_natter-load"));
    command.args([mode, "--server", &node.base, "--pid", &pid, "--json"]).arg(&json).args(options);
    let output = timeout(secs(60), command.output()).await.expect("it ends by itself").unwrap();
    assert!(output.status.success(), "{mode}: {}", String::from_utf8_lossy(&output.stderr));
    println!("{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

#[tokio::test]
async fn every_mode_counts_what_there_was() {
    let node = Node::start(Setup::default()).await;
    let crowd = ["--connections", "20", "--users", "6", "--channels", "2"];

    let idle = measure(&node, "idle", &[&crowd[..], &["--seconds", "1"]].concat()).await;
    assert_eq!((&idle["connections"], &idle["closed"]), (&20.into(), &0.into()));
    assert!(idle["memory"]["open_kib"]["rss"].as_u64() > Some(1_000), "{idle}");

    let options = ["--rate", "200", "--messages", "100", "--senders", "3"];
    let fanout = measure(&node, "fanout", &[&crowd[..], &options].concat()).await;
    assert_eq!((&fanout["sent"], &fanout["acked"]), (&100.into(), &100.into()));
    // Half of the connections are in either channel.
    assert_eq!((&fanout["due"], &fanout["delivered"]), (&1_000.into(), &1_000.into()), "{fanout}");
    assert_eq!(fanout["delivery_ms"]["count"], 1_000);

    let options = ["--in-flight", "8", "--seconds", "1"];
    let commit = measure(&node, "commit", &[&crowd[..], &options].concat()).await;
    assert_eq!(commit["senders"], 20);
    assert!(commit["acked"].as_u64() > Some(20) && commit["acked"] == commit["sent"], "{commit}");
    assert_eq!(commit["delivered"], commit["due"]);

    let reconnect = measure(&node, "reconnect", &[&crowd[..], &["--missed", "7"]].concat()).await;
    assert_eq!((&reconnect["due"], &reconnect["delivered"]), (&140.into(), &140.into()), "{reconnect}");

    let history = measure(&node, "history", &["--prefix", "long", "--fill", "250", "--seconds", "1"]).await;
    assert_eq!(
        (&history["acked"], &history["others"][1]["name"]),
        (&250.into(), &"page from anywhere of 250 messages".into())
    );
    assert!(history["others"][0]["count"].as_u64() > Some(0));
}
