//! The store as the live connection drives it.

use super::*;
use crate::state::{
    fixtures::{self, channel, user},
    outbox::OUTBOX_MAX,
};
use natter::{
    ChannelKind, ErrorCode, SessionId, Timestamp, UserRef, Visibility, media::UploadBounds, message::Receiver,
    scheduled::ScheduledCounts, wire::ServerFrame,
};

fn message(channel: &Channel, rev: u64, sender: &User, reference: Option<Ref>) -> Message {
    fixtures::message(channel.id, rev, sender, 0, reference)
}

/// A chat of Ada's, in one channel that is open.
fn with_chat(test: impl FnOnce(Chat, User, Channel)) {
    Owner::new().with(|| {
        let (ada, general) = (user("ada"), channel("general", true));
        let start = Bootstrap {
            me: ada.clone(),
            epoch: "one".into(),
            channels: vec![general.clone()],
            scheduled: ScheduledCounts::default(),
            uploads: UploadBounds::default(),
        };
        let chat = Chat::new(start);
        let page = MessagePage { items: vec![], next: None, rev: 0, epoch: "one".into() };
        chat.open(Target::Channel(general.id), Some(page), false);
        test(chat, ada, general);
    });
}

fn texts(chat: Chat, id: ChannelId) -> Vec<String> {
    chat.timeline(Target::Channel(id))
        .unwrap()
        .read_untracked()
        .messages()
        .map(|message| message.text.clone())
        .collect()
}

fn pending(chat: Chat, id: ChannelId) -> Vec<Ref> {
    chat.timeline(Target::Channel(id))
        .unwrap()
        .read_untracked()
        .pending()
        .iter()
        .map(|pending| pending.reference)
        .collect()
}

fn ready(chat: Chat, epoch: &str, channels: Vec<Channel>) -> Vec<ClientFrame> {
    let user = chat.me.get_untracked();
    chat.receive(ServerFrame::Ready {
        scheduled: ScheduledCounts::default(),
        protocol: 1,
        epoch: epoch.into(),
        session_id: SessionId::generate(),
        user,
        channels,
        online: vec![],
    })
}

#[test]
fn what_is_sent_waits_until_it_is_acknowledged() {
    with_chat(|chat, _, general| {
        assert!(chat.send(Target::Channel(general.id), "hello").is_some());
        let [reference] = pending(chat, general.id)[..] else { panic!() };
        let ack = ServerFrame::Ack {
            reference: Some(reference),
            id: MessageId::generate(),
            channel_id: general.id,
            seq: 1,
            rev: 1,
            timestamp: Timestamp::default(),
        };
        chat.receive(ack);
        assert!(pending(chat, general.id).is_empty());
        assert_eq!(texts(chat, general.id), ["hello"]);
    });
}

#[test]
fn after_a_reconnect_it_syncs_and_says_again_what_was_not_acknowledged() {
    with_chat(|chat, ada, general| {
        chat.receive(ServerFrame::Message(message(&general, 1, &ada, None)));
        chat.send(Target::Channel(general.id), "on its way");
        let said = ready(chat, "one", vec![general.clone()]);
        let [ClientFrame::Sync { epoch, channels, .. }, ClientFrame::Send { text, .. }] = said.as_slice() else {
            panic!("{said:?}")
        };
        assert_eq!((epoch.as_str(), channels[&general.id], text.as_str()), ("one", 1, "on its way"));
    });
}

#[test]
fn after_a_restore_it_shows_the_server_the_old_epoch_once() {
    with_chat(|chat, _, general| {
        let said = ready(chat, "two", vec![general.clone()]);
        assert!(matches!(&said[..], [ClientFrame::Sync { epoch, .. }] if epoch == "one"), "{said:?}");
        let said = ready(chat, "two", vec![general.clone()]);
        assert!(matches!(&said[..], [ClientFrame::Sync { epoch, .. }] if epoch == "two"), "{said:?}");
    });
}

#[test]
fn after_a_restore_what_it_had_hides_nothing_and_what_waits_is_said_again() {
    with_chat(|chat, ada, general| {
        chat.receive(ServerFrame::Message(message(&general, 1, &ada, None)));
        let said = chat.send(Target::Channel(general.id), "on its way");
        assert!(said.is_some() && texts(chat, general.id) == ["m1"]);
        let said = ready(chat, "two", vec![general.clone()]);
        assert!(
            matches!(&said[..], [ClientFrame::Sync { channels, .. }, ClientFrame::Send { .. }] if channels[&general.id] == 1)
        );
        assert!(texts(chat, general.id).is_empty());
        assert_eq!(pending(chat, general.id).len(), 1);
        // Another message has the number now.
        let other = Message { text: "new".into(), ..message(&general, 1, &user("mira"), None) };
        chat.receive(ServerFrame::Message(other));
        assert_eq!(texts(chat, general.id), ["new"]);
    });
}

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

#[test]
fn a_gap_asks_for_what_is_missing() {
    with_chat(|chat, ada, general| {
        chat.receive(ServerFrame::Message(message(&general, 1, &ada, None)));
        assert!(chat.gaps().is_none());
        chat.receive(ServerFrame::Message(message(&general, 3, &ada, None)));
        let Some(ClientFrame::Sync { channels, .. }) = chat.gaps() else { panic!() };
        assert_eq!(channels[&general.id], 1);
        chat.receive(ServerFrame::Message(message(&general, 2, &ada, None)));
        chat.receive(ServerFrame::Synced { reference: None, channel_id: general.id, rev: 3 });
        assert!(chat.gaps().is_none());
        assert_eq!(texts(chat, general.id), ["m1", "m2", "m3"]);
    });
}

#[test]
fn channels_come_and_go() {
    with_chat(|chat, _, general| {
        chat.directory.set(Some(vec![general.clone()]));
        let apple = channel("apple", false);
        chat.receive(ServerFrame::Channel { channel: apple.clone() });
        assert_eq!(chat.channels.read_untracked().len(), 1);
        assert_eq!(chat.directory.read_untracked().as_ref().unwrap()[0].label(), "apple");
        chat.receive(ServerFrame::Channel { channel: Channel { joined: true, ..apple.clone() } });
        let joined: Vec<_> = chat.channels.read_untracked().iter().map(|channel| channel.label().to_owned()).collect();
        assert_eq!(joined, ["apple", "general"]);
        chat.receive(ServerFrame::ChannelRemoved { channel_id: general.id });
        assert_eq!(chat.channels.read_untracked().len(), 1);
        assert!(chat.timeline(Target::Channel(general.id)).is_none());
    });
}

#[test]
fn a_refusal_stays_visible_and_can_be_retried() {
    with_chat(|chat, _, general| {
        chat.send(Target::Channel(general.id), "hello");
        let [reference] = pending(chat, general.id)[..] else { panic!() };
        let refusal =
            ServerFrame::Error { reference: Some(reference), code: ErrorCode::RateLimited, detail: "Slow.".into() };
        chat.receive(refusal);
        let failure = |chat: Chat| {
            chat.timeline(Target::Channel(general.id)).unwrap().read_untracked().pending()[0].failure.clone()
        };
        assert_eq!(failure(chat).as_deref(), Some("Slow."));
        chat.retry(Target::Channel(general.id), reference);
        assert_eq!(failure(chat), None);
        chat.discard(Target::Channel(general.id), reference);
        assert!(ready(chat, "one", vec![general]).len() == 1, "nothing is said again");
    });
}

#[test]
fn the_outbox_is_bounded() {
    with_chat(|chat, _, general| {
        for _ in 0..OUTBOX_MAX {
            assert!(chat.send(Target::Channel(general.id), "x").is_some());
        }
        assert!(chat.send(Target::Channel(general.id), "one too many").is_none());
    });
}

/// A conversation of Ada's with somebody, and its first message from them.
fn direct(ada: &User, peer: &User) -> (Channel, Message) {
    let channel = Channel {
        kind: ChannelKind::Direct,
        name: None,
        peer: Some(UserRef::from(peer)),
        rev: 1,
        unread: 1,
        ..channel("", true)
    };
    let message = Message { receiver: Some(Receiver { id: ada.id }), ..message(&channel, 1, peer, None) };
    (channel, message)
}

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
fn what_is_sent_to_somebody_shows_before_there_is_a_conversation() {
    with_chat(|chat, ada, _| {
        let mira = user("mira");
        let target = Target::Person(mira.id);
        let timeline = chat.open(target, None, false);
        let reference = chat.send(target, "hello").unwrap();
        assert_eq!(untrack(|| chat.answer(reference)), None);
        assert_eq!(timeline.read_untracked().pending().len(), 1);
        let (channel, message) = direct(&ada, &mira);
        let receiver = Some(Receiver { id: mira.id });
        let own = Message { sender: UserRef::from(&ada), receiver, reference: Some(reference), ..message };
        chat.receive(ServerFrame::Direct(own));
        assert!(timeline.read_untracked().pending().is_empty());
        assert_eq!(timeline.read_untracked().messages().count(), 1);
        assert_eq!(untrack(|| chat.answer(reference)), Some(Ok(())));
        chat.receive(ServerFrame::Channel { channel: Channel { unread: 0, ..channel } });
        assert!(chat.conversation(target).is_some());
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
fn a_page_follows_its_channel_to_each_new_name_and_no_name_leads_in_circles() {
    with_chat(|chat, _, general| {
        let named = |name: &str| Channel { name: Some(name.into()), ..general.clone() };
        let now = |name: &str| untrack(|| chat.places.now(name));
        for name in ["plans", "ideas"] {
            chat.receive(ServerFrame::Channel { channel: named(name) });
        }
        assert_eq!((now("general"), now("plans"), now("ideas")), ("ideas".into(), "ideas".into(), "ideas".into()));
        // Renamed while the connection was away, to a name it had before.
        ready(chat, "one", vec![named("general")]);
        assert_eq!((now("general"), now("ideas")), ("general".into(), "general".into()));
        chat.receive(ServerFrame::Channel { channel: channel("ideas", false) });
        assert_eq!(now("ideas"), "ideas", "somebody took the name");
    });
}

#[test]
fn it_is_known_why_a_channel_went_until_it_is_back() {
    with_chat(|chat, _, general| {
        let lost = || untrack(|| chat.places.lost("general"));
        let left = Channel { joined: false, ..general.clone() };
        let gone = ServerFrame::ChannelRemoved { channel_id: general.id };
        chat.receive(ServerFrame::Channel { channel: left });
        assert_eq!(lost(), Some(Loss::Left));
        chat.receive(ServerFrame::Channel { channel: general.clone() });
        assert_eq!(lost(), None);
        chat.receive(gone.clone());
        assert_eq!(lost(), Some(Loss::Deleted));
        chat.receive(gone.clone());
        assert_eq!(lost(), Some(Loss::Deleted), "told twice");
        let private = Channel { visibility: Visibility::Private, ..general.clone() };
        chat.receive(ServerFrame::Channel { channel: private });
        chat.receive(gone);
        assert_eq!(lost(), Some(Loss::Closed));
        ready(chat, "one", vec![general.clone()]);
        assert_eq!(lost(), None);
        ready(chat, "one", vec![]);
        assert_eq!(lost(), Some(Loss::Left));
    });
}

#[test]
fn words_being_edited_stay_until_they_are_taken() {
    with_chat(|chat, ada, general| {
        let (one, two) = (message(&general, 1, &ada, None), message(&general, 2, &ada, None));
        let editing = chat.editing;
        let problem = || editing.problem.get_untracked();
        editing.begin(&one);
        editing.words.set("better".into());
        editing.begin(&two);
        assert_eq!(editing.words.get_untracked(), "m2");
        editing.begin(&one);
        assert_eq!(editing.words.get_untracked(), "better", "left for another message, and kept");
        chat.link.set(Link::Down);
        chat.edit(one.id, "better");
        assert!(problem().is_some() && editing.id.get_untracked() == Some(one.id));
        chat.link.set(Link::Up);
        let sent = || {
            chat.edit(one.id, "better");
            editing.sent().unwrap()
        };
        let reference = Some(sent());
        chat.receive(ServerFrame::Error { reference, code: ErrorCode::RateLimited, detail: "Slow.".into() });
        assert_eq!(problem().as_deref(), Some("Slow."));
        sent();
        ready(chat, "one", vec![general.clone()]);
        assert!(problem().is_some(), "it may have been lost with the connection");
        let (reference, id, timestamp) = (Some(sent()), one.id, one.timestamp);
        chat.receive(ServerFrame::Ack { reference, id, channel_id: general.id, seq: 1, rev: 3, timestamp });
        assert_eq!((editing.id.get_untracked(), problem()), (None, None));
    });
}

#[test]
fn that_there_is_no_connection_is_not_said_any_longer_once_there_is() {
    with_chat(|chat, _, general| {
        let posted = message(&general, 1, &user("mira"), None);
        chat.receive(ServerFrame::Message(posted.clone()));
        chat.link.set(Link::Down);
        chat.react(&posted, "👍");
        assert!(chat.notice.get_untracked().is_some());
        ready(chat, "one", vec![chat.channel(general.id).unwrap()]);
        assert_eq!(chat.notice.get_untracked(), None);
        chat.notice.set(Some("That message can't be shown.".into()));
        ready(chat, "one", vec![chat.channel(general.id).unwrap()]);
        assert!(chat.notice.get_untracked().is_some(), "another word stays");
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
