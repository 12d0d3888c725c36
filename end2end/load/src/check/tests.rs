//! The checker finds each planted bug, calls it by its name, and finds nothing where there is none.

use super::{
    Violation, check,
    toy::{Bug, play},
};
use std::collections::BTreeSet;

const SEEDS: u64 = 60;

fn kind(violation: &Violation) -> String {
    format!("{violation:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// In how many runs anything was found, and what in all.
fn found(bug: Bug) -> (usize, BTreeSet<String>) {
    let runs: Vec<BTreeSet<_>> =
        (0..SEEDS).map(|seed| check(&play(seed, bug)).violations.iter().map(kind).collect()).collect();
    (runs.iter().filter(|kinds| !kinds.is_empty()).count(), runs.into_iter().flatten().collect())
}

/// A bug has to be found in most runs, and by nothing but what it leads to.
fn finds(bug: Bug, first: &str, others: &[&str]) {
    let (runs, kinds) = found(bug);
    assert!(runs as u64 * 2 > SEEDS, "{bug:?}: found in {runs} of {SEEDS} runs only");
    assert!(kinds.contains(first), "{bug:?}: {first} is not among {kinds:?}");
    let unexpected: Vec<_> = kinds.iter().filter(|kind| *kind != first && !others.contains(&kind.as_str())).collect();
    assert!(unexpected.is_empty(), "{bug:?}: {unexpected:?}");
}

#[test]
fn a_sound_server_is_found_sound() {
    let (mut retried, mut connections, mut resyncs) = (0, 0, 0);
    let (mut changed, mut unknown, mut privately) = (0, 0, 0);
    for seed in 0..200 {
        let verdict = check(&play(seed, Bug::None));
        assert!(verdict.violations.is_empty(), "seed {seed}: {:#?}", verdict.violations);
        let counts = verdict.counts;
        assert!(counts.stored > 50 && counts.acked > 50 && counts.received > 100, "{counts:?}");
        retried += counts.retried;
        connections += counts.connections;
        resyncs += counts.resyncs;
        changed += counts.changed;
        unknown += counts.asked - counts.changed - counts.denied;
        privately += counts.privately;
    }
    assert!(changed > 2_000 && unknown > 500 && privately > 500, "{changed} {unknown} {privately}");
    assert!(retried > 200 && connections > 2_000 && resyncs > 200, "{retried} {connections} {resyncs}");
}

#[test]
fn an_ack_before_the_commit() {
    finds(Bug::AckBeforeCommit, "AckedMissing", &["AckContradicted", "Overtaken"]);
}

#[test]
fn a_commit_that_a_crash_takes_back() {
    finds(
        Bug::CommitLostInCrash,
        "AckedMissing",
        &["Disagrees", "Phantom", "AckContradicted", "Repeated", "Short", "Missed"],
    );
}

#[test]
fn a_delivery_before_the_commit() {
    finds(Bug::DeliveryBeforeCommit, "Disagrees", &["Phantom", "Repeated", "Short", "Missed"]);
}

#[test]
fn no_lookup_of_the_ref() {
    finds(Bug::NoDedupe, "TwoOfOneRef", &["AckContradicted"]);
}

#[test]
fn a_commit_done_twice() {
    finds(Bug::DoubledCommit, "Twice", &["TwoOfOneRef", "AckContradicted", "Gap", "Phantom"]);
}

#[test]
fn revisions_from_one_sequence_for_all() {
    finds(
        Bug::GlobalRev,
        "Gap",
        &["AckContradicted", "Disagrees", "Miscounted", "Repeated", "Shared", "Short", "Missed"],
    );
}

#[test]
fn revisions_taken_in_another_order_than_commits() {
    finds(
        Bug::RevBeforeLock,
        "OutOfOrder",
        &["AckContradicted", "Disagrees", "Gap", "Short", "Missed", "Repeated", "Overtaken", "Miscounted", "Shared"],
    );
}

#[test]
fn a_delivery_without_a_look_at_rights() {
    finds(Bug::DeliveryWithoutRights, "NoRight", &["Overheard"]);
}

#[test]
fn a_dropped_event() {
    finds(Bug::DroppedEvent, "Missed", &[]);
}

#[test]
fn events_in_another_order() {
    finds(Bug::ReorderedEvents, "OutOfOrder", &["Short", "Repeated"]);
}

#[test]
fn an_event_that_comes_twice() {
    finds(Bug::RepeatedEvent, "Repeated", &[]);
}

#[test]
fn an_error_for_what_was_stored() {
    finds(Bug::ErrorThoughStored, "RefusedYetStored", &[]);
}

#[test]
fn a_sync_that_leaves_something_out() {
    finds(Bug::SyncLeavesOut, "Short", &["Missed"]);
}

#[test]
fn an_ack_with_the_numbers_of_another() {
    finds(Bug::AckOfAnother, "AckContradicted", &["Overtaken"]);
}

#[test]
fn a_text_that_came_to_one_reader_alone() {
    finds(Bug::TextMixedUp, "Disagrees", &["Invented", "Miscounted"]);
}

#[test]
fn an_acknowledged_edit_that_is_lost() {
    finds(Bug::EditLost, "AckedMissing", &["NotDone", "Shared", "Gap"]);
}

#[test]
fn an_edit_that_a_crash_takes_back() {
    finds(
        Bug::EditLostInCrash,
        "AckedMissing",
        &["Disagrees", "Invented", "Miscounted", "Missed", "NotDone", "Phantom", "Repeated", "Shared", "Short"],
    );
}

#[test]
fn an_edit_that_takes_no_rev() {
    finds(Bug::EditWithoutRev, "Disagrees", &["Invented", "Miscounted", "NotDone", "OutOfOrder", "Repeated"]);
}

#[test]
fn an_error_for_an_edit_that_was_done() {
    finds(Bug::EditOfRefusedStored, "RefusedYetStored", &[]);
}

#[test]
fn an_edit_that_the_next_change_takes_back() {
    finds(Bug::EditUndoneByReaction, "Invented", &["Miscounted"]);
}

#[test]
fn a_delete_that_keeps_the_text() {
    finds(Bug::DeleteKeepsText, "Undead", &[]);
}

#[test]
fn a_change_to_what_was_deleted() {
    finds(Bug::DeletedStaysOpen, "Undead", &[]);
}

#[test]
fn a_reaction_given_twice() {
    finds(Bug::ReactionDoubled, "ReactedTwice", &["Miscounted"]);
}

#[test]
fn an_acknowledged_reaction_that_is_lost() {
    finds(Bug::ReactionLost, "AckedMissing", &["NotDone", "Shared"]);
}

#[test]
fn a_reaction_put_down_to_another() {
    finds(Bug::ReactionOfAnother, "NotDone", &["Invented"]);
}

#[test]
fn a_change_that_takes_two_revs() {
    finds(Bug::ChangeTakesTwoRevs, "Gap", &[]);
}

#[test]
fn a_sync_that_knows_new_messages_only() {
    finds(Bug::ChangeNotInSync, "Short", &["Missed"]);
}

#[test]
fn changes_that_come_by_sync_alone() {
    finds(Bug::ChangeNotLive, "Missed", &[]);
}

#[test]
fn a_change_that_came_to_one_reader_differently() {
    finds(Bug::ChangeMixedUp, "Disagrees", &["Invented", "Miscounted", "NotDone"]);
}

#[test]
fn a_private_message_that_a_third_person_gets() {
    finds(Bug::DirectToThird, "Overheard", &[]);
}

#[test]
fn a_private_message_that_everyone_gets() {
    finds(Bug::DirectInAnother, "Overheard", &["NoRight", "Invented", "AckContradicted"]);
}
