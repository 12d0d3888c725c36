use super::*;
use crate::{ChannelId, UserRef};
use proptest::prelude::*;

/// A channel on the server: the truth that a client's timeline has to arrive at.
#[derive(Default)]
struct Server {
    channel_id: Option<ChannelId>,
    messages: BTreeMap<u64, Message>,
    /// What was sent out live, one event a revision.
    events: Vec<Message>,
}

impl Server {
    fn rev(&self) -> u64 {
        self.events.len() as u64
    }

    fn post(&mut self) {
        let seq = self.rev() + 1;
        let channel_id = *self.channel_id.get_or_insert_with(ChannelId::generate);
        self.publish(Message {
            id: MessageId::generate(),
            channel_id,
            seq,
            rev: seq,
            sender: UserRef { id: UserId::generate(), username: "ada".into() },
            receiver: None,
            timestamp: Timestamp::from_millis(i64::try_from(seq).unwrap()),
            text: format!("message {seq}"),
            edited_at: None,
            deleted: false,
            reply_to: None,
            mentions_channel: false,
            attachments: vec![],
            reactions: vec![],
            reference: None,
        });
    }

    fn change(&mut self, pick: usize, delete: bool) {
        let Some(message) = self.messages.values().nth(pick % self.messages.len().max(1)).cloned() else { return };
        let rev = self.rev() + 1;
        let text = if delete { String::new() } else { format!("{} edited", message.text) };
        self.publish(Message { rev, text, deleted: delete, ..message });
    }

    fn publish(&mut self, message: Message) {
        self.messages.insert(message.seq, message.clone());
        self.events.push(message);
    }

    fn newest(&self, limit: usize) -> MessagePage {
        let mut items: Vec<_> = self.messages.values().rev().take(limit).cloned().collect();
        items.reverse();
        let next = items.first().map(|first| first.seq).filter(|_| items.len() < self.messages.len());
        MessagePage { items, next, rev: self.rev(), epoch: "e".into() }
    }

    fn before(&self, seq: u64, limit: usize) -> MessagePage {
        let mut items: Vec<_> = self.messages.range(..seq).rev().take(limit).map(|(_, m)| m.clone()).collect();
        items.reverse();
        let next = items.first().map(|first| first.seq).filter(|first| self.messages.range(..first).next().is_some());
        MessagePage { items, next, rev: self.rev(), epoch: "e".into() }
    }

    fn after(&self, seq: u64, limit: usize) -> MessagePage {
        let items: Vec<_> = self.messages.range(seq + 1..).take(limit).map(|(_, m)| m.clone()).collect();
        let last = items.last().map(|last| last.seq);
        let next = last.filter(|last| self.messages.range(last + 1..).next().is_some());
        MessagePage { items, next, rev: self.rev(), epoch: "e".into() }
    }

    fn around(&self, seq: u64, limit: usize) -> MessagePage {
        let mut page = self.before(seq, limit / 2);
        let rest = limit - page.items.len();
        page.items.extend(self.messages.range(seq..).take(rest).map(|(_, m)| m.clone()));
        page.next = self
            .messages
            .keys()
            .next()
            .zip(page.items.first())
            .filter(|(oldest, first)| **oldest < first.seq)
            .map(|(_, first)| first.seq);
        page
    }

    fn sync(&self, timeline: &mut Timeline) {
        let mut changed: Vec<_> = self.messages.values().filter(|m| m.rev > timeline.rev()).cloned().collect();
        changed.sort_by_key(|message| message.rev);
        for message in changed {
            timeline.apply(message);
        }
        timeline.synced(self.rev());
    }
}

#[derive(Clone, Debug)]
enum Op {
    Post,
    Edit(usize),
    Delete(usize),
}

fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(
        prop_oneof![3 => Just(Op::Post), 1 => any::<usize>().prop_map(Op::Edit), 1 => any::<usize>().prop_map(Op::Delete)],
        0..most,
    )
}

fn run(server: &mut Server, ops: &[Op]) {
    for op in ops {
        match op {
            Op::Post => server.post(),
            Op::Edit(pick) => server.change(*pick, false),
            Op::Delete(pick) => server.change(*pick, true),
        }
    }
}

fn seen(timeline: &Timeline) -> Vec<Message> {
    timeline.messages().cloned().collect()
}

proptest! {
    /// The promise of the module: whatever arrives in whatever order, a sync makes it right.
    #[test]
    fn any_events_then_a_sync_equal_a_fresh_snapshot(
        before in ops(30),
        after in ops(30),
        limit in 1_usize..40,
        arriving in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        older_at in any::<prop::sample::Index>(),
    ) {
        let mut server = Server::default();
        run(&mut server, &before);
        let mut timeline = Timeline::from_page(server.newest(limit));
        run(&mut server, &after);

        let older_at = older_at.index(arriving.len() + 1);
        for (at, pick) in arriving.iter().enumerate() {
            if at == older_at && let Some(seq) = timeline.older_before() {
                timeline.prepend(seq, server.before(seq, limit));
            }
            if !server.events.is_empty() {
                timeline.apply(server.events[pick.index(server.events.len())].clone());
            }
        }
        server.sync(&mut timeline);
        while let Some(seq) = timeline.older_before() {
            timeline.prepend(seq, server.before(seq, limit));
        }

        let fresh = Timeline::from_page(server.newest(usize::MAX));
        prop_assert_eq!(seen(&timeline), seen(&fresh));
        prop_assert_eq!(timeline.rev(), server.rev());
        prop_assert!(!timeline.has_gap());
    }

    /// Wherever one goes and whatever comes meanwhile, late pages included: what is loaded has no hole, and
    /// after a sync and the pages up to the end it is what a fresh snapshot is.
    #[test]
    fn a_stretch_further_back_grows_without_holes_until_it_is_live(
        before in ops(60),
        steps in prop::collection::vec((0_u8..7, any::<usize>(), any::<usize>()), 0..60),
        limit in 2_usize..12,
    ) {
        let mut server = Server::default();
        run(&mut server, &before);
        let mut timeline = Timeline::from_page(server.newest(limit));
        let mut heard = server.rev();
        // Pages on their way, each with what it was asked for.
        let mut late: Vec<(u8, u64, MessagePage)> = Vec::new();
        for (what, pick, other) in steps {
            match what {
                0 => server.post(),
                1 => server.change(pick, other.is_multiple_of(2)),
                2 if heard < server.rev() => {
                    // Live events come in order, but for those that are lost and made good by a sync.
                    if other.is_multiple_of(4) {
                        server.sync(&mut timeline);
                        heard = server.rev();
                    } else {
                        timeline.apply(server.events[usize::try_from(heard).unwrap()].clone());
                        heard += 1;
                    }
                }
                3 => {
                    let seq = other as u64 % (server.rev() + 2);
                    late.push((0, seq, server.around(seq, limit)));
                }
                4 => late.extend(timeline.newer_after().map(|after| (1, after, server.after(after, limit)))),
                5 => late.extend(timeline.older_before().map(|first| (2, first, server.before(first, limit)))),
                _ if !late.is_empty() => {
                    let (kind, place, page) = late.remove(pick % late.len());
                    match kind {
                        0 => { let newer = page.may_go_on(u32::try_from(limit).unwrap()); timeline.go_to(page, newer) }
                        1 => timeline.append(place, page),
                        _ => timeline.prepend(place, page),
                    }
                }
                _ => {}
            }
            let loaded: Vec<_> = timeline.messages().map(|message| message.seq).collect();
            if let (Some(first), Some(last)) = (loaded.first(), loaded.last()) {
                let all: Vec<_> = server.messages.range(first..=last).map(|(seq, _)| *seq).collect();
                prop_assert_eq!(&loaded, &all, "a hole");
            }
        }
        server.sync(&mut timeline);
        let (first, last) = (timeline.messages().next().cloned(), timeline.last_seq());
        if let Some(first) = first {
            let expected: Vec<_> = server.messages.range(first.seq..=last.unwrap()).map(|(_, m)| m.clone()).collect();
            prop_assert_eq!(seen(&timeline), expected, "old news");
        }
        while let Some(after) = timeline.newer_after() {
            timeline.append(after, server.after(after, limit));
        }
        while let Some(first) = timeline.older_before() {
            timeline.prepend(first, server.before(first, limit));
        }
        prop_assert_eq!(seen(&timeline), server.messages.values().cloned().collect::<Vec<_>>());
        prop_assert!(!timeline.has_gap());
    }

    /// All events, shuffled and doubled, need no sync at all.
    #[test]
    fn complete_events_leave_no_gap(ops in ops(40), order in any::<u64>()) {
        let mut server = Server::default();
        run(&mut server, &ops);
        let mut events: Vec<_> = server.events.iter().chain(&server.events).cloned().collect();
        let mut state = order;
        for at in (1..events.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            events.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let mut timeline = Timeline::default();
        for event in events {
            timeline.apply(event);
        }
        prop_assert_eq!(seen(&timeline), server.messages.values().cloned().collect::<Vec<_>>());
        prop_assert!(!timeline.has_gap());
        prop_assert_eq!(timeline.rev(), server.rev());
    }

    /// A reload keeps what arrived after its page was read.
    #[test]
    fn a_reload_keeps_later_events(before in ops(20), after in ops(20)) {
        let mut server = Server::default();
        run(&mut server, &before);
        let page = server.newest(usize::MAX);
        run(&mut server, &after);
        let mut timeline = Timeline::default();
        for event in &server.events {
            timeline.apply(event.clone());
        }
        timeline.reload(page);
        server.sync(&mut timeline);
        prop_assert_eq!(seen(&timeline), server.messages.values().cloned().collect::<Vec<_>>());
    }
}

#[test]
fn what_comes_live_isn_t_put_behind_a_stretch_further_back() {
    let mut server = Server::default();
    (0..20).for_each(|_| server.post());
    let mut timeline = Timeline::from_page(server.newest(5));
    timeline.go_to(server.around(6, 4), true);
    let loaded = |timeline: &Timeline| timeline.messages().map(|message| message.seq).collect::<Vec<_>>();
    assert_eq!(loaded(&timeline), [4, 5, 6, 7]);
    assert_eq!((timeline.older_before(), timeline.newer_after()), (Some(4), Some(7)));
    assert!(timeline.reaches(5) && !timeline.reaches(8) && !timeline.reaches(3));
    server.post();
    timeline.apply(server.events[20].clone());
    assert_eq!(loaded(&timeline), [4, 5, 6, 7]);
    assert!(!timeline.has_gap());
    // The page was read before the latest came, which therefore isn't in it.
    let mut rest = server.after(7, 100);
    rest.items.pop();
    rest.rev -= 1;
    timeline.append(7, rest);
    assert_eq!(loaded(&timeline), (4..=21).collect::<Vec<_>>());
    assert_eq!(timeline.newer_after(), None);
    timeline.append(7, server.after(7, 100));
    assert_eq!(loaded(&timeline).len(), 18, "asked for before the window moved");
}

#[test]
fn too_much_that_came_beside_a_stretch_is_asked_for_again() {
    let mut server = Server::default();
    (0..10).for_each(|_| server.post());
    let mut timeline = Timeline::default();
    timeline.go_to(server.around(2, 4), true);
    let page = server.after(4, 100);
    for at in 10..10 + 2 * ASIDE {
        server.post();
        timeline.apply(server.events[at].clone());
    }
    timeline.append(4, page);
    assert_eq!((timeline.last_seq(), timeline.newer_after()), (Some(10), Some(10)), "some are missing in between");
    timeline.append(10, server.after(10, 10_000));
    assert_eq!(timeline.newer_after(), None);
    server.sync(&mut timeline);
    assert_eq!(timeline.messages().count(), server.messages.len() - 1 + usize::from(timeline.older_before().is_none()));
}

#[test]
fn a_missing_event_shows_as_a_gap_until_it_comes() {
    let mut server = Server::default();
    run(&mut server, &[Op::Post, Op::Post, Op::Post]);
    let mut timeline = Timeline::default();
    timeline.apply(server.events[0].clone());
    timeline.apply(server.events[2].clone());
    assert!(timeline.has_gap());
    assert_eq!(timeline.rev(), 1);
    timeline.apply(server.events[1].clone());
    assert!(!timeline.has_gap());
    assert_eq!(timeline.rev(), 3);
}

#[test]
fn ack_and_event_of_one_message_make_one_message_in_either_order() {
    let mut server = Server::default();
    server.post();
    let reference = Ref::generate();
    let stored = Message { reference: Some(reference), ..server.events[0].clone() };
    let ack = Ack { reference, id: stored.id, seq: stored.seq, rev: stored.rev, timestamp: stored.timestamp };
    let me = stored.sender.id;
    for event_first in [true, false] {
        let mut timeline = Timeline::default();
        timeline.queue(reference, "message 1".into(), None, Timestamp::default());
        timeline.queue(reference, "twice".into(), None, Timestamp::default());
        assert_eq!(timeline.pending().len(), 1);
        let event = |timeline: &mut Timeline| {
            timeline.settle(me, reference, me);
            timeline.apply(stored.clone());
        };
        if event_first {
            event(&mut timeline);
        }
        timeline.ack(&ack, |pending| Message { text: pending.text, ..stored.clone() });
        if !event_first {
            event(&mut timeline);
        }
        assert_eq!(seen(&timeline), vec![stored.clone()]);
        assert!(timeline.pending().is_empty());
        timeline.queue(reference, "again".into(), None, Timestamp::default());
        assert!(timeline.pending().is_empty(), "an acknowledged ref is never queued again");
    }
}

#[test]
fn a_refused_message_stays_until_retried_or_discarded() {
    let mut timeline = Timeline::default();
    let reference = Ref::generate();
    timeline.queue(reference, "hello".into(), None, Timestamp::default());
    timeline.fail(reference, "No.");
    assert_eq!(timeline.pending()[0].failure.as_deref(), Some("No."));
    assert_eq!(timeline.retry(reference).as_deref(), Some("hello"));
    assert_eq!(timeline.pending()[0].failure, None);
    timeline.discard(reference);
    assert!(timeline.is_empty());
}

#[test]
fn after_the_server_was_set_back_nothing_of_the_lost_time_stays_or_hides_what_is_new() {
    let mut server = Server::default();
    (0..5).for_each(|_| server.post());
    let mut timeline = Timeline::from_page(server.newest(10));
    server.post();
    timeline.apply(server.events[5].clone());
    let reference = Ref::generate();
    timeline.queue(reference, "on its way".into(), None, Timestamp::from_millis(9));

    let mut restored = Server { channel_id: server.channel_id, ..Server::default() };
    (0..3).for_each(|_| restored.post());
    timeline.void();
    assert!(timeline.messages().next().is_none() && timeline.rev() == 0);
    // Both what comes live before the page and what is in it have numbers that the lost ones had.
    restored.post();
    timeline.apply(restored.events[3].clone());
    timeline.reload(restored.newest(10));
    assert!(timeline.messages().eq(restored.messages.values()), "{timeline:?}");
    assert_eq!((timeline.rev(), timeline.has_gap()), (4, false));
    assert_eq!(timeline.pending().iter().map(|pending| pending.reference).collect::<Vec<_>>(), [reference]);
}
