//! How busy a node's follower is. It acts on one hint after the other and hands out one batch of messages
//! after the other (`turn` in the server's `hub/fanout.rs`): what comes meanwhile waits.

use super::{
    Setting,
    hints::Hints,
    model::{Demand, Step},
    presence::Presence,
};

/// A batch is shared by as many cores as it has so many writes: `SHARE` of the server's hub.
const SHARE: f64 = 512.0;
/// Commits whose messages a batch has, at most: `TAKEN` of the server's follower.
const TAKEN: f64 = 64.0;

/// On how many cores so many writes are made.
fn shared_by(writes: f64, setting: &Setting) -> f64 {
    (writes / SHARE).floor().clamp(1.0, setting.machine.cores)
}

/// Seconds that a write takes from the turn, in a batch of so many.
pub fn write(batch: f64, step: Step, setting: &Setting) -> f64 {
    let (find, write) = (setting.guesses.find_us / 1e6, setting.figures.trickle_us.value / 1e6);
    if step >= Step::Shards {
        // A turn a channel, and a lock: others have the other cores.
        return (find + write) / setting.machine.cores;
    }
    find + write / shared_by(batch, setting)
}

/// Seconds a second.
pub fn of(demand: &Demand, step: Step, nodes: f64, hints: &Hints, commits: f64, setting: &Setting) -> f64 {
    let Setting { profile, guesses, machine, .. } = setting;
    // What changes who may see what ends the batch.
    let together = (TAKEN * demand.messages / commits).min(1.0 + hints.messages / hints.entries).max(1.0);
    let said = demand.messages + demand.revisions;
    let on_each = |members: f64| members * profile.devices / nodes;
    let average = demand.members_online * profile.devices / nodes;
    let channels = || profile.channels(demand.people);
    let messages: f64 = channels()
        .map(|(share, members)| {
            let writes = on_each(members);
            said * share * writes * write(writes + (together - 1.0) * average, step, setting)
        })
        .sum();
    let typing: f64 = channels()
        .filter(|(_, members)| step.tells_writing(*members))
        .map(|(share, members)| {
            demand.messages * profile.typing * share * on_each(members) * write(on_each(members), step, setting)
        })
        .sum();
    let looking = Presence::of(demand, step, nodes, setting).looked_for * guesses.find_us / 1e6;
    let followers = if step >= Step::Shards { machine.cores } else { 1.0 };
    let following = (hints.messages + hints.others) * guesses.follow_us / 1e6;
    messages + typing + (looking + following) / followers
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    #[test]
    fn only_large_batches_are_shared_by_the_cores() {
        let setting = setting();
        let cores = [10.0, 1_023.0, 1_024.0, 5_000.0, 1e5].map(|writes| shared_by(writes, &setting));
        assert_eq!(cores.to_vec(), [1.0, 1.0, 2.0, 9.0, 16.0]);
    }

    #[test]
    fn more_nodes_leave_each_less_to_share() {
        let setting = setting();
        // A message to 50,000 people keeps the next waiting for as long on 66 nodes as on 8, or longer.
        let held = |nodes: f64| 65_000.0 / nodes * write(65_000.0 / nodes, Step::Today, &setting);
        assert!(held(66.0) > held(8.0));
    }

    #[test]
    fn changes_of_access_between_messages_keep_them_from_being_handed_out_together() {
        let setting = setting();
        let demand = Demand::of(1e7, Step::Savings, &setting);
        let busy = |entries| {
            let hints = Hints { entries, ..Hints::of(&demand, Step::Savings, 66.0, &setting) };
            of(&demand, Step::Savings, 66.0, &hints, demand.messages, &setting)
        };
        assert!(busy(1e5) > 1.5 * busy(1.0), "{} {}", busy(1e5), busy(1.0));
    }

    #[test]
    fn a_turn_for_each_channel_uses_all_cores() {
        let setting = setting();
        let demand = Demand::of(1e7, Step::Subjects, &setting);
        let hints = Hints::of(&demand, Step::Subjects, 66.0, &setting);
        let busy = |step| of(&demand, step, 66.0, &hints, demand.messages, &setting);
        assert!(busy(Step::Shards) < busy(Step::Subjects) / 4.0);
    }
}
