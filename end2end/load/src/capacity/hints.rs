//! What travels between nodes.

use super::{
    Setting,
    model::{Demand, Step},
    presence::Presence,
};
use serde::Serialize;

/// A second.
#[derive(Clone, Debug, Serialize)]
pub struct Hints {
    /// That one node receives.
    pub received: f64,
    pub bytes_received: f64,
    /// That one node sends to the broker.
    pub bytes_sent: f64,
    pub broker_in: f64,
    pub broker_out: f64,
    /// Nodes that hear of a message, its sender's included.
    pub nodes_told: f64,
    /// New and changed messages that one node acts on, its own among them, and whatever else.
    pub messages: f64,
    pub others: f64,
    /// Journal entries among the others: nothing that came before one may follow it.
    pub entries: f64,
}

/// Hints of one kind.
struct Kind {
    /// In all.
    sent: f64,
    bytes: f64,
    /// Other nodes that each reaches.
    to: f64,
}

/// Which of the kinds are journal entries.
const JOURNAL: usize = 3;

impl Hints {
    pub fn of(demand: &Demand, step: Step, nodes: f64, setting: &Setting) -> Self {
        let profile = &setting.profile;
        let others = nodes - 1.0;
        // The sender's own node is one of those that it concerns.
        let concerned = |connections: f64| (reach(connections, nodes) - 1.0).max(0.0);
        let by_channel = |of: &dyn Fn(f64) -> bool| {
            let channels = || profile.channels(demand.people).filter(|(_, members)| of(*members));
            let all: f64 = channels().map(|(share, _)| share).sum();
            let to: f64 = channels().map(|(share, members)| share * concerned(members * profile.devices)).sum();
            if all > 0.0 { to / all } else { 0.0 }
        };
        let subjects = step >= Step::Subjects;
        let messages_to = if subjects { by_channel(&|_| true) } else { others };
        let typing_to = if subjects { by_channel(&|members| step.tells_writing(members)) } else { others };
        let marks_to = if subjects { concerned(profile.devices.max(1.0)) } else { others };
        let moved_to = if subjects { concerned(profile.shown * profile.devices) } else { others };
        let presence = Presence::of(demand, step, nodes, setting);
        let kind = |sent, bytes, to| Kind { sent, bytes, to };
        let kinds = [
            kind(demand.messages + demand.revisions, profile.frame, messages_to),
            kind(demand.typing, profile.hint, typing_to),
            kind(demand.read_marks, profile.hint, marks_to),
            // The one at [`JOURNAL`].
            kind(demand.journal_entries, profile.hint, others),
            kind(presence.moved[0], presence.moved[1], moved_to),
            kind(presence.here[0], presence.here[1], others),
        ];
        let sum = |of: fn(&Kind) -> f64| kinds.iter().map(of).sum::<f64>();
        let broker_in = sum(|kind| kind.sent * kind.bytes);
        let broker_out = sum(|kind| kind.sent * kind.bytes * kind.to);
        let heard = |kinds: &[Kind]| kinds.iter().map(|kind| kind.sent * (kind.to + 1.0)).sum::<f64>() / nodes;
        Self {
            received: sum(|kind| kind.sent * kind.to) / nodes,
            bytes_received: broker_out / nodes,
            bytes_sent: broker_in / nodes,
            broker_in,
            broker_out,
            nodes_told: messages_to + 1.0,
            messages: heard(&kinds[..1]),
            others: heard(&kinds[1..]),
            entries: heard(&kinds[JOURNAL..=JOURNAL]),
        }
    }
}

/// How many of `nodes` have at least one of so many connections that are spread by chance.
pub fn reach(connections: f64, nodes: f64) -> f64 {
    nodes * (1.0 - (1.0 - 1.0 / nodes).powf(connections))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() <= 1e-6 * other.abs().max(1.0), "{one} isn't {other}");
    }

    #[test]
    fn few_connections_are_on_few_nodes_and_many_on_all() {
        near(reach(1.0, 50.0), 1.0);
        near(reach(5.0, 1.0), 1.0);
        assert!(reach(13.0, 50.0) < 13.0 && reach(13.0, 50.0) > 11.0);
        near(reach(1e5, 50.0), 50.0);
    }

    #[test]
    fn subjects_spare_the_broker_most_where_there_are_many_nodes() {
        let (setting, mut before) = (setting(), 1.1);
        let demand = Demand::of(1e6, Step::Savings, &setting);
        for nodes in [4.0, 16.0, 64.0] {
            let [all, some] = [Step::Savings, Step::Subjects].map(|step| Hints::of(&demand, step, nodes, &setting));
            near(all.broker_out, all.broker_in * (nodes - 1.0));
            near(all.bytes_received * nodes, all.broker_out);
            let share = some.broker_out / all.broker_out;
            assert!(share < before, "{nodes} nodes: {share}");
            before = share;
        }
        let alone = Hints::of(&demand, Step::Today, 1.0, &setting);
        near(alone.received + alone.broker_out, 0.0);
    }

    #[test]
    fn a_node_acts_on_its_own_and_on_what_it_receives() {
        let setting = setting();
        for step in Step::ALL {
            let demand = Demand::of(1e6, step, &setting);
            let hints = Hints::of(&demand, step, 8.0, &setting);
            let presence = Presence::of(&demand, step, 8.0, &setting);
            let sent = demand.messages
                + demand.revisions
                + demand.typing
                + demand.read_marks
                + demand.journal_entries
                + presence.moved[0]
                + presence.here[0];
            near(hints.messages + hints.others, hints.received + sent / 8.0);
            near(hints.entries, demand.journal_entries);
        }
    }

    #[test]
    fn who_is_there_is_said_to_each_node_by_each() {
        let mut setting = setting();
        (setting.profile.moves, setting.profile.messages) = (0.0, 1e-9);
        let out = |nodes| Hints::of(&Demand::of(1e7, Step::Today, &setting), Step::Today, nodes, &setting).broker_out;
        assert!(out(60.0) / out(30.0) > 3.9, "by the square");
    }
}
