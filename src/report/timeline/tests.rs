//! A small history by hand: client 1 is paused over the end of its lease, client 2 is granted the
//! lock, both write.

use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::digest::Digest;
use picklock_sim::fault::{Fault, Target, TimedFault, When};
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::seed::Seed;

use super::*;
use crate::checkers::judge;
use crate::engine::Engine;
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::terms::History;

const ONE: HostName = HostName::client(1);
const TWO: HostName = HostName::client(2);

fn ms(ms: u64) -> SimTime {
    SimTime::from_millis(ms)
}

/// The outcome of these events under one pause of client 1.
pub(crate) fn outcome(events: &[(u64, HostName, Kind, Op)]) -> Outcome {
    let scenario: Scenario = toml::from_str(
        "about = 'x'\n[run]\nheal_at_ms = 8000\nend_at_ms = 10000\n\
         [workload]\nclients = 2\ninitial = 9\n[[contender]]\nname = 'redis-token-cad'\n",
    )
    .unwrap();
    let mut plan = scenario.plan_with(scenario.contender[0].name, Seed(7), None);
    plan.world.faults = vec![TimedFault {
        when: When::AtMs(1200),
        lasting_ms: Some(1300),
        fault: Fault::Pause { host: Target::Holder },
    }];
    let event = |(index, &(at, process, kind, op)): (usize, &(u64, HostName, Kind, Op))| Event {
        index: index as u32,
        at: ms(at),
        process,
        kind,
        op,
    };
    let events: Vec<Event> = events.iter().enumerate().map(event).collect();
    let header = plan.terms(Engine::Event, Some(1_000));
    let history = History { header, events, digest: Digest::default() };
    let judgements = judge(&history);
    Outcome::new(&plan, Engine::Event, history, judgements)
}

fn record(change: ChangeKind, by: Option<HostName>, owner: Option<HostName>) -> Op {
    Op::Record { record: RecordName::Lock, change, by, owner }
}

fn shop(by: HostName, before: i64, after: i64) -> Op {
    Op::Applied { by, before, after, token: None, accepted: true }
}

const fn write(value: i64) -> Op {
    Op::Write { value, token: None }
}

/// See the module.
pub(crate) fn paused_over_its_lease() -> Outcome {
    use Kind::{Info, Invoke, Ok};
    let (redis, nemesis) = (HostName::REDIS, HostName::NEMESIS);
    let set = ChangeKind::Set { number: None, ttl_ms: Some(1_000) };
    outcome(&[
        (1_000, ONE, Invoke, Op::ACQUIRE),
        (1_005, redis, Info, record(set, Some(ONE), None)),
        (1_010, ONE, Ok, Op::ACQUIRE),
        (1_020, ONE, Invoke, Op::READ),
        (1_030, ONE, Ok, Op::Read { value: Some(9) }),
        (1_100, TWO, Invoke, Op::ACQUIRE),
        (1_200, nemesis, Info, Op::FaultBegins { fault: 0, host: ONE }),
        (1_200, ONE, Info, Op::Paused),
        (2_006, redis, Info, record(ChangeKind::Expired, None, Some(ONE))),
        (2_050, redis, Info, record(set, Some(TWO), None)),
        (2_060, TWO, Ok, Op::ACQUIRE),
        (2_070, TWO, Invoke, Op::READ),
        (2_080, TWO, Ok, Op::Read { value: Some(9) }),
        (2_100, TWO, Invoke, write(8)),
        (2_110, HostName::SHOP, Info, shop(TWO, 9, 8)),
        (2_120, TWO, Ok, write(8)),
        (2_500, ONE, Info, Op::Resumed),
        (2_500, nemesis, Info, Op::FaultEnds { fault: 0 }),
        (2_510, ONE, Invoke, write(8)),
        (2_520, HostName::SHOP, Info, shop(ONE, 9, 8)),
        (2_530, ONE, Ok, write(8)),
        (2_540, ONE, Invoke, Op::Release),
        (2_560, ONE, Ok, Op::Release),
        (2_600, TWO, Invoke, Op::Release),
        (2_610, redis, Info, record(ChangeKind::Deleted, Some(TWO), Some(TWO))),
        (2_620, TWO, Ok, Op::Release),
        (8_000, nemesis, Info, Op::Healed),
    ])
}

/// The window that explains an outcome.
pub(crate) fn around(outcome: Outcome) -> Timeline {
    extract(&Shown::new(outcome, None), Extent::Around(Duration::ZERO))
}

fn lane(timeline: &Timeline, host: HostName) -> &Lane {
    timeline.lanes.iter().find(|lane| lane.host == host).unwrap()
}

#[test]
fn bars_are_where_they_must_be() {
    let timeline = around(paused_over_its_lease());
    let one = lane(&timeline, ONE);
    let spans = |bars: &[Bar]| bars.iter().map(|bar| (bar.from, bar.until)).collect::<Vec<_>>();
    assert_eq!(spans(&one.beliefs), [(ms(1_010), ms(2_540))]);
    assert_eq!(spans(&one.operations), [(ms(1_020), ms(2_530))]);
    assert_eq!(spans(&lane(&timeline, TWO).beliefs), [(ms(2_060), ms(2_600))]);
    let leases =
        |lane: &Lane| lane.leases.iter().map(|lease| (lease.from, lease.until)).collect::<Vec<_>>();
    assert_eq!(leases(one), [(ms(1_005), ms(2_006))]);
    // Redis looks a millisecond later. Then client 1 believes without a lease, until it releases.
    assert_eq!(one.leases[0].valid_until, ms(2_005));
    assert_eq!(spans(&one.stale), [(ms(2_005), ms(2_540))]);
    assert_eq!(spans(&lane(&timeline, TWO).stale), []);
    assert_eq!(leases(lane(&timeline, TWO)), [(ms(2_050), ms(2_610))]);
}

#[test]
fn the_fault_is_a_band_over_its_lane() {
    let timeline = around(paused_over_its_lease());
    let expected = Band { from: ms(1_200), until: ms(2_500), label: "process paused".to_owned() };
    assert_eq!(lane(&timeline, ONE).bands, [expected]);
    assert_eq!(lane(&timeline, TWO).bands, []);
}

#[test]
fn the_overlap_is_where_both_believe() {
    let timeline = around(paused_over_its_lease());
    let expected = Overlap { from: ms(2_060), until: ms(2_540), clients: vec![ONE, TWO] };
    assert_eq!(timeline.overlaps, [expected]);
    assert_eq!(timeline.violated_at, Some(ms(2_060)));
}

#[test]
fn the_window_holds_cause_and_damage_and_not_the_run() {
    let Timeline { window, .. } = around(paused_over_its_lease());
    assert!(window.from < ms(1_010) && window.from > ms(500), "{window:?}");
    assert!(window.until > ms(2_540) && window.until < ms(3_500), "{window:?}");
}

#[test]
fn the_curve_steps_with_each_write_and_counts_sales() {
    let Timeline { curve, tally, .. } = around(paused_over_its_lease());
    let steps: Vec<_> = curve.steps.iter().map(|step| (step.at, step.value, step.odd)).collect();
    assert_eq!(steps, [(ms(2_110), 8, false), (ms(2_520), 8, true)]);
    assert_eq!((curve.name, curve.before), ("stock", 9));
    assert_eq!(tally.steps, [(ms(2_110), 1), (ms(2_520), 2)]);
    assert_eq!((tally.name, tally.limit, tally.before, tally.total), ("sold", Some(9), 0, 2));
}

#[test]
fn marks_tell_what_was_done() {
    let timeline = around(paused_over_its_lease());
    let kinds = |host| lane(&timeline, host).marks.iter().map(|mark| mark.kind).collect::<Vec<_>>();
    use MarkKind::{Back, Expired, Noted, Read, Released, Sent, Written};
    assert_eq!(kinds(ONE), [Noted, Read, Noted, Back, Sent, Written, Released]);
    assert_eq!(kinds(TWO), [Noted, Read, Sent, Written, Released]);
    assert_eq!(kinds(HostName::REDIS), [Expired]);
    assert!(lane(&timeline, HostName::REDIS).marks[0].witness);
}

#[test]
fn a_record_that_outlives_its_time_says_so() {
    let set = ChangeKind::Set { number: None, ttl_ms: Some(100) };
    let timeline = around(outcome(&[
        (50, HostName::REDIS, Kind::Info, record(set, Some(ONE), None)),
        (400, HostName::REDIS, Kind::Info, record(ChangeKind::Expired, None, Some(ONE))),
    ]));
    let lease = &lane(&timeline, ONE).leases[0];
    assert_eq!((lease.until, lease.valid_until), (ms(400), ms(150)));
}

#[test]
fn an_empty_history_gives_an_empty_picture() {
    let timeline = around(outcome(&[]));
    assert_eq!(timeline.lanes.len(), 4);
    assert_eq!(timeline.violated_at, None);
    assert_eq!(timeline.window.until.since(timeline.window.from), Duration::from_secs(4));
}

#[test]
fn a_wait_for_ever_shows_what_it_waits_for() {
    let set = ChangeKind::Set { number: None, ttl_ms: None };
    let outcome = outcome(&[
        (400, ONE, Kind::Invoke, Op::ACQUIRE),
        (500, HostName::REDIS, Kind::Info, record(set, Some(ONE), None)),
        (600, ONE, Kind::Info, Op::Crashed),
        (700, TWO, Kind::Invoke, Op::ACQUIRE),
        (8_000, HostName::NEMESIS, Kind::Info, Op::Healed),
    ]);
    let found: Vec<_> = outcome.violations().map(|(judge, _)| judge.checker.as_str()).collect();
    assert_eq!(found, ["recovery"]);
    let timeline = around(outcome);
    assert!(timeline.window.contains(ms(500)), "{:?}", timeline.window);
    let down = Band { from: ms(600), until: timeline.window.until, label: "crashed".to_owned() };
    assert_eq!(lane(&timeline, ONE).bands, [down]);
}

#[test]
fn a_record_that_is_lost_leaves_a_lease_that_is_still_valid() {
    let set = ChangeKind::Set { number: None, ttl_ms: Some(1_000) };
    let timeline = around(outcome(&[
        (50, HostName::REDIS, Kind::Info, record(set, Some(ONE), None)),
        (400, HostName::REDIS, Kind::Info, Op::Crashed),
    ]));
    let lease = &lane(&timeline, ONE).leases[0];
    assert_eq!((lease.until, lease.valid_until), (ms(400), ms(1_050)));
}

#[test]
fn the_bounds_are_as_wide_as_was_asked_for() {
    let shown = Shown::new(paused_over_its_lease(), None);
    let window = extract(&shown, Extent::Whole).window;
    let bounds = |extent| extract(&shown, extent).bounds;
    assert_eq!(bounds(Extent::Whole), Window { from: ms(0), until: ms(10_000) });
    let wider = Window {
        from: window.from - Duration::from_secs(5),
        until: window.until + Duration::from_secs(5),
    };
    assert_eq!(bounds(Extent::Around(Duration::from_secs(5))), wider);
    assert_eq!(wider.from, ms(0));
}

#[test]
fn a_history_without_its_plan_still_tells_what_stood_still() {
    let shown = Shown { plan: None, ..Shown::new(paused_over_its_lease(), None) };
    let timeline = extract(&shown, Extent::Around(Duration::ZERO));
    let hosts: Vec<_> = timeline.lanes.iter().map(|lane| lane.host.to_string()).collect();
    assert_eq!(hosts, ["client 1", "client 2", "redis", "shop"]);
    let expected = Band { from: ms(1_200), until: ms(2_500), label: "paused".to_owned() };
    assert_eq!(lane(&timeline, ONE).bands, [expected]);
}

#[test]
fn who_asks_is_shown_until_somebody_answers() {
    let timeline = around(paused_over_its_lease());
    let waits = |host| {
        lane(&timeline, host).waits.iter().map(|bar| (bar.from, bar.until)).collect::<Vec<_>>()
    };
    assert_eq!(waits(ONE), [(ms(1_000), ms(1_010))]);
    assert_eq!(waits(TWO), [(ms(1_100), ms(2_060))]);
}
