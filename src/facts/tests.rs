//! Each fact in a history that has it and in one that has not.

use picklock_sim::history::Op;
use picklock_sim::host::HostName;

use super::*;
use crate::checkers::fixture::{Script, client};

/// The facts of a history, by name.
fn facts_of(script: Script) -> Vec<&'static str> {
    let happened = facts(&script.done());
    let names = FACTS.iter().zip(happened).filter(|(_, happened)| *happened);
    names.map(|(fact, _)| fact.name).collect()
}

/// Client 1 asks and is granted the lock.
fn held() -> Script {
    Script::sale(5).at(10).asks(1).locked(1).at(12).granted(1)
}

#[test]
fn nothing_of_interest_in_a_quiet_run() {
    let quiet = held().at(20).reads(1, 5).at(30).writes(1, 5, 4).at(40).invoke(1, Op::Release);
    let quiet = quiet.unlocked(1, 1).ok(1, Op::Release).at(50).asks(2).locked(2).granted(2);
    assert_eq!(facts_of(quiet), [""; 0]);
}

#[test]
fn waiting() {
    assert_eq!(facts_of(held().at(20).asks(2)), ["somebody waited while another held the lock"]);
    assert_eq!(facts_of(Script::sale(5).at(10).asks(1).asks(2)), [""; 0]);
}

#[test]
fn expiry() {
    let held_then = "the lease expired while its owner believed that it held the lock";
    assert_eq!(facts_of(held().at(1010).expired(1)), [held_then]);
    assert_eq!(
        facts_of(held().at(900).begins_write(1, 4).at(1010).expired(1)),
        [held_then, "the lease expired while a guarded write was under way"]
    );
    assert_eq!(
        facts_of(held().at(900).paused(client(1)).at(1010).expired(1)),
        [held_then, "the lease expired while its owner was paused"]
    );
    assert_eq!(
        facts_of(held().at(900).invoke(1, Op::RENEW).at(1010).expired(1)),
        [held_then, "a renewal was in flight when the lease expired"]
    );
    let awake = held().at(100).paused(client(1)).at(200).resumed(client(1)).at(1010).expired(1);
    assert_eq!(facts_of(awake), [held_then]);
}

#[test]
fn grants_that_come_late_or_never() {
    let never = "the lock was granted to a client that then never heard of it";
    let late = "a grant arrived when its lease was already over";
    let asked = || Script::sale(5).at(10).asks(1).locked(1);
    assert_eq!(facts_of(asked().at(500).lost_reply(1, Op::ACQUIRE).at(1010).expired(1)), [never]);
    // At the moment of the expiry nobody knew whether the reply would still come.
    assert_eq!(facts_of(asked().at(1010).expired(1).at(1200).granted(1)), [never, late]);
    // Asked anew and granted anew: nothing is late.
    let again = asked().at(500).lost_reply(1, Op::ACQUIRE).asks(1).at(1010).expired(1);
    assert_eq!(facts_of(again.locked(1).at(1020).granted(1)), [never]);
}

#[test]
fn overlap_and_its_ends() {
    let both = held().at(20).asks(2).at(1010).expired(1).locked(2).at(1020).granted(2);
    let names = facts_of(both.clone());
    assert!(names.contains(&"two clients believed at once that they held the lock"), "{names:?}");
    let told = held().at(500).told_lost(1).at(1010).expired(1).asks(2).locked(2).granted(2);
    assert_eq!(facts_of(told), ["a holder was told in time that it had lost the lock"]);
    let late = both.at(1030).invoke(1, Op::Release).fail(1, Op::Release);
    assert!(facts_of(late).contains(&"a release found that the lock was gone"));
}

#[test]
fn fences() {
    let refused = held().at(30).begins_write(1, 4).applied_with(1, 5, 5, Some(1), false);
    assert_eq!(facts_of(refused), ["a fence refused a stale client"]);
}

#[test]
fn crashes() {
    assert_eq!(facts_of(held().at(30).crashed(client(1))), ["a holder crashed"]);
    assert_eq!(facts_of(Script::sale(5).at(30).crashed(client(1))), [""; 0]);
    let lost = "the lock record did not survive a restart of its server";
    let down = || held().at(20).crashed(HostName::REDIS).at(30).booted(HostName::REDIS);
    let waits = "somebody waited while another held the lock";
    let both = "two clients believed at once that they held the lock";
    let names = facts_of(down().at(40).asks(2).locked(2).at(45).granted(2));
    assert_eq!(names, [waits, both, lost]);
    let another = HostName { number: 2, ..HostName::REDIS };
    let elsewhere = held().at(20).crashed(another).at(30).booted(another).at(40).unlocked(1, 1);
    assert!(!facts_of(elsewhere).contains(&lost), "the record was at the other server");
    let loaded = ChangeKind::Loaded { number: None, ttl_ms: Some(900) };
    let record =
        Op::Record { record: RecordName::Lock, change: loaded, by: None, owner: Some(client(1)) };
    assert_eq!(
        facts_of(down().fact(HostName::REDIS, record).at(1010).expired(1))[..1],
        ["the lease expired while its owner believed that it held the lock"]
    );
}
