//! How much there is to do for so many people, and on how many nodes. Pure arithmetic.

use super::{
    Setting,
    limits::{self, Limit},
};
use serde::Serialize;

/// More nodes than anybody would run; a plan that needs more isn't one.
const MOST_NODES: u32 = 10_000;
/// Pings and their answers a second on a connection: the browser's every 25 s, the server's every 30 s.
const PINGS: f64 = 1.0 / 25.0 + 1.0 / 30.0;
/// The session twice, its user's channels twice, and two channels in which something was missed.
const QUERIES_TO_COME_BACK: f64 = 6.0;
const GIB: f64 = 1_048_576.0;

/// How far the design has got; each step contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Each node hears of everything.
    Today,
    /// Read marks are stored in batches, and a channel's members are counted when they change.
    Batches,
    /// Hints go to nodes that have somebody whom they concern: a subject a channel and a person. And
    /// nodes compare the positions of the channels that they have.
    Subjects,
    /// Channels have an owner among a few writers, and are spread over several databases; the
    /// registry has a lock a channel.
    Shards,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Today, Self::Batches, Self::Subjects, Self::Shards];
}

/// What so many people ask for, whatever the design. A second, where nothing else is said.
#[derive(Clone, Debug, Serialize)]
pub struct Demand {
    pub people: f64,
    pub connections: f64,
    pub messages: f64,
    /// Of a message's channel, on average.
    pub members_online: f64,
    pub deliveries: f64,
    pub read_marks: f64,
    pub journal_entries: f64,
    /// Processor seconds a second.
    pub cores_deliveries: f64,
    pub cores_messages: f64,
    pub cores_connections: f64,
    pub memory_gib: f64,
    pub bytes_to_people: f64,
}

impl Demand {
    pub fn of(people: f64, setting: &Setting) -> Self {
        let Setting { profile, guesses, figures, .. } = setting;
        let messages = people * profile.active * profile.messages / 3_600.0;
        let members: f64 = profile.channels(people).map(|(share, members)| share * members).sum();
        let connections = people * profile.devices;
        let deliveries = messages * members * profile.devices;
        Self {
            people,
            connections,
            messages,
            members_online: members,
            deliveries,
            read_marks: messages * members * profile.looking,
            journal_entries: people * profile.changes / 3_600.0,
            cores_deliveries: deliveries * figures.trickle_us.value / 1e6,
            cores_messages: messages * figures.message_us.value / 1e6,
            cores_connections: connections * PINGS * guesses.ping_us / 1e6,
            memory_gib: connections * (figures.connection_kib.value + guesses.kernel_kib) / GIB,
            bytes_to_people: deliveries * (profile.frame + guesses.around),
        }
    }

    fn cores(&self) -> f64 {
        self.cores_deliveries + self.cores_messages + self.cores_connections
    }
}

/// What travels between nodes, a second.
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
}

impl Hints {
    pub fn of(demand: &Demand, step: Step, nodes: f64, setting: &Setting) -> Self {
        let profile = &setting.profile;
        let others = nodes - 1.0;
        let [messages, marks] = if step >= Step::Subjects {
            // The sender's own node is one of those that a message concerns.
            let concerned = |members: f64| reach(members * profile.devices, nodes) - 1.0;
            let to: f64 =
                profile.channels(demand.people).map(|(share, members)| share * concerned(members).max(0.0)).sum();
            [to, (reach(profile.devices.max(1.0), nodes) - 1.0).max(0.0)]
        } else {
            [others; 2]
        };
        let copies = [demand.messages * messages, demand.read_marks * marks, demand.journal_entries * others];
        let bytes = |[message, mark, entry]: [f64; 3]| message * profile.frame + (mark + entry) * profile.hint;
        let broker_in = bytes([demand.messages, demand.read_marks, demand.journal_entries]);
        let broker_out = bytes(copies);
        Self {
            received: copies.iter().sum::<f64>() / nodes,
            bytes_received: broker_out / nodes,
            bytes_sent: broker_in / nodes,
            broker_in,
            broker_out,
            nodes_told: messages + 1.0,
        }
    }
}

/// How many of `nodes` have at least one of so many connections that are spread by chance.
pub fn reach(connections: f64, nodes: f64) -> f64 {
    nodes * (1.0 - (1.0 - 1.0 / nodes).powf(connections))
}

/// A design for a size.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub step: Step,
    /// One of them to lose.
    pub nodes: u32,
    /// False if no number of nodes is enough, since what each does for all others fills it.
    pub enough: bool,
    pub shards: f64,
    pub hints: Hints,
    /// Members online that a channel may have at [`super::Profile::lively`], if nothing else went on.
    pub largest_channel: f64,
    /// How long until everyone is back after a node is lost: by the nodes' processors, and by the database.
    pub back_after: [f64; 2],
    pub limits: Vec<Limit>,
}

impl Plan {
    pub fn of(demand: &Demand, step: Step, setting: &Setting) -> Self {
        let Setting { profile, machine, guesses, figures, .. } = setting;
        let fits = |nodes: f64| {
            let hints = Hints::of(demand, step, nodes, setting);
            let cores = demand.cores() / nodes + hints.received * guesses.hint_us / 1e6;
            cores <= machine.cores * machine.busy
                && demand.memory_gib / nodes <= machine.gigabytes * machine.busy
                && demand.connections / nodes <= machine.connections
                && demand.bytes_to_people / nodes <= machine.gigabits / 8.0 * 1e9 * machine.busy
        };
        let needed = (1..MOST_NODES).find(|nodes| fits(f64::from(*nodes)));
        let nodes = needed.unwrap_or(MOST_NODES) + 1;
        let n = f64::from(nodes);
        let hints = Hints::of(demand, step, n, setting);

        // With the registry locked one thread pushes; with a lock a channel the largest still has one.
        let pushed = 0.5 / (guesses.push_us / 1e6);
        let written = machine.cores * machine.busy / (figures.trickle_us.value / 1e6);
        let largest_channel = n * pushed.min(written) / (profile.lively * profile.devices);

        let lost = demand.connections / n;
        let spare = (n - 1.0) * machine.cores * (1.0 - machine.busy).max(0.05);
        // `ready` reads a person's channels twice, each with its members counted. One of each kind.
        let members: f64 = profile.channels(demand.people).map(|(_, members)| members).sum();
        let counted = if step >= Step::Batches { 0.0 } else { lost * 2.0 * members };
        let queries = lost * QUERIES_TO_COME_BACK / guesses.postgres_queries;
        let back_after = [lost * figures.comeback_ms.value / 1e3 / spare, counted / guesses.postgres_counts + queries];

        let (limits, shards) = limits::all(demand, step, n, &hints, back_after, setting);
        Self { step, nodes, enough: needed.is_some(), shards, hints, largest_channel, back_after, limits }
    }

    /// What breaks first, or would.
    pub fn first(&self) -> Option<&Limit> {
        self.limits.iter().max_by(|one, other| one.used().total_cmp(&other.used()))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() <= 1e-6 * other.abs().max(1.0), "{one} isn't {other}");
    }

    #[test]
    fn demand_is_what_the_profile_says() {
        let demand = Demand::of(1e6, &setting());
        near(demand.messages, 1e6 * 0.25 * 20.0 / 3_600.0);
        near(demand.members_online, 0.9 * 10.0 + 0.09 * 200.0 + 0.01 * 50_000.0);
        near(demand.deliveries, demand.messages * 527.0 * 1.3);
        near(demand.cores_deliveries, demand.deliveries * 20e-6);
        near(demand.journal_entries, 1e5 / 3_600.0);
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
        let demand = Demand::of(1e6, &setting);
        for nodes in [4.0, 16.0, 64.0] {
            let [all, some] = [Step::Today, Step::Subjects].map(|step| Hints::of(&demand, step, nodes, &setting));
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
    fn a_plan_keeps_to_the_machine_and_has_a_node_to_lose() {
        let setting = setting();
        for people in [1e4, 1e5, 1e6, 1e7] {
            let demand = Demand::of(people, &setting);
            for step in Step::ALL {
                let plan = Plan::of(&demand, step, &setting);
                assert!(plan.enough && plan.nodes >= 2);
                let left = f64::from(plan.nodes - 1);
                assert!(demand.connections / left <= setting.machine.connections);
                assert!(demand.cores() / left <= setting.machine.cores * setting.machine.busy);
            }
        }
    }

    #[test]
    fn more_hints_than_a_node_can_read_need_no_number_of_nodes() {
        let mut setting = setting();
        setting.guesses.hint_us = 500.0;
        let demand = Demand::of(1e7, &setting);
        assert!(!Plan::of(&demand, Step::Today, &setting).enough);
    }

    #[test]
    fn each_step_moves_what_broke_first() {
        let setting = setting();
        let demand = Demand::of(1e7, &setting);
        let worst = Step::ALL.map(|step| Plan::of(&demand, step, &setting).first().map_or(0.0, Limit::used));
        assert!(worst[0] > 1.0 && worst[0] > worst[1] && worst[1] >= worst[2] && worst[2] > worst[3], "{worst:?}");
        assert!(worst[3] <= 1.0, "{worst:?}");
    }
}
