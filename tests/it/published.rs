//! The case everyone knows, looked at closely: what the README promises a stranger.

use picklock::engine::Engine;
use picklock::outcome::{Outcome, Severity};
use picklock::pipeline;
use picklock::scenario;
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::seed::Seed;

use crate::support::top;

fn s1(contender: &str) -> Outcome {
    let file = top().join("scenarios/published/s1-gc-pause.toml");
    let scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
    let plan = scenario.plan(contender.parse().unwrap(), Seed(1));
    pipeline::run(&plan, Engine::Event).unwrap()
}

fn story(outcome: &Outcome, checker: &str) -> String {
    let found = outcome.violations().find(|(judgement, _)| judgement.checker == checker);
    found.map(|(_, violation)| violation.story.join("\n")).unwrap_or_default()
}

#[test]
fn a_gc_pause_oversells_the_documented_lock() {
    let outcome = s1("redis-token-cad");
    assert_eq!(outcome.severity(), Severity::Broken);
    insta::assert_snapshot!(story(&outcome, "belief-overlap"), @"
    client 1 was granted the lock at 0.017 s; its process was paused from 0.056 s to 1.556 s.
    The lease expired at 1.052 s and client 2 was granted the lock at 1.058 s.
    Both believed that they held it for 59 ms, until client 2 began to release it at 1.118 s.
    ");
    insta::assert_snapshot!(story(&outcome, "oversold"), @"
    There was 1 unit to sell, and 2 were sold: 1 too many.
    Client 2 sold a unit at 1.109 s and client 1 sold the same unit at 1.565 s: both left 0 in stock.
    The first sale too many was client 1's at 1.565 s, number 2 of 1.
    ");
}

#[test]
fn the_same_plan_leaves_the_fenced_resource_unharmed() {
    let outcome = s1("redis-watchdog-fenced");
    let found: Vec<_> = outcome.violations().map(|(judgement, _)| &*judgement.checker).collect();
    assert_eq!(found, ["belief-overlap"], "the holders overlap as before");
    assert_eq!(outcome.severity(), Severity::Unclaimed, "which was never promised not to be");
    let refused = outcome.history.events.iter().any(|event| match event.op {
        Op::Applied { by, accepted, .. } => by == HostName::client(1) && !accepted,
        _ => false,
    });
    assert!(refused, "the late write came, and was refused");
}

#[test]
fn the_pause_falls_between_the_decision_and_the_sending() {
    let outcome = s1("redis-token-cad + shop-checked");
    let place = |fits: &dyn Fn(&Op) -> bool, kind| {
        let mut events = outcome.history.events.iter();
        let fitting = events.position(|event| event.kind == kind && fits(&event.op));
        fitting.expect("it happened")
    };
    let mine = HostName::client(1);
    let checked = place(&|op| *op == Op::Check, Kind::Ok);
    let decided = place(&|op| matches!(op, Op::Write { .. }), Kind::Invoke);
    let paused = place(&|op| *op == Op::Paused, Kind::Info);
    let resumed = place(&|op| *op == Op::Resumed, Kind::Info);
    let arrived = place(&|op| matches!(op, Op::Applied { by, .. } if *by == mine), Kind::Info);
    assert!(checked < decided && decided < paused && paused < resumed && resumed < arrived);
}
