//! What came of a simulation.

use serde::Serialize;

/// Which node a person's connection is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Wherever the load balancer puts it.
    Random,
    /// Neighbours together.
    Affine,
}

impl Placement {
    pub fn node(self, person: u32, people: u32, nodes: u32, rng: &mut fastrand::Rng) -> u32 {
        match self {
            Self::Random => rng.u32(..nodes),
            Self::Affine => {
                let node = u64::from(person) * u64::from(nodes) / u64::from(people);
                u32::try_from(node).unwrap_or(0)
            }
        }
    }
}

/// Hints between nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Traffic {
    pub placement: Placement,
    pub nodes: u32,
    pub messages: u32,
    /// Copies that reached each node, where only those get one that have a member.
    received: Vec<u32>,
    /// Messages that concerned their sender's node alone.
    local: u32,
    /// The most copies that one node sent of one message: directly, and over relays.
    pub widest: [u32; 2],
}

impl Traffic {
    pub fn new(placement: Placement, nodes: u32, messages: u32) -> Self {
        Self { placement, nodes, messages, received: vec![0; nodes as usize], local: 0, widest: [0; 2] }
    }

    /// `relays`: past so many others, the sender tells that many, and each of them its part of the rest.
    pub fn message(&mut self, sender: u32, reached: &[u32], relays: u32) {
        let mut others = 0;
        for node in reached.iter().filter(|node| **node != sender) {
            self.received[*node as usize] += 1;
            others += 1;
        }
        self.local += u32::from(others == 0);
        let relayed = if others <= relays { others } else { relays.max((others - relays).div_ceil(relays)) };
        self.widest = [self.widest[0].max(others), self.widest[1].max(relayed)];
    }

    /// Copies a message, on average.
    pub fn copies(&self) -> f64 {
        self.received.iter().map(|copies| f64::from(*copies)).sum::<f64>() / f64::from(self.messages)
    }

    /// That the busiest node got, a message.
    pub fn busiest(&self) -> f64 {
        self.received.iter().max().map_or(0.0, |copies| f64::from(*copies) / f64::from(self.messages))
    }

    /// Share of the messages that didn't travel.
    pub fn alone(&self) -> f64 {
        f64::from(self.local) / f64::from(self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_bound_what_one_node_sends_of_one_message() {
        let mut traffic = Traffic::new(Placement::Random, 100, 2);
        traffic.message(3, &(0..100).collect::<Vec<_>>(), 8);
        assert_eq!(traffic.widest, [99, 12]);
        traffic.message(3, &[3], 8);
        assert!((traffic.copies() - 49.5).abs() < 1e-9 && (traffic.alone() - 0.5).abs() < 1e-9);
        assert!((traffic.busiest() - 0.5).abs() < 1e-9);
    }
}
