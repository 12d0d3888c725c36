use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Between a node and its broker: loses some of what the node publishes, while both think that all is
/// well. It understands just enough of NATS' protocol for that.
pub struct LossyBroker {
    pub port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// Of a hundred published, so many are lost.
    percent: AtomicU32,
    lost: AtomicU64,
}

impl LossyBroker {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let Ok(broker) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { continue };
                tokio::spawn(carry(node, broker, shared.clone()));
            }
        });
        Self { port, state, task }
    }

    pub fn lose(&self, percent: u32) {
        self.state.percent.store(percent, Ordering::Relaxed);
    }

    pub fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for LossyBroker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(node: TcpStream, broker: TcpStream, state: Arc<State>) {
    let ((from_node, mut to_node), (mut from_broker, to_broker)) = (node.into_split(), broker.into_split());
    tokio::select! {
        _ = tokio::io::copy(&mut from_broker, &mut to_node) => {}
        _ = filter(BufReader::new(from_node), to_broker, state) => {}
    }
}

/// `PUB <subject> [reply] <bytes>` and `HPUB` with the same at its end are followed by so many bytes
/// and a line break; everything else is one line.
async fn filter(
    mut from: impl tokio::io::AsyncBufRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    state: Arc<State>,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).await? > 0 {
        let text = String::from_utf8_lossy(&line).into_owned();
        let publishes = ["PUB ", "HPUB "].iter().any(|word| text.starts_with(word));
        if publishes {
            let bytes: usize = text.split_whitespace().next_back().and_then(|word| word.parse().ok()).unwrap_or(0);
            let head = line.len();
            line.resize(head + bytes + 2, 0);
            from.read_exact(&mut line[head..]).await?;
        }
        if publishes && fastrand::u32(..100) < state.percent.load(Ordering::Relaxed) {
            state.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            to.write_all(&line).await?;
        }
        line.clear();
    }
    Ok(())
}
