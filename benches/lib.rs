//! What the benches share: the workload of record as plans.

use std::path::Path;

use picklock::plan::Plan;
use picklock::scenario::{self, Scenario};
use picklock_sim::seed::Seed;

/// The plan of one seed of the workload of record (`scenarios/bench/record.toml`).
///
/// # Panics
/// If the scenario cannot be read: a bench without its workload measures nothing.
pub fn record(seed: u64) -> Plan {
    plan(of_record(), seed)
}

/// The same on so many hosts in all: Redis, the shop, and the others are clients.
///
/// # Panics
/// As [`record`]; or if that leaves no client.
pub fn record_with(hosts: u16, seed: u64) -> Plan {
    let mut scenario = of_record();
    scenario.workload.clients = hosts.checked_sub(2).expect("two hosts are servers");
    plan(scenario, seed)
}

/// The same with another lock, of whichever store, and a lease of 2 s, which all stores give.
///
/// # Panics
/// As [`record`]; or if there is no such lock.
pub fn record_of(lock: &str, seed: u64) -> Plan {
    let mut scenario = of_record();
    scenario.lock.ttl_ms = 2000;
    scenario.plan(lock.parse().expect("a lock of the list"), Seed(seed))
}

fn of_record() -> Scenario {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/bench/record.toml");
    scenario::load(&file).expect("the workload of record is there")
}

fn plan(scenario: Scenario, seed: u64) -> Plan {
    scenario.plan(scenario.contender[0].name, Seed(seed))
}
