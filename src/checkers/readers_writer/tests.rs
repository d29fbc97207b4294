//! Histories that `readers-writer` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, story, violation};
use super::*;

const NAME: &str = "readers-writer";

#[test]
fn many_may_share() {
    let script = Script::sale(9).at(10).shares(1).at(20).shares(2).reads(1, 9).reads(2, 9);
    let script = script.at(30).reads(1, 9).released(1).at(40).reads(2, 9).released(2);
    let history = script.at(50).acquired(3).reads(3, 9).writes(3, 9, 8).released(3).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
    assert_eq!(ask("belief-overlap", &history), Verdict::Pass);
    assert_eq!(ask("operation-overlap", &history), Verdict::Pass);
}

#[test]
fn two_that_have_it_alone_are_anothers_business() {
    let history = Script::sale(9).at(10).acquired(1).acquired(2).at(20).released(1).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
    assert_eq!(ask("belief-overlap", &history).word(), "fail");
}

#[test]
fn a_shared_section_may_begin_with_another_value_than_the_one_before() {
    let script = Script::sale(9).at(10).shares(1).reads(1, 9).released(1);
    let script = script.at(20).acquired(2).reads(2, 9).writes(2, 9, 8).released(2);
    // What is read in a section of one's own is no shared read.
    let script = script.at(30).shares(1).reads(1, 8).reads(1, 8).released(1);
    let history = script.at(40).acquired(1).reads(1, 8).writes(1, 8, 7).reads(1, 7).released(1);
    assert_eq!(ask(NAME, &history.done()), Verdict::Pass);
}

#[test]
fn nobody_shares_what_another_has_alone() {
    let script = Script::sale(9).at(10).acquired(1).paused(client(1)).at(1020).expired(1);
    let script = script.at(1030).shares(2).at(1040).shares(3).at(1100).resumed(client(1));
    let history = script.at(1200).released(1).at(1300).released(2).released(3).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s; its process was paused from 0.010 s to 1.100 s.
    The lease expired at 1.020 s and client 2 was granted the lock in shared mode at 1.030 s.
    Both believed that they held it for 170 ms, until client 1 began to release it at 1.200 s.
    ");
    assert_eq!(violation(NAME, &history).times, 2);
    assert_eq!(ask("belief-overlap", &history), Verdict::Pass, "it is not said twice");
}

#[test]
fn nobody_has_alone_what_others_share() {
    let script = Script::sale(9).at(10).shares(1).at(20).shares(2).at(30).acquired(3);
    let history = script.at(40).released(1).released(2).released(3).done();
    let found = violation(NAME, &history);
    assert_eq!((found.times, found.lasted_ms), (1, Some(10)));
    assert_eq!(found.witnesses, [1, 5, 6]);
}

#[test]
fn two_reads_of_a_shared_section_agree() {
    let script = Script::sale(9).at(10).acquired(2).begins_write(2, 8).at(20).released(2);
    let script = script.at(30).shares(1).reads(1, 9).at(40).applied(2, 9, 8).at(50).reads(1, 8);
    let history = script.at(60).released(1).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 shared the lock and read 9 at 0.030 s.
    Client 2 changed it to 8 at 0.040 s, while client 1 shared the lock.
    In the same section client 1 read 8 at 0.050 s.
    ");
    assert_eq!(violation(NAME, &history).witnesses, [8, 9, 11]);
}

#[test]
fn a_torn_read_needs_no_witness_at_the_resource() {
    let script = Script::sale(9).at(10).shares(1).reads(1, 9).at(20).reads(1, 8).reads(1, 7);
    let history = script.released(1).done();
    let found = violation(NAME, &history);
    assert_eq!(found.times, 2);
    assert_eq!(found.story[1], "Nobody recorded who changed it in between.");
}
