use super::{Bus, Hint, LocalBus, numbers::Numbers};
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber, connection::State};
use async_trait::async_trait;
use futures::StreamExt as _;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{interval, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// Bytes in one message to the broker; its own default bound is 1 MiB.
const PAYLOAD_MAX: usize = 512 * 1024;
/// Payloads on their way to the broker. When it doesn't keep up, hints are dropped: other nodes find
/// what they missed in the database.
const OUTGOING: usize = 1_024;
/// How long the broker may take one payload.
const PUBLISH_WITHIN: Duration = Duration::from_secs(1);
/// How often it is looked whether another node has fallen silent.
const LISTEN_EVERY: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    #[error("{0}")]
    Address(std::io::Error),
    #[error(transparent)]
    Connect(#[from] async_nats::ConnectError),
    #[error(transparent)]
    Subscribe(#[from] async_nats::SubscribeError),
}

/// The bus of several nodes, over NATS core publish and subscribe: at most once, which is what a hint
/// needs. This node's own hints go to its hub directly, whether the broker is there or not.
pub struct NatsBus {
    local: Arc<LocalBus>,
    client: Client,
    outgoing: mpsc::Sender<Vec<u8>>,
    /// Payloads that there was no room for since the last that there was.
    dropped: Arc<AtomicU64>,
    _receiving: AbortOnDropHandle<()>,
}

impl NatsBus {
    /// `url`: one server or several, separated by commas, each with user and password if it needs them.
    /// `epoch` keeps nodes of different databases apart. Doesn't wait for a broker that isn't there yet.
    pub async fn connect(url: &str, epoch: &str) -> Result<(Self, mpsc::Receiver<Vec<Hint>>), NatsError> {
        let servers = url.split(',').map(|server| server.trim().parse());
        let servers: Vec<ServerAddr> = servers.collect::<Result<_, _>>().map_err(NatsError::Address)?;
        let client = login(&servers)
            .name("natter")
            .no_echo()
            .retry_on_initial_connect()
            .connection_timeout(CONNECT_WITHIN)
            // A dead connection is noticed within two of these; until then the position check helps.
            .ping_interval(Duration::from_secs(5))
            .reconnect_delay_callback(|tries| Duration::from_millis((50 << tries.min(5)).min(1_000)))
            .event_callback(|event| async move { log(&event) })
            .connect(servers)
            .await?;
        let subject = format!("natter.{epoch}.hints");
        let hints = client.subscribe(subject.clone()).await?;
        let (local, queue) = LocalBus::new(true);
        let local = Arc::new(local);
        let (outgoing, payloads) = mpsc::channel(OUTGOING);
        let dropped = Arc::new(AtomicU64::new(0));
        // Ends by itself with what it is given: it has a last word.
        tokio::spawn(send(client.clone(), subject, payloads, dropped.clone()));
        let receiving = AbortOnDropHandle::new(tokio::spawn(receive(hints, local.clone())));
        Ok((Self { local, client, outgoing, dropped, _receiving: receiving }, queue))
    }
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, hints: Vec<Hint>) {
        for payload in payloads(&hints) {
            match self.outgoing.try_send(payload) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!("the broker is slow; hints are dropped");
                }
                Err(TrySendError::Closed(_)) => break,
            }
        }
        self.local.publish(hints).await;
    }

    fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }
}

/// With the name and password of the first address that has them (a name alone is a token), which the
/// client itself doesn't look at.
fn login(servers: &[ServerAddr]) -> ConnectOptions {
    let found = servers.iter().find_map(|server| Some((server.username()?, server.password())));
    match found {
        Some((name, Some(password))) => ConnectOptions::with_user_and_password(name.into(), password.into()),
        Some((token, None)) => ConnectOptions::with_token(token.into()),
        None => ConnectOptions::new(),
    }
}

async fn send(client: Client, subject: String, mut payloads: mpsc::Receiver<Vec<u8>>, dropped: Arc<AtomicU64>) {
    let (node, mut number) = (Uuid::now_v7(), 0);
    while let Some(payload) = payloads.recv().await {
        // What doesn't get there has a number, too: so others learn that it is missing.
        number += 1 + dropped.swap(0, Ordering::Relaxed);
        // Without a connection the client would queue what is old news by the time there is one.
        if client.connection_state() != State::Connected {
            continue;
        }
        let payload = numbered(node, number, &payload);
        match timeout(PUBLISH_WITHIN, client.publish(subject.clone(), payload.into())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a hint was not sent"),
            Err(_) => tracing::warn!("the broker takes nothing; a hint was not sent"),
        }
    }
    // So that nobody waits for more, but for what is missing before it. Should it get lost, they wait for an hour.
    number += 1 + dropped.swap(0, Ordering::Relaxed);
    if let Ok(parted) = serde_json::to_vec(&[Hint::Parted { node }]) {
        let parted = numbered(node, number, &parted);
        let saying = async { client.publish(subject, parted.into()).await.is_ok() && client.flush().await.is_ok() };
        let _ = timeout(PUBLISH_WITHIN, saying).await;
    }
}

async fn receive(mut payloads: Subscriber, local: Arc<LocalBus>) {
    let mut numbers = Numbers::default();
    let mut listen = interval(LISTEN_EVERY);
    loop {
        let payload = tokio::select! {
            payload = payloads.next() => payload,
            _ = listen.tick() => {
                if numbers.miss(Instant::now()) {
                    local.receive(vec![Hint::Lost]).await;
                }
                continue;
            }
        };
        let Some(payload) = payload else { return };
        match serde_json::from_slice::<Vec<Hint>>(&payload.payload) {
            Ok(hints) => local.receive(counted(hints, &mut numbers, Instant::now())).await,
            // Of a newer version, perhaps: the database says what it was about.
            Err(error) => tracing::warn!(%error, "a hint can't be read"),
        }
    }
}

/// A payload's hints; where others should have come before it, that they are lost.
fn counted(mut hints: Vec<Hint>, numbers: &mut Numbers, now: Instant) -> Vec<Hint> {
    if let Some(first) = hints.first_mut()
        && let Hint::From { node, number } = *first
        && numbers.hear(node, number, now)
    {
        *first = Hint::Lost;
    }
    for hint in &hints {
        if let Hint::Parted { node } = hint {
            numbers.part(*node);
        }
    }
    hints
}

/// The payload with, at its head, whose it is.
fn numbered(node: Uuid, number: u64, payload: &[u8]) -> Vec<u8> {
    let head = serde_json::to_vec(&Hint::From { node, number }).unwrap_or_default();
    let rest = payload.strip_prefix(b"[").unwrap_or(payload);
    [b"[", &head[..], b",", rest].concat()
}

/// JSON arrays of bounded size. A hint too large for one is left out.
fn payloads(hints: &[Hint]) -> Vec<Vec<u8>> {
    let mut payloads: Vec<Vec<u8>> = Vec::new();
    for hint in hints {
        let Ok(json) = serde_json::to_vec(hint) else { continue };
        if json.len() + 2 > PAYLOAD_MAX {
            continue;
        }
        if let Some(last) = payloads.last_mut().filter(|last| last.len() + json.len() + 2 <= PAYLOAD_MAX) {
            last.push(b',');
            last.extend(json);
        } else {
            payloads.push([b"[", &json[..]].concat());
        }
    }
    for payload in &mut payloads {
        payload.push(b']');
    }
    payloads
}

fn log(event: &Event) {
    match event {
        Event::Connected => tracing::info!("connected to the broker"),
        Event::Disconnected => tracing::warn!("the broker is gone; other nodes' news take longer"),
        Event::SlowConsumer(_) => tracing::warn!("hints came faster than this node took them"),
        other => tracing::warn!(event = %other, "broker"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::{ChannelId, UserId};

    fn read(seq: u64) -> Hint {
        Hint::Read {
            user_id: UserId::generate(),
            channel_id: ChannelId::generate(),
            seq,
            unread: 0,
            mentions: 0,
            rev: 0,
            back: false,
        }
    }

    #[test]
    fn what_a_newer_version_says_spoils_nothing_else() {
        let known = serde_json::to_string(&read(7)).unwrap();
        let payload = format!(
            r#"[{{"hint":"novelty","x":1}},{known},{{"hint":"changed","pos":3,"change":{{"type":"novelty"}}}}]"#
        );
        let hints: Vec<Hint> = serde_json::from_str(&payload).unwrap();
        let [Hint::Unknown, Hint::Read { seq: 7, .. }, Hint::Changed(entry)] = &hints[..] else { panic!("{hints:?}") };
        assert_eq!((entry.pos, &entry.change), (3, &crate::store::Change::Unknown));
    }

    #[test]
    fn what_is_missing_before_a_node_s_last_word_is_noticed_and_nothing_after_it() {
        let (mut numbers, node, now) = (Numbers::default(), Uuid::now_v7(), Instant::now());
        let from = |number| Hint::From { node, number };
        let whole = counted(vec![from(1), read(1)], &mut numbers, now);
        assert!(matches!(whole[..], [Hint::From { .. }, Hint::Read { .. }]), "{whole:?}");
        let last = counted(vec![from(3), Hint::Parted { node }], &mut numbers, now);
        assert!(matches!(last[..], [Hint::Lost, Hint::Parted { .. }]), "{last:?}");
        assert!(!numbers.miss(now + Duration::from_mins(10)));
    }

    #[test]
    fn hints_travel_in_payloads_of_bounded_size_and_in_order() {
        let hints: Vec<_> = (0..10_000).map(read).collect();
        let payloads = payloads(&hints);
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() <= PAYLOAD_MAX));
        let back = payloads.iter().flat_map(|payload| serde_json::from_slice::<Vec<Hint>>(payload).unwrap());
        let seqs: Vec<_> = back.map(|hint| if let Hint::Read { seq, .. } = hint { seq } else { 0 }).collect();
        assert_eq!(seqs, (0..10_000).collect::<Vec<_>>());
        assert!(super::payloads(&[]).is_empty());
        let node = Uuid::now_v7();
        let hints: Vec<Hint> = serde_json::from_slice(&numbered(node, 3, &payloads[0])).unwrap();
        assert!(
            matches!(&hints[..2], [Hint::From { node: from, number: 3 }, Hint::Read { seq: 0, .. }] if *from == node)
        );
    }
}
