//! Histories that `belief-overlap` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, story, violation};
use super::*;
use picklock_sim::history::Op;
use picklock_sim::host::HostName;

const NAME: &str = "belief-overlap";

/// Kleppmann's first story: the holder is paused for longer than its lease.
fn paused_holder() -> Script {
    Script::sale(10)
        .at(10)
        .asks(1)
        .locked(1)
        .granted(1)
        .at(20)
        .paused(client(1))
        .at(30)
        .asks(2)
        .at(1010)
        .expired(1)
        .at(1040)
        .locked(2)
        .at(1043)
        .granted(2)
        .at(3020)
        .resumed(client(1))
}

#[test]
fn a_paused_holder_still_believes() {
    let history = paused_holder().at(3032).released(1).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s; its process was paused from 0.020 s to 3.020 s.
    The lease expired at 1.010 s and client 2 was granted the lock at 1.043 s.
    Both believed that they held it for 1989 ms, until client 1 began to release it at 3.032 s.
    ");
    let violation = violation(NAME, &history);
    assert_eq!((violation.times, violation.lasted_ms), (1, Some(1989)));
    assert_eq!(violation.witnesses, [2, 3, 5, 7, 8, 9]);
}

#[test]
fn who_is_told_of_the_loss_believes_no_more() {
    let history = paused_holder().told_lost(1).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s; its process was paused from 0.020 s to 3.020 s.
    The lease expired at 1.010 s and client 2 was granted the lock at 1.043 s.
    Both believed that they held it for 1977 ms, until client 1 was told at 3.020 s that it was lost.
    ");
}

#[test]
fn one_after_the_other_is_no_overlap() {
    let script = Script::sale(10).at(10).acquired(1).at(30).released(1);
    assert_eq!(ask(NAME, &script.clone().at(40).acquired(2).done()), Verdict::Pass);
    // At the same instant the order of the events decides.
    assert_eq!(ask(NAME, &script.acquired(2).done()), Verdict::Pass);
    let reversed = Script::sale(10).at(10).acquired(1).at(30).acquired(2).released(1).done();
    assert_eq!(violation(NAME, &reversed).lasted_ms, Some(0));
}

#[test]
fn a_deadline_ends_a_belief_and_a_renewal_moves_it() {
    let script = Script::sale(10).at(10).acquired_until(1, 1000);
    assert_eq!(ask(NAME, &script.clone().at(1000).acquired(2).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &script.clone().at(999).acquired(2).done()).word(), "fail");
    let renewed = script.at(500).renewed_until(1, 1500).at(1400).acquired(2).done();
    assert_eq!(violation(NAME, &renewed).lasted_ms, Some(100));
}

#[test]
fn a_renewal_after_the_deadline_revives_the_belief() {
    let script = Script::sale(10).at(10).acquired_until(1, 1000).at(1200).renewed_until(1, 2000);
    assert_eq!(ask(NAME, &script.clone().at(2000).acquired(2).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &script.at(1300).acquired(2).done()).word(), "fail");
}

#[test]
fn a_lock_that_was_dead_when_it_was_granted_is_never_believed_in() {
    let history = Script::sale(10).at(10).acquired(1).at(50).acquired_until(2, 40).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn the_dead_believe_nothing() {
    let script = Script::sale(10).at(10).acquired(1).at(20).crashed(client(1)).at(30);
    assert_eq!(ask(NAME, &script.acquired(2).done()), Verdict::Pass);
}

#[test]
fn each_grant_during_anothers_belief_counts() {
    let history = Script::sale(10).at(10).acquired(1).at(20).acquired(2).at(30).acquired(3).done();
    assert_eq!(violation(NAME, &history).times, 2);
}

#[test]
fn a_lost_lock_record_and_a_fault_are_named() {
    let fault = Op::FaultBegins { fault: 0, host: HostName::REDIS };
    let history = Script::sale(10)
        .at(10)
        .asks(1)
        .locked(1)
        .granted(1)
        .at(20)
        .fact(HostName::NEMESIS, fault)
        .crashed(HostName::REDIS)
        .at(50)
        .fact(HostName::NEMESIS, Op::FaultEnds { fault: 0 })
        .booted(HostName::REDIS)
        .at(60)
        .asks(2)
        .locked(2)
        .granted(2)
        .at(70)
        .crashed(client(1))
        .done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s; redis crashed at 0.020 s.
    The lock record was lost when redis crashed at 0.020 s and client 2 was granted the lock at 0.060 s.
    Both believed that they held it for 10 ms, until client 1 crashed at 0.070 s.
    ");
}

#[test]
fn an_unbroken_world_is_named_as_such() {
    let history =
        Script::sale(10).at(10).acquired(1).at(20).unlocked(3, 1).at(30).acquired(2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s; nothing was broken then.
    Client 3 removed client 1's lock record at 0.020 s and client 2 was granted the lock at 0.030 s.
    Both believed that they held it for 9970 ms, until the run ended at 10.000 s.
    ");
}

#[test]
fn a_fault_without_a_pause_or_crash_is_named_by_its_number() {
    let history = Script::sale(10)
        .at(10)
        .acquired(1)
        .at(20)
        .fact(HostName::NEMESIS, Op::FaultBegins { fault: 3, host: HostName::REDIS })
        .at(30)
        .expired(1)
        .acquired(2)
        .at(40)
        .fact(HostName::NEMESIS, Op::FaultEnds { fault: 3 })
        .released(1)
        .done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s; fault 3 struck redis at 0.020 s and lasted until 0.040 s.
    The lease expired at 0.030 s and client 2 was granted the lock at 0.030 s.
    Both believed that they held it for 10 ms, until client 1 began to release it at 0.040 s.
    ");
}
