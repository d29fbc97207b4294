//! Histories that `well-formed` must accept, and histories that it must reject.

use super::super::fixture::{Script, client, reason_of};
use super::*;
use picklock_models::model::ChangeKind;
use picklock_sim::history::RecordName;

/// What is wrong with each of them, one a line.
fn flaws<const N: usize>(histories: [History; N]) -> String {
    histories.map(|history| examine(&history).expect_err("is malformed")).join("\n")
}

/// A healthy history with every kind of event.
fn healthy() -> Script {
    let fault = Op::FaultBegins { fault: 0, host: client(1) };
    Script::sale(9)
        .at(10)
        .asks(1)
        .locked(1)
        .granted(1)
        .invoke(1, Op::RENEW)
        .reads(1, 9)
        .ok(1, Op::RENEW)
        .invoke(1, Op::Check)
        .ok(1, Op::Check)
        .writes(1, 9, 8)
        .at(20)
        .fact(HostName::NEMESIS, fault)
        .paused(client(1))
        // The rest of the step in which the pause struck.
        .told_lost(1)
        .at(30)
        .fact(HostName::NEMESIS, Op::FaultEnds { fault: 0 })
        .resumed(client(1))
        .released(1)
        .crashed(HostName::REDIS)
        .at(40)
        .booted(HostName::REDIS)
        .at(50)
        .acquired(2)
        .at(60)
        .crashed(client(2))
        .paused(client(2))
        .resumed(client(2))
        .booted(client(2))
        .asks(2)
}

#[test]
fn a_healthy_history_passes() {
    assert_eq!(WellFormed.check(&Case::new(&healthy().done())), Verdict::Pass);
}

#[test]
fn the_reason_names_the_event() {
    let history = Script::sale(9).at(10).wrote(1, 8).done();
    insta::assert_snapshot!(reason_of(&WellFormed.check(&Case::new(&history))), @r"
    the history is malformed: event 0 (0.010 s client 1 ok write 8):
    it answers no open invoke
    ");
}

#[test]
fn indices_and_times_only_grow() {
    let (mut jumps, mut goes_back) = (healthy().done(), healthy().done());
    jumps.events[3].index = 7;
    goes_back.events[3].at = SimTime::ZERO;
    let too_late = Script::sale(9).at(10_001).asks(1).done();
    insta::assert_snapshot!(flaws([jumps, goes_back, too_late]), @r"
    the event at place 3 has index 7
    event 3 (0.000 s client 1 invoke renew): time goes back, from 0.010 s
    event 1 (10.001 s client 1 invoke acquire): it lies beyond the end of the run at 10.000 s
    ");
}

#[test]
fn a_result_answers_an_open_invoke_of_its_own() {
    let crashed = Script::sale(9).asks(1).crashed(client(1)).booted(client(1));
    let flaws = flaws([
        Script::sale(9).asks(1).granted(2).done(),
        Script::sale(9).asks(1).asks(1).done(),
        Script::sale(9).begins_write(1, 8).wrote(1, 7).done(),
        Script::sale(9).released(1).done(),
        crashed.clone().granted(1).done(),
        crashed.released(1).done(),
    ]);
    insta::assert_snapshot!(flaws, @r"
    event 1 (0.000 s client 2 ok acquire): it answers no open invoke
    event 1 (0.000 s client 1 invoke acquire): it is already open
    event 1 (0.000 s client 1 ok write 7): its invoke wrote something else
    event 0 (0.000 s client 1 invoke release): it was never granted the lock
    event 3 (0.000 s client 1 ok acquire): it answers no open invoke
    event 3 (0.000 s client 1 invoke release): it was never granted the lock
    ");
}

#[test]
fn the_dead_and_the_frozen_do_nothing() {
    let dead = Script::sale(9).at(10).crashed(client(1)).at(20);
    let flaws = flaws([
        dead.clone().asks(1).done(),
        dead.clone().told_lost(1).done(),
        dead.crashed(client(1)).done(),
        Script::sale(9).asks(1).booted(client(1)).done(),
        Script::sale(9).at(10).paused(HostName::REDIS).at(20).locked(1).done(),
    ]);
    insta::assert_snapshot!(flaws, @r"
    event 1 (0.020 s client 1 invoke acquire): the process is down
    event 1 (0.020 s client 1 told that the lock is lost): the process is down
    event 1 (0.020 s client 1 crashed): it is down already
    event 1 (0.000 s client 1 booted): it is up already
    event 1 (0.020 s redis lock record set by client 1): the process is paused since 0.010 s
    ");
}

#[test]
fn everybody_says_only_what_is_his_to_say() {
    let fact = |host, op| Script::sale(9).at(10).fact(host, op).done();
    let record = RecordName::Lock;
    let deleted = Op::Record { record, change: ChangeKind::Deleted, by: None, owner: None };
    let flaws = flaws([
        Script::sale(9).asks(4).done(),
        Script::sale(9).locked(9).done(),
        fact(HostName::REDIS, Op::Lost),
        fact(client(1), Op::Healed),
        fact(client(1), deleted),
        Script::sale(9).ok(1, Op::Lost).done(),
        Script::sale(9).applied_with(1, 9, 8, None, false).done(),
    ]);
    insta::assert_snapshot!(flaws, @r"
    event 0 (0.000 s client 4 invoke acquire): there is no client 4; there are 3 clients
    event 0 (0.000 s redis lock record set by client 9): there is no client 9; there are 3 clients
    event 0 (0.010 s redis told that the lock is lost): only a client reports that
    event 0 (0.010 s client 1 all healed): only the nemesis reports that
    event 0 (0.010 s client 1 lock record deleted): only a server reports that
    event 0 (0.000 s client 1 ok told that the lock is lost): it is a fact, so it is `info`, not `ok`
    event 0 (0.000 s shop refuses client 1's write: 9 -> 8): it was refused, but changed the value
    ");
}

#[test]
fn the_heal_is_where_the_terms_say_and_nothing_breaks_after_it() {
    let begins = Op::FaultBegins { fault: 0, host: client(1) };
    let ends = Op::FaultEnds { fault: 0 };
    let said = |ms, op| Script::sale(9).at(ms).fact(HostName::NEMESIS, op).done();
    let mut truncated = healthy().done();
    truncated.events.pop();
    let flaws = flaws([
        said(3_999, Op::Healed),
        said(5_000, Op::Healed),
        said(5_000, begins),
        said(10, ends),
        truncated,
    ]);
    insta::assert_snapshot!(flaws, @r"
    event 0 (3.999 s nemesis all healed): its terms let it heal at 4.000 s
    event 1 (5.000 s nemesis all healed): it was healed before
    event 1 (5.000 s nemesis fault 0 strikes client 1): everything was healed before
    event 0 (0.010 s nemesis fault 0 ends): it never began
    it ends after 28 events without the heal at 4.000 s, so its end is missing
    ");
}

#[test]
fn terms_are_plausible() {
    let with = |change: fn(&mut Terms)| Script::sale(9).terms(change).done();
    let flaws = flaws([
        with(|terms| terms.clients = 0),
        with(|terms| terms.end_at = SimTime::from_millis(1)),
        with(|terms| terms.initial = -1),
    ]);
    insta::assert_snapshot!(flaws, @r"
    its terms know no client
    its terms let it heal at 4.000 s and end at 0.001 s
    its terms put -1 units up for sale
    ");
}
