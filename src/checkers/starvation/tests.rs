//! Histories that `starvation` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, reason_of, story, violation};
use super::*;

const NAME: &str = "starvation";

/// Others take turns, `grants` times from `from_ms` on, a grant every 10 ms.
fn others_are_served(mut script: Script, from_ms: u64, grants: u64) -> Script {
    for turn in 0..grants {
        let other = 1 + (turn % 2) as u16;
        script = script.at(from_ms + 10 * turn).acquired(other).released(other);
    }
    script
}

#[test]
fn who_is_passed_over_too_often_starves() {
    let history = others_are_served(Script::sale(9).at(3500).asks(3), 4000, 5).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 3 asked for the lock at 3.500 s and kept asking.
    From 4.000 s, with everything healed, others were granted it 5 times until 10.000 s.
    Client 3 was passed over more than 3 times, the first time too many at 4.030 s.
    ");
    // Served in the end, but too late.
    let served = others_are_served(Script::sale(9).at(4000).asks(3), 4010, 4).granted(3).done();
    assert_eq!(violation(NAME, &served).times, 1);
}

#[test]
fn up_to_the_bound_others_may_go_first() {
    let served = others_are_served(Script::sale(9).at(4000).asks(3), 4010, 3).granted(3);
    assert_eq!(ask(NAME, &served.done()), Verdict::Pass);
}

#[test]
fn before_the_heal_nothing_counts() {
    let script = others_are_served(Script::sale(9).at(10).asks(3), 100, 20);
    assert_eq!(ask(NAME, &script.clone().at(4010).granted(3).done()), Verdict::Pass);
    // But somebody who was never served after it leaves the question open.
    insta::assert_snapshot!(reason_of(&ask(NAME, &script.done())), @r"
    client 3 still waited at the end and was not served since the
    heal, but others were granted the lock only 0 times meanwhile;
    more than 3 would be starvation
    ");
}

#[test]
fn who_was_served_may_wait_when_the_run_ends() {
    let script = Script::sale(9).at(4010).acquired(3).released(3).at(9000).asks(3);
    assert_eq!(ask(NAME, &others_are_served(script, 9010, 2).done()), Verdict::Pass);
}

#[test]
fn giving_up_and_asking_again_is_one_wait_but_dying_is_not() {
    let script = others_are_served(Script::sale(9).at(4000).asks(3), 4010, 2);
    let again = script.clone().at(4100).fail(3, Op::ACQUIRE).asks(3);
    assert_eq!(ask(NAME, &others_are_served(again, 4110, 2).done()).word(), "fail");
    let died = script.at(4100).crashed(client(3)).booted(client(3)).asks(3);
    assert_eq!(ask(NAME, &others_are_served(died, 4110, 2).done()).word(), "unknown");
}
