//! Properties of plans: whatever a family draws, the plan survives its file, the run repeats, and its
//! history can be judged.

use picklock::engine::Engine;
use picklock::families::{FAMILIES, Family};
use picklock::pipeline;
use picklock::plan::Plan;
use picklock::scenario;
use picklock_sim::seed::Seed;
use proptest::prelude::*;

use crate::support::top;

const CONTENDERS: &[&str] = &[
    "redis-setnx-expire",
    "redis-setpx-del",
    "redis-token-deadline",
    "redis-watchdog",
    "redis-watchdog-fenced",
    "redis-lua-decr",
];

fn plan(contender: &str, seed: u64, family: &Family) -> Plan {
    let file = top().join("scenarios/compare/all-locks.toml");
    let mut scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
    // Time to recover from the longest request timeout that a family sets (4 leases).
    scenario.run.heal_at_ms = 5000;
    scenario.run.end_at_ms = 12000;
    scenario.plan_with(contender.parse().unwrap(), Seed(seed), Some(family))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_mixture_of_faults_gives_a_history_that_can_be_judged(
        contender in proptest::sample::select(CONTENDERS),
        seed in any::<u64>(),
        one in proptest::sample::select(FAMILIES.iter().collect::<Vec<_>>()),
        other in proptest::sample::select(FAMILIES.iter().collect::<Vec<_>>()),
    ) {
        let mut mixed = plan(contender, seed, one);
        mixed.world.faults.extend(plan(contender, seed ^ 1, other).world.faults);

        let file = serde_json::to_string(&mixed).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Plan>(&file).unwrap(), &mixed);

        let outcome = pipeline::run(&mixed, Engine::Event).unwrap();
        for judgement in outcome.judgements.iter().filter(|judgement| judgement.claimed) {
            prop_assert_ne!(judgement.verdict.word(), "unknown", "{:?}", judgement);
        }
        let again = pipeline::run(&mixed, Engine::Event).unwrap();
        prop_assert_eq!(outcome.history.digest, again.history.digest);
        prop_assert_eq!(outcome.history, again.history);
    }

    #[test]
    fn a_fault_that_never_strikes_changes_nothing(
        seed in any::<u64>(),
        family in proptest::sample::select(FAMILIES.iter().collect::<Vec<_>>()),
    ) {
        let without = plan("redis-token-cad", seed, family);
        let mut with = without.clone();
        let mut idle = plan("redis-token-cad", seed, Family::find("process-pause").unwrap());
        if let Some(mut fault) = idle.world.faults.pop() {
            fault.when = picklock_sim::fault::When::AtMs(1_000_000);
            with.world.faults.push(fault);
        }
        let digest = |plan| pipeline::run(plan, Engine::Event).unwrap().history.digest;
        prop_assert_eq!(digest(&without), digest(&with));
    }
}
