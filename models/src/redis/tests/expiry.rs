//! Expiry to the millisecond (`src/db.c` `keyIsExpired`, `src/expire.c`).

use proptest::prelude::*;

use super::*;

/// The one millisecond in which the two ways of expiring disagree.
#[test]
fn at_its_time_a_key_is_read_but_the_timer_may_take_it() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET k v PX 100");
    assert_eq!(server.run(100, 1, "GET k"), bulk("v"));
    assert_eq!(server.run(100, 1, "PTTL k"), Reply::Integer(0));
    assert_eq!(server.run(101, 1, "GET k"), Reply::Null);

    server.run(200, 1, "SET k v PX 100");
    server.tick(299);
    assert_eq!(server.run(299, 1, "GET k"), bulk("v"));
    server.tick(300);
    assert_eq!(server.run(300, 1, "GET k"), Reply::Null);
}

#[test]
fn an_expired_key_is_counted_until_somebody_notices() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET k v PX 100");
    assert_eq!(server.run(500, 1, "DBSIZE"), Reply::Integer(1));
    assert_eq!(server.run(500, 1, "DEL k"), Reply::Integer(0));
    assert_eq!(server.run(500, 1, "DBSIZE"), Reply::Integer(0));
}

/// `src/util.c` `ustime`: the wall clock, which can be stepped both ways.
#[test]
fn a_step_of_the_wall_clock_moves_expiry_with_it() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET k v PX 10000");
    server.step = 10_001;
    assert_eq!(server.run(1, 1, "GET k"), Reply::Null);

    server.step = 0;
    server.run(1000, 1, "SET k v PX 1000");
    server.step = -5000;
    server.tick(6000);
    assert_eq!(server.run(6000, 1, "PTTL k"), Reply::Integer(1000));
}

#[test]
fn the_timer_finds_every_key_whose_time_is_up() {
    let mut server = Server::start(Persistence::None);
    for key in 0..50 {
        server.run(0, 1, &format!("SET k{key} v PX {}", 100 + key));
    }
    server.run(0, 1, "SET for-ever v");
    server.tick(100);
    assert_eq!(server.run(100, 1, "DBSIZE"), Reply::Integer(50));
    server.tick(148);
    assert_eq!(server.run(148, 1, "DBSIZE"), Reply::Integer(2));
    server.run(148, 1, "PEXPIRE for-ever 10");
    server.tick(200);
    assert_eq!(server.run(200, 1, "DBSIZE"), Reply::Integer(0));
}

/// A time far below zero would otherwise overflow when what is left is computed.
#[test]
fn extreme_times_do_not_overflow() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET lock v");
    server.run(0, 1, "PEXPIREAT lock 9223372036854775807");
    assert_eq!(server.run(0, 1, "TTL lock"), Reply::Integer((i64::MAX - START_MS + 500) / 1000));
    assert_eq!(server.run(0, 1, "PEXPIREAT lock -9223372036854775808"), Reply::Integer(1));
    assert_eq!(server.run(0, 1, "EXISTS lock"), Reply::Integer(0));
}

proptest! {
    /// PTTL is what is left, TTL rounds it half up, and after the last millisecond there is nothing.
    #[test]
    fn what_is_left_follows_the_clock(ttl in 1u64..100_000, passed in 0u64..100_000) {
        let mut server = Server::start(Persistence::None);
        server.run(0, 1, &format!("SET k v PX {ttl}"));
        let left = ttl as i64 - passed as i64;
        let (pttl, in_seconds) = if left < 0 { (-2, -2) } else { (left, (left + 500) / 1000) };
        prop_assert_eq!(server.run(passed, 1, "PTTL k"), Reply::Integer(pttl));
        prop_assert_eq!(server.run(passed, 1, "TTL k"), Reply::Integer(in_seconds));
        let when = if left < 0 { -2 } else { START_MS + ttl as i64 };
        prop_assert_eq!(server.run(passed, 1, "PEXPIRETIME k"), Reply::Integer(when));
    }

    /// However a time is given, it means the same instant.
    #[test]
    fn all_ways_to_give_a_time_agree(seconds in 1i64..1_000_000) {
        let mut server = Server::start(Persistence::None);
        let (ms, at) = (seconds * 1000, START_MS / 1000 + seconds);
        let mut times = Vec::new();
        for command in [
            format!("SET k v EX {seconds}"),
            format!("SET k v PX {ms}"),
            format!("SET k v EXAT {at}"),
            format!("SET k v PXAT {}", at * 1000),
            format!("EXPIRE k {seconds}"),
            format!("PEXPIREAT k {}", at * 1000),
            format!("SETEX k {seconds} v"),
            format!("GETEX k PX {ms}"),
        ] {
            server.run(0, 1, &command);
            times.push(server.run(0, 1, "PEXPIRETIME k"));
        }
        prop_assert!(times.iter().all(|time| *time == Reply::Integer(at * 1000)), "{times:?}");
    }

    /// Any time at all is set, refused, or deletes the key; never a panic.
    #[test]
    fn any_time_is_answered(given: i64, unit in 0usize..4, passed in 0u64..10_000) {
        let mut server = Server::start(Persistence::None);
        server.run(0, 1, "SET k v");
        let command = ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"][unit];
        server.run(passed, 1, &format!("{command} k {given}"));
        server.run(passed, 1, "TTL k");
        let option = ["EX", "PX", "EXAT", "PXAT"][unit];
        server.run(passed, 1, &format!("SET lock v {option} {given}"));
        server.tick(passed + 100);
    }
}
