//! Who comes and goes, as it is told to people and to nodes: `hub/presence.rs` of the server.

use super::{
    Setting,
    model::{Demand, Step},
};
use serde::Serialize;

/// A node tells so often, a second, of at most so many people: fewer, the more frames each of them makes.
const TELLS: f64 = 4.0;
const FEWEST: f64 = 2.0;
const MOST: f64 = 20.0;
const FRAMES: f64 = 5_000.0;
/// How often a node says who all is there, a second, and of how many people at most.
const SAYS: f64 = 0.1;
const SAID: f64 = 10_000.0;
/// Bytes of somebody in such a list, and of who came or went; the list's own are [`super::Profile::hint`].
const LISTED: f64 = 39.0;
const MOVED: f64 = 45.0;

/// A second.
#[derive(Clone, Debug, Serialize)]
pub struct Presence {
    /// Changes of which a node can tell its connections.
    pub told: f64,
    /// Of all nodes: how often a socket is written to, and frames, of which several go out at once.
    pub writes: f64,
    pub frames: f64,
    /// Connections that a node looks for with its registry locked.
    pub looked_for: f64,
    /// Hints of all nodes that say who came and went, and the bytes of one.
    pub moved: [f64; 2],
    /// And of those that say who all is there.
    pub here: [f64; 2],
}

impl Presence {
    pub fn of(demand: &Demand, step: Step, nodes: f64, setting: &Setting) -> Self {
        let profile = &setting.profile;
        let own = demand.moves / nodes;
        // What came within a telling goes out together.
        let hints = TELLS.min(own);
        let moved = [hints * nodes, profile.hint + MOVED * if hints > 0.0 { own / hints } else { 0.0 }];
        let here = [SAYS * nodes, profile.hint + LISTED * SAID.min(demand.people / nodes)];
        if step >= Step::Savings {
            let each = profile.shown * profile.devices;
            let frames = demand.moves * each;
            let told = TELLS * FRAMES * nodes / each;
            // Who is shown by whom is known by person, as who is in a channel by channel.
            let here = if step >= Step::Subjects { [0.0; 2] } else { here };
            return Self { told, writes: frames, frames, looked_for: frames / nodes, moved, here };
        }
        let connections = demand.connections / nodes;
        let told = TELLS * (FRAMES / connections).floor().clamp(FEWEST, MOST);
        let tells = TELLS.min(demand.moves);
        Self {
            told,
            writes: tells * demand.connections,
            frames: told.min(demand.moves) * demand.connections,
            looked_for: tells * connections,
            moved,
            here,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    fn presence(people: f64, step: Step, nodes: f64) -> Presence {
        Presence::of(&Demand::of(people, step, &setting()), step, nodes, &setting())
    }

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() <= 1e-6 * other.abs().max(1.0), "{one} isn't {other}");
    }

    #[test]
    fn a_node_tells_of_fewer_people_the_more_it_tells() {
        near(presence(150.0, Step::Today, 1.0).told, 80.0);
        near(presence(1_000.0, Step::Today, 1.0).told, 12.0);
        near(presence(1e6, Step::Today, 8.0).told, 8.0);
    }

    #[test]
    fn everyone_is_told_of_everyone_until_only_of_whom_they_see() {
        let [today, then] = [Step::Today, Step::Savings].map(|step| presence(1e6, step, 8.0));
        near(today.writes, 4.0 * 1.3e6);
        near(today.frames, 8.0 * 1.3e6);
        near(then.frames, 1e6 * 2.0 / 3_600.0 * 30.0 * 1.3);
        assert!(then.told > 100.0 * today.told);
    }

    #[test]
    fn lists_of_who_is_there_are_bounded() {
        let bytes = |people| presence(people, Step::Today, 10.0).here[1];
        near(bytes(1e5), bytes(1e7));
        assert!(bytes(1e4) < bytes(1e5) && presence(1e5, Step::Subjects, 10.0).here[0] == 0.0);
    }
}
