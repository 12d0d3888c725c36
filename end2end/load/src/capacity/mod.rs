//! How far this design carries, on paper: what the benchmark measured, times how people use it. And
//! a simulation of which nodes a message has to reach. `docs/scaling.md` says what came of it.

mod database;
mod figures;
mod hints;
mod limits;
mod model;
mod presence;
mod print;
mod profile;
mod simulated;
mod simulation;
mod turn;

pub use profile::{Guesses, Machine, Profile};

use crate::load::LoadError;
use clap::Args;
use figures::Figures;
use model::{Demand, Plan, Step};
use serde::Serialize;
use simulated::{Placement, Traffic};
use simulation::{Shape, Town};
use std::path::PathBuf;

/// Between them it is looked for where each limit breaks, in such strides.
const SMALLEST: f64 = 1e3;
const LARGEST: f64 = 3e7;
const STRIDE: f64 = 1.05;
/// For the simulation: messages, and relays of one.
const MESSAGES: u32 = 100_000;
const RELAYS: u32 = 8;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Folder with the benchmark's JSON files.
    #[arg(long, value_name = "DIR")]
    pub figures: PathBuf,
    /// How many people are online; several by commas.
    #[arg(long, value_delimiter = ',', default_value = "1e4,1e5,1e6,1e7", value_parser = people)]
    pub people: Vec<f64>,
    #[command(flatten)]
    pub profile: Profile,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub guesses: Guesses,
    /// For the simulation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// File to write everything to.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn people(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (1.0..=1e9).contains(&number) { Ok(number) } else { Err("from 1 to 1e9".into()) }
}

/// All that an answer rests on.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub profile: Profile,
    pub machine: Machine,
    pub guesses: Guesses,
    pub figures: Figures,
}

#[derive(Clone, Debug, Serialize)]
pub struct Size {
    pub people: f64,
    /// One for each step of the design.
    pub plans: Vec<Plan>,
}

fn plan(people: f64, step: Step, setting: &Setting) -> Plan {
    Plan::of(&Demand::of(people, step, setting), step, setting)
}

#[derive(Clone, Debug, Serialize)]
pub struct Capacity {
    pub setting: Setting,
    pub sizes: Vec<Size>,
    pub breaks: Vec<Break>,
    pub shape: Shape,
    pub simulation: Vec<Traffic>,
}

impl Capacity {
    /// `messages`: how many the simulation sends.
    pub fn of(setting: Setting, people: &[f64], messages: u32) -> Self {
        Self::with_seed(setting, people, messages, 1)
    }

    fn with_seed(setting: Setting, people: &[f64], messages: u32, seed: u64) -> Self {
        let size = |people: &f64| {
            let plans = Step::ALL.map(|step| plan(*people, step, &setting)).into();
            Size { people: *people, plans }
        };
        let sizes = people.iter().map(size).collect();
        let shape = Shape::default();
        let town = Town::new(&shape, seed);
        let cases = [4, 16, 64].into_iter().flat_map(|nodes| [(nodes, Placement::Random), (nodes, Placement::Affine)]);
        let simulation = cases.map(|(nodes, placement)| town.talk(placement, nodes, RELAYS, messages, seed)).collect();
        Self { breaks: breaks(&setting), setting, sizes, shape, simulation }
    }
}

/// With how many people a limit is reached, at each step; None if with fewer than `LARGEST` it isn't.
#[derive(Clone, Debug, Serialize)]
pub struct Break {
    pub name: &'static str,
    pub people: [Option<f64>; 4],
}

fn breaks(setting: &Setting) -> Vec<Break> {
    let mut breaks: Vec<Break> = Vec::new();
    let mut people = SMALLEST;
    while people <= LARGEST {
        for (step, number) in Step::ALL.into_iter().zip(0..) {
            for (row, limit) in plan(people, step, setting).limits.into_iter().enumerate() {
                if row == breaks.len() {
                    breaks.push(Break { name: limit.name, people: [None; 4] });
                }
                let at: &mut Option<f64> = &mut breaks[row].people[number];
                *at = at.or_else(|| (limit.used() > 1.0).then_some(people));
            }
        }
        people *= STRIDE;
    }
    breaks
}

pub fn run(options: &Options) -> Result<Capacity, LoadError> {
    let figures = Figures::of(&figures::read(&options.figures)?);
    let Options { profile, machine, guesses, .. } = options.clone();
    let setting = Setting { profile, machine, guesses, figures };
    Ok(Capacity::with_seed(setting, &options.people, MESSAGES, options.seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn options(more: &[&str]) -> Result<Options, clap::Error> {
        let given = ["natter-load", "--figures", "."].iter().chain(more);
        Ok(Cli::try_parse_from(given)?.options)
    }

    /// As it is when nothing is said.
    pub fn profile() -> Profile {
        options(&[]).unwrap().profile
    }

    /// The same, without any measurement.
    pub fn setting() -> Setting {
        let Options { profile, machine, guesses, .. } = options(&[]).unwrap();
        Setting { profile, machine, guesses, figures: Figures::of(&figures::Runs::new()) }
    }

    #[test]
    fn what_breaks_is_said_with_how_many() {
        let breaks = breaks(&setting());
        let queries = breaks.iter().find(|limit| limit.name == "PostgreSQL's short queries").unwrap();
        let [today, saved, ..] = queries.people.map(|people| people.unwrap_or(f64::INFINITY));
        assert!((1e5..1e6).contains(&today) && saved > 2.0 * today, "{queries:?}");
    }

    #[test]
    fn flags_are_read_and_nonsense_is_refused() {
        let options_ = options(&["--people", "500,2e6", "--active", "0.5", "--mix", "100:1%"]).unwrap();
        assert_eq!(options_.people, [500.0, 2e6]);
        for wrong in [["--people", "0"], ["--active", "-1"], ["--busy", "nan"], ["--mix", "1:1"]] {
            assert!(options(&wrong).is_err(), "{wrong:?}");
        }
    }
}
