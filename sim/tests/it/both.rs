//! What every engine must do alike. Times are given some slack: a millisecond is a tick of one of
//! them, and latencies differ.

use std::rc::Rc;

use picklock_models::model::Crash;
use picklock_sim::fault::{Cut, Fault, StepKind, StepTrigger, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::plan::WorldPlan;
use picklock_sim::run::{Run, WorldError};
use picklock_sim::seed::Seed;

use crate::troupe::{
    CLIENT, ENGINES, Part, REDIS, Server, Troupe, at, once, partition, pings, plan, shown, times,
    troupe,
};

const HOST: Target = Target::Host(CLIENT);
const SERVER: Target = Target::Host(REDIS);

/// Runs a plan on every engine and has each run looked at.
fn on_both(plan: &WorldPlan, cast: fn() -> Troupe, look: impl Fn(&str, &Run)) {
    for (name, engine) in ENGINES {
        let run = engine(plan, cast()).unwrap_or_else(|error| panic!("{name}: {error}"));
        look(name, &run);
    }
}

fn naps() -> Troupe {
    troupe(Part::Sleep { ms: 20 })
}

/// The first of these times that is not before `from`.
fn next(times: &[u64], from: u64) -> u64 {
    *times.iter().find(|at| **at >= from).expect("something happens after that")
}

fn none_within(times: &[u64], from: u64, to: u64) -> bool {
    !times.iter().any(|at| (from..to).contains(at))
}

#[test]
fn echo_works() {
    on_both(&plan([]), pings, |engine, run| {
        let echoes = times(run, CLIENT, Kind::Ok, OpName::Check);
        assert!(echoes.len() > 50, "{engine}: {}", echoes.len());
        assert!(times(run, CLIENT, Kind::Fail, OpName::Check).is_empty(), "{engine}");
    });
}

#[test]
fn the_same_plan_gives_the_same_run_and_another_seed_another() {
    let faults = [
        at(100, 200, Fault::Pause { host: HOST }),
        at(400, 200, partition(false, Cut::Stall)),
        at(700, 100, Fault::Crash { host: SERVER, how: Crash::ProcessKill }),
        at(900, 100, Fault::Crash { host: SERVER, how: Crash::PowerLoss }),
    ];
    for (engine, run) in ENGINES {
        let one = plan(faults);
        let other = WorldPlan { seed: Seed(8), ..one.clone() };
        let run = |plan: &WorldPlan| run(plan, troupe(Part::Ping { patience_ms: 50 })).unwrap();
        assert_eq!(run(&one), run(&one), "{engine}");
        assert_ne!(run(&one).digest, run(&other).digest, "{engine}");
    }
}

#[test]
fn a_pause_delays_the_next_event_while_the_clock_goes_on() {
    on_both(&plan([at(110, 500, Fault::Pause { host: HOST })]), naps, |engine, run| {
        let naps = shown(run, OpName::Read);
        let (when, steady) = *naps.iter().find(|(when, _)| *when >= 110).unwrap();
        assert!((610..612).contains(&when), "{engine}: {when}");
        assert!((608..613).contains(&steady), "{engine}: {steady}");
        assert_eq!(
            (once(run, CLIENT, OpName::Paused), once(run, CLIENT, OpName::Resumed)),
            (110, 610)
        );
    });
}

#[test]
fn a_pause_at_a_step_holds_exactly_that_step() {
    let when = When::Step(StepTrigger { host: CLIENT, kind: StepKind::Send, nth: 2 });
    let fault = TimedFault { when, lasting_ms: Some(300), fault: Fault::Pause { host: HOST } };
    on_both(&plan([fault]), pings, |engine, run| {
        let paused = once(run, CLIENT, OpName::Paused);
        let resumed = once(run, CLIENT, OpName::Resumed);
        let invoked = times(run, CLIENT, Kind::Invoke, OpName::Check);
        let received = times(run, REDIS, Kind::Ok, OpName::Sell);
        assert_eq!(invoked[1], paused, "{engine}: it was about to send");
        assert_eq!(resumed, paused + 300, "{engine}");
        assert!(received[0] < paused && received[1] > resumed, "{engine}: {received:?}");
        assert!(received[1] < resumed + 10, "{engine}: {received:?}");
    });
}

#[test]
fn a_pause_at_a_receive_and_at_a_timer_hold_these() {
    for (kind, op) in [(StepKind::Receive, OpName::Check), (StepKind::Timer, OpName::Read)] {
        let when = When::Step(StepTrigger { host: CLIENT, kind, nth: 3 });
        let fault = TimedFault { when, lasting_ms: Some(300), fault: Fault::Pause { host: HOST } };
        let cast = if op == OpName::Read { naps } else { pings };
        on_both(&plan([fault]), cast, |engine, run| {
            let paused = once(run, CLIENT, OpName::Paused);
            let done = times(run, CLIENT, Kind::Ok, op);
            assert!(done[1] < paused && done[2] == paused + 300, "{engine}: {paused} {done:?}");
        });
    }
}

#[test]
fn a_stalled_partition_delays_the_reply_and_loses_nothing() {
    // Two of them overlap: the link is open when neither cuts it.
    let faults =
        [at(100, 200, partition(false, Cut::Stall)), at(200, 300, partition(false, Cut::Stall))];
    on_both(&plan(faults), pings, |engine, run| {
        let echoes = times(run, CLIENT, Kind::Ok, OpName::Check);
        assert!(none_within(&echoes, 102, 500), "{engine}: {echoes:?}");
        assert!(next(&echoes, 500) < 515, "{engine}: {echoes:?}");
        assert!(times(run, CLIENT, Kind::Fail, OpName::Check).is_empty(), "{engine}");
    });
}

#[test]
fn after_a_crash_and_reboot_the_program_runs_again_and_its_peer_has_seen_an_error() {
    let crash = Fault::Crash { host: SERVER, how: Crash::ProcessKill };
    on_both(&plan([at(100, 200, crash)]), pings, |engine, run| {
        let echoes = times(run, CLIENT, Kind::Ok, OpName::Check);
        let errors = times(run, CLIENT, Kind::Fail, OpName::Check);
        assert_eq!(once(run, REDIS, OpName::Crashed), 100, "{engine}");
        assert_eq!(once(run, REDIS, OpName::Booted), 300, "{engine}");
        assert!(next(&errors, 100) < 130, "{engine}: {errors:?}");
        assert!(none_within(&echoes, 110, 300), "{engine}: {echoes:?}");
        assert!(next(&echoes, 300) < 370, "{engine}: {echoes:?}");
    });
}

#[test]
fn a_power_loss_is_silent_until_the_boot() {
    let crash = Fault::Crash { host: SERVER, how: Crash::PowerLoss };
    on_both(&plan([at(100, 500, crash)]), pings, |engine, run| {
        let errors = times(run, CLIENT, Kind::Fail, OpName::Check);
        let echoes = times(run, CLIENT, Kind::Ok, OpName::Check);
        assert!(none_within(&errors, 100, 600), "{engine}: {errors:?}");
        assert!(next(&errors, 600) < 615, "{engine}: {errors:?}");
        assert!(next(&echoes, 600) < 670, "{engine}: {echoes:?}");
    });
}

#[test]
fn a_crash_of_the_client_starts_it_again() {
    let crash = Fault::Crash { host: HOST, how: Crash::ProcessKill };
    on_both(&plan([at(110, 200, crash)]), naps, |engine, run| {
        let naps = shown(run, OpName::Read);
        let (when, steady) = *naps.iter().find(|(when, _)| *when >= 110).unwrap();
        assert!((330..332).contains(&when), "{engine}: {when}");
        assert!((20..22).contains(&steady), "{engine}: {steady}");
    });
}

#[test]
fn the_cast_is_told_of_every_crash_and_of_overlapping_ones_once() {
    let crash = Fault::Crash { host: SERVER, how: Crash::ProcessKill };
    let plan = plan([at(100, 200, crash), at(200, 300, crash), at(700, None, crash)]);
    for (engine, run) in ENGINES {
        let cast = pings();
        let crashes = Rc::clone(&cast.crashes);
        let run = run(&plan, cast).unwrap();
        assert_eq!(crashes.get(), 2, "{engine}");
        assert_eq!(once(&run, REDIS, OpName::Booted), 500, "{engine}");
    }
}

#[test]
fn a_crash_without_an_end_stays_even_after_the_heal() {
    let crash = Fault::Crash { host: SERVER, how: Crash::PowerLoss };
    let plan = WorldPlan { heal_at_ms: 300, ..plan([at(100, None, crash)]) };
    on_both(
        &plan,
        || troupe(Part::Ping { patience_ms: 100 }),
        |engine, run| {
            assert!(times(run, REDIS, Kind::Info, OpName::Booted).is_empty(), "{engine}");
            let echoes = times(run, CLIENT, Kind::Ok, OpName::Check);
            assert!(none_within(&echoes, 110, 2000), "{engine}: {echoes:?}");
            let hung = times(run, CLIENT, Kind::Info, OpName::Renew);
            assert!(hung.len() > 5, "{engine}: connects hang until they are given up: {hung:?}");
        },
    );
}

#[test]
fn a_suspended_machine_loses_steady_time_and_no_wall_time() {
    on_both(&plan([at(110, 500, Fault::Suspend { host: HOST })]), naps, |engine, run| {
        let (when, steady) = *shown(run, OpName::Read).last().unwrap();
        let (_, wall) = *shown(run, OpName::Write).last().unwrap();
        let (when, lost) = (when as i64, wall - steady);
        assert!((498..=502).contains(&lost), "{engine}: {lost}");
        assert!((when - wall).abs() < 2, "{engine}: {when} {wall}");
        let naps = times(run, CLIENT, Kind::Ok, OpName::Read);
        assert!(none_within(&naps, 110, 611), "{engine}: the sleep goes on where it stood");
    });
}

#[test]
fn a_slow_clock_makes_sleeps_longer() {
    on_both(
        &plan([at(100, 1000, Fault::Drift { host: HOST, ppm: -500_000 })]),
        naps,
        |engine, run| {
            let naps = times(run, CLIENT, Kind::Ok, OpName::Read);
            let within = |from, to| naps.iter().filter(|at| (from..to).contains(*at)).count();
            assert!((23..=25).contains(&within(102, 1100)), "{engine}: {naps:?}");
            assert!((42..=45).contains(&within(1100, 2000)), "{engine}: {naps:?}");
        },
    );
}

#[test]
fn a_stepped_wall_clock_jumps_there_and_back() {
    let step = Fault::WallStep { host: HOST, by_ms: -5000 };
    on_both(&plan([at(110, 500, step)]), naps, |engine, run| {
        for (when, wall) in shown(run, OpName::Write) {
            let jumped = if (110..610).contains(&when) { 5000 } else { 0 };
            assert!((when as i64 - jumped - wall).abs() < 2, "{engine}: {when} {wall}");
        }
    });
}

#[test]
fn every_step_of_a_slow_host_takes_longer() {
    on_both(
        &plan([at(100, 1000, Fault::Slow { host: HOST, step_ms: 30 })]),
        naps,
        |engine, run| {
            let naps = times(run, CLIENT, Kind::Ok, OpName::Read);
            let slow = naps.iter().filter(|at| (150..1100).contains(*at)).count();
            assert!((18..=19).contains(&slow), "{engine}: {naps:?}");
        },
    );
}

#[test]
fn a_backlog_holds_what_nobody_accepts_and_no_more() {
    let flood =
        || Troupe { server: Server::NeverAccepts, ..troupe(Part::Flood { connections: 200 }) };
    on_both(&plan([]), flood, |engine, run| {
        assert_eq!(times(run, CLIENT, Kind::Ok, OpName::Renew).len(), 128, "{engine}");
    });
}

#[test]
fn a_paused_server_still_has_a_kernel_that_accepts() {
    // The server already listens when it is paused.
    let fault = at(1, None, Fault::Pause { host: SERVER });
    on_both(
        &plan([fault]),
        || troupe(Part::Connect { port: 6379 }),
        |engine, run| {
            assert!(times(run, CLIENT, Kind::Ok, OpName::Renew)[0] <= 10, "{engine}");
        },
    );
}

#[test]
fn a_program_that_never_waits_is_given_up() {
    for (engine, run) in ENGINES {
        let error = run(&plan([]), troupe(Part::Spin)).unwrap_err();
        assert!(matches!(error, WorldError::Livelock { host: CLIENT, .. }), "{engine}: {error}");
    }
}

#[test]
fn a_panic_is_told_with_its_host_and_text() {
    for (engine, run) in ENGINES {
        let error = run(&plan([]), troupe(Part::Panic)).unwrap_err();
        let WorldError::Panicked { host: CLIENT, at, message } = error else {
            panic!("{engine}: {error}")
        };
        assert_eq!(message, "as the test wants it", "{engine}");
        assert_eq!(at.as_nanos() / 1_000_000, 50, "{engine}");
    }
}
