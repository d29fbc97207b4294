//! What the benches share: the workload of record as plans.

use std::path::Path;

use picklock::plan::Plan;
use picklock::scenario;
use picklock_sim::seed::Seed;

/// The plan of one seed of the workload of record (`scenarios/bench/record.toml`).
///
/// # Panics
/// If the scenario cannot be read: a bench without its workload measures nothing.
pub fn record(seed: u64) -> Plan {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/bench/record.toml");
    let scenario = scenario::load(&file).expect("the workload of record is there");
    scenario.plan(scenario.contender[0].name, Seed(seed))
}
