//! The store as the live connection drives it.

use super::{said::TRIES, *};
use crate::state::{
    fixtures::{self, channel, user},
    outbox::OUTBOX_MAX,
};
use natter::{
    ChannelKind, ErrorCode, SessionId, Timestamp, UserRef, Visibility, media::UploadBounds, message::Receiver,
    scheduled::ScheduledCounts, wire::ServerFrame,
};

mod unread;

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
fn a_server_that_can_not_take_messages_is_asked_again_in_order_and_not_for_ever() {
    with_chat(|chat, _, general| {
        let to = Target::Channel(general.id);
        let sent = |frame: &ClientFrame| match frame {
            ClientFrame::Send { reference, .. } => *reference,
            _ => None,
        };
        let refs = |said: Vec<ClientFrame>| -> Vec<Ref> { said.iter().filter_map(sent).collect() };
        let cannot = |reference| {
            let (code, detail) = (ErrorCode::Unavailable, "Try again in a moment.".into());
            chat.receive(ServerFrame::Error { reference: Some(reference), code, detail });
        };
        let failed = || {
            let timeline = chat.timeline(to).unwrap();
            let timeline = timeline.read_untracked();
            timeline.pending().iter().filter(|pending| pending.failure.is_some()).count()
        };
        let ask = || refs(chat.ask());
        let [one, two] = ["one", "two"].map(|text| chat.send(to, text).unwrap());
        assert_eq!(chat.to_be_asked(), None);
        cannot(one);
        cannot(two);
        let three = chat.send(to, "three").unwrap();
        assert_eq!((chat.to_be_asked(), failed()), (Some(0), 0));
        assert_eq!(ask(), [one]);
        assert_eq!(chat.to_be_asked(), None, "the answer is on its way");
        // One was taken: its troubles are over, and those of the others begin anew.
        let ack = |reference, rev| ServerFrame::Ack {
            reference: Some(reference),
            id: MessageId::generate(),
            channel_id: general.id,
            seq: rev,
            rev,
            timestamp: Timestamp::default(),
        };
        assert_eq!(refs(chat.receive(ack(one, 1))), [two, three]);
        cannot(two);
        cannot(three);
        for tries in 0..TRIES {
            assert_eq!((chat.to_be_asked(), failed()), (Some(tries), 0));
            assert_eq!(ask(), [two]);
            cannot(two);
        }
        assert_eq!((chat.to_be_asked(), failed()), (None, 2), "people are asked now");
        chat.retry(to, two);
        assert!(chat.receive(ack(two, 2)).is_empty());
        chat.retry(to, three);
        cannot(three);
        assert_eq!((chat.to_be_asked(), failed()), (Some(0), 0));
        ready(chat, "one", vec![general.clone()]);
        assert_eq!(chat.to_be_asked(), None, "it may be another node");
    });
}

#[test]
fn what_is_refused_for_good_lets_those_behind_it_pass() {
    with_chat(|chat, _, general| {
        let [one, two] = ["one", "two"].map(|text| chat.send(Target::Channel(general.id), text).unwrap());
        let refuse = |reference, code| {
            chat.receive(ServerFrame::Error { reference: Some(reference), code, detail: "No.".into() })
        };
        refuse(one, ErrorCode::Unavailable);
        assert_eq!(chat.ask().len(), 1);
        let said = refuse(one, ErrorCode::Forbidden);
        assert!(matches!(said[..], [ClientFrame::Send { reference, .. }] if reference == Some(two)), "{said:?}");
        assert_eq!(chat.to_be_asked(), None);
        // What would have been asked with is gone.
        refuse(two, ErrorCode::Unavailable);
        chat.discard(Target::Channel(general.id), two);
        assert!(chat.ask().is_empty() && chat.to_be_asked().is_none());
    });
}

#[test]
fn a_message_that_comes_back_before_its_answer_lets_those_behind_it_pass() {
    with_chat(|chat, ada, general| {
        let [one, two] = ["one", "two"].map(|text| chat.send(Target::Channel(general.id), text).unwrap());
        chat.receive(ServerFrame::Error { reference: Some(one), code: ErrorCode::Unavailable, detail: "No.".into() });
        assert_eq!(chat.ask().len(), 1);
        let said = chat.receive(ServerFrame::Message(message(&general, 1, &ada, Some(one))));
        assert!(matches!(said[..], [ClientFrame::Send { reference, .. }] if reference == Some(two)), "{said:?}");
        // What it was asked with is gone by other ways.
        chat.receive(ServerFrame::Error { reference: Some(two), code: ErrorCode::Unavailable, detail: "No.".into() });
        assert_eq!((chat.ask().len(), chat.to_be_asked()), (1, None));
        chat.discard(Target::Channel(general.id), two);
        assert!(chat.to_be_asked().is_some() && chat.ask().is_empty() && chat.to_be_asked().is_none());
    });
}

#[test]
fn what_was_missed_is_asked_for_until_it_is_answered() {
    with_chat(|chat, _, general| {
        let reference = |said: &[ClientFrame]| match said {
            [ClientFrame::Sync { reference, .. }] => *reference,
            _ => panic!("{said:?}"),
        };
        let refuse = |reference| {
            chat.receive(ServerFrame::Error { reference, code: ErrorCode::Unavailable, detail: "No.".into() });
        };
        refuse(reference(&ready(chat, "one", vec![general.clone()])));
        for tries in 0..3 {
            assert_eq!(chat.to_be_asked(), Some(tries));
            let asked = reference(&chat.ask());
            assert_eq!(chat.to_be_asked(), None);
            refuse(asked);
        }
        assert_eq!(chat.notice.get_untracked(), None);
        let reference = reference(&chat.ask());
        chat.receive(ServerFrame::Synced { reference, channel_id: general.id, rev: 0 });
        refuse(reference);
        assert_eq!(chat.to_be_asked(), Some(0), "troubles of another time");
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
