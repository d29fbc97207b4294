//! Faults and details that only the event engine has.

use picklock_models::model::Crash;
use picklock_sim::event;
use picklock_sim::fault::{Cut, Fault, StepKind, StepTrigger, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::plan::WorldPlan;
use picklock_sim::run::Run;
use picklock_sim::tap::Message;

use crate::troupe::{CLIENT, Part, REDIS, at, on_event, partition, pings, plan, times, troupe};

const HOST: Target = Target::Host(CLIENT);
const SERVER: Target = Target::Host(REDIS);

/// How long each ping took, with when it began.
fn round_trips(run: &Run) -> Vec<(u64, u64)> {
    let invoked = times(run, CLIENT, Kind::Invoke, OpName::Check);
    let done = times(run, CLIENT, Kind::Ok, OpName::Check);
    invoked.into_iter().zip(done).map(|(from, to)| (from, to - from)).collect()
}

#[test]
fn a_delay_slows_one_direction() {
    let fault = at(500, 500, Fault::Delay { from: HOST, to: SERVER, by_ms: 50 });
    let run = on_event(&plan([fault]), pings()).unwrap();
    for (from, took) in round_trips(&run) {
        let expected = if (500..1000).contains(&from) { 52..=61 } else { 2..=11 };
        assert!(expected.contains(&took), "at {from}: {took}");
    }
}

#[test]
fn loss_shows_as_retransmission_delay() {
    let fault = at(0, None, Fault::Loss { from: HOST, to: SERVER, percent: 30 });
    let run = on_event(&plan([fault]), pings()).unwrap();
    let late = round_trips(&run).iter().filter(|(_, took)| *took > 11).count();
    assert!(late > 0 && round_trips(&run).iter().all(|(_, took)| *took <= 11 || *took >= 200));
    assert!(times(&run, CLIENT, Kind::Fail, OpName::Check).is_empty());
}

#[test]
fn after_a_reset_the_request_was_executed_and_its_reply_is_lost() {
    let fault = at(500, None, Fault::Reset { from: SERVER, to: HOST });
    let run = on_event(&plan([fault]), pings()).unwrap();
    let [failed] = times(&run, CLIENT, Kind::Fail, OpName::Check)[..] else { panic!("one error") };
    let executed = times(&run, REDIS, Kind::Ok, OpName::Sell).len();
    let echoed = times(&run, CLIENT, Kind::Ok, OpName::Check).len();
    assert!((500..540).contains(&failed), "{failed}");
    assert!(executed > echoed, "{executed} {echoed}");
}

#[test]
fn a_partition_with_resets_refuses_connections() {
    let run = on_event(&plan([at(100, 400, partition(false, Cut::Reset))]), pings()).unwrap();
    let refused = times(&run, CLIENT, Kind::Fail, OpName::Renew);
    assert!(refused.len() > 5 && refused.iter().all(|at| (100..520).contains(at)), "{refused:?}");
    assert_eq!(times(&run, CLIENT, Kind::Fail, OpName::Check).len(), 1);
}

#[test]
fn a_one_way_partition_lets_requests_through() {
    let fault = Fault::Partition { from: SERVER, to: HOST, one_way: true, cut: Cut::Stall };
    let when = When::Step(StepTrigger { host: CLIENT, kind: StepKind::Send, nth: 5 });
    let run =
        on_event(&plan([TimedFault { when, lasting_ms: Some(500), fault }]), pings()).unwrap();
    let sent = times(&run, CLIENT, Kind::Invoke, OpName::Check)[4];
    let received = times(&run, REDIS, Kind::Ok, OpName::Sell)[4];
    let echoed = times(&run, CLIENT, Kind::Ok, OpName::Check)[4];
    assert!((sent..sent + 6).contains(&received), "{sent} {received}");
    assert!((sent + 500..sent + 506).contains(&echoed), "{sent} {echoed}");
}

#[test]
fn nobody_listens_so_the_connection_is_refused() {
    let run = on_event(&plan([]), troupe(Part::Connect { port: 1 })).unwrap();
    let [refused] = times(&run, CLIENT, Kind::Fail, OpName::Renew)[..] else { panic!("refused") };
    assert!(refused <= 10, "{refused}");
}

#[test]
fn a_killed_process_refuses_and_a_machine_without_power_is_silent() {
    let plan = |how| {
        let fault = at(0, None, Fault::Crash { host: SERVER, how });
        WorldPlan { end_at_ms: 6000, ..plan([fault]) }
    };
    let connects = |how, kind| {
        let run = on_event(&plan(how), troupe(Part::Connect { port: 6379 })).unwrap();
        times(&run, CLIENT, kind, OpName::Renew)
    };
    assert!(connects(Crash::ProcessKill, Kind::Fail)[0] <= 10);
    assert_eq!(connects(Crash::PowerLoss, Kind::Info), [5000]);
}

#[test]
fn a_tap_sees_every_message_and_changes_nothing() {
    let reset = at(500, None, Fault::Reset { from: SERVER, to: HOST });
    let plan = plan([reset]);
    let run = on_event(&plan, pings()).unwrap();
    let (tapped, tap) = event::run_tapped(&plan, &pings()).unwrap();
    assert_eq!(tapped, run);
    assert_eq!(tap.clocks.len(), run.events.len());
    // A ping and its echo each; the reset destroyed one echo.
    let lost = tap.messages.iter().filter(|message| message.arrived.is_none());
    assert!(lost.clone().any(|message| message.from == REDIS && message.to == CLIENT));
    let echoed = times(&run, CLIENT, Kind::Ok, OpName::Check).len();
    let arrived = |m: &&Message| m.to == CLIENT && m.arrived.is_some_and(|at| at > m.sent);
    assert!(tap.messages.iter().filter(arrived).count() >= echoed);
}
