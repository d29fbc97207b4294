//! What survives which crash (`src/aof.c`, `src/server.c` `beforeSleep`).

use super::*;

const CRASHES: [Crash; 2] = [Crash::ProcessKill, Crash::PowerLoss];

#[test]
fn without_a_file_nothing_survives() {
    for crash in CRASHES {
        let mut server = Server::start(Persistence::None);
        server.run(0, 1, "SET lock a");
        let mut server = server.crash(crash, Persistence::None);
        assert_eq!(server.run(0, 2, "GET lock"), Reply::Null);
    }
}

#[test]
fn with_always_everything_that_was_answered_survives() {
    for crash in CRASHES {
        let mut server = Server::start(Persistence::AofAlways);
        server.run(0, 1, "SET lock a PX 5000");
        server.run(10, 1, "INCR stock");
        let mut server = server.crash(crash, Persistence::AofAlways);
        assert_eq!(server.run(20, 2, "GET lock"), bulk("a"));
        assert_eq!(server.run(20, 2, "PTTL lock"), Reply::Integer(4980));
        assert_eq!(server.run(20, 2, "GET stock"), bulk("1"));
    }
}

#[test]
fn with_everysec_a_kill_loses_nothing_and_a_power_loss_the_last_second() {
    let run = |crash| {
        let mut server = Server::start(Persistence::AofEverysec);
        server.run(0, 1, "SET lock a PX 5000");
        server.run(0, 1, "MSET kept 1 gone 1");
        server.tick(900);
        server.run(950, 1, "SET stock 3");
        server.tick(1000);
        server.run(1001, 1, "DEL lock");
        server.run(1002, 1, "SET lock b NX");
        server.run(1003, 1, "INCR stock");
        server.run(1004, 1, "DEL gone");
        server.run(1005, 1, "SET new 1");
        server.tick(1999);
        let mut server = server.crash(crash, Persistence::AofEverysec);
        server.run(2000, 2, "MGET lock stock kept gone new")
    };
    let list = |values: [&'static str; 5]| {
        let value = |text: &'static str| if text.is_empty() { Reply::Null } else { bulk(text) };
        Reply::Array(values.map(value).to_vec())
    };
    assert_eq!(run(Crash::ProcessKill), list(["b", "4", "1", "", "1"]));
    assert_eq!(run(Crash::PowerLoss), list(["a", "3", "1", "1", ""]));
}

/// The fsync is driven by the steady clock: a step of the wall clock neither hastens nor delays it.
#[test]
fn the_second_between_fsyncs_is_a_real_second() {
    let mut server = Server::start(Persistence::AofEverysec);
    server.run(0, 1, "SET lock a");
    server.step = 3_600_000;
    server.tick(100);
    let mut early = server.crash(Crash::PowerLoss, Persistence::AofEverysec);
    assert_eq!(early.run(100, 1, "GET lock"), Reply::Null);
}

/// `src/script.c`: a script's writes are one record of the file.
#[test]
fn a_script_survives_whole() {
    let mut server = Server::start(Persistence::AofEverysec);
    server.run(0, 1, "SET stock 5");
    server.tick(1000);
    let script = "redis.call('decr', 'stock') redis.call('set', 'sold', '1')";
    server.eval(1100, 1, script, "0");
    let mut server = server.crash(Crash::PowerLoss, Persistence::AofEverysec);
    let both = Reply::Array(vec![bulk("5"), Reply::Null]);
    assert_eq!(server.run(1200, 1, "MGET stock sold"), both);
}

/// Nothing expires while loading; what expired meanwhile goes as soon as somebody looks.
#[test]
fn what_was_loaded_is_reported_even_if_its_time_is_up() {
    let mut server = Server::start(Persistence::AofAlways);
    server.run(0, 4, "SET lock a PX 1000");
    server.run(0, 5, "INCR stock");
    server.run(0, 5, "SET other x");
    let disk = server.redis.disk_after(Crash::PowerLoss);
    let mut server = Server::restart(Persistence::AofAlways, disk, 3000);
    let loaded: Vec<_> = server.redis.loaded(at(3000, 0)).iter().map(short).collect();
    let lock = ChangeKind::Loaded { number: None, ttl_ms: Some(-2000) };
    let stock = ChangeKind::Loaded { number: Some(1), ttl_ms: None };
    assert_eq!(loaded, [(None, Some(4), lock), (None, Some(5), stock)]);
    assert_eq!(server.run(3000, 6, "GET lock"), Reply::Null);
    assert_eq!(server.changes(), [(None, Some(4), ChangeKind::Expired)]);
}

/// `src/eval.c`: scripts live in memory, and so do the clients' names.
#[test]
fn scripts_and_sessions_are_gone() {
    let mut server = Server::start(Persistence::AofAlways);
    server.run(0, 1, "CLIENT SETNAME me");
    let Reply::Bulk(sha) = server.run(0, 1, "SCRIPT LOAD return") else { panic!("a hash") };
    let sha = String::from_utf8(sha.to_vec()).expect("a hash");
    let mut server = server.crash(Crash::ProcessKill, Persistence::AofAlways);
    let unknown = Reply::error("NOSCRIPT No matching script. Please use EVAL.");
    assert_eq!(server.run(0, 1, &format!("EVALSHA {sha} 0")), unknown);
    assert_eq!(server.run(0, 1, "CLIENT GETNAME"), Reply::Null);
}

#[test]
fn a_crash_right_after_a_restart_keeps_what_the_restart_kept() {
    let mut server = Server::start(Persistence::AofEverysec);
    server.run(0, 1, "SET lock a");
    server.tick(1000);
    let server = server.crash(Crash::PowerLoss, Persistence::AofEverysec);
    let mut server = server.crash(Crash::PowerLoss, Persistence::AofEverysec);
    assert_eq!(server.run(1000, 1, "GET lock"), bulk("a"));
}

/// A server without a file does not look at the disk, even if one is there.
#[test]
fn a_file_that_is_switched_off_is_not_read() {
    let mut server = Server::start(Persistence::AofAlways);
    server.run(0, 1, "SET lock a");
    let mut server = server.crash(Crash::ProcessKill, Persistence::None);
    assert_eq!(server.run(0, 1, "GET lock"), Reply::Null);
}

#[test]
fn persistence_is_written_in_kebab_case() {
    let names = [
        (Persistence::None, "none"),
        (Persistence::AofEverysec, "aof-everysec"),
        (Persistence::AofAlways, "aof-always"),
    ];
    for (persistence, name) in names {
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            serde::de::IntoDeserializer::into_deserializer(name);
        let read: Persistence = serde::Deserialize::deserialize(name).expect("a known name");
        assert_eq!(read, persistence);
    }
}
