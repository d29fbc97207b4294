//! Histories that `fair-queue` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, story, violation};
use super::*;

const NAME: &str = "fair-queue";

/// Client 1 holds the lock; 2 and 3 are queued in this order, though 3 asked first.
fn queue() -> Script {
    let held = Script::sale(9).at(10).asks(1).locked(1).granted(1);
    held.at(20).asks(3).at(30).asks(2).queued(2).at(40).queued(3)
}

#[test]
fn the_servers_order_counts_and_not_who_asked_first() {
    let script = queue().at(50).invoke(1, Op::Release).unlocked(1, 1).locked(2).at(60).granted(2);
    let script = script.ok(1, Op::Release).at(70).released(2).unlocked(2, 2).locked(3).granted(3);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
}

#[test]
fn a_later_one_may_not_be_served_before_an_earlier_one() {
    let script = queue().at(50).released(1).unlocked(1, 1).locked(2).at(60).granted(3);
    let history = script.at(70).granted(2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 2 was queued at 0.030 s and waited.
    Client 3 was queued later, at 0.040 s.
    At 0.060 s client 3 was granted the lock, and client 2 still waited.
    ");
    let found = violation(NAME, &history);
    assert_eq!((found.times, found.lasted_ms), (1, Some(30)));
    assert_eq!(found.witnesses, [5, 6, 11]);
}

#[test]
fn who_is_out_of_the_queue_waits_no_more() {
    let served = |script: Script| ask(NAME, &script.at(60).released(1).granted(3).done());
    assert_eq!(served(queue().at(50).unqueued(2)), Verdict::Pass, "its place is gone");
    assert_eq!(served(queue().at(50).fail(2, Op::ACQUIRE)), Verdict::Pass, "it gave up");
    assert_eq!(served(queue().at(50).crashed(client(2))), Verdict::Pass, "it died");
    assert_eq!(served(queue().at(50)).word(), "fail");
}

#[test]
fn who_has_the_lock_at_once_was_never_behind() {
    let script = Script::sale(9).at(10).asks(1).locked(1).at(20).asks(2).queued(2);
    assert_eq!(ask(NAME, &script.clone().at(30).granted(1).done()), Verdict::Pass);
    assert_eq!(ask(NAME, &script.at(30).granted(2).done()).word(), "fail");
}

#[test]
fn a_place_that_was_left_behind_says_nothing() {
    // Client 2 has a place in the queue from an attempt that failed, so it may be served before client 3.
    let script = Script::sale(9).at(10).asks(1).locked(1).granted(1).at(20).asks(2).queued(2);
    let script = script.at(30).lost_reply(2, Op::ACQUIRE).asks(3).queued(3).at(40).asks(2);
    let script = script.at(50).released(1).unlocked(1, 1).locked(2).granted(2);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
    // A place that is stored when nobody asks any more is such a one, too.
    let script = Script::sale(9).at(10).asks(1).locked(1).granted(1).at(20).asks(2);
    let script =
        script.at(30).lost_reply(2, Op::ACQUIRE).queued(2).asks(3).queued(3).at(40).asks(2);
    let script = script.at(50).released(1).unlocked(1, 1).locked(2).granted(2);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
}

#[test]
fn when_one_of_two_places_goes_nobody_knows_which() {
    // Client 2 has one from an attempt that failed, and another before client 3; the first one goes.
    let script = Script::sale(9).at(10).asks(1).locked(1).granted(1).at(20).asks(2).queued(2);
    let script = script.at(30).lost_reply(2, Op::ACQUIRE).asks(2).queued(2).asks(3).queued(3);
    let script = script.at(40).unqueued(2).at(50).released(1).unlocked(1, 1).locked(2).granted(2);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
    // The same with two from one attempt, because the answer to its first request was lost.
    let script = Script::sale(9).at(10).asks(1).locked(1).granted(1).at(20).asks(2).queued(2);
    let script = script.at(30).queued(2).unqueued(2).asks(3).queued(3);
    let script = script.at(50).released(1).unlocked(1, 1).locked(2).granted(2);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
}

#[test]
fn a_queue_on_a_disk_is_not_queued_anew() {
    let script = queue().at(50).crashed(HostName::REDIS).at(90).booted(HostName::REDIS);
    let script = script.released(1).at(100).locked(3).granted(3);
    assert_eq!(ask(NAME, &script.done()), Verdict::Pass);
}

#[test]
fn those_who_share_may_come_in_any_order() {
    let shared =
        |number| move |script: Script| script.invoke(number, Op::ACQUIRE_SHARED).queued(number);
    let held = || Script::sale(9).at(10).asks(1).locked(1).granted(1).at(20);
    let two = shared(3)(shared(2)(held())).at(30).released(1).unlocked(1, 1).locked(2);
    assert_eq!(ask(NAME, &two.ok(3, Op::ACQUIRE_SHARED).done()), Verdict::Pass);
    let writer_first = shared(3)(held().asks(2).queued(2)).at(30).released(1);
    assert_eq!(ask(NAME, &writer_first.ok(3, Op::ACQUIRE_SHARED).done()).word(), "fail");
    let reader_first = shared(2)(held()).asks(3).queued(3).at(30).released(1);
    assert_eq!(ask(NAME, &reader_first.granted(3).done()).word(), "fail");
}

/// The same as [`queue`], with a list: who is granted the lock takes itself out of it.
fn list() -> Script {
    let held = Script::sale(9).at(10).asks(1).locked(1).granted(1);
    held.at(20).asks(3).at(30).asks(2).listed(2).at(40).listed(3).at(50).released(1).unlocked(1, 1)
}

#[test]
fn in_a_list_the_first_change_takes_the_place() {
    let script = list().at(60).listed(2).locked(2).granted(2).at(70).released(2).unlocked(2, 2);
    assert_eq!(ask(NAME, &script.at(80).listed(3).locked(3).granted(3).done()), Verdict::Pass);
}

#[test]
fn who_is_put_out_of_a_list_was_passed_over() {
    // Client 3, by its own clock, puts client 2 out, and then takes the lock.
    let history = list().at(60).listed(3).listed(3).locked(3).granted(3).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    client 2 was queued at 0.030 s and waited.
    Client 3 was queued later, at 0.040 s.
    At 0.060 s client 3 was granted the lock, and client 2 still waited.
    ");
    let alone = list().at(60).crashed(client(2)).listed(3).locked(3).granted(3);
    assert_eq!(ask(NAME, &alone.done()), Verdict::Pass, "a dead one");
}

#[test]
fn without_a_servers_word_nobody_can_tell() {
    let history = Script::sale(9).at(10).acquired(1).at(20).released(1).done();
    assert_eq!(ask(NAME, &history).word(), "unknown");
    assert_eq!(ask(NAME, &Script::sale(9).done()), Verdict::Pass, "nobody had it");
    let no_queue = Script::sale(9).at(10).asks(1).asks(2).locked(1).granted(1).done();
    assert_eq!(ask(NAME, &no_queue), Verdict::Pass);
}
