//! Histories that `operation-overlap` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, reason_of, story, violation};
use super::super::intervals::operations;
use super::*;
use picklock_sim::time::SimTime;

const NAME: &str = "operation-overlap";

/// Client 1 has read 10, and its write of 9 is on its way.
fn write_on_its_way() -> Script {
    Script::sale(10).at(10).acquired(1).reads(1, 10).at(20).begins_write(1, 9)
}

/// Client 2 sells a unit from 100 ms to 110 ms.
fn sale_by_2(script: Script) -> Script {
    script.at(100).acquired(2).reads(2, 10).at(110).writes(2, 10, 9)
}

#[test]
fn interleaved_operations_overlap() {
    let history = sale_by_2(write_on_its_way()).at(120).applied(1, 9, 9).wrote(1, 9).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 began its guarded operation at 0.010 s, and its write of 9 was acknowledged at 0.120 s.
    Client 2 began its own at 0.100 s, and its write of 9 was acknowledged at 0.110 s.
    The two overlapped for 10 ms: the lock was to let only one client at a time do this.
    ");
    assert_eq!(violation(NAME, &history).lasted_ms, Some(10));
}

#[test]
fn one_after_the_other_is_no_overlap() {
    let script = write_on_its_way().at(100).applied(1, 10, 9).wrote(1, 9);
    assert_eq!(ask(NAME, &sale_by_2(script).done()), Verdict::Pass);
}

#[test]
fn beliefs_may_overlap_while_operations_do_not() {
    let script = write_on_its_way().applied(1, 10, 9).wrote(1, 9);
    assert_eq!(ask(NAME, &sale_by_2(script).at(200).released(1).done()), Verdict::Pass);
}

#[test]
fn who_never_writes_does_no_operation() {
    let script = Script::sale(10).at(10).acquired(1).reads(1, 10);
    assert_eq!(ask(NAME, &sale_by_2(script).at(200).released(1).done()), Verdict::Pass);
}

#[test]
fn a_refused_write_is_no_operation() {
    let refused = Op::Write { value: 9, token: None };
    let history = sale_by_2(write_on_its_way()).at(120).fail(1, refused).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn an_unknown_write_lasts_until_it_was_applied() {
    let unknown = Op::Write { value: 9, token: None };
    let script = write_on_its_way().at(60).lost_reply(1, unknown);
    let late = sale_by_2(script.clone()).at(300).applied(1, 9, 9).done();
    assert_eq!(ask(NAME, &late).word(), "fail");
    assert_eq!(operations(&late)[0].until, SimTime::from_millis(300));
    let early = sale_by_2(script.applied(1, 10, 9)).done();
    assert_eq!(ask(NAME, &early), Verdict::Pass);
}

#[test]
fn an_unknown_write_that_never_reached_a_watched_resource_is_no_operation() {
    let history = sale_by_2(write_on_its_way().at(60).crashed(client(1))).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
    assert_eq!(operations(&history)[0].outcome, Outcome::Unknown);
}

#[test]
fn without_a_watched_resource_an_unknown_write_leaves_it_unknown() {
    let script = write_on_its_way().at(60).crashed(client(1));
    let script = script.at(100).acquired(2).reads(2, 10).begins_write(2, 9).wrote(2, 9);
    let verdict = ask(NAME, &script.done());
    insta::assert_snapshot!(reason_of(&verdict), @r"
    nobody knows whether the write of client 1 (event 4) took effect;
    if it did, it may overlap with another operation
    ");
}

#[test]
fn an_operation_begins_with_the_first_touch_in_its_critical_section() {
    let history = Script::sale(10)
        .at(5)
        .reads(1, 10)
        .at(10)
        .acquired(1)
        .at(20)
        .invoke(1, Op::Check)
        .ok(1, Op::Check)
        .at(30)
        .sells(1, 9)
        .at(40)
        .sells(1, 8)
        .done();
    let from: Vec<_> = operations(&history).iter().map(|operation| operation.from).collect();
    assert_eq!(from, [SimTime::from_millis(20), SimTime::from_millis(40)]);
}

#[test]
fn without_a_lock_each_read_begins_anew() {
    let script = Script::sale(10).at(10).reads(1, 10).at(20).reads(2, 10).at(30).sells(2, 9);
    let history = script.at(40).reads(1, 9).at(50).sells(1, 8).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
    assert_eq!(operations(&history)[1].from, SimTime::from_millis(40));
}

#[test]
fn a_read_after_the_release_is_not_part_of_the_section() {
    let script = Script::sale(10).at(10).acquired(1).reads(1, 10).released(1);
    let history = sale_by_2(script).at(120).sells(1, 8).done();
    assert_eq!(operations(&history)[1].from, SimTime::from_millis(120));
}
