//! What nobody can do for less: a bare epoll loop on one thread that writes one frame to each socket
//! and knows nothing of chat.

use crate::load::{
    LoadError,
    process::cpu,
    report::{Report, Spread, per_second},
    socket::{Read, Socket},
};
use clap::Args;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use natter::{Role, SessionId, Timestamp, User, UserId, scheduled::ScheduledCounts, wire::ServerFrame};
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How many sockets to write to.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub connections: u32,
    /// Frames a second to each.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Bytes in a frame.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u16).range(126..=60_000))]
    pub bytes: u16,
    /// Measure another program that writes the same frames: a `ready` to whoever connects to
    /// /api/v1/ws, then frames that begin as these do.
    #[arg(long, value_name = "URL", requires = "pid")]
    server: Option<String>,
    /// That program's process.
    #[arg(long, requires = "server")]
    pid: Option<u32>,
    /// Write here, to whoever connects, instead of measuring. For the tool itself.
    #[arg(long, hide = true)]
    serve: bool,
    /// File to write the figures to.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn io_error(what: &str) -> impl FnOnce(io::Error) -> LoadError {
    move |source| LoadError::Io { what: what.to_owned(), source }
}

/// The other process, ended with this value.
struct Loop(Child);

impl Loop {
    /// Starts it; answers where it listens.
    fn start(options: &Options) -> Result<(Self, String), LoadError> {
        let program = std::env::current_exe().map_err(io_error("this program"))?;
        let bytes = options.bytes.into();
        let mut command = Command::new(program);
        command.args(["floor", "--serve", "--seconds", &options.seconds.to_string()]);
        for (name, value) in [("--connections", options.connections), ("--rate", options.rate), ("--bytes", bytes)] {
            command.args([name, &value.to_string()]);
        }
        let mut child = Self(command.stdout(Stdio::piped()).spawn().map_err(io_error("the floor"))?);
        let mut address = String::new();
        let out = child.0.stdout.take().ok_or(LoadError::Ended)?;
        BufReader::new(out).read_line(&mut address).map_err(io_error("the floor"))?;
        Ok((child, address.trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn run(options: &Options) -> Result<Report, LoadError> {
    if options.serve {
        return serve(options).map(|()| Report::default()).map_err(io_error("the floor"));
    }
    let (child, address, pid) = if let (Some(server), Some(pid)) = (&options.server, options.pid) {
        (None, server.clone(), pid)
    } else {
        let (child, address) = Loop::start(options)?;
        let pid = child.0.id();
        (Some(child), address, pid)
    };
    let latencies = Arc::new(Mutex::new(crate::load::board::histogram()));
    let delivered = Arc::new(AtomicU64::new(0));
    let mut readers = Vec::new();
    for number in 0..options.connections as usize {
        let opened = Socket::open(&address, "").await;
        let (mut socket, _) = opened.map_err(|source| LoadError::Open { number, source })?;
        let (latencies, delivered) = (latencies.clone(), delivered.clone());
        readers.push(tokio::spawn(async move {
            let mut own = Vec::new();
            while let Ok(Read::Some) = socket.read(|text| own.push(nanos_since(text))).await {
                delivered.fetch_add(own.len() as u64, Ordering::Relaxed);
                let mut latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
                own.drain(..).for_each(|nanos| latencies.saturating_record(nanos));
            }
        }));
    }
    let pids = [pid];
    let (before, began) = (cpu(&pids)?, Instant::now());
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let used = cpu(&pids)?.saturating_sub(before);
    let (took, delivered) = (began.elapsed(), delivered.load(Ordering::Relaxed));
    drop(child);
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    let spread = Spread::of(&latencies.lock().unwrap_or_else(PoisonError::into_inner));
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
    let each = used.as_secs_f64() * 1e6 / delivered as f64;
    Ok(Report {
        mode: "floor",
        connections: options.connections as usize,
        seconds: took.as_secs_f64(),
        delivered,
        delivered_per_second: per_second(delivered, took),
        delivery_ms: Some(spread),
        cpu_seconds: Some(used.as_secs_f64()),
        cpu_seconds_per_million_deliveries: (delivered > 0).then_some(each),
        ..Report::default()
    })
}

/// A frame begins with the time at which it was written: nanoseconds since the epoch, in 20 digits.
fn nanos_since(text: &[u8]) -> u64 {
    let written = text.get(1..21).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    written.map_or(0, |written| nanos_now().saturating_sub(written))
}

fn nanos_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

fn serve(options: &Options) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut out = io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    let mut poll = Poll::new()?;
    let mut sockets = Vec::new();
    for number in 0..options.connections as usize {
        let mut socket = listener.accept()?.0;
        shake_hands(&mut socket)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(number), Interest::READABLE)?;
        sockets.push(socket);
    }
    let every = Duration::from_secs(1) / options.rate;
    let mut next = Instant::now() + every;
    let mut events = Events::with_capacity(1_024);
    let mut heard = [0; 4_096];
    loop {
        poll.poll(&mut events, Some(next.saturating_duration_since(Instant::now())))?;
        for event in &events {
            let Some(socket) = sockets.get_mut(event.token().0) else { continue };
            // Whoever hangs up has had enough.
            if let Ok(0) = socket.read(&mut heard) {
                return Ok(());
            }
        }
        if Instant::now() < next {
            continue;
        }
        next += every;
        let frame = frame(options.bytes);
        for socket in &mut sockets {
            match socket.write(&frame) {
                Ok(written) if written == frame.len() => {}
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => return Err(io::Error::other("a reader is slower than the floor")),
            }
        }
    }
}

/// Answers the upgrade, whatever it says, with a `ready` of nobody in no channel.
fn shake_hands(socket: &mut std::net::TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let user = User {
        id: UserId::generate(),
        username: "nobody".into(),
        display_name: "nobody".into(),
        role: Role::Member,
        suspended: false,
        avatar_url: None,
        created_at: Timestamp::default(),
    };
    let ready = ServerFrame::Ready {
        scheduled: ScheduledCounts::default(),
        protocol: 1,
        epoch: String::new(),
        session_id: SessionId::generate(),
        user,
        channels: Vec::new(),
        online: Vec::new(),
    };
    socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
    socket.write_all(&unmasked(ready.to_json().as_bytes()))
}

fn frame(bytes: u16) -> Vec<u8> {
    let stamp = nanos_now();
    let mut text = format!("\"{stamp:020}");
    text.extend(std::iter::repeat_n('x', usize::from(bytes).saturating_sub(text.len() + 1)));
    text.push('"');
    unmasked(text.as_bytes())
}

/// A server's text frame (RFC 6455) of 126 to 65,535 bytes.
fn unmasked(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x81, 126, length[0], length[1]], payload].concat()
}
