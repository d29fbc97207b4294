//! Histories that `fence-order` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, story, violation};
use super::*;

const NAME: &str = "fence-order";

#[test]
fn growing_tokens_are_in_order() {
    let history = Script::sale(9).at(10).acquired_with(1, 7).at(20).acquired_with(2, 9).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn a_token_handed_out_twice_is_a_breach() {
    let script = Script::sale(9).at(10).acquired_with(1, 7).at(20).released(1);
    let history = script.clone().at(30).acquired_with(2, 7).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock with token 7 (it knew at 0.010 s).
    After it client 2 was granted the lock with token 7 (it knew at 0.030 s).
    Tokens must grow with every grant: a resource cannot tell the two holders apart.
    ");
    // To the same client too, once it has given the lock back; unless it re-enters.
    assert_eq!(ask(NAME, &script.at(30).acquired_with(1, 7).done()).word(), "fail");
    let re_entry = Script::sale(9).at(10).acquired_with(1, 7).at(20).acquired_with(1, 7).done();
    assert_eq!(ask(NAME, &re_entry), Verdict::Pass);
}

#[test]
fn a_crash_ends_a_re_entry() {
    let script = Script::sale(9).at(10).acquired_with(1, 7).crashed(client(1)).booted(client(1));
    assert_eq!(ask(NAME, &script.acquired_with(1, 7).done()).word(), "fail");
}

#[test]
fn a_token_that_goes_back_is_a_breach() {
    let script = Script::sale(9).at(10).acquired_with(1, 7).at(20).acquired_with(2, 3);
    let history = script.at(30).acquired_with(3, 5).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 1 was granted the lock with token 7 (it knew at 0.010 s).
    After it client 2 was granted the lock with token 3 (it knew at 0.020 s).
    Tokens must grow with every grant: a resource would refuse the new holder, not the stale one.
    ");
    assert_eq!(violation(NAME, &history).times, 2);
}

#[test]
fn the_order_of_grants_is_the_servers() {
    let granted = |token| Op::Acquire { token: Some(token), until: None, shared: false };
    let script = Script::sale(9).at(10).asks(1).asks(2).locked(1).at(20).locked(2);
    // The reply to client 2 overtakes the one to client 1.
    let overtaken = script.clone().at(30).ok(2, granted(2)).at(40).ok(1, granted(1)).done();
    assert_eq!(ask(NAME, &overtaken), Verdict::Pass);
    let wrong = script.at(30).ok(2, granted(1)).at(40).ok(1, granted(2)).done();
    assert_eq!(ask(NAME, &wrong).word(), "fail");
}

#[test]
fn a_stale_token_must_be_refused() {
    let accepted = |token| {
        let script = Script::sale(9).at(10).applied_with(2, 9, 8, Some(34), true);
        script.at(20).applied_with(1, 8, 7, Some(token), true).done()
    };
    insta::assert_snapshot!(story(NAME, &accepted(33)), @r"
    At 0.010 s the resource accepted client 2's write with token 34.
    At 0.020 s it accepted client 1's write with an older token, 33 (8 -> 7).
    Client 1 was no longer the holder, and its write should have been refused.
    ");
    assert_eq!(ask(NAME, &accepted(34)).word(), "fail");
    assert_eq!(ask(NAME, &accepted(35)), Verdict::Pass);
    let refused = Script::sale(9).at(10).applied_with(2, 9, 8, Some(34), true);
    let refused = refused.at(20).applied_with(1, 8, 8, Some(33), false).done();
    assert_eq!(ask(NAME, &refused), Verdict::Pass);
}

#[test]
fn a_holder_may_write_twice_with_its_token() {
    let script = Script::sale(9).at(10).applied_with(2, 9, 8, Some(34), true);
    assert_eq!(ask(NAME, &script.applied_with(2, 8, 7, Some(34), true).done()), Verdict::Pass);
}

#[test]
fn claimed_tokens_that_never_show_cannot_be_judged() {
    let script = Script::sale(9).terms(|terms| terms.claims = vec![Claim::FenceMonotonic]);
    assert_eq!(ask(NAME, &script.clone().at(10).acquired(1).done()).word(), "unknown");
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
    assert_eq!(ask(NAME, &Script::sale(9).at(10).acquired(1).done()), Verdict::Pass);
}
