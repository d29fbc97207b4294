//! The etcd locks, one by one, where a scenario's verdict would not show it: who wakes whom, and when.

use std::time::Duration;

use picklock::engine::Engine;
use picklock::outcome::Outcome;
use picklock::pipeline;
use picklock::plan::Plan;
use picklock::scenario;
use picklock_models::model::{ChangeKind, Crash};
use picklock_sim::fault::{Cut, EventTrigger, Fault, Target, TimedFault, When};
use picklock_sim::history::{Event, Kind, Op, OpName, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::seed::Seed;
use picklock_sim::time::SimTime;

use crate::support::top;

/// Those whose waiters watch.
const WATCHING: [&str; 8] = [
    "etcd-txn-lease",
    "etcd-mutex",
    "etcd-mutex-silent",
    "etcd-mutex-343",
    "etcd-mutex-343-silent",
    "etcd-mutex-fenced",
    "etcd-election",
    "etcd-rwmutex",
];
const ETCD: Target = Target::Host(HostName::ETCD);

/// A run of a lock with a lease of 2 s, changed in some way.
fn run(contender: &str, change: impl FnOnce(&mut Plan)) -> Outcome {
    let file = top().join("scenarios/smoke/etcd-no-faults.toml");
    let scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
    let mut plan = scenario.plan(contender.parse().expect("a contender"), Seed(1));
    change(&mut plan);
    pipeline::run(&plan, Engine::Event).expect("a world that runs")
}

/// Strikes when an operation has come to this for the first time.
fn at(op: OpName, kind: Kind, lasting_ms: Option<u64>, fault: Fault) -> TimedFault {
    let event = EventTrigger { op, kind, process: None, nth: 1, after_ms: 0 };
    TimedFault { when: When::Event(event), lasting_ms, fault }
}

fn first(outcome: &Outcome, fits: impl Fn(&Event) -> bool) -> Option<SimTime> {
    outcome.history.events.iter().find(|event| fits(event)).map(|event| event.at)
}

fn is_grant(event: &Event) -> bool {
    event.kind == Kind::Ok && matches!(event.op, Op::Acquire { .. })
}

#[test]
fn who_waits_is_woken_and_does_not_poll() {
    for lock in WATCHING.into_iter().chain(["etcd-v3lock"]) {
        // Whoever would poll would be seen by this pause.
        let outcome = run(lock, |plan| plan.lock.retry_ms = 3000);
        assert_eq!(outcome.violations().count(), 0, "{lock}");
        let mut freed: Option<SimTime> = None;
        let mut handed_over = 0;
        for event in &outcome.history.events {
            match event.op {
                Op::Record { record: RecordName::Lock, change: ChangeKind::Deleted, .. } => {
                    freed = Some(event.at);
                }
                Op::Acquire { .. } if event.kind == Kind::Ok => {
                    handed_over += 1;
                    let waited = freed.map_or(Duration::ZERO, |freed| event.at.since(freed));
                    // The news, and two questions with their answers.
                    assert!(waited <= Duration::from_millis(50), "{lock}: {waited:?}");
                }
                _ => {}
            }
        }
        assert!(handed_over > 60, "{lock}: {handed_over} grants");
    }
}

#[test]
fn a_dead_holder_keeps_the_lock_for_the_rest_of_its_lease() {
    for lock in WATCHING.into_iter().chain(["etcd-cas-observed"]) {
        let crash = Fault::Crash { host: Target::Holder, how: Crash::ProcessKill };
        let outcome =
            run(lock, |plan| plan.world.faults = vec![at(OpName::Acquire, Kind::Ok, None, crash)]);
        let dead = first(&outcome, |event| event.op == Op::Crashed).expect("it dies");
        let next = first(&outcome, |event| is_grant(event) && event.at > dead).expect("another");
        let waited_ms = next.since(dead).as_millis();
        // A lease of 2 s and the loop of half a second; client-go's waiters look every 0.27 to 0.59 s, and
        // wait a whole lease after they have seen the record.
        let most_ms = if lock == "etcd-cas-observed" { 3200 } else { 2550 };
        assert!((1900..=most_ms).contains(&waited_ms), "{lock}: {waited_ms} ms");
        assert_eq!(outcome.violations().count(), 0, "{lock}");
    }
}

#[test]
fn a_holder_that_is_cut_off_is_told_unless_nobody_looks() {
    for lock in WATCHING.into_iter().chain(["etcd-cas-observed"]) {
        let cut = Cut::Stall;
        let cut_off = Fault::Partition { from: Target::Holder, to: ETCD, one_way: false, cut };
        let outcome = run(lock, |plan| {
            plan.workload.hold_ms = 6000;
            plan.world.heal_at_ms = 8000;
            plan.world.end_at_ms = 16_000;
            plan.world.faults = vec![at(OpName::Acquire, Kind::Ok, None, cut_off)];
        });
        let granted = first(&outcome, is_grant).expect("it is granted");
        let told = first(&outcome, |event| event.op == Op::Lost);
        let told_ms = told.map(|told| told.since(granted).as_millis());
        match lock {
            "etcd-mutex-silent" | "etcd-mutex-343-silent" => assert_eq!(told_ms, None, "{lock}"),
            // The renew deadline, and the pause before it begins to count.
            "etcd-cas-observed" => {
                assert!(told_ms.is_some_and(|ms| (1300..=1700).contains(&ms)), "{told_ms:?}");
            }
            // The first renewal has five seconds, whatever the lease; those who had an answer have two, and
            // in both cases up to one more.
            _ => assert!(told_ms.is_some_and(|ms| (1900..=6000).contains(&ms)), "{told_ms:?}"),
        }
    }
}

#[test]
fn the_servers_own_lock_leaves_a_dead_holder_a_minute() {
    let crash = Fault::Crash { host: Target::Holder, how: Crash::PowerLoss };
    let outcome = run("etcd-v3lock", |plan| {
        plan.world.end_at_ms = 70_000;
        plan.world.faults = vec![at(OpName::Acquire, Kind::Ok, None, crash)];
    });
    let dead = first(&outcome, |event| event.op == Op::Crashed).expect("it dies");
    let next = first(&outcome, |event| is_grant(event) && event.at > dead).expect("another");
    let waited_ms = next.since(dead).as_millis();
    assert!((59_900..=60_550).contains(&waited_ms), "{waited_ms} ms");
}

#[test]
fn who_waits_in_the_server_hears_of_its_loss_of_power() {
    let crash = Fault::Crash { host: ETCD, how: Crash::PowerLoss };
    let outcome = run("etcd-v3lock", |plan| {
        plan.workload.hold_ms = 300;
        plan.world.end_at_ms = 80_000;
        plan.world.faults = vec![at(OpName::Acquire, Kind::Ok, Some(1000), crash)];
    });
    let mut broken_off = outcome
        .history
        .events
        .iter()
        .filter(|event| event.kind == Kind::Info && event.op.name() == OpName::Acquire);
    // Nothing is sent to the server by who only waits, but a probe every fifteen seconds.
    let heard = broken_off.next_back().expect("waits break off").at;
    assert!((14_000..=16_000).contains(&heard.since(SimTime::ZERO).as_millis()), "{heard}");
    for number in 1..=4 {
        let granted = |event: &Event| is_grant(event) && event.process == HostName::client(number);
        assert!(first(&outcome, |event| granted(event) && event.at > heard).is_some());
    }
}

/// How often client 1 stored a lock record before it knew that it holds the lock.
fn records_before_grant(outcome: &Outcome) -> usize {
    let mine = HostName::client(1);
    let before = outcome.history.events.iter().take_while(|event| !is_grant(event));
    let stored = before.filter(|event| match event.op {
        Op::Record { change: ChangeKind::Set { .. }, by, .. } => by == Some(mine),
        _ => false,
    });
    stored.count()
}

#[test]
fn an_acquire_whose_answer_is_lost_leaves_nothing_that_blocks() {
    let lost = Fault::Reset { from: ETCD, to: Target::Host(HostName::client(1)) };
    let run = |lock| {
        let outcome = run(lock, |plan| {
            plan.workload.stagger_ms = 5000;
            plan.world.faults = vec![at(OpName::Granted, Kind::Info, None, lost)];
        });
        assert_eq!(outcome.violations().count(), 0, "{lock}");
        assert!(first(&outcome, is_grant) < Some(SimTime::from_millis(1000)), "{lock}");
        records_before_grant(&outcome)
    };
    // The key has the session in its name, so it is found again; E1 ends the lease and begins anew.
    assert_eq!(["etcd-mutex", "etcd-election", "etcd-txn-lease"].map(run), [1, 1, 2]);
}

#[test]
fn a_phantom_is_let_in_long_after_its_record_is_gone() {
    let file = top().join("scenarios/published/s13-phantom-waiter.toml");
    let scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
    let second = HostName::client(2);
    for (lock, kind) in [("etcd-mutex", Kind::Fail), ("etcd-mutex-343", Kind::Ok)] {
        let plan = scenario.plan(lock.parse().expect("a contender"), Seed(1));
        let outcome = pipeline::run(&plan, Engine::Event).expect("a world that runs");
        let answer = outcome.history.events.iter().find(|event| {
            event.process == second
                && event.op.name() == OpName::Acquire
                && event.kind != Kind::Invoke
        });
        let answer = answer.expect("its wait ends");
        assert_eq!(answer.kind, kind, "{lock}");
        assert!(answer.at > SimTime::from_millis(4500), "{lock}: not before client 1 lets go");
    }
}
