//! What turmoil refuses, and how it differs where it differs on purpose.

use picklock_models::model::Crash;
use picklock_sim::fault::{Cut, Fault, Target};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::plan::WorldPlan;
use picklock_sim::run::WorldError;
use picklock_sim::turmoil;

use crate::troupe::{CLIENT, Part, REDIS, at, partition, pings, plan, times, troupe};

const HOST: Target = Target::Host(CLIENT);
const SERVER: Target = Target::Host(REDIS);

#[test]
fn what_turmoil_cannot_do_is_refused_with_fault_and_engine() {
    let refused = [
        partition(true, Cut::Stall),
        partition(false, Cut::Reset),
        Fault::Delay { from: HOST, to: SERVER, by_ms: 5 },
        Fault::Loss { from: HOST, to: SERVER, percent: 5 },
        Fault::Reset { from: HOST, to: SERVER },
    ];
    for fault in refused {
        assert!(turmoil::expressible(&fault).is_err());
        let plan = plan([at(1, 1, Fault::Pause { host: HOST }), at(1, 1, fault)]);
        let error = turmoil::run(&plan, pings()).unwrap_err();
        assert!(matches!(error, WorldError::CannotExpress { engine: "turmoil", index: 2, .. }));
        let text = error.to_string();
        assert!(text.contains("turmoil") && text.contains(&fault.to_string()), "{text}");
    }
}

#[test]
fn a_connect_to_a_dead_host_is_refused_when_it_boots() {
    for how in [Crash::ProcessKill, Crash::PowerLoss] {
        let fault = at(0, 1000, Fault::Crash { host: SERVER, how });
        let run = turmoil::run(&plan([fault]), troupe(Part::Connect { port: 6379 })).unwrap();
        let refused = times(&run, CLIENT, Kind::Fail, OpName::Renew);
        assert!(matches!(refused[..], [1000..=1002]), "{how:?}: {refused:?}");
    }
}

#[test]
fn nobody_listens_so_the_connection_is_refused() {
    let run = turmoil::run(&plan([]), troupe(Part::Connect { port: 1 })).unwrap();
    let refused = times(&run, CLIENT, Kind::Fail, OpName::Renew);
    assert!(matches!(refused[..], [1..=6]), "{refused:?}");
}

#[test]
fn a_suspended_machine_keeps_silent_and_then_answers() {
    let fault = at(100, 400, Fault::Suspend { host: SERVER });
    let run = turmoil::run(&plan([fault]), pings()).unwrap();
    let echoes = times(&run, CLIENT, Kind::Ok, OpName::Check);
    assert!(!echoes.iter().any(|at| (101..500).contains(at)), "{echoes:?}");
    assert!(echoes.iter().any(|at| (500..515).contains(at)), "{echoes:?}");
}

#[test]
fn a_power_loss_within_a_partition_leaves_the_link_held_until_both_are_over() {
    let crash = Fault::Crash { host: SERVER, how: Crash::PowerLoss };
    let faults = [at(100, 900, partition(false, Cut::Stall)), at(200, 300, crash)];
    let plan = WorldPlan { ..plan(faults) };
    let run = turmoil::run(&plan, troupe(Part::Ping { patience_ms: 50 })).unwrap();
    let echoes = times(&run, CLIENT, Kind::Ok, OpName::Check);
    assert!(!echoes.iter().any(|at| (105..1000).contains(at)), "{echoes:?}");
    assert!(echoes.iter().any(|at| (1000..1100).contains(at)), "{echoes:?}");
}
