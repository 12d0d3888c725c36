use super::*;
use natter::{ErrorCode, wire::ServerFrame};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    time::{sleep, timeout},
};

/// An outbox, and the other end of its socket.
async fn pair() -> (Outbox, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let outbox = Outbox::new(near.unwrap());
    outbox.stream().writable().await.unwrap();
    outbox.with(|waiting| waiting.held = false);
    (outbox, far.unwrap().0)
}

fn frame(length: usize) -> Frame {
    Frame::new(&ServerFrame::Error { reference: None, code: ErrorCode::Invalid, detail: "x".repeat(length) })
}

fn waiting(outbox: &Outbox) -> (usize, usize) {
    outbox.with(|waiting| (waiting.frames.len(), waiting.bytes))
}

/// Pushes frames until the socket is full and one waits in part.
fn fill(outbox: &Outbox, frame: &Frame) -> usize {
    for count in 1.. {
        outbox.push(std::slice::from_ref(frame));
        let begun = outbox.with(|waiting| waiting.begun);
        if waiting(outbox).0 > 0 {
            assert!(begun, "the system takes a part of it");
            return count;
        }
    }
    unreachable!()
}

async fn read(far: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(Duration::from_secs(5), far.read_exact(&mut bytes)).await.expect("it came").unwrap();
    bytes
}

#[tokio::test]
async fn what_a_socket_has_room_for_goes_out_at_once() {
    let (outbox, mut far) = pair().await;
    let frames = [frame(1), frame(2), frame(300)];
    outbox.push(&frames);
    outbox.push(&frames[..1]);
    assert_eq!(waiting(&outbox), (0, 0));
    assert_eq!(outbox.with(|waiting| waiting.frames.capacity()), 0, "no memory is kept for a queue");
    let sent: Vec<u8> = frames.iter().chain(&frames[..1]).flat_map(|frame| frame.bytes().to_vec()).collect();
    assert_eq!(read(&mut far, sent.len()).await, sent);
}

#[tokio::test]
async fn nothing_comes_before_the_first_frame() {
    let (outbox, mut far) = pair().await;
    outbox.with(|waiting| waiting.held = true);
    outbox.push(&[frame(1), frame(2)]);
    outbox.begin(&frame(3));
    outbox.push(&[frame(4)]);
    let expected: Vec<u8> = [3, 1, 2, 4].into_iter().flat_map(|length| frame(length).bytes().to_vec()).collect();
    assert_eq!(read(&mut far, expected.len()).await, expected);
    assert_eq!(waiting(&outbox), (0, 0));
}

#[tokio::test]
async fn what_it_has_no_room_for_follows_in_order_when_it_has() {
    let (outbox, mut far) = pair().await;
    let large = frame(100_000);
    let count = fill(&outbox, &large);
    let small: Vec<Frame> = (0..100).map(frame).collect();
    outbox.push(&small);
    assert!(outbox.is_stuck_for(Duration::ZERO) && !outbox.is_stuck_for(Duration::from_mins(1)));
    let mut expected: Vec<u8> = (0..count).flat_map(|_| large.bytes().to_vec()).collect();
    expected.extend(small.iter().flat_map(|frame| frame.bytes().to_vec()));
    let (sent, got) = tokio::join!(outbox.sent(), read(&mut far, expected.len()));
    assert_eq!(sent, Ok(()));
    assert!(got == expected, "each byte once and in its place");
    assert_eq!(waiting(&outbox), (0, 0));
    assert!(!outbox.is_stuck_for(Duration::ZERO));
}

/// Pings are answered while something is read, after it has been looked whether anything waits.
#[tokio::test]
async fn an_answer_to_a_ping_that_has_to_wait_wakes_whoever_sends() {
    let (outbox, mut far) = pair().await;
    let mut sent = 0;
    while let Ok(bytes) = outbox.stream().try_write(&[0; 4_096]) {
        sent += bytes;
    }
    let ended = outbox.ended();
    let mut ended = std::pin::pin!(ended);
    let woken = Arc::new(AtomicBool::new(false));
    let waker = futures::task::waker(Arc::new(Woken(woken.clone())));
    assert!(ended.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    outbox.control(frame(3).bytes().clone());
    assert!(woken.load(Ordering::Relaxed));
    assert_eq!(waiting(&outbox).0, 1);
    tokio::select! {
        _ = ended => unreachable!("nothing ended it"),
        got = read(&mut far, sent + frame(3).len()) => assert!(got.ends_with(frame(3).bytes())),
    }
}

struct Woken(Arc<AtomicBool>);

impl futures::task::ArcWake for Woken {
    fn wake_by_ref(this: &Arc<Self>) {
        this.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn who_waits_for_the_end_sends_what_waits_meanwhile() {
    let (outbox, mut far) = pair().await;
    let large = frame(100_000);
    let count = fill(&outbox, &large);
    let all = async {
        read(&mut far, count * large.len()).await;
        // It was pushed after nothing waited any more.
        outbox.push(&[frame(5)]);
        read(&mut far, frame(5).len()).await
    };
    tokio::select! {
        closed = outbox.ended() => panic!("{closed:?}"),
        got = all => assert_eq!(got, *frame(5).bytes()),
    }
    let ended = async { outbox.ended().await };
    let close = async {
        sleep(Duration::from_millis(10)).await;
        outbox.close(Closed::SessionEnded);
    };
    assert_eq!(tokio::join!(ended, close).0, Closed::SessionEnded);
}

#[tokio::test]
async fn a_reader_who_falls_behind_is_let_go_by_frames_or_by_bytes() {
    for (large, until) in [(false, MAX_FRAMES), (true, MAX_BYTES / 100_000)] {
        let (outbox, _far) = pair().await;
        fill(&outbox, &frame(100_000));
        let next = frame(if large { 100_000 } else { 10 });
        let mut count = 0;
        while outbox.is_closed().is_none() {
            outbox.push(std::slice::from_ref(&next));
            count += 1;
        }
        assert_eq!(outbox.is_closed(), Some(Closed::TooSlow));
        assert!((until - 1..=until + 1).contains(&count), "{count} of {until}");
        assert_eq!(waiting(&outbox).0, 1, "what is begun is finished, the rest is dropped");
    }
}

#[tokio::test]
async fn one_s_own_answers_may_be_large() {
    let (outbox, mut far) = pair().await;
    let ready = frame(6 * MAX_BYTES);
    outbox.say(std::slice::from_ref(&ready));
    outbox.push(&[frame(7)]);
    assert_eq!(outbox.is_closed(), None);
    let (sent, got) = tokio::join!(outbox.sent(), read(&mut far, ready.len()));
    assert_eq!(sent, Ok(()));
    assert!(got == *ready.bytes());
    assert_eq!(read(&mut far, frame(7).len()).await, *frame(7).bytes());
}

#[tokio::test]
async fn closing_finishes_what_was_begun_drops_the_rest_and_keeps_its_first_reason() {
    let (outbox, mut far) = pair().await;
    let large = frame(100_000);
    let count = fill(&outbox, &large);
    outbox.push(&[frame(1), frame(2)]);
    outbox.close(Closed::SessionEnded);
    outbox.close(Closed::GoingAway);
    outbox.push(&[frame(3)]);
    assert_eq!(outbox.sent().await, Err(Closed::SessionEnded));
    outbox.control(Bytes::from_static(b"farewell"));
    let (got, ()) = tokio::join!(read(&mut far, count * large.len() + 8), outbox.rest_sent());
    assert!(got.ends_with(b"xfarewell") || got.ends_with(b"}farewell"), "{:?}", &got[got.len() - 20..]);
    assert_eq!(outbox.is_closed(), Some(Closed::SessionEnded));
}

#[tokio::test]
async fn a_broken_socket_ends_its_connection() {
    let (outbox, far) = pair().await;
    // With something unread, the other side resets.
    outbox.push(&[frame(1)]);
    sleep(Duration::from_millis(20)).await;
    drop(far);
    while outbox.is_closed().is_none() {
        outbox.push(&[frame(1_000)]);
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(outbox.ended().await, Closed::Broken);
}
