//! Aggregates as the checkers and the disk see them, databases, and the promise of SCAN.

use std::collections::BTreeSet;

use super::*;

fn set(ttl_ms: Option<i64>) -> ChangeKind {
    ChangeKind::Set { number: None, ttl_ms }
}

fn edited(ttl_ms: Option<i64>) -> ChangeKind {
    ChangeKind::Edited { ttl_ms }
}

/// The life of a reentrant lock that is a hash.
#[test]
fn a_hash_belongs_to_its_creator_until_it_is_gone() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "HINCRBY lock one 1");
    assert_eq!(server.changes(), [(Some(1), None, set(None))]);
    server.run(0, 1, "PEXPIRE lock 1000");
    let retimed = ChangeKind::Retimed { ttl_ms: Some(1000) };
    assert_eq!(server.changes(), [(Some(1), Some(1), retimed)]);
    server.run(100, 2, "HINCRBY lock two 1");
    assert_eq!(server.changes(), [(Some(2), Some(1), edited(Some(900)))]);
    server.run(200, 2, "HDEL lock nosuch");
    assert_eq!(server.changes(), []);
    server.run(200, 2, "HDEL lock two");
    assert_eq!(server.changes(), [(Some(2), Some(1), edited(Some(800)))]);
    server.run(300, 1, "HDEL lock one");
    assert_eq!(server.changes(), [(Some(1), Some(1), ChangeKind::Deleted)]);
    server.run(300, 3, "HSET lock three 1");
    assert_eq!(server.changes(), [(Some(3), None, set(None))]);
    server.run(300, 4, "SET lock plain");
    assert_eq!(server.changes(), [(Some(4), Some(3), set(None))]);
}

/// Taken once, entered again, given back twice: one grant and one end, whatever the scripts do between.
#[test]
fn a_reentrant_lock_is_set_once_and_deleted_once() {
    let mut server = Server::start(Persistence::None);
    let enter = "redis.call('hincrby', KEYS[1], ARGV[1], 1) redis.call('pexpire', KEYS[1], 100)";
    let leave = "if redis.call('hincrby', KEYS[1], ARGV[1], -1) > 0 then \
                 redis.call('pexpire', KEYS[1], 100) else redis.call('del', KEYS[1]) end";
    let retimed = (Some(1), Some(1), ChangeKind::Retimed { ttl_ms: Some(100) });
    server.eval(0, 1, enter, "1 lock one");
    assert_eq!(server.changes(), [(Some(1), None, set(None)), retimed]);
    server.eval(10, 1, enter, "1 lock one");
    assert_eq!(server.changes(), [(Some(1), Some(1), edited(Some(90))), retimed]);
    server.eval(20, 1, leave, "1 lock one");
    assert_eq!(server.changes(), [(Some(1), Some(1), edited(Some(90))), retimed]);
    server.eval(30, 1, leave, "1 lock one");
    let deleted = (Some(1), Some(1), ChangeKind::Deleted);
    assert_eq!(server.changes(), [(Some(1), Some(1), edited(Some(90))), deleted]);
    server.eval(40, 2, enter, "1 lock two");
    server.tick(141);
    assert_eq!(server.changes(), [(None, Some(2), ChangeKind::Expired)]);
}

#[test]
fn every_type_reports_its_end() {
    let mut server = Server::start(Persistence::None);
    let rows = [
        ("RPUSH lock a", "LPOP lock"),
        ("SADD lock a", "SREM lock a"),
        ("SADD lock a", "SPOP lock"),
        ("ZADD lock 1 a", "ZREMRANGEBYSCORE lock 0 2"),
        ("ZADD lock 1 a", "ZPOPMIN lock"),
        ("RPUSH lock a", "RPOPLPUSH lock other"),
        ("RPUSH lock a", "RENAME lock other"),
        ("RPUSH lock a", "MOVE lock 3"),
    ];
    for (create, end) in rows {
        server.run(0, 1, create);
        assert_eq!(server.changes(), [(Some(1), None, set(None))], "{create}");
        server.run(0, 2, end);
        assert_eq!(server.changes(), [(Some(2), Some(1), ChangeKind::Deleted)], "{end}");
        server.run(0, 1, "FLUSHALL");
    }
}

#[test]
fn only_database_0_is_watched_and_a_swap_is_seen() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET lock here");
    server.run(0, 2, "SELECT 1");
    server.run(0, 2, "SET lock there PX 500");
    assert_eq!(server.changes(), []);
    assert_eq!(server.run(0, 1, "GET lock"), bulk("here"));
    server.run(0, 3, "SWAPDB 0 1");
    let stored = (Some(3), None, set(Some(500)));
    assert_eq!(server.changes(), [(Some(3), Some(1), ChangeKind::Deleted), stored]);
    assert_eq!(server.run(0, 1, "GET lock"), bulk("there"));
    server.run(0, 2, "DEL lock");
    assert_eq!(server.changes(), []);
    server.tick(600);
    assert_eq!(server.changes(), [(None, Some(3), ChangeKind::Expired)]);
}

#[test]
fn a_power_loss_undoes_what_was_changed_in_place() {
    let everysec = Persistence::AofEverysec;
    let mut server = Server::start(everysec);
    server.run(0, 1, "RPUSH queue a");
    server.run(0, 1, "SELECT 7");
    server.run(0, 1, "HSET lock one 1");
    server.tick(1000);
    server.run(1100, 1, "HSET lock two 2");
    server.run(1100, 1, "SELECT 0");
    server.run(1100, 1, "LPOP queue");
    let mut server = server.crash(Crash::PowerLoss, everysec);
    assert_eq!(server.run(1200, 1, "LLEN queue"), Reply::Integer(1));
    server.run(1200, 1, "SELECT 7");
    assert_eq!(server.run(1200, 1, "HLEN lock"), Reply::Integer(1));
    server.run(1300, 1, "HSET lock two 2");
    let mut server = server.crash(Crash::ProcessKill, everysec);
    server.run(1400, 1, "SELECT 7");
    assert_eq!(server.run(1400, 1, "HLEN lock"), Reply::Integer(2));
}

/// `src/db.c` `scanGenericCommand`: whatever is there all the time is met, whatever comes and goes.
#[test]
fn a_scan_meets_all_that_stays() {
    let mut server = Server::start(Persistence::None);
    for key in 0..200 {
        server.run(0, 1, &format!("SET stays:{key} v"));
    }
    let (mut met, mut cursor, mut round) = (BTreeSet::new(), "0".to_owned(), 0);
    loop {
        let Reply::Array(mut page) = server.run(0, 1, &format!("SCAN {cursor} COUNT 7")) else {
            panic!("a page")
        };
        let (Some(Reply::Array(keys)), Some(Reply::Bulk(next))) = (page.pop(), page.pop()) else {
            panic!("a cursor and keys")
        };
        met.extend(keys.into_iter().map(|key| format!("{key:?}")));
        cursor = String::from_utf8(next.to_vec()).expect("digits");
        if cursor == "0" {
            break;
        }
        server.run(0, 2, &format!("SET comes:{round} v"));
        server.run(0, 2, &format!("DEL comes:{}", round / 2));
        round += 1;
    }
    assert_eq!(met.iter().filter(|key| key.contains("stays")).count(), 200);
}

#[test]
fn what_is_drawn_is_there_and_repeats() {
    let drawn = || {
        let mut server = Server::start(Persistence::None);
        server.run(0, 1, "SADD s a b c d e");
        let once = server.run(0, 1, "SRANDMEMBER s");
        let many = server.run(0, 1, "SRANDMEMBER s -20");
        let Reply::Array(popped) = server.run(0, 1, "SPOP s 3") else { panic!("members") };
        assert_eq!(server.run(0, 1, "SCARD s"), Reply::Integer(2));
        for member in &popped {
            let Reply::Bulk(member) = member else { panic!("a member") };
            let request = Request::new([&b"SISMEMBER"[..], b"s", member]);
            assert_eq!(server.send(0, 1, request), Reply::Integer(0));
        }
        (once, many, popped)
    };
    assert_eq!(drawn(), drawn());
}

/// `src/evict.c` `estimateObjectIdleTime`: TTL and the like are no access.
#[test]
fn idle_time_counts_from_the_last_access() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET k text");
    server.run(3000, 1, "TTL k");
    server.run(3000, 1, "TYPE k");
    assert_eq!(server.run(5000, 1, "OBJECT IDLETIME k"), Reply::Integer(5));
    server.run(6000, 1, "GET k");
    assert_eq!(server.run(8000, 1, "OBJECT IDLETIME k"), Reply::Integer(2));
}
