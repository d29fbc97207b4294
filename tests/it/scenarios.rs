//! Every scenario comes out as it says, on every engine that can express it.

use std::fs;
use std::path::{Path, PathBuf};

use picklock::engine::Engine;
use picklock::outcome::Outcome;
use picklock::pipeline;
use picklock::scenario;
use picklock_sim::run::WorldError;

use crate::support::top;

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the scenarios are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}

/// Runs all scenarios of a tier; how many contenders were judged.
fn check(tier: &str, engine: Engine) -> usize {
    let mut files = Vec::new();
    collect(&top().join("scenarios").join(tier), &mut files);
    assert!(!files.is_empty());
    let mut judged = 0;
    for file in files {
        let scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
        for spec in &scenario.contender {
            let run = |seed| pipeline::run(&scenario.plan(spec.name, seed), engine);
            let outcomes: Result<Vec<Outcome>, _> = scenario.seeds().map(run).collect();
            match outcomes {
                Ok(outcomes) => {
                    let surprises = spec.surprises(&outcomes);
                    let name = &scenario.name;
                    assert!(surprises.is_empty(), "{name}, {}: {surprises:?}", spec.name);
                    judged += 1;
                }
                Err(WorldError::CannotExpress { .. }) if engine != Engine::Event => {}
                Err(error) => panic!("{}, {}: {error}", scenario.name, spec.name),
            }
        }
    }
    judged
}

#[test]
fn published_scenarios_come_out_as_published() {
    check("published", Engine::Event);
}

#[test]
fn smoke_scenarios_come_out_as_expected() {
    check("smoke", Engine::Event);
}

#[test]
fn unsafe_locks_are_caught() {
    check("negative", Engine::Event);
}

#[cfg(feature = "turmoil")]
mod turmoil {
    use super::*;

    #[test]
    fn published_scenarios_come_out_the_same() {
        let all = check("published", Engine::Event);
        assert_eq!(check("published", Engine::Turmoil), all, "all of them can be expressed");
    }

    #[test]
    fn unsafe_locks_are_caught_there_too() {
        assert!(check("negative", Engine::Turmoil) > 0);
    }
}
