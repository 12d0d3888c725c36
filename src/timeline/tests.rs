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
                timeline.prepend(server.before(seq, limit));
            }
            if !server.events.is_empty() {
                timeline.apply(server.events[pick.index(server.events.len())].clone());
            }
        }
        server.sync(&mut timeline);
        while let Some(seq) = timeline.older_before() {
            timeline.prepend(server.before(seq, limit));
        }

        let fresh = Timeline::from_page(server.newest(usize::MAX));
        prop_assert_eq!(seen(&timeline), seen(&fresh));
        prop_assert_eq!(timeline.rev(), server.rev());
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
