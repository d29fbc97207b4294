//! Histories that `reentrant` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, story, violation};
use super::*;

const NAME: &str = "reentrant";

/// Client 1 has the lock at 10 ms.
fn held() -> Script {
    Script::sale(9).at(10).asks(1).locked(1).granted(1)
}

/// The server counts one more, or one less, for client 1.
fn counts(script: Script) -> Script {
    let change = ChangeKind::Set { number: None, ttl_ms: Some(1_000) };
    let (by, owner) = (Some(client(1)), Some(client(1)));
    script.fact(HostName::REDIS, Op::Record { record: RecordName::Lock, change, by, owner })
}

fn enters_again(script: Script) -> Script {
    counts(script.invoke(1, Op::Reenter)).ok(1, Op::Reenter)
}

fn leaves(script: Script) -> Script {
    counts(script.invoke(1, Op::Leave)).ok(1, Op::Leave)
}

fn gives_back(script: Script) -> Script {
    counts(script.invoke(1, Op::Release)).unlocked(1, 1).ok(1, Op::Release)
}

fn promised(script: Script) -> Script {
    script.terms(|terms| terms.claims.push(Claim::Reentrant))
}

#[test]
fn what_is_given_back_as_often_is_free() {
    let script = enters_again(enters_again(held().at(20)).at(30));
    let script = gives_back(leaves(leaves(script.at(40)).at(50)).at(60));
    assert_eq!(ask(NAME, &promised(script).at(70).locked(2).acquired(2).done()), Verdict::Pass);
}

#[test]
fn who_never_enters_again_is_judged_by_what_was_promised() {
    let stays = || counts(held().at(20)).at(30).released(1);
    assert_eq!(ask(NAME, &stays().done()), Verdict::Pass);
    assert_eq!(ask(NAME, &promised(stays()).done()).word(), "fail");
    // Where each attempt has a record of its own, one that stays is no count.
    assert_eq!(ask(NAME, &promised(stays().queued(1)).done()), Verdict::Pass);
}

#[test]
fn a_count_that_stays_is_told() {
    // The answer to the first re-entry is lost, and the client enters a second time.
    let lost = counts(held().at(20).invoke(1, Op::Reenter)).at(520).lost_reply(1, Op::Reenter);
    let script = leaves(enters_again(lost.at(530)).at(540));
    let script = counts(script.at(550).invoke(1, Op::Release)).at(560).ok(1, Op::Release);
    let history = script.done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s.
    At 0.560 s it was told that it had given it back for good.
    Its record, last touched at 0.550 s, was still there: more was counted than it had acquired.
    ");
    assert_eq!(violation(NAME, &history).witnesses, [2, 13, 14]);
}

#[test]
fn a_release_that_was_refused_or_not_answered_tells_nothing() {
    let script = || enters_again(held().at(20)).at(30).invoke(1, Op::Release);
    assert_eq!(ask(NAME, &script().fail(1, Op::Release).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &script().lost_reply(1, Op::Release).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &script().ok(1, Op::Release).done()).word(), "fail");
}

#[test]
fn who_gives_one_back_keeps_the_rest() {
    let script = enters_again(held().at(20)).at(30).invoke(1, Op::Leave).unlocked(1, 1);
    let history = script.ok(1, Op::Leave).at(40).released(1).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 0.010 s.
    It had acquired it again, and from 0.030 s on gave back what it had acquired last.
    At 0.030 s that removed the record, while it still held the lock.
    ");
    assert_eq!(violation(NAME, &history).witnesses, [2, 6, 7]);
}

#[test]
fn a_record_that_others_took_away_is_not_given_back_too_early() {
    let entered = || enters_again(held().at(20)).at(30);
    let expired = entered().expired(1).at(40).locked(1).invoke(1, Op::Leave).unlocked(1, 1);
    assert_eq!(ask(NAME, &expired.ok(1, Op::Leave).done()), Verdict::Pass);
    let stolen = entered().leaves(1).unlocked(2, 1);
    assert_eq!(ask(NAME, &stolen.done()), Verdict::Pass);
    let lost = entered().leaves(1).crashed(HostName::REDIS).at(50).released(1);
    assert_eq!(ask(NAME, &lost.done()), Verdict::Pass);
}

/// The same after everything has long been healed (at 4 s; the lock may need 2 s to recover).
fn late() -> Script {
    Script::sale(9).at(6_000).asks(1).locked(1).granted(1)
}

#[test]
fn a_holder_does_not_wait_for_itself() {
    let script = late().at(6_100).invoke(1, Op::Reenter).at(7_000).expired(1);
    let history = script.at(7_050).locked(1).ok(1, Op::Reenter).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 6.000 s.
    At 6.100 s it asked for it again; the record at the server was its own.
    It was not served, and at 7.000 s that record's time was over.
    ");
    // One that was sent when the lease was nearly over came too late.
    let script = late().at(6_990).invoke(1, Op::Reenter).at(7_000).expired(1);
    assert_eq!(ask(NAME, &script.at(7_050).locked(1).ok(1, Op::Reenter).done()), Verdict::Pass);
}

#[test]
fn a_holder_does_not_wait_for_ever() {
    let waits = || late().at(6_100).invoke(1, Op::Reenter);
    insta::assert_snapshot!(story(NAME, &waits().done()), @r"
    client 1 was granted the lock at 6.000 s.
    At 6.100 s it asked for it again; the record at the server was its own.
    At 10.000 s it still waited, though the record was still its own.
    ");
    assert_eq!(ask(NAME, &waits().at(8_200).ok(1, Op::Reenter).done()).word(), "fail");
    assert_eq!(ask(NAME, &waits().at(8_000).ok(1, Op::Reenter).done()), Verdict::Pass);
    // The server has counted it; the answer is on its way.
    assert_eq!(ask(NAME, &counts(waits()).done()), Verdict::Pass);
}

#[test]
fn a_holder_is_not_refused() {
    let history = late().at(6_100).invoke(1, Op::Reenter).at(6_150).fail(1, Op::Reenter).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock at 6.000 s.
    At 6.100 s it asked for it again; the record at the server was its own.
    At 6.150 s it was refused, though the record was still its own.
    ");
    // While anything may be broken, the request may never have arrived.
    let early = held().at(100).invoke(1, Op::Reenter).at(150).fail(1, Op::Reenter).done();
    assert_eq!(ask(NAME, &early), Verdict::Pass);
}

#[test]
fn a_shared_hold_is_not_judged() {
    let script = Script::sale(9).at(10).locked(1).shares(1).reenters(1).locked(2).shares(2);
    assert_eq!(ask(NAME, &script.at(30).leaves(1).released(1).done()), Verdict::Pass);
}

#[test]
fn without_a_servers_word_nobody_can_tell() {
    let script = Script::sale(9).at(10).acquired(1).reenters(1).leaves(1).released(1);
    assert_eq!(ask(NAME, &script.done()).word(), "unknown");
    assert_eq!(ask(NAME, &promised(Script::sale(9)).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &Script::sale(9).at(10).acquired(1).released(1).done()), Verdict::Pass);
}
