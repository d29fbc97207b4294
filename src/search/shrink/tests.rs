//! The case everyone knows, shrunk from a plan in which much more is broken.

use std::path::Path;

use picklock_sim::fault::Fault;
use picklock_sim::seed::Seed;

use super::*;
use crate::engine::Engine;
use crate::pipeline;
use crate::scenario::load;
use crate::search::cause::Cause;
use crate::search::space::Space;

fn run(plan: &Plan) -> Result<Outcome, picklock_sim::run::WorldError> {
    pipeline::run(plan, Engine::Event)
}

/// The first drawn plan of many faults and clients in which a pause oversells the shop.
fn a_large_failure() -> Plan {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = load(&top.join("scenarios/compare/all-locks.toml")).unwrap();
    let space = Space::of(&scenario, "redis-token-cad".parse().unwrap(), None);
    let mut plans = (0..).map(|seed| space.draw(Seed(seed)).plan);
    let found = plans.find_map(|plan| {
        let large = plan.world.faults.len() > 2 && plan.clients().count() > 3;
        let fails = |plan: &Plan| oversells(&run(plan).unwrap());
        if !large || !fails(&plan) {
            return None;
        }
        let cause = Cause::of(&fewest_faults(&plan, fails));
        (cause.to_string() == "process pause of a client").then_some(plan)
    });
    found.expect("endless")
}

fn oversells(outcome: &Outcome) -> bool {
    outcome.broken().any(|checker| checker == "oversold")
}

#[test]
fn the_gc_pause_shrinks_to_one_pause_and_two_clients() {
    let plan = a_large_failure();
    let Shrunk { outcome, trials, .. } = shrink(&plan, &run, oversells).unwrap();
    let small = &outcome.plan;
    assert!(oversells(&outcome), "it must still fail in the same way");
    assert!(trials > 10);
    let json = || serde_json::to_string_pretty(small).unwrap();
    assert_eq!(small.clients().count(), 2, "{}", json());
    assert_eq!(small.world.faults.len(), 1);
    assert!(matches!(small.world.faults[0].fault, Fault::Pause { .. }));
    let lasting_ms = small.world.faults[0].lasting_ms.unwrap();
    assert!([500, 1000, 1500, 2000, 3000].contains(&lasting_ms), "{lasting_ms} ms is not round");
    assert_eq!(small.world.seed, plan.world.seed, "what is drawn during the run stays");
}

#[test]
fn a_plan_that_needs_all_it_has_stays_as_it_is() {
    let plan = a_large_failure();
    let whole = plan.clone();
    let small = fewest_faults(&plan, |trial| *trial == whole);
    assert_eq!(small, whole);
}
