//! The ZooKeeper locks: who is granted the lock when, who is told what, and what it costs.

use std::time::Duration;

use picklock::engine::Engine;
use picklock::locks::ALGORITHMS;
use picklock::outcome::Outcome;
use picklock::pipeline;
use picklock::scenario;
use picklock::store::StoreKind;
use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::seed::Seed;
use picklock_sim::time::SimTime;

use crate::support::Folder;

/// A run of half a minute with a session timeout of 6 s.
fn run(lock: &str, workload: &str, fault: &str) -> Outcome {
    let text = format!(
        "about = 'a test'\n\
         run = {{ heal_at_ms = 30000, end_at_ms = 30000 }}\n\
         lock = {{ ttl_ms = 6000 }}\n\
         workload = {{ initial = 100000, {workload} }}\n\
         {fault}\n\
         [[contender]]\n\
         name = '{lock}'\n"
    );
    let folder = Folder::new();
    let scenario =
        scenario::load(&folder.write("test.toml", &text)).unwrap_or_else(|e| panic!("{e:?}"));
    let plan = scenario.plan(scenario.contender[0].name, Seed(1));
    pipeline::run(&plan, Engine::Event).unwrap_or_else(|error| panic!("{error}"))
}

/// The events of this kind, in order.
fn events<'a>(outcome: &'a Outcome, fits: impl Fn(&Event) -> bool + 'a) -> Vec<&'a Event> {
    outcome.history.events.iter().filter(|event| fits(event)).collect()
}

fn is_grant(event: &Event) -> bool {
    event.kind == Kind::Ok && matches!(event.op, Op::Acquire { .. })
}

fn grants(outcome: &Outcome) -> usize {
    events(outcome, is_grant).len()
}

/// The first event of this kind at this time or later.
fn first_since(
    outcome: &Outcome,
    since: SimTime,
    fits: impl Fn(&Event) -> bool,
) -> Option<SimTime> {
    events(outcome, |event| event.at >= since && fits(event)).first().map(|event| event.at)
}

const FIRST: HostName = HostName::client(1);
/// A cut between the first holder and the server, from its first grant on.
fn cut_the_holder_off(lasting_ms: u64) -> String {
    format!(
        "[[fault]]\n\
         when = {{ event = {{ op = 'acquire', kind = 'ok', process = 'client 1', nth = 1 }} }}\n\
         lasting_ms = {lasting_ms}\n\
         fault = {{ kind = 'partition', from = 'client 1', to = 'zookeeper' }}\n"
    )
}

#[test]
fn every_one_of_them_serves_everybody_and_one_at_a_time() {
    for lock in ALGORITHMS.iter().filter(|lock| lock.store == StoreKind::ZooKeeper) {
        let outcome = run(lock.name, "clients = 4", "");
        assert_eq!(outcome.violations().count(), 0, "{}", lock.name);
        for number in 1..=4 {
            let client = HostName::client(number);
            let served = events(&outcome, |event| is_grant(event) && event.process == client).len();
            assert!(served > 50, "{}: {client} was served {served} times", lock.name);
        }
    }
}

#[test]
fn a_lock_is_handed_over_by_its_watch() {
    for lock in ["zk-naive-ephemeral", "zk-seq", "zk-curator-suspended", "zk-semaphore"] {
        let outcome = run(lock, "clients = 2, hold_ms = 200, think_ms = 0", "");
        let freed = |event: &Event| {
            let deleted = Op::Record {
                record: RecordName::Lock,
                change: ChangeKind::Deleted,
                by: Some(FIRST),
                owner: Some(FIRST),
            };
            event.op == deleted
        };
        let gaps = events(&outcome, freed).into_iter().filter_map(|event| {
            let next = first_since(&outcome, event.at, is_grant)?;
            Some(next.since(event.at))
        });
        // The event, and at the most three requests with their answers, each message below 10 ms: no
        // interval of any polling is as short.
        let longest = gaps.max().expect("it was handed over");
        assert!(longest <= Duration::from_millis(70), "{lock}: {longest:?}");
    }
}

/// Messages for each grant, with so many clients.
fn messages_per_grant(lock: &str, clients: u16) -> u64 {
    let outcome = run(lock, &format!("clients = {clients}"), "");
    outcome.messages / grants(&outcome) as u64
}

#[test]
fn a_herd_costs_more_the_larger_it_is_and_a_queue_does_not() {
    let [few, many] = [4, 16].map(|clients| messages_per_grant("zk-naive-ephemeral", clients));
    assert!(many > 3 * few, "{few} and {many} messages");
    let [few, many] = [4, 16].map(|clients| messages_per_grant("zk-curator-suspended", clients));
    assert!(many <= few + 1, "{few} and {many} messages");
}

#[test]
fn who_dies_blocks_the_others_until_its_session_ends() {
    let crash = "[[fault]]\n\
                 when = { event = { op = 'acquire', kind = 'ok', process = 'client 1', nth = 3 } }\n\
                 fault = { kind = 'crash', host = 'client 1', how = 'process-kill' }\n";
    for lock in ["zk-naive-ephemeral", "zk-seq", "zk-curator-suspended", "zk-semaphore"] {
        let outcome = run(lock, "clients = 3", crash);
        let died = first_since(&outcome, SimTime::ZERO, |event| event.op == Op::Crashed);
        let died = died.expect("it was to crash");
        let others = |event: &Event| is_grant(event) && event.process != FIRST;
        let next = first_since(&outcome, died, others).expect("the others go on");
        // Its last word was a moment ago: one timeout, and up to one tick.
        let blocked_ms = next.since(died).as_millis();
        assert!((5900..=7100).contains(&blocked_ms), "{lock}: {blocked_ms} ms");
    }
}

#[test]
fn a_short_cut_costs_nobody_the_lock() {
    for lock in ["zk-naive-ephemeral", "zk-curator-lost", "zk-fenced"] {
        let outcome = run(lock, "clients = 2, hold_ms = 5000", &cut_the_holder_off(1500));
        assert_eq!(outcome.violations().count(), 0, "{lock}");
        let expired = events(&outcome, |event| {
            matches!(event.op, Op::Record { change: ChangeKind::Expired, .. })
        });
        assert!(expired.is_empty(), "{lock}: {expired:?}");
        assert!(events(&outcome, |event| event.op == Op::Lost).is_empty(), "{lock}");
    }
}

/// When client 1 is told that its lock is lost, counted from its grant; `None`: it works on to the end.
fn told_after_ms(lock: &str) -> Option<u128> {
    let outcome =
        run(lock, "clients = 2, hold_ms = 20000, stagger_ms = 100", &cut_the_holder_off(25_000));
    let granted = first_since(&outcome, SimTime::ZERO, is_grant).expect("it is granted");
    let told =
        first_since(&outcome, granted, |event| event.op == Op::Lost && event.process == FIRST);
    told.map(|told| told.since(granted).as_millis())
}

#[test]
fn each_is_told_of_a_lost_session_when_its_library_tells_it() {
    // Two thirds of 6 s after the last word, and the library's pause of 0.1 s.
    for lock in ["zk-curator-suspended", "zk-rwlock", "zk-semaphore"] {
        let told = told_after_ms(lock);
        assert!(told.is_some_and(|ms| (4050..=4150).contains(&ms)), "{lock}: {told:?}");
    }
    // One whole timeout later.
    for lock in ["zk-curator-lost", "zk-fenced"] {
        let told = told_after_ms(lock);
        assert!(told.is_some_and(|ms| (10_050..=10_150).contains(&ms)), "{lock}: {told:?}");
    }
    // The plain library hears it from a server or not at all.
    for lock in ["zk-curator-ignore", "zk-naive-ephemeral", "zk-seq"] {
        assert_eq!(told_after_ms(lock), None, "{lock}");
    }
}

#[test]
fn the_pings_of_an_idle_holder_are_renewals() {
    let outcome = run("zk-curator-suspended", "clients = 1, hold_ms = 9000", "");
    let renewals = events(&outcome, |event| matches!(event.op, Op::Renew { .. }));
    // Every third of 6 s, three of them with their answers in each of the holds of 9 s.
    assert!(renewals.len() >= 12, "{}", renewals.len());
    assert!(renewals.iter().all(|event| event.kind == Kind::Invoke || event.kind == Kind::Ok));
}
