//! Histories that `release-safety` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, story, violation};
use super::*;

const NAME: &str = "release-safety";

#[test]
fn ones_own_record_may_be_removed() {
    let script = Script::sale(9).at(10).locked(1).acquired(1).at(20).unlocked(1, 1).released(1);
    assert_eq!(ask(NAME, &script.at(30).locked(2).expired(2).done()), Verdict::Pass);
}

#[test]
fn anothers_record_may_not() {
    let script = Script::sale(9).at(10).locked(1).acquired(1).at(1010).expired(1).at(1020);
    let script = script.locked(2).acquired(2).at(1100).invoke(1, Op::Release).unlocked(1, 2);
    let history = script.ok(1, Op::Release).at(1200).released(2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 2 had stored the lock record at 1.020 s.
    At 1.100 s client 1 removed it, though it was not its own.
    Client 2 still believed that it held the lock, until client 2 began to release it at 1.200 s.
    ");
    assert_eq!(violation(NAME, &history).witnesses, [4, 6, 8]);
}

#[test]
fn the_owner_may_have_stopped_believing() {
    let script = Script::sale(9).at(10).locked(2).acquired(2).at(20).invoke(2, Op::Release);
    let history = script.at(30).unlocked(1, 2).at(40).unlocked(3, 2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 2 had stored the lock record at 0.010 s.
    At 0.030 s client 1 removed it, though it was not its own.
    Client 2 did not believe that it held the lock then.
    ");
    assert_eq!(violation(NAME, &history).times, 2);
}
