//! What can be too much, and by how much it is.

use super::{
    Setting,
    database::{self, Written},
    hints::Hints,
    model::{Demand, Step},
    presence::Presence,
    turn,
};
use serde::Serialize;

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

pub struct Found {
    pub limits: Vec<Limit>,
    /// Over how many databases the channels are spread.
    pub shards: f64,
    /// By all of them together.
    pub written: Written,
}

/// All limits; `people`: bytes a second to them.
pub fn all(
    demand: &Demand,
    step: Step,
    nodes: f64,
    hints: &Hints,
    back_after: [f64; 2],
    people: f64,
    setting: &Setting,
) -> Found {
    let of = |shards: f64| database::limits(demand, step, [nodes, hints.nodes_told], shards, setting);
    let enough = |shards: &u32| of(f64::from(*shards)).iter().all(|limit| limit.used() <= 1.0);
    let shards = if step >= Step::Shards { (1..MOST_SHARDS).find(enough).unwrap_or(MOST_SHARDS) } else { 1 };
    let shards = f64::from(shards);
    let written = Written::of(demand, step, nodes, shards, setting);

    let mut limits = between(demand, step, nodes, hints, written.posts, setting);
    limits.extend(network(nodes, hints, people, setting));
    let back_within = setting.guesses.back_within;
    let back = |name, load| Limit { name, unit: "s", load, ceiling: back_within };
    limits.push(back("after losing a node: cores", back_after[0]));
    limits.push(back("after losing a node: the database", back_after[1]));
    limits.extend(of(shards));
    Found { limits, shards, written }
}

/// Of what a node does one after the other.
fn between(demand: &Demand, step: Step, nodes: f64, hints: &Hints, posts: f64, setting: &Setting) -> Vec<Limit> {
    let Setting { profile, machine, guesses, .. } = setting;
    let largest = profile.channels(demand.people).map(|(_, members)| members).fold(0.0, f64::max);
    let writes = largest * profile.devices / nodes;
    let presence = Presence::of(demand, step, nodes, setting);
    let readers = if step >= Step::Shards { machine.cores } else { 1.0 };
    let limit = |name, unit, load, ceiling| Limit { name, unit, load, ceiling };
    vec![
        // Its pace is its own: nothing else waits for it, so all of it may be used.
        limit("presence: so many a second", "people/s", demand.moves, presence.told),
        limit(
            "reading hints: one task a node",
            "hints/s",
            hints.received,
            readers * machine.busy * 1e6 / guesses.read_us,
        ),
        limit(
            "handing out: one batch a node",
            "s/s",
            turn::of(demand, step, nodes, hints, posts, setting),
            machine.busy,
        ),
        limit(
            "the largest channel's second",
            "writes/s",
            writes * profile.lively,
            machine.busy / turn::write(writes, Step::Today, setting),
        ),
    ]
}

fn network(nodes: f64, hints: &Hints, people: f64, setting: &Setting) -> [Limit; 2] {
    let machine = &setting.machine;
    let ceiling = machine.gigabits / 8.0 * 1e9 * machine.busy;
    let limit = |name, load| Limit { name, unit: "bytes/s", load, ceiling };
    [
        limit("a node's network", people / nodes + hints.bytes_received.max(hints.bytes_sent)),
        limit("the broker's network", hints.broker_out.max(hints.broker_in)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    fn limits(people: f64, step: Step, nodes: f64) -> Found {
        let setting = setting();
        let demand = Demand::of(people, step, &setting);
        all(&demand, step, nodes, &Hints::of(&demand, step, nodes, &setting), [0.0; 2], 0.0, &setting)
    }

    fn used(people: f64, step: Step, nodes: f64, name: &str) -> f64 {
        limits(people, step, nodes).limits.iter().find(|limit| limit.name == name).unwrap().used()
    }

    #[test]
    fn shards_are_as_many_as_the_worst_limit_asks_for() {
        let found = limits(1e7, Step::Shards, 66.0);
        assert!(found.shards > 1.0);
        let databases = found.limits.iter().filter(|limit| limit.name.contains("PostgreSQL"));
        assert!(databases.clone().count() >= 3 && databases.clone().all(|limit| limit.used() <= 1.0 + 1e-9));
        assert!((limits(1e7, Step::Subjects, 66.0).shards - 1.0).abs() < 1e-9);
    }

    #[test]
    fn more_nodes_tell_of_no_more_people_until_each_tells_fewer() {
        let presence = |step, nodes| used(1e6, step, nodes, "presence: so many a second");
        assert!((presence(Step::Today, 8.0) - presence(Step::Today, 80.0)).abs() < 1e-9);
        assert!((presence(Step::Savings, 8.0) / presence(Step::Savings, 80.0) - 10.0).abs() < 1e-6);
    }
}
