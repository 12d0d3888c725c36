//! What is unread, and what is read.

use super::*;

#[test]
fn only_messages_of_others_count_as_unread_and_each_once() {
    with_chat(|chat, ada, general| {
        let mira = user("mira");
        for message in [message(&general, 1, &mira, None), message(&general, 2, &ada, None)] {
            chat.receive(ServerFrame::Message(message.clone()));
            chat.receive(ServerFrame::Message(message));
        }
        assert_eq!(chat.channels.read_untracked()[0].unread, 1);
        chat.receive(ServerFrame::Read {
            reference: None,
            channel_id: general.id,
            seq: 2,
            unread: 0,
            mentions: 0,
            rev: 2,
            back: false,
        });
        assert_eq!(chat.channels.read_untracked()[0].unread, 0);
    });
}

/// A conversation of Ada's with somebody, and its first message from them.
#[test]
fn a_first_private_message_counts_once_in_whatever_order_it_comes() {
    for message_first in [true, false] {
        with_chat(|chat, ada, _| {
            let (channel, message) = direct(&ada, &user("mira"));
            let frames = [ServerFrame::Channel { channel: channel.clone() }, ServerFrame::Direct(message)];
            let mut said = Vec::new();
            for at in if message_first { [1, 0] } else { [0, 1] } {
                said.extend(chat.receive(frames[at].clone()));
            }
            assert!(said.is_empty(), "{said:?}");
            assert_eq!(chat.channel(channel.id).unwrap().unread, 1);
        });
    }
}

#[test]
fn a_conversation_read_before_its_latest_message_asks_for_its_counts() {
    with_chat(|chat, ada, _| {
        let (channel, message) = direct(&ada, &user("mira"));
        chat.receive(ServerFrame::Direct(message));
        let said = chat.receive(ServerFrame::Channel { channel: Channel { rev: 0, unread: 0, ..channel.clone() } });
        assert!(matches!(said[..], [ClientFrame::Read { seq: 0, back: false, .. }]), "{said:?}");
        chat.receive(ServerFrame::Read {
            reference: None,
            channel_id: channel.id,
            seq: 0,
            unread: 1,
            mentions: 0,
            rev: 1,
            back: false,
        });
        assert_eq!(chat.channel(channel.id).unwrap().unread, 1);
    });
}

#[test]
fn names_count_as_mentions_and_a_deletion_takes_them_back() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        let named = Message { text: "look @Ada".into(), ..message(&general, 1, &mira, None) };
        chat.receive(ServerFrame::Message(named.clone()));
        let counts = |chat: Chat| chat.channel(general.id).map(|channel| (channel.unread, channel.mentions)).unwrap();
        assert_eq!(counts(chat), (1, 1));
        let gone = Message { rev: 2, deleted: true, text: String::new(), ..named };
        let said = chat.receive(ServerFrame::Message(gone));
        assert!(matches!(said[..], [ClientFrame::Read { .. }]), "{said:?}");
        assert_eq!(counts(chat).0, 0);
    });
}

#[test]
fn what_was_marked_unread_is_not_read_by_looking_at_it() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        let posted = message(&general, 1, &mira, None);
        chat.receive(ServerFrame::Message(posted.clone()));
        ready(chat, "one", vec![chat.channel(general.id).unwrap()]);
        chat.link.set(Link::Up);
        chat.read_up_to(general.id, 1);
        assert_eq!(chat.channel(general.id).unwrap().unread, 0);
        chat.mark_unread(&posted);
        chat.receive(ServerFrame::Read {
            reference: None,
            channel_id: general.id,
            seq: 0,
            unread: 1,
            mentions: 0,
            rev: 1,
            back: true,
        });
        chat.read_up_to(general.id, 1);
        assert_eq!(chat.channel(general.id).unwrap().unread, 1);
        chat.open(Target::Channel(general.id), None, false);
        chat.read_up_to(general.id, 1);
        assert_eq!(chat.channel(general.id).unwrap().unread, 0);
    });
}

#[test]
fn what_could_not_be_marked_unread_is_still_read_by_looking_at_it() {
    with_chat(|chat, _, general| {
        let posted = message(&general, 1, &user("mira"), None);
        chat.receive(ServerFrame::Message(posted.clone()));
        chat.link.set(Link::Down);
        chat.mark_unread(&posted);
        assert!(chat.notice.get_untracked().is_some());
        chat.link.set(Link::Up);
        chat.read_up_to(general.id, 1);
        assert_eq!(chat.channel(general.id).unwrap().unread, 0);
    });
}

#[test]
fn reading_all_by_wish_reads_what_was_marked_unread_and_what_came_since() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        let posted = message(&general, 1, &mira, None);
        chat.receive(ServerFrame::Message(posted.clone()));
        chat.link.set(Link::Up);
        chat.mark_unread(&posted);
        chat.receive(ServerFrame::Message(message(&general, 2, &mira, None)));
        chat.mark_read(general.id);
        let channel = chat.channel(general.id).unwrap();
        assert_eq!((channel.unread, channel.read_seq), (0, 2));
    });
}

#[test]
fn what_waits_for_one_are_mentions_and_what_was_said_in_private() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        for (rev, text) in [(1, "hello"), (2, "hello @ada")] {
            let posted = Message { text: text.into(), ..message(&general, rev, &mira, None) };
            chat.receive(ServerFrame::Message(posted));
        }
        assert_eq!(chat.waiting(), 1);
    });
}

fn read_frame(channel: &Channel, seq: u64, (unread, mentions): (u64, u64), rev: u64) -> ServerFrame {
    ServerFrame::Read { reference: None, channel_id: channel.id, seq, unread, mentions, rev, back: false }
}

fn counts(chat: Chat, id: ChannelId) -> (u64, u64) {
    chat.channel(id).map(|channel| (channel.unread, channel.mentions)).unwrap()
}

/// A question for counts: it can't move a mark.
fn asks(said: &[ClientFrame]) -> bool {
    matches!(said, [ClientFrame::Read { seq: 0, back: false, .. }])
}

#[test]
fn counts_that_were_made_later_have_what_is_still_on_its_way_in_them() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        chat.receive(ServerFrame::Message(message(&general, 1, &mira, None)));
        assert!(chat.receive(read_frame(&general, 1, (2, 0), 3)).is_empty());
        for rev in [2, 3] {
            chat.receive(ServerFrame::Message(message(&general, rev, &mira, None)));
        }
        assert_eq!(counts(chat, general.id), (2, 0), "each once");
        chat.receive(ServerFrame::Message(message(&general, 4, &mira, None)));
        assert_eq!(counts(chat, general.id), (3, 0));
    });
}

#[test]
fn counts_that_were_made_earlier_are_asked_for_again() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        for rev in [1, 2] {
            chat.receive(ServerFrame::Message(message(&general, rev, &mira, None)));
        }
        let said = chat.receive(read_frame(&general, 1, (0, 0), 1));
        assert!(asks(&said), "{said:?}");
        assert!(counts(chat, general.id).0 > 0, "the second isn't read");
        assert!(chat.receive(read_frame(&general, 1, (1, 0), 2)).is_empty());
        assert_eq!(counts(chat, general.id), (1, 0));
    });
}

#[test]
fn what_was_read_elsewhere_before_it_came_here_is_read() {
    with_chat(|chat, _, general| {
        chat.receive(read_frame(&general, 1, (0, 0), 1));
        chat.receive(ServerFrame::Message(message(&general, 1, &user("mira"), None)));
        assert_eq!(counts(chat, general.id), (0, 0));
    });
}

#[test]
fn a_reaction_changes_no_counts_and_asks_nothing() {
    with_chat(|chat, _, general| {
        let posted = message(&general, 1, &user("mira"), None);
        chat.receive(ServerFrame::Message(posted.clone()));
        assert!(chat.receive(ServerFrame::Message(Message { rev: 2, ..posted.clone() })).is_empty());
        let edited = Message { rev: 3, edited_at: Some(Timestamp::default()), ..posted };
        assert!(asks(&chat.receive(ServerFrame::Message(edited))), "it may call others now");
        assert_eq!(counts(chat, general.id), (1, 0));
    });
}

#[test]
fn what_was_changed_before_it_came_is_not_counted_twice_nor_taken_off() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        chat.receive(ServerFrame::Message(message(&general, 1, &mira, None)));
        let gone = Message { rev: 3, deleted: true, text: String::new(), ..message(&general, 2, &mira, None) };
        assert!(asks(&chat.receive(ServerFrame::Message(gone))));
        assert_eq!(counts(chat, general.id), (1, 0));
        let reacted = Message { rev: 5, ..message(&general, 4, &mira, None) };
        assert!(asks(&chat.receive(ServerFrame::Message(reacted))), "nobody counted it");
    });
}

#[test]
fn of_a_muted_channel_only_the_own_name_calls() {
    with_chat(|chat, _, general| {
        let mira = user("mira");
        let muted = Channel { muted: Some(true), ..general.clone() };
        assert!(chat.receive(ServerFrame::Channel { channel: muted }).is_empty());
        let say = |rev: u64, text: &str, mentions_channel: bool| {
            let said = Message { text: text.into(), mentions_channel, ..message(&general, rev, &mira, None) };
            chat.receive(ServerFrame::Message(said));
            (chat.waiting(), chat.is_called())
        };
        untrack(|| {
            assert_eq!(say(1, "hello", false), (0, false));
            assert_eq!(say(2, "hello @channel", true), (0, false));
            assert_eq!(say(3, "hello @ada", false), (1, true));
            assert_eq!(say(4, "hello @ada and @channel", true), (2, true));
        });
        assert_eq!(counts(chat, general.id), (4, 2));
    });
}

#[test]
fn a_muted_conversation_of_two_does_not_call() {
    with_chat(|chat, ada, _| {
        let (channel, _) = direct(&ada, &user("mira"));
        chat.receive(ServerFrame::Channel { channel: Channel { unread: 2, rev: 2, ..channel.clone() } });
        untrack(|| assert_eq!((chat.waiting(), chat.is_called()), (2, true)));
        let muted = Channel { unread: 2, rev: 2, muted: Some(true), ..channel };
        chat.receive(ServerFrame::Channel { channel: muted });
        untrack(|| assert_eq!((chat.waiting(), chat.is_called()), (0, false)));
    });
}

#[test]
fn a_channel_that_was_read_before_the_latest_mark_asks_for_its_counts() {
    with_chat(|chat, _, general| {
        chat.link.set(Link::Up);
        chat.receive(ServerFrame::Message(message(&general, 1, &user("mira"), None)));
        let before = chat.channel(general.id).unwrap();
        assert!(chat.mark_read(general.id));
        let said = chat.receive(ServerFrame::Channel { channel: Channel { muted: Some(true), ..before } });
        assert!(asks(&said), "{said:?}");
        let channel = chat.channel(general.id).unwrap();
        assert_eq!((channel.unread, channel.read_seq, channel.muted), (0, 1, Some(true)));
    });
}

#[test]
fn without_a_connection_nothing_is_marked_read() {
    with_chat(|chat, _, general| {
        chat.receive(ServerFrame::Message(message(&general, 1, &user("mira"), None)));
        chat.link.set(Link::Down);
        assert!(!chat.mark_read(general.id));
        assert!(chat.notice.get_untracked().is_some() && counts(chat, general.id) == (1, 0));
    });
}

/// How far it is said that somebody has read.
fn marks(said: &[ClientFrame]) -> Vec<u64> {
    let mark = |frame: &ClientFrame| match frame {
        ClientFrame::Read { seq, back: false, .. } => Some(*seq),
        _ => None,
    };
    said.iter().filter_map(mark).collect()
}

#[test]
fn what_was_read_on_a_connection_that_was_dead_is_said_again() {
    with_chat(|chat, _, general| {
        let as_stored = |rev, unread| Channel { rev, unread, ..general.clone() };
        chat.receive(ServerFrame::Message(message(&general, 1, &user("mira"), None)));
        chat.read_up_to(general.id, 1);
        assert_eq!(counts(chat, general.id), (1, 0), "the page isn't awake");
        chat.link.set(Link::Up);
        chat.read_up_to(general.id, 1);
        assert_eq!(marks(&ready(chat, "one", vec![as_stored(1, 1)])), [1]);
        assert_eq!(counts(chat, general.id), (0, 0), "it stays read meanwhile");
        // That one was lost, too, and somebody wrote.
        assert_eq!(marks(&ready(chat, "one", vec![as_stored(2, 2)])), [1]);
        chat.receive(read_frame(&general, 1, (1, 0), 2));
        assert_eq!(counts(chat, general.id), (1, 0));
        assert!(marks(&ready(chat, "one", vec![Channel { read_seq: 1, ..as_stored(2, 1) }])).is_empty());
        assert_eq!(counts(chat, general.id), (1, 0), "what came since is unread");
    });
}

#[test]
fn a_mark_that_was_not_confirmed_ends_with_a_restore_and_by_being_taken_back() {
    with_chat(|chat, _, general| {
        let posted = message(&general, 1, &user("mira"), None);
        let stored = Channel { rev: 1, unread: 1, ..general.clone() };
        chat.receive(ServerFrame::Message(posted.clone()));
        chat.link.set(Link::Up);
        chat.read_up_to(general.id, 1);
        assert_eq!(counts(chat, general.id), (0, 0));
        let said = ready(chat, "two", vec![stored.clone()]);
        assert!(marks(&said).is_empty() && counts(chat, general.id) == (1, 0), "{said:?}");
        chat.read_up_to(general.id, 1);
        chat.mark_unread(&posted);
        let said = ready(chat, "two", vec![stored]);
        assert!(marks(&said).is_empty() && counts(chat, general.id) == (1, 0), "{said:?}");
    });
}

#[test]
fn what_was_marked_unread_elsewhere_while_nobody_listened_stays_so() {
    with_chat(|chat, _, general| {
        chat.link.set(Link::Up);
        chat.receive(ServerFrame::Message(message(&general, 1, &user("mira"), None)));
        chat.read_up_to(general.id, 1);
        chat.receive(read_frame(&general, 1, (0, 0), 1));
        ready(chat, "one", vec![Channel { rev: 1, unread: 1, ..general.clone() }]);
        chat.read_up_to(general.id, 1);
        assert_eq!(counts(chat, general.id), (1, 0));
    });
}

#[test]
fn a_first_private_message_that_came_before_its_page_is_asked_for() {
    with_chat(|chat, ada, _| {
        let mira = user("mira");
        let (channel, message) = direct(&ada, &mira);
        let to = Target::Person(mira.id);
        chat.receive(ServerFrame::Direct(message));
        // The page was read before the message was there.
        chat.open(to, Some(MessagePage { items: vec![], next: None, rev: 0, epoch: "one".into() }), false);
        let said = chat.receive(ServerFrame::Channel { channel: channel.clone() });
        let asked =
            |frame: &ClientFrame| matches!(frame, ClientFrame::Sync { channels, .. } if channels[&channel.id] == 0);
        assert!(said.iter().any(asked), "{said:?}");
        let said = chat.receive(ServerFrame::Channel { channel: channel.clone() });
        assert!(said.is_empty(), "{said:?}");
    });
}
