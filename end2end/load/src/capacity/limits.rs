//! What can be too much, and by how much it is.

use super::{
    Setting,
    model::{Demand, Hints, Step},
};
use serde::Serialize;

/// How often each node compares positions: `CHECK_EVERY` of the server's follower.
const CHECK_EVERY: f64 = 5.0;
/// Read marks of a node are stored this often, once they are stored in batches.
const MARKS_EVERY: f64 = 1.0;
/// Nodes that write to one database, once channels have owners.
const WRITERS: f64 = 2.0;
const MOST_SHARDS: u32 = 1_000;

/// A load and the most that can be borne, with room to spare left in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limit {
    pub name: &'static str,
    pub unit: &'static str,
    pub load: f64,
    pub ceiling: f64,
}

impl Limit {
    /// Above 1 it breaks.
    pub fn used(&self) -> f64 {
        self.load / self.ceiling
    }
}

/// All limits, and over how many databases the channels are spread.
pub fn all(
    demand: &Demand,
    step: Step,
    nodes: f64,
    hints: &Hints,
    back_after: [f64; 2],
    setting: &Setting,
) -> (Vec<Limit>, f64) {
    let mut limits = nodes_own(demand, step, nodes, hints, back_after, setting);
    let of = |shards: f64| database(demand, step, [nodes, hints.nodes_told], shards, setting);
    let enough = |shards: &u32| of(f64::from(*shards)).iter().all(|limit| limit.used() <= 1.0);
    let shards = if step >= Step::Shards { (1..MOST_SHARDS).find(enough).unwrap_or(MOST_SHARDS) } else { 1 };
    let shards = f64::from(shards);
    limits.extend(of(shards));
    (limits, shards)
}

/// Of nodes and what is between them.
fn nodes_own(
    demand: &Demand,
    step: Step,
    nodes: f64,
    hints: &Hints,
    back_after: [f64; 2],
    setting: &Setting,
) -> Vec<Limit> {
    let Setting { profile, machine, guesses, .. } = setting;
    let network = machine.gigabits / 8.0 * 1e9 * machine.busy;
    let threads = if step >= Step::Shards { machine.cores } else { 1.0 };
    let own = (demand.messages + demand.read_marks) / nodes;
    let limit = |name, unit, load, ceiling| Limit { name, unit, load, ceiling };
    vec![
        limit("reading hints: one task a node", "hints/s", hints.received, machine.busy * 1e6 / guesses.hint_us),
        limit(
            "pushing frames: one lock a node",
            "frames/s",
            demand.deliveries / nodes + own + hints.received,
            threads * machine.busy * 1e6 / guesses.push_us,
        ),
        limit(
            "a node's network",
            "bytes/s",
            demand.bytes_to_people / nodes + hints.bytes_received.max(hints.bytes_sent),
            network,
        ),
        limit("the broker's network", "bytes/s", hints.broker_out.max(hints.broker_in), network),
        limit("after losing a node: cores", "s", back_after[0], guesses.back_within),
        limit("after losing a node: the database", "s", back_after[1], guesses.back_within),
        limit(
            "the largest channel's second",
            "frames/s",
            largest(demand, setting) * profile.lively * profile.devices / nodes,
            machine.cores * machine.busy * 1e6 / setting.figures.trickle_us.value,
        ),
    ]
}

fn largest(demand: &Demand, setting: &Setting) -> f64 {
    setting.profile.channels(demand.people).map(|(_, members)| members).fold(0.0, f64::max)
}

/// Of the databases; `shards` share the work evenly. `told`: how many nodes hear of a message.
fn database(demand: &Demand, step: Step, [nodes, told]: [f64; 2], shards: f64, setting: &Setting) -> Vec<Limit> {
    let Setting { machine: crate::capacity::Machine { busy, .. }, guesses, figures, .. } = setting;
    let commits_each = 1e3 / figures.commit_ms.value;
    let writers = if step >= Step::Shards { shards * WRITERS } else { nodes };
    // A writer stores what came while it was busy: few commits where it is always busy, and one a
    // message where messages come seldom.
    let posts = writers * (demand.messages / writers).min(commits_each);
    let marks = if step >= Step::Batches { nodes / MARKS_EVERY } else { demand.read_marks };
    // An owner knows where its channel stands.
    let asking = if step >= Step::Shards { 1.0 } else { told };
    let limit = |name, unit, load, ceiling| Limit { name, unit, load, ceiling: ceiling * busy };
    vec![
        limit("one writer's messages", "messages/s", demand.messages / writers, figures.writer.value),
        limit(
            "PostgreSQL's commits",
            "commits/s",
            (posts + marks.min(demand.read_marks) + demand.journal_entries) / shards,
            guesses.postgres_commits,
        ),
        limit(
            "PostgreSQL's rows",
            "rows/s",
            // A message and its channel; a mark; an entry, its cause and the head.
            (demand.messages + posts + demand.read_marks + 3.0 * demand.journal_entries) / shards,
            guesses.postgres_rows,
        ),
        // Whoever writes an entry holds the head until the commit, so one commit at a time.
        limit("the journal's head", "entries/s", demand.journal_entries / shards, commits_each),
        limit(
            "position checks",
            "rows/s",
            // At most a row for each message since the last check, and one in any case.
            asking * (demand.messages + 1.0 / CHECK_EVERY) / shards,
            guesses.postgres_reads,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    fn find<'a>(limits: &'a [Limit], name: &str) -> &'a Limit {
        limits.iter().find(|limit| limit.name == name).unwrap()
    }

    #[test]
    fn a_writer_that_waits_for_the_disk_makes_fewer_commits_than_messages() {
        let setting = setting();
        let demand = Demand { read_marks: 0.0, journal_entries: 0.0, ..Demand::of(1e6, &setting) };
        let commits =
            |nodes| find(&database(&demand, Step::Today, [nodes; 2], 1.0, &setting), "PostgreSQL's commits").load;
        let each = 1e3 / setting.figures.commit_ms.value;
        assert!((commits(2.0) - 2.0 * each).abs() < 1e-6, "both are busy all the time");
        assert!((commits(1e4) - demand.messages).abs() < 1e-6, "each message has a commit of its own");
    }

    #[test]
    fn shards_are_as_many_as_the_worst_limit_asks_for() {
        let setting = setting();
        let demand = Demand::of(1e7, &setting);
        let hints = Hints::of(&demand, Step::Shards, 66.0, &setting);
        let (limits, shards) = all(&demand, Step::Shards, 66.0, &hints, [0.0; 2], &setting);
        assert!(shards > 1.0);
        let databases = &limits[limits.len() - 5..];
        assert!(databases.iter().all(|limit| limit.used() <= 1.0 + 1e-9), "{databases:?}");
        let (_, one) = all(&demand, Step::Subjects, 66.0, &hints, [0.0; 2], &setting);
        assert!((one - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_every_node_reads_grows_with_the_nodes() {
        let setting = setting();
        let demand = Demand::of(1e6, &setting);
        let rows = |step, nodes| find(&database(&demand, step, [nodes; 2], 1.0, &setting), "position checks").load;
        assert!((rows(Step::Today, 20.0) - 2.0 * rows(Step::Today, 10.0)).abs() < 1e-6);
        assert!((rows(Step::Shards, 20.0) - rows(Step::Shards, 10.0)).abs() < 1e-6);
    }
}
