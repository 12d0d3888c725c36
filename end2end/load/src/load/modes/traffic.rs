//! Messages: few senders and many receivers (`fanout`), or many senders who each wait until theirs
//! are stored (`commit`).

use crate::load::{
    LoadError,
    board::{Batch, Board},
    report::{Report, per_second},
    scan::{Scanned, scan},
    socket::{Read, Socket, Writer},
    stage::{Common, Connection, Stage, wait_for},
};
use clap::Args;
use futures::future::join_all;
use natter::{ChannelId, wire::ClientFrame};
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time::sleep_until};

/// How long the last acks and deliveries may take to arrive.
const TAIL: Duration = Duration::from_secs(20);
/// With all connected and silent, before memory is measured.
const QUIET: Duration = Duration::from_secs(2);

#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    pub common: Common,
    /// Connections that send. [default: 1 in fanout, all in commit]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub senders: Option<u32>,
    /// Messages a second in all; without it, as many as go.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,
    /// Messages that each sender leaves unacknowledged at once. [default: 64 with a rate, otherwise 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub in_flight: Option<u32>,
    /// How long to send.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// How many to send at most.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub messages: u64,
    /// Connections that move their read mark in their first channel whenever messages come.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    pub looking: u32,
    /// How long a message's text is, in bytes.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    pub text: u32,
}

/// What every sender goes by.
struct Course {
    board: Arc<Board>,
    text: String,
    until: Instant,
    messages: u64,
    /// Between two messages of one sender.
    every: Option<Duration>,
}

pub async fn run(mode: &'static str, default_senders: usize, options: &Options) -> Result<Report, LoadError> {
    let stage = Stage::set(&options.common).await?;
    let connections = stage.connect(options.common.connections as usize).await?;
    let count = connections.len();
    let senders = options.senders.map_or(default_senders, |senders| senders as usize).min(count);
    let receivers = receivers(&connections);
    let mut report = stage.report(mode, count, QUIET).await?;
    report.senders = senders;

    let before = stage.used()?;
    let board = Arc::new(Board::new());
    let course = Arc::new(Course {
        board: board.clone(),
        text: "x".repeat(options.text as usize),
        until: Instant::now() + Duration::from_secs(options.seconds),
        messages: options.messages,
        every: options.rate.map(|rate| Duration::from_secs(senders as u64) / rate),
    });
    let in_flight = options.in_flight.unwrap_or(if options.rate.is_some() { 64 } else { 1 });
    let (mut reading, mut sending) = (Vec::new(), Vec::new());
    for (number, connection) in connections.into_iter().enumerate() {
        let room = Arc::new(Semaphore::new(in_flight as usize));
        if number < senders {
            let channels = if options.common.as_they_are {
                connection.revs.iter().map(|(id, _)| *id).collect()
            } else {
                stage.channels_of(connection.person).collect()
            };
            let sender = send(connection.socket.writer(), channels, room.clone(), course.clone(), number);
            sending.push(tokio::spawn(sender));
        }
        let looking =
            (number < options.looking as usize).then(|| stage.channels_of(connection.person).next()).flatten();
        reading.push(tokio::spawn(read(connection.socket, number, board.clone(), room, looking)));
    }
    let mut due = 0;
    for sent in join_all(sending).await {
        for (channel, messages) in sent.map_err(|_| LoadError::Ended)? {
            due += messages * receivers.get(&channel).copied().unwrap_or(0);
        }
    }
    let answered = || board.acked.load(Ordering::Relaxed) + board.refused.load(Ordering::Relaxed) >= board.sent();
    wait_for(TAIL, || answered() && board.delivered.load(Ordering::Relaxed) >= due).await;
    report.cpu_seconds = stage.used_since(before)?;
    stage.note_end(&mut report)?;
    reading.iter().for_each(tokio::task::JoinHandle::abort);
    fill(&mut report, &board, due);
    let millions = per_second(report.delivered, Duration::from_secs(1_000_000));
    report.cpu_seconds_per_million_deliveries =
        report.cpu_seconds.filter(|_| millions > 0.0).map(|seconds| seconds / millions);
    Ok(report)
}

/// How many connections receive each channel.
fn receivers(connections: &[Connection]) -> HashMap<ChannelId, u64> {
    let mut receivers = HashMap::new();
    for (channel, _) in connections.iter().flat_map(|connection| &connection.revs) {
        *receivers.entry(*channel).or_default() += 1;
    }
    receivers
}

fn fill(report: &mut Report, board: &Board, due: u64) {
    let [acks, deliveries] = board.spans();
    report.sent = board.sent();
    report.acked = board.acked.load(Ordering::Relaxed);
    report.refused = board.refused.load(Ordering::Relaxed);
    report.delivered = board.delivered.load(Ordering::Relaxed);
    report.closed = board.closed.load(Ordering::Relaxed);
    report.due = due;
    report.seconds = acks.as_secs_f64();
    report.acked_per_second = per_second(report.acked, acks);
    report.delivered_per_second = per_second(report.delivered, deliveries);
    let [acks, deliveries] = board.latencies();
    (report.ack_ms, report.delivery_ms) = (Some(acks), Some(deliveries));
}

async fn read(mut socket: Socket, number: usize, board: Arc<Board>, room: Arc<Semaphore>, looking: Option<ChannelId>) {
    let mut batch = Batch::default();
    loop {
        let (mut answers, mut refused, mut came) = (0, 0, false);
        let read = socket.read(|text| match scan(text) {
            Scanned::Message(reference) => {
                came = true;
                batch.delivery(reference);
            }
            Scanned::Ack(reference) => {
                answers += 1;
                batch.ack(reference);
            }
            Scanned::Error(_) => refused += 1,
            _ => {}
        });
        let read = read.await;
        board.note(number, &mut batch);
        board.refused.fetch_add(refused, Ordering::Relaxed);
        room.add_permits(answers + usize::try_from(refused).unwrap_or(0));
        if !matches!(read, Ok(Read::Some)) {
            board.closed.fetch_add(1, Ordering::Relaxed);
            // Its sender stops waiting for room.
            room.close();
            return;
        }
        if let Some(channel_id) = looking.filter(|_| came) {
            // However far it goes: the server knows where the channel ends. What can't be sent, the next read tells.
            let mark = ClientFrame::Read { reference: None, channel_id, seq: u64::from(u32::MAX), back: false };
            let _ = socket.writer().send(&mark).await;
        }
    }
}

/// Sends, and answers how many went to each channel.
async fn send(
    writer: Writer,
    channels: Vec<ChannelId>,
    room: Arc<Semaphore>,
    course: Arc<Course>,
    number: usize,
) -> Vec<(ChannelId, u64)> {
    let mut sent: Vec<_> = channels.into_iter().map(|channel| (channel, 0)).collect();
    let mut due = Instant::now();
    if let Some(every) = course.every {
        // Not all in step.
        due += every.mul_f64(fastrand::f64());
    }
    for turn in number.. {
        if course.every.is_some() {
            sleep_until(due.into()).await;
        }
        let place = turn % sent.len();
        let Ok(permit) = room.acquire().await else { break };
        permit.forget();
        let now = Instant::now();
        if now > course.until {
            break;
        }
        let Some(reference) = course.board.claim(course.messages, if course.every.is_some() { due } else { now })
        else {
            break;
        };
        let (channel_id, text) = (sent[place].0, course.text.clone());
        if writer
            .send(&ClientFrame::Send {
                reference: Some(reference),
                channel_id,
                text,
                reply_to: None,
                attachments: Vec::new(),
            })
            .await
            .is_err()
        {
            break;
        }
        sent[place].1 += 1;
        due += course.every.unwrap_or_default();
    }
    sent
}
