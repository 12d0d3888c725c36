//! How much there is to do for so many people, and on how many nodes. Pure arithmetic.

use super::{
    Setting,
    hints::Hints,
    limits::{self, Limit},
    presence::Presence,
    turn,
};
use serde::Serialize;

/// More nodes than anybody would run; a plan that needs more isn't one.
const MOST_NODES: u32 = 10_000;
/// Pings and their answers a second on a connection: the browser's every 25 s, the server's every 30 s.
const PINGS: f64 = 1.0 / 25.0 + 1.0 / 30.0;
/// The session twice, its user's channels twice, what they have for later, and two channels in which
/// something was missed.
pub const QUERIES_TO_COME_BACK: f64 = 7.0;
/// Members online past which a channel is large: nobody is told there any more that somebody is writing,
/// and marks are stored less often, once the first step is made.
const LARGE: f64 = 1_000.0;
/// Seconds between two marks of the same person in a large channel, then.
const LARGE_MARKS: f64 = 10.0;
const GIB: f64 = 1_048_576.0;

/// How far the design has got; each step contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Each node hears of everything, and everyone of everyone.
    Today,
    /// What needn't be isn't: read marks are kept for a second, and seldom made in large channels; a channel's
    /// members are counted when they change; presence is told to those who see it, writing not in large
    /// channels.
    Savings,
    /// Hints go to nodes that have somebody whom they concern: a subject a channel and a person. And
    /// nodes compare the positions of the channels that they have.
    Subjects,
    /// Channels have an owner among a few writers, and are spread over several databases; the
    /// registry has a lock a channel, and the hub a turn.
    Shards,
}

impl Step {
    pub const ALL: [Self; 4] = [Self::Today, Self::Savings, Self::Subjects, Self::Shards];

    /// Whether a channel of so many is told that somebody is writing.
    pub fn tells_writing(self, members: f64) -> bool {
        self < Self::Savings || members <= LARGE
    }

    /// Of the marks that its readers would make, the share that is made in a channel of so many.
    fn marks_made(self, members: f64, setting: &Setting) -> f64 {
        if self < Self::Savings || members <= LARGE {
            return 1.0;
        }
        (1.0 / (LARGE_MARKS * setting.profile.lively)).min(1.0)
    }
}

/// What so many people ask for, on however many nodes. A second, where nothing else is said.
#[derive(Clone, Debug, Serialize)]
pub struct Demand {
    pub people: f64,
    pub connections: f64,
    pub messages: f64,
    /// Edits, deletions, reactions.
    pub revisions: f64,
    /// Times that somebody is said to be writing.
    pub typing: f64,
    /// Of a message's channel, on average.
    pub members_online: f64,
    /// Of messages and what becomes of them.
    pub deliveries: f64,
    /// Of who is writing.
    pub typing_deliveries: f64,
    pub read_marks: f64,
    pub journal_entries: f64,
    /// People who come or go.
    pub moves: f64,
    /// Processor seconds a second.
    pub cores_deliveries: f64,
    pub cores_typing: f64,
    pub cores_messages: f64,
    pub cores_connections: f64,
    pub memory_gib: f64,
    /// Without presence.
    pub bytes_to_people: f64,
}

impl Demand {
    pub fn of(people: f64, step: Step, setting: &Setting) -> Self {
        let Setting { profile, guesses, figures, .. } = setting;
        let messages = people * profile.active * profile.messages / 3_600.0;
        let members: f64 = profile.channels(people).map(|(share, members)| share * members).sum();
        let written = || profile.channels(people).filter(|(_, members)| step.tells_writing(*members));
        let typing = messages * profile.typing * written().map(|(share, _)| share).sum::<f64>();
        let told: f64 = written().map(|(share, members)| share * members).sum();
        let looking: f64 =
            profile.channels(people).map(|(share, members)| share * members * step.marks_made(members, setting)).sum();
        let connections = people * profile.devices;
        let revisions = messages * profile.revised;
        let deliveries = (messages + revisions) * members * profile.devices;
        let typing_deliveries = messages * profile.typing * told * profile.devices;
        let cores = |writes: f64| writes * figures.trickle_us.value / 1e6;
        Self {
            people,
            connections,
            messages,
            revisions,
            typing,
            members_online: members,
            deliveries,
            typing_deliveries,
            read_marks: messages * looking * profile.looking,
            journal_entries: people * profile.changes / 3_600.0,
            moves: people * profile.moves / 3_600.0,
            cores_deliveries: cores(deliveries),
            cores_typing: cores(typing_deliveries),
            cores_messages: (messages + revisions) * figures.message_us.value / 1e6,
            cores_connections: connections * PINGS * guesses.ping_us / 1e6,
            memory_gib: connections * (figures.connection_kib.value + guesses.kernel_kib) / GIB,
            bytes_to_people: deliveries * (profile.frame + guesses.around)
                + typing_deliveries * (profile.hint + guesses.around),
        }
    }

    fn cores(&self) -> f64 {
        self.cores_deliveries + self.cores_typing + self.cores_messages + self.cores_connections
    }
}

/// A design for a size.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub step: Step,
    pub demand: Demand,
    /// One of them to lose.
    pub nodes: u32,
    /// False if no number of nodes is enough, since what each does for all others fills it.
    pub enough: bool,
    pub shards: f64,
    pub hints: Hints,
    pub presence: Presence,
    /// Of all nodes, to tell who is here.
    pub cores_presence: f64,
    pub bytes_to_people: f64,
    /// Commits and rows a second, of all databases.
    pub commits: f64,
    pub rows: f64,
    /// Members online that a channel may have at [`super::Profile::lively`], if nothing else went on.
    pub largest_channel: f64,
    /// How long whatever is next waits on each node while a message of the largest channel is handed out.
    pub held_ms: f64,
    /// How long until everyone is back after a node is lost: by the nodes' processors, and by the database.
    pub back_after: [f64; 2],
    pub limits: Vec<Limit>,
}

/// What the nodes take to tell who is here: cores, and bytes to people.
fn presence_costs(presence: &Presence, setting: &Setting) -> [f64; 2] {
    let Setting { profile, guesses, figures, .. } = setting;
    [
        presence.writes * figures.trickle_us.value / 1e6,
        presence.frames * profile.hint + presence.writes * guesses.around,
    ]
}

impl Plan {
    pub fn of(demand: &Demand, step: Step, setting: &Setting) -> Self {
        let Setting { profile, machine, guesses, figures, .. } = setting;
        let fits = |nodes: f64| {
            let hints = Hints::of(demand, step, nodes, setting);
            let [cores, bytes] = presence_costs(&Presence::of(demand, step, nodes, setting), setting);
            let per_hint = (guesses.read_us + guesses.follow_us) / 1e6;
            (demand.cores() + cores) / nodes + hints.received * per_hint <= machine.cores * machine.busy
                && demand.memory_gib / nodes <= machine.gigabytes * machine.busy
                && demand.connections / nodes <= machine.connections
                && (demand.bytes_to_people + bytes) / nodes <= machine.gigabits / 8.0 * 1e9 * machine.busy
        };
        let needed = (1..MOST_NODES).find(|nodes| fits(f64::from(*nodes)));
        let nodes = needed.unwrap_or(MOST_NODES) + 1;
        let n = f64::from(nodes);
        let hints = Hints::of(demand, step, n, setting);
        let presence = Presence::of(demand, step, n, setting);
        let [cores_presence, bytes] = presence_costs(&presence, setting);
        let bytes_to_people = demand.bytes_to_people + bytes;

        // Large enough for all cores to share it.
        let largest_channel = n * machine.busy / (turn::write(f64::INFINITY, Step::Today, setting) * profile.lively);
        let writes = profile.channels(demand.people).map(|(_, members)| members).fold(0.0, f64::max);
        let writes = writes * profile.devices / n;

        let lost = demand.connections / n;
        let spare = (n - 1.0) * machine.cores * (1.0 - machine.busy).max(0.05);
        // `ready` reads a person's channels twice, each with its members counted. One of each kind.
        let members: f64 = profile.channels(demand.people).map(|(_, members)| members).sum();
        let counted = if step >= Step::Savings { 0.0 } else { lost * 2.0 * members };
        let queries = lost * QUERIES_TO_COME_BACK / guesses.postgres_queries;
        let back_after = [lost * figures.comeback_ms.value / 1e3 / spare, counted / guesses.postgres_counts + queries];

        let found = limits::all(demand, step, n, &hints, back_after, bytes_to_people, setting);
        Self {
            step,
            demand: demand.clone(),
            nodes,
            enough: needed.is_some(),
            shards: found.shards,
            hints,
            presence,
            cores_presence,
            bytes_to_people,
            commits: found.written.commits,
            rows: found.written.rows,
            largest_channel: largest_channel / profile.devices,
            held_ms: writes * turn::write(writes, Step::Today, setting) * 1e3,
            back_after,
            limits: found.limits,
        }
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
        let demand = Demand::of(1e6, Step::Today, &setting());
        near(demand.messages, 1e6 * 0.25 * 20.0 / 3_600.0);
        near(demand.members_online, 0.9 * 10.0 + 0.09 * 200.0 + 0.01 * 50_000.0);
        near(demand.deliveries, demand.messages * 1.2 * 527.0 * 1.3);
        near(demand.typing_deliveries, demand.messages * 2.0 * 527.0 * 1.3);
        near(demand.cores_deliveries, demand.deliveries * 20e-6);
        near(demand.journal_entries, 1e5 / 3_600.0);
        near(demand.moves, 2e6 / 3_600.0);
    }

    #[test]
    fn in_large_channels_writing_is_not_told_and_marks_are_few_once_that_is_saved() {
        let setting = setting();
        let [today, then] = [Step::Today, Step::Savings].map(|step| Demand::of(1e6, step, &setting));
        near(then.typing_deliveries, then.messages * 2.0 * 27.0 * 1.3);
        near(then.typing, 0.99 * today.typing);
        near(today.read_marks, today.messages * 527.0 * 0.05);
        near(then.read_marks, then.messages * (27.0 + 500.0 / 20.0) * 0.05);
        near(then.deliveries, today.deliveries);
    }

    #[test]
    fn a_plan_keeps_to_the_machine_and_has_a_node_to_lose() {
        let setting = setting();
        for people in [1e4, 1e5, 1e6, 1e7] {
            for step in Step::ALL {
                let demand = Demand::of(people, step, &setting);
                let plan = Plan::of(&demand, step, &setting);
                assert!(plan.enough && plan.nodes >= 2);
                let left = f64::from(plan.nodes - 1);
                assert!(demand.connections / left <= setting.machine.connections);
                assert!((demand.cores() + plan.cores_presence) / left <= setting.machine.cores * setting.machine.busy);
            }
        }
    }

    #[test]
    fn more_hints_than_a_node_can_read_need_no_number_of_nodes() {
        let mut setting = setting();
        setting.guesses.follow_us = 500.0;
        let demand = Demand::of(1e7, Step::Today, &setting);
        assert!(!Plan::of(&demand, Step::Today, &setting).enough);
    }

    #[test]
    fn each_step_moves_what_broke_first() {
        let setting = setting();
        let worst = Step::ALL
            .map(|step| Plan::of(&Demand::of(1e7, step, &setting), step, &setting).first().map_or(0.0, Limit::used));
        assert!(worst[0] > 1.0 && worst[0] > worst[1] && worst[1] >= worst[2] && worst[2] > worst[3], "{worst:?}");
        assert!(worst[3] <= 1.0, "{worst:?}");
    }
}
