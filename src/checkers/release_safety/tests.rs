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
fn without_a_servers_word_nobody_can_tell() {
    let history = Script::sale(9).at(10).acquired(1).at(20).released(1).done();
    assert_eq!(ask(NAME, &history).word(), "unknown");
    // Where nobody had the lock, there was nothing to tell.
    assert_eq!(ask(NAME, &Script::sale(9).done()), Verdict::Pass);
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

/// `by` changes the record that `owner` had created.
fn changes(script: Script, change: ChangeKind, by: u16, owner: u16) -> Script {
    let (by, owner) = (Some(HostName::client(by)), Some(HostName::client(owner)));
    script.fact(HostName::REDIS, Op::Record { record: RecordName::Lock, change, by, owner })
}

const EDITED: ChangeKind = ChangeKind::Edited { ttl_ms: Some(1_000) };
const SET: ChangeKind = ChangeKind::Set { number: None, ttl_ms: Some(1_000) };

#[test]
fn who_has_a_part_in_a_record_may_remove_it() {
    // Two readers: client 1 made the hash, both have a field in it, client 2 is the last to leave.
    let script = Script::sale(9).at(10).locked(1).shares(1).at(20);
    let script = changes(script, EDITED, 2, 1).shares(2).at(30).released(1);
    let script = changes(script, EDITED, 1, 1).at(40).released(2);
    assert_eq!(ask(NAME, &script.unlocked(2, 1).done()), Verdict::Pass);
}

#[test]
fn who_was_replaced_has_no_part_any_more() {
    // Both overwrite the record, as with GETSET.
    let script = changes(Script::sale(9).at(10).locked(1).at(20), SET, 2, 1);
    let script = changes(script.at(30), SET, 1, 2);
    assert_eq!(ask(NAME, &script.at(40).unlocked(2, 1).done()).word(), "fail");
    // The one that it had a part in was another record.
    let script = changes(Script::sale(9).at(10).locked(1).at(20), EDITED, 2, 1).at(30).expired(1);
    assert_eq!(ask(NAME, &script.at(40).locked(1).unlocked(2, 1).done()).word(), "fail");
}
