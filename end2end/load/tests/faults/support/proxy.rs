use std::net::Ipv4Addr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Open,
    /// Takes everything and hands on nothing, as a network does that swallows it. What it took comes
    /// late, if it opens again before it is cut.
    Stalled,
    /// Every connection is dropped, new ones as well.
    Cut,
}

/// A wire that can be cut, between a node and something it needs.
pub struct Proxy {
    pub port: u16,
    mode: watch::Sender<Mode>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mode, changes) = watch::channel(Mode::Open);
        let task = tokio::spawn(async move {
            while let Ok((inward, _)) = listener.accept().await {
                if *changes.borrow() != Mode::Cut {
                    tokio::spawn(carry(inward, target, changes.clone()));
                }
            }
        });
        Self { port, mode, task }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(inward: TcpStream, target: u16, mut changes: watch::Receiver<Mode>) {
    let Ok(outward) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    let ((in_read, in_write), (out_read, out_write)) = (inward.into_split(), outward.into_split());
    let (there, back) = (changes.clone(), changes.clone());
    tokio::select! {
        () = pass(in_read, out_write, there) => {}
        () = pass(out_read, in_write, back) => {}
        _ = changes.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let open = mode.wait_for(|mode| *mode == Mode::Open).await.is_ok();
        if !open || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
