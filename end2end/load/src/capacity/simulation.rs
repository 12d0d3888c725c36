//! Channels of very different sizes, their members spread over nodes, and which nodes a message has to
//! reach. The same seed gives the same answer.

use super::simulated::{Placement, Traffic};
use serde::Serialize;

/// What the town looks like.
#[derive(Clone, Debug, Serialize)]
pub struct Shape {
    /// One connection each.
    pub people: u32,
    pub channels: u32,
    /// The largest channel; the one of rank k has a k-th of it (Zipf), but no fewer than `smallest`.
    pub biggest: u32,
    pub smallest: u32,
    /// Share of a channel's members that are neighbours: the rest is from anywhere.
    pub local: f64,
    /// A channel's share of the messages goes by its size to this power.
    pub liveliness: f64,
}

impl Default for Shape {
    fn default() -> Self {
        Self { people: 100_000, channels: 100_000, biggest: 5_000, smallest: 5, local: 0.9, liveliness: 0.5 }
    }
}

/// People stand in a line; who works together stands together.
pub struct Town {
    people: u32,
    /// Members of each channel, without doubles.
    channels: Vec<Vec<u32>>,
    /// Up to each channel, the sum of what they say.
    said: Vec<f64>,
}

impl Town {
    pub fn new(shape: &Shape, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut channels, mut said, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for rank in 1..=shape.channels {
            let size = (shape.biggest / rank).max(shape.smallest).min(shape.people);
            let first = rng.u32(..shape.people);
            let neighbour = |n: u32| (first + n) % shape.people;
            let member = |n| if rng.f64() < shape.local { neighbour(n) } else { rng.u32(..shape.people) };
            let mut members: Vec<_> = (0..size).map(member).collect();
            members.sort_unstable();
            members.dedup();
            channels.push(members);
            sum += f64::from(size).powf(shape.liveliness);
            said.push(sum);
        }
        Self { people: shape.people, channels, said }
    }

    /// So many messages, each of a member of its channel.
    pub fn talk(&self, placement: Placement, nodes: u32, relays: u32, messages: u32, seed: u64) -> Traffic {
        let mut rng = fastrand::Rng::with_seed(seed);
        let node_of: Vec<u32> =
            (0..self.people).map(|person| placement.node(person, self.people, nodes, &mut rng)).collect();
        let reached: Vec<Vec<u32>> = self.channels.iter().map(|members| distinct(members, &node_of)).collect();
        let mut traffic = Traffic::new(placement, nodes, messages);
        for _ in 0..messages {
            let at = rng.f64() * self.said.last().copied().unwrap_or(0.0);
            let channel = self.said.partition_point(|said| *said <= at).min(self.channels.len() - 1);
            let members = &self.channels[channel];
            let sender = node_of[members[rng.usize(..members.len())] as usize];
            traffic.message(sender, &reached[channel], relays);
        }
        traffic
    }
}

fn distinct(members: &[u32], node_of: &[u32]) -> Vec<u32> {
    let mut nodes: Vec<_> = members.iter().map(|person| node_of[*person as usize]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Town {
        Town::new(&Shape { people: 5_000, channels: 2_000, biggest: 500, ..Shape::default() }, 1)
    }

    #[test]
    fn sizes_fall_as_zipf_says_and_nobody_is_in_twice() {
        let town = small();
        let sizes: Vec<_> = [0, 1, 9, 1_999].map(|rank: usize| town.channels[rank].len()).into();
        assert!((450..=500).contains(&sizes[0]) && (225..=250).contains(&sizes[1]), "{sizes:?}");
        assert!((40..=50).contains(&sizes[2]) && (1..=5).contains(&sizes[3]), "{sizes:?}");
        assert!(town.channels.iter().all(|members| members.is_sorted_by(|one, other| one < other)));
    }

    #[test]
    fn the_same_seed_says_the_same() {
        let run = |seed| small().talk(Placement::Random, 8, 4, 2_000, seed);
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn neighbours_on_one_node_need_fewer_copies_than_chance_and_chance_fewer_than_telling_all() {
        for nodes in [4, 16, 64] {
            let town = small();
            let [chance, affine] =
                [Placement::Random, Placement::Affine].map(|placement| town.talk(placement, nodes, 4, 5_000, 3));
            assert!(affine.copies() < 0.7 * chance.copies(), "{nodes} nodes: {affine:?}");
            assert!(chance.copies() < f64::from(nodes - 1));
            assert!(affine.alone() > chance.alone());
        }
    }

    #[test]
    fn on_one_node_nothing_travels() {
        let traffic = small().talk(Placement::Random, 1, 4, 500, 3);
        assert!(traffic.copies() < 1e-9 && (traffic.alone() - 1.0).abs() < 1e-9 && traffic.widest == [0, 0]);
    }
}
