//! The facts about watched keys: who, whose, what, in order.

use super::*;

fn set(number: Option<i64>, ttl_ms: Option<i64>) -> ChangeKind {
    ChangeKind::Set { number, ttl_ms }
}

#[test]
fn a_lock_is_taken_prolonged_and_released() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET lock token NX PX 1000");
    assert_eq!(server.changes(), [(Some(1), None, set(None, Some(1000)))]);
    server.run(100, 2, "SET lock other NX PX 1000");
    assert_eq!(server.changes(), []);
    server.run(200, 1, "PEXPIRE lock 5000");
    assert_eq!(server.changes(), [(Some(1), Some(1), ChangeKind::Retimed { ttl_ms: Some(5000) })]);
    server.run(300, 1, "PERSIST lock");
    assert_eq!(server.changes(), [(Some(1), Some(1), ChangeKind::Retimed { ttl_ms: None })]);
    server.run(400, 2, "DEL lock");
    assert_eq!(server.changes(), [(Some(2), Some(1), ChangeKind::Deleted)]);
    server.run(500, 2, "DEL lock");
    assert_eq!(server.changes(), []);
}

#[test]
fn keys_that_nobody_watches_are_not_reported() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET other v");
    server.run(0, 1, "DEL other");
    assert_eq!(server.changes(), []);
}

#[test]
fn a_value_that_is_overwritten_names_its_former_owner() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SETNX lock 7");
    assert_eq!(server.changes(), [(Some(1), None, set(Some(7), None))]);
    server.run(0, 2, "GETSET lock x");
    assert_eq!(server.changes(), [(Some(2), Some(1), set(None, None))]);
    server.run(0, 3, "SET lock y PX 50 GET");
    assert_eq!(server.changes(), [(Some(3), Some(2), set(None, Some(50)))]);
    server.run(10, 4, "SET lock z KEEPTTL");
    assert_eq!(server.changes(), [(Some(4), Some(3), set(None, Some(40)))]);
    server.run(20, 5, "GETDEL lock");
    assert_eq!(server.changes(), [(Some(5), Some(4), ChangeKind::Deleted)]);
}

#[test]
fn a_counter_belongs_to_whoever_counted_last() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "INCR stock");
    assert_eq!(server.changes(), [(Some(1), None, set(Some(1), None))]);
    server.run(0, 1, "PEXPIRE stock 100");
    server.run(40, 2, "DECRBY stock 3");
    assert_eq!(server.changes(), [(Some(2), Some(1), set(Some(-2), Some(60)))]);
    server.run(40, 3, "APPEND stock 5");
    assert_eq!(server.changes(), [(Some(3), Some(2), set(Some(-25), Some(60)))]);
}

#[test]
fn what_a_script_does_its_caller_did() {
    let mut server = Server::start(Persistence::None);
    let fenced =
        "redis.call('set', KEYS[1], ARGV[1], 'PX', 500) return redis.call('incr', KEYS[2])";
    server.eval(0, 3, fenced, "2 lock stock token");
    let taken = (Some(3), None, set(None, Some(500)));
    assert_eq!(server.changes(), [taken, (Some(3), None, set(Some(1), None))]);
    server.eval(0, 4, "redis.call('del', KEYS[1]) redis.call('nosuch')", "1 lock");
    assert_eq!(server.changes(), [(Some(4), Some(3), ChangeKind::Deleted)]);
}

#[test]
fn expiry_is_by_nobody_whether_a_request_or_the_timer_found_it() {
    let expired = (None, Some(1), ChangeKind::Expired);
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET lock a PX 100");
    server.run(101, 2, "GET lock");
    assert_eq!(server.changes(), [expired]);

    server.run(200, 1, "SET lock a PX 100");
    server.tick(300);
    assert_eq!(server.changes(), [expired]);

    server.run(400, 1, "SET lock a PX 100");
    server.run(501, 2, "SET lock b NX");
    assert_eq!(server.changes(), [expired, (Some(2), None, set(None, None))]);
}

/// `src/expire.c` `expireGenericCommand`: EXPIRE with a time that has passed is a DEL.
#[test]
fn a_time_in_the_past_deletes_on_the_callers_account() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET lock a");
    server.run(0, 2, "PEXPIRE lock -1");
    assert_eq!(server.changes(), [(Some(2), Some(1), ChangeKind::Deleted)]);
    server.run(0, 1, "SET lock a PXAT 1000");
    let ttl_ms = Some(1000 - START_MS);
    assert_eq!(server.changes(), [(Some(1), None, set(None, ttl_ms))]);
    server.tick(0);
    assert_eq!(server.changes(), [(None, Some(1), ChangeKind::Expired)]);
}

#[test]
fn flushing_deletes_key_by_key() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "MSET lock a other b stock 3");
    server.run(0, 2, "FLUSHALL");
    let deleted = (Some(2), Some(1), ChangeKind::Deleted);
    assert_eq!(server.changes(), [deleted, deleted]);
    let keys: Vec<_> = server.out.changes.iter().map(|change| &change.key[..]).collect();
    assert_eq!(keys, [&b"lock"[..], b"stock"]);
}
