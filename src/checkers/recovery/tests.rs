//! Histories that `recovery` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, reason_of, story, violation};
use super::*;

const NAME: &str = "recovery";

/// Client 1 dies with the lock; client 2 asks from 1 s on. Heal at 4 s, bound 2 s, end at 10 s.
fn dead_holder() -> Script {
    let script = Script::sale(9).at(10).asks(1).locked(1).granted(1).at(500).crashed(client(1));
    script.at(1000).asks(2)
}

fn without_bound(script: Script) -> Script {
    script.terms(|terms| terms.recovery_bound_ms = None)
}

#[test]
fn a_grant_within_the_bound_is_recovery() {
    assert_eq!(ask(NAME, &dead_holder().at(6000).granted(2).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &dead_holder().at(4500).acquired(3).done()), Verdict::Pass);
}

#[test]
fn a_grant_after_the_bound_is_too_late() {
    let history = dead_holder().at(6001).granted(2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    Everything was healed at 4.000 s; client 2 asked for the lock at 1.000 s and waited.
    The lock record stored at 0.010 s was still there; its owner is client 1, which crashed at 0.500 s.
    Nobody was granted it within the promised 2000 ms; client 2 was at 6.001 s, after 2001 ms.
    ");
}

#[test]
fn a_lock_nobody_gets_again_is_a_deadlock() {
    insta::assert_snapshot!(story(NAME, &dead_holder().done()), @r"
    Everything was healed at 4.000 s; client 2 asked for the lock at 1.000 s and waited.
    The lock record stored at 0.010 s was still there; its owner is client 1, which crashed at 0.500 s.
    Nobody was granted it within the promised 2000 ms; the wait took 6000 ms.
    ");
    insta::assert_snapshot!(story(NAME, &without_bound(dead_holder()).done()), @r"
    Everything was healed at 4.000 s; client 2 asked for the lock at 1.000 s and waited.
    The lock record stored at 0.010 s was still there; its owner is client 1, which crashed at 0.500 s.
    Nobody was granted it before the run ended; the wait took 6000 ms.
    ");
}

/// Client 2 gets it after the heal, gives it back at 6 s, and then the lock is dead; the run ends at 10 s.
fn dead_later() -> Script {
    dead_holder().at(5000).locked(2).granted(2).at(5500).asks(3).at(6000).released(2)
}

#[test]
fn a_lock_that_came_back_and_is_dead_later_is_a_deadlock() {
    insta::assert_snapshot!(story(NAME, &dead_later().done()), @r"
    Everything was healed at 4.000 s; client 3 asked for the lock at 5.500 s and waited.
    The lock record stored at 5.000 s was still there; its owner is client 2, which does not believe that it holds it.
    Nobody was granted it within the promised 2000 ms; the wait took 4000 ms.
    ");
    assert_eq!(ask(NAME, &dead_later().at(7999).granted(3).done()), Verdict::Pass);
    // Nobody asks to the end, or somebody holds it to the end, or the run ends within the bound.
    assert_eq!(ask(NAME, &dead_later().at(9000).crashed(client(3)).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &dead_later().at(6500).acquired(2).done()), Verdict::Pass);
    let short = dead_later().terms(|terms| terms.recovery_bound_ms = Some(4000));
    assert_eq!(ask(NAME, &short.done()), Verdict::Pass);
    assert_eq!(ask(NAME, &without_bound(dead_later()).done()), Verdict::Pass);
}

#[test]
fn who_does_not_ask_does_not_wait() {
    assert_eq!(ask(NAME, &Script::sale(9).done()), Verdict::Pass);
    let died = dead_holder().at(3000).crashed(client(2)).done();
    assert_eq!(ask(NAME, &died), Verdict::Pass);
    // The clock starts with the wish, not with the heal.
    let late = Script::sale(9).at(7000).asks(2).at(9000).granted(2).done();
    assert_eq!(ask(NAME, &late), Verdict::Pass);
    let too_late = Script::sale(9).at(7000).asks(2).at(9001).granted(2).done();
    assert_eq!(ask(NAME, &too_late).word(), "fail");
}

#[test]
fn a_bound_beyond_the_end_of_the_run_is_unknown() {
    let history = Script::sale(9).at(8500).asks(2).done();
    insta::assert_snapshot!(reason_of(&ask(NAME, &history)), @r"
    from 8.500 s on client 2 asked for the lock and nobody was
    granted it, but only for 1500 ms in all: too short to tell
    ");
    let bound = |terms: &mut Terms| terms.recovery_bound_ms = Some(20_000);
    assert_eq!(ask(NAME, &dead_holder().terms(bound).done()).word(), "unknown");
}

#[test]
fn who_gives_up_and_asks_again_waits_on() {
    let again = |script: Script, ms| script.at(ms).fail(2, Op::ACQUIRE).at(ms + 100).asks(2);
    let script = again(again(dead_holder(), 4500), 5500);
    // 500 + 900 ms of asking by 5.5 s, so 2 s of it are over at 6.2 s.
    assert_eq!(ask(NAME, &script.clone().at(6190).granted(2).done()), Verdict::Pass);
    assert_eq!(violation(NAME, &script.done()).at, SimTime::from_millis(6200));
}

#[test]
fn who_gave_up_at_once_shows_nothing() {
    let history = dead_holder().at(4001).fail(2, Op::ACQUIRE).done();
    assert_eq!(ask(NAME, &history).word(), "unknown");
    let history = dead_holder().at(3999).fail(2, Op::ACQUIRE).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn a_holders_release_is_progress_if_another_is_served_after_it() {
    let script = Script::sale(9).at(3900).acquired(1).asks(2).at(5500).released(1);
    assert_eq!(ask(NAME, &script.clone().at(7400).granted(2).done()), Verdict::Pass);
    insta::assert_snapshot!(story(NAME, &script.done()), @r"
    Everything was healed at 4.000 s; client 2 asked for the lock at 3.900 s and waited.
    No lock record stood in the way, as far as the history shows.
    Nobody was granted it within the promised 2000 ms; the wait took 4500 ms.
    ");
}

#[test]
fn a_holder_that_never_lets_go_is_no_progress() {
    let history = Script::sale(9).at(3900).acquired(1).asks(2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    Everything was healed at 4.000 s; client 2 asked for the lock at 3.900 s and waited.
    Client 1 has held it since 3.900 s and did not give it back.
    Nobody was granted it within the promised 2000 ms; the wait took 6000 ms.
    ");
}

#[test]
fn without_a_bound_a_short_wait_shows_nothing() {
    let script = without_bound(Script::sale(9));
    assert_eq!(ask(NAME, &script.clone().at(7100).asks(2).done()).word(), "unknown");
    assert_eq!(ask(NAME, &script.clone().at(6900).asks(2).done()).word(), "fail");
    assert_eq!(ask(NAME, &script.at(6900).asks(2).at(9999).granted(2).done()), Verdict::Pass);
}
