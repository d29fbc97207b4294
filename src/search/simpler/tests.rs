//! Steps down: in the right order, and always ending.

use super::*;
use crate::scenario::load;
use crate::search::tree::PlanTree;
use picklock_sim::seed::Seed;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::path::Path;

fn drawn(seed: u64) -> Plan {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = load(&top.join("scenarios/published/s1-gc-pause.toml")).unwrap();
    let contender = scenario.contender[0].name;
    crate::search::space::Space::of(&scenario, contender, None).draw(Seed(seed)).plan
}

#[test]
fn round_numbers_come_in_growing_order_after_the_usual_one() {
    let simpler = |value, usual| simpler_numbers(value, usual).collect::<Vec<_>>();
    assert_eq!(simpler(20, 20), [0; 0], "nothing is simpler than the usual");
    assert_eq!(simpler(50, 20), [20, 30]);
    assert_eq!(simpler(5, 20), [20], "unusual, so the usual is simpler although it is greater");
    // Not round: it may grow to the next round number.
    assert_eq!(simpler(1037, 300), [300, 500, 1000, 1500, 2000]);
}

#[test]
fn times_move_to_coarser_grids() {
    assert_eq!(rounder_times(1000), [0; 0]);
    assert_eq!(rounder_times(1500), [1000, 2000]);
    assert_eq!(rounder_times(1230), [1000, 2000, 1000, 1500, 1200, 1300, 1200, 1250]);
}

#[test]
fn of_several_servers_one_or_three_are_left_and_those_that_faults_name_first() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = load(&top.join("scenarios/published/s1-gc-pause.toml")).unwrap();
    let mut contender = scenario.contender[0].name;
    assert!(fewer_servers(&scenario.plan(contender, Seed(1))).is_empty(), "it has but one");
    contender.servers = crate::lock::Servers::Independent;
    let mut plan = scenario.plan(contender, Seed(1));
    let crash = |host: &str| TimedFault {
        when: When::AtMs(10),
        lasting_ms: None,
        fault: Fault::Pause { host: host.parse().unwrap() },
    };
    plan.world.faults = vec![crash("redis 4")];
    let text = |plan: &Plan| {
        plan.check().expect("what is left makes sense");
        format!("{} servers, {}", plan.lock_servers().len(), plan.world.faults[0].fault)
    };
    let fewer = |plan: &Plan| fewer_servers(plan).iter().map(text).collect::<Vec<_>>();
    assert_eq!(
        fewer(&plan),
        ["1 servers, process pause of redis 1", "3 servers, process pause of redis 1"]
    );
    plan.world.faults.push(crash("redis 2"));
    assert_eq!(fewer(&plan), ["3 servers, process pause of redis 2"]);
}

#[test]
fn the_clients_that_faults_name_keep_their_order() {
    let mut plan = drawn(0);
    plan.world.faults.clear();
    let named = |text: &str| -> HostName { text.parse().unwrap() };
    let fault = Fault::Partition {
        from: picklock_sim::fault::Target::Host(named("client 2")),
        to: picklock_sim::fault::Target::Host(named("client 4")),
        one_way: false,
        cut: Default::default(),
    };
    let when = When::AtMs(10);
    plan.world.faults.push(TimedFault { when, lasting_ms: None, fault });
    let plan = with_clients(&plan, 5, &BTreeMap::new());
    let mut fewer = fewer_clients(&plan);
    fewer.retain(|smaller| smaller.workload.initial == plan.workload.initial);
    let text = |plan: &Plan| format!("{}: {}", plan.clients().count(), plan.world.faults[0].fault);
    assert_eq!(
        fewer.iter().map(text).collect::<Vec<_>>(),
        [
            "2: partition of client 1 and client 2",
            "3: partition of client 1 and client 2",
            "3: partition of client 2 and client 3",
            "4: partition of client 1 and client 2",
            "4: partition of client 3 and client 4",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever fails, shrinking ends, and every plan that it tries makes sense.
    #[test]
    fn every_way_down_ends(seed in any::<u64>(), whims in any::<u64>(), one_in in 1..6_u64) {
        let mut whims = Seed(whims).stream("whims");
        let mut tree = PlanTree::new(drawn(seed));
        let mut more = tree.simplify();
        for _ in 0..20_000 {
            if !more {
                break;
            }
            prop_assert!(tree.current().check().is_ok());
            more = if whims.below(one_in) == 0 { tree.simplify() } else { tree.complicate() };
        }
        prop_assert!(!more, "20,000 trials and no end");
        prop_assert_eq!(&tree.current(), tree.best());
    }
}
