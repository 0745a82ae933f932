//! A process that dies at any moment loses nothing that it has acknowledged, and does nothing twice.
//!
//! The test's own program is started again as the process that dies: it runs the `work` of a [`Scenario`] and says on a
//! pipe what it sends and what it was answered. It is killed from outside at a random moment, or dies at a named
//! [`fault`](crate::fault) point. Then the scenario's `check` holds what is left against what was said, and the next one
//! goes on in the same directory.
//!
//! To add a scenario, write its two functions and put it into [`SCENARIOS`]; to add a point, put it into the code and
//! into `fault::POINTS`. `HECATE_CRASH_CYCLES` says how often the random killer strikes, `HECATE_CRASH_SEED` repeats a
//! run: the kills come at about the same moments, the commands are the same.

mod accounts;
mod harness;
mod neighbours;

use std::time::Duration;

use crate::fault::POINTS;
use harness::{Death, Ground, Random, Scenario, Work};

/// All that can be killed.
const SCENARIOS: &[Scenario] = &[accounts::SCENARIO, neighbours::SCENARIO];

/// Cycles of the random killer in an ordinary run, for all scenarios together.
const CYCLES: u64 = 30;
/// Deaths on one ground, before the next begins on an empty one.
const DEATHS: u64 = 10;

/// The process that dies.
#[test]
#[ignore = "it is started by the other tests of this module, and has nothing to do alone"]
fn child() {
    let Some(work) = Work::of_environment() else {
        return;
    };
    let scenario = SCENARIOS
        .iter()
        .find(|scenario| scenario.name == work.scenario);
    let scenario = scenario.expect("a scenario of this name");
    crate::testing::run((scenario.work)(work));
}

#[test]
fn whoever_is_killed_at_any_moment_loses_nothing() {
    let mut random = Random::of_environment();
    let cycles = std::env::var("HECATE_CRASH_CYCLES").map_or(CYCLES, |cycles| {
        cycles.parse().expect("HECATE_CRASH_CYCLES is a number")
    });
    let mut died = 0;
    while died < cycles {
        for scenario in SCENARIOS {
            let mut ground = Ground::new(scenario);
            for _ in 0..DEATHS.min(cycles - died) {
                // A third dies before it is ready, or nearly so.
                let death = match random.below(3) {
                    0 => Death::KilledAfterStart(Duration::from_micros(random.below(60_000))),
                    _ => Death::KilledAtWork(Duration::from_micros(random.below(150_000))),
                };
                ground.cycle(death, &mut random);
                died += 1;
            }
        }
    }
}

#[test]
fn whoever_dies_at_a_named_place_loses_nothing() {
    let mut random = Random::of_environment();
    let mut reached = std::collections::BTreeSet::new();
    for scenario in SCENARIOS {
        for point in POINTS {
            let mut ground = Ground::new(scenario);
            for pass in [1, 2 + random.below(6)] {
                if ground.cycle(Death::At(point, pass), &mut random) {
                    reached.insert(*point);
                }
            }
        }
    }
    let never: Vec<_> = POINTS
        .iter()
        .filter(|point| !reached.contains(*point))
        .collect();
    assert!(never.is_empty(), "no scenario comes to {never:?}");
}
