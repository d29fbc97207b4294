//! Histories that `lost-update` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, story, violation};
use super::*;
use picklock_sim::host::HostName;

const NAME: &str = "lost-update";

#[test]
fn an_update_overwritten_unseen_is_lost() {
    let history = Script::counter().at(10).writes(1, 0, 1).at(20).writes(2, 1, 1).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 2 wrote 1, so it had read 0.
    Client 1 had changed it to 1 at 0.010 s, which client 2 never saw.
    At 0.020 s the resource accepted client 2's write over it (1 -> 1): client 1's update is lost.
    ");
    assert_eq!(violation(NAME, &history).witnesses, [1, 4]);
}

#[test]
fn updates_that_saw_each_other_are_not() {
    let history = Script::counter().at(10).writes(1, 0, 1).at(20).writes(2, 1, 2).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
    let history = Script::sale(9).at(10).writes(1, 9, 8).at(20).writes(2, 8, 7).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn a_refused_write_overwrites_nothing() {
    let script = Script::sale(9).at(10).writes(1, 9, 8).at(20).begins_write(2, 8);
    let refused = script.applied_with(2, 8, 8, Some(1), false);
    assert_eq!(
        ask(NAME, &refused.fail(2, Op::Write { value: 8, token: None }).done()),
        Verdict::Pass
    );
}

#[test]
fn a_request_sent_twice_overwrites_only_itself() {
    let script = Script::counter().at(10).begins_write(1, 1).applied(1, 0, 1);
    assert_eq!(ask(NAME, &script.clone().applied(1, 1, 1).wrote(1, 1).done()), Verdict::Pass);
    // But if another wrote between, its update is lost.
    let between = script.writes(2, 1, 2).applied(1, 2, 1).wrote(1, 1).done();
    assert_eq!(ask(NAME, &between).word(), "fail");
}

#[test]
fn a_stock_record_is_a_witness_too() {
    let write = |script: Script, client, value| {
        script.begins_write(client, value).stock(Some(client), value).wrote(client, value)
    };
    let script = write(Script::sale(9).stock(None, 9).at(10), 1, 8).at(20);
    assert_eq!(ask(NAME, &write(script.clone(), 2, 7).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &write(script.clone(), 2, 8).done()).word(), "fail");
    // What a restart has put there is nobody's update.
    let restarted = script.crashed(HostName::REDIS).booted(HostName::REDIS).stock_loaded(9);
    assert_eq!(ask(NAME, &write(restarted, 2, 7).done()), Verdict::Pass);
}

#[test]
fn without_a_witness_writes_cannot_be_judged_but_decrements_can() {
    let script = Script::sale(9).at(10);
    assert_eq!(ask(NAME, &script.clone().begins_write(1, 8).wrote(1, 8).done()).word(), "unknown");
    let sell = script.clone().invoke(1, Op::SELL).ok(1, Op::Sell { left: Some(8) });
    assert_eq!(ask(NAME, &sell.done()), Verdict::Pass);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
}

#[test]
fn all_updates_since_the_read_are_lost() {
    let script = Script::sale(9).at(5).reads(3, 9).at(10).writes(1, 9, 8).at(20).writes(3, 8, 7);
    let history = script.at(30).writes(2, 7, 6).at(40).writes(3, 6, 8).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 3 wrote 8, so it had read 9.
    Client 1 had changed it to 8 at 0.010 s, which client 3 never saw.
    At 0.040 s the resource accepted client 3's write over it (6 -> 8): client 1's update and 2 others are lost.
    ");
}
