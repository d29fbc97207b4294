//! Bad input gets one clear error with its place and the valid choices, exit 2, and nothing
//! half-written.

use std::fs;

use crate::support::{Folder, SMALL, picklock, stderr};

/// Runs a spoiled scenario; what it says.
fn complaint(text: &str) -> String {
    let folder = Folder::new();
    folder.write("bad.toml", text);
    let output = picklock(folder.path(), &["run", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "nothing was written");
    stderr(&output)
}

fn spoiled(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from));
    SMALL.replace(from, to)
}

const FAULT: &str = r#"
[[fault]]
when = { at_ms = 100 }
lasting_ms = 200
fault = { kind = "pause", host = "client 1" }
"#;

#[test]
fn unknown_key() {
    insta::assert_snapshot!(complaint(&spoiled("heal_at_ms", "heal_at")), @"
     × unknown field `heal_at`, expected one of `seed`, `runs`, `heal_at_ms`,
     │ `end_at_ms`
      ╭─[bad.toml:4:1]
    3 │ [run]
    4 │ heal_at = 1000
      · ───┬───
      ·    ╰── here
    5 │ end_at_ms = 2000
      ╰────
    ");
}

#[test]
fn unknown_lock() {
    insta::assert_snapshot!(complaint(&spoiled("redis-token-cad", "redis-tokn-cad")), @r#"
     × there is no lock `redis-tokn-cad`; there are `redis-setnx-bare`, `redis-
     │ setnx-expire`, `redis-ts-getset`, `redis-setpx-del`, `redis-token-cad`,
     │ `redis-token-fenced`, `redis-token-deadline`, `redis-watchdog`, `redis-
     │ watchdog-silent`, `redis-watchdog-fenced`, `redislock-lua`, `redlock-
     │ spec`, `redlock-spec-extend`, `redlock-node5`, `redlock-node5-using`,
     │ `redlock-redsync`, `redlock-redsync-setnx`, `redlock-redsync-failfast`,
     │ `redlock-rslock`, `redisson-redlock`, `redisson-multilock`, `redisson-
     │ rlock`, `redisson-rlock-7272`, `redisson-fenced`, `redisson-fair`,
     │ `redisson-fair-3004`, `redisson-rw`, `etcd-get-then-put`, `etcd-txn-
     │ lease`, `etcd-mutex`, `etcd-mutex-silent`, `etcd-mutex-343`, `etcd-mutex-
     │ 343-silent`, `etcd-election`, `etcd-mutex-fenced`, `etcd-v3lock`, `etcd-
     │ rwmutex`, `etcd-cas-observed`, `zk-naive-ephemeral`, `zk-seq`, `zk-
     │ curator-ignore`, `zk-curator-suspended`, `zk-curator-lost`, `zk-curator-
     │ 498`, `zk-rwlock`, `zk-semaphore`, `zk-fenced`, `zk-fenced-sequence`
      ╭─[bad.toml:8:8]
    7 │ [[contender]]
    8 │ name = "redis-tokn-cad"
      ·        ────────┬───────
      ·                ╰── here
      ╰────
    "#);
}

#[test]
fn unknown_checker() {
    let text = SMALL.to_owned() + "always = [\"oversell\"]\n";
    insta::assert_snapshot!(complaint(&text), @r#"
     × there is no checker `oversell`
      ╭─[bad.toml:9:12]
    8 │ name = "redis-token-cad"
    9 │ always = ["oversell"]
      ·            ────┬───
      ·                ╰── here
      ╰────
     help: there are `well-formed`, `belief-overlap`, `operation-overlap`,
           `oversold`, `ledger`, `lost-update`, `fence-order`, `release-safety`,
           `recovery`, `starvation`, `reentrant`, `fair-queue`, `readers-writer`
    "#);
}

#[test]
fn a_host_that_is_not_there() {
    let text = SMALL.to_owned() + &FAULT.replace("client 1", "client 9");
    insta::assert_snapshot!(complaint(&text), @r#"
     × fault 1 (process pause of client 9) names `client 9`, which is not in this
     │ world; there are `redis`, `shop`, `client 1`, `client 2`, `client 3`,
     │ `client 4`
       ╭─[bad.toml:13:35]
    12 │ lasting_ms = 200
    13 │ fault = { kind = "pause", host = "client 9" }
       ·                                   ────┬───
       ·                                       ╰── here
       ╰────
    "#);
}

#[test]
fn a_target_that_is_no_target() {
    let text = SMALL.to_owned() + &FAULT.replace("client 1", "the boss");
    insta::assert_snapshot!(complaint(&text), @r#"
     × `the boss` is no target; valid are `holder`, `owner`, `clients`,
     │ `waiters`, `servers`, `everyone` and the name of a host, such as `client
     │ 2` or `redis`
       ╭─[bad.toml:13:9]
    12 │ lasting_ms = 200
    13 │ fault = { kind = "pause", host = "the boss" }
       ·         ──────────────────┬──────────────────
       ·                           ╰── here
       ╰────
    "#);
}

#[test]
fn negative_duration() {
    let text = SMALL.to_owned() + &FAULT.replace("= 200", "= -200");
    insta::assert_snapshot!(complaint(&text), @r#"
     × invalid value: integer `-200`, expected u64
       ╭─[bad.toml:12:14]
    11 │ when = { at_ms = 100 }
    12 │ lasting_ms = -200
       ·              ──┬─
       ·                ╰── here
    13 │ fault = { kind = "pause", host = "client 1" }
       ╰────
    "#);
}

#[test]
fn heal_after_the_end() {
    insta::assert_snapshot!(complaint(&spoiled("heal_at_ms = 1000", "heal_at_ms = 3000")), @"
     × the run must heal before it ends: heal_at_ms is 3000, end_at_ms is 2000
      ╭─[bad.toml:4:1]
    3 │ [run]
    4 │ heal_at_ms = 3000
      · ─────┬────
      ·      ╰── here
    5 │ end_at_ms = 2000
      ╰────
    ");
}

#[test]
fn numbers_beyond_reason() {
    for (key, value) in [
        ("[lock]\nttl_ms", "18446744073709551"),
        ("[lock]\nttl_ms", "0"),
        ("[network]\nlatency_ms", "[1, 9223372036854775807]"),
        ("[workload]\nclients", "65535"),
        ("[workload]\nclients", "0"),
        ("[workload]\ninitial", "9223372036854775807"),
        ("[workload]\ninitial", "-1"),
        ("[run]\nruns", "0"),
    ] {
        let line = format!("{key} = {value}");
        let text = match line.split_once('\n') {
            Some(("[run]", entry)) => spoiled("[run]", &format!("[run]\n{entry}")),
            _ => SMALL.replace("[[contender]]", &format!("{line}\n\n[[contender]]")),
        };
        assert!(complaint(&text).contains("bad.toml"), "{line}");
    }
}

#[test]
fn unknown_family() {
    let text = spoiled("[run]", "family = \"gremlins\"\n[run]");
    insta::assert_snapshot!(complaint(&text), @r#"
     × there is no fault family `gremlins`
      ╭─[bad.toml:3:11]
    2 │ 
    3 │ family = "gremlins"
      ·           ────┬───
      ·               ╰── here
    4 │ [run]
      ╰────
     help: there are `none`, `process-pause`, `vm-suspend`, `slow-process`,
           `server-pause`, `crash`, `partition`, `one-way-partition`, `rejecting-
           firewall`, `resource-partition`, `packet-loss`, `restart-empty`,
           `restart-kill`, `restart-power-loss`, `clock-forward`, `clock-back`,
           `drift`, `late-grant`, `late-write`, `lost-grant`, `lost-release`
    "#);
}

#[test]
fn no_such_file() {
    let folder = Folder::new();
    let output = picklock(folder.path(), &["run", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nowhere.toml: cannot be read"), "{}", stderr(&output));
}

/// Makes a good plan, spoils it, and replays it.
fn replay_complaint(spoil: impl Fn(String) -> String) -> String {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    picklock(folder.path(), &["run", "small.toml"]);
    let plan = folder.path().join("target/picklock/run/event/small/redis-token-cad-1.plan.json");
    let spoiled = spoil(fs::read_to_string(plan).unwrap());
    folder.write("bad.plan.json", &spoiled);
    let output = picklock(folder.path(), &["replay", "bad.plan.json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    stderr(&output)
}

#[test]
fn a_plan_of_another_version() {
    let error =
        replay_complaint(|plan| plan.replace("\"picklock_plan\": 1", "\"picklock_plan\": 7"));
    insta::assert_snapshot!(error, @"
    × bad.plan.json: is a plan of version 7; this build reads 1
    help: replay it with the picklock that wrote it, or make it anew from its
          scenario
    ");
}

#[test]
fn a_plan_that_is_cut_off() {
    let error = replay_complaint(|plan| plan[..plan.len() / 2].to_owned());
    assert!(error.contains("EOF"), "{error}");
}

#[test]
fn a_plan_with_an_unknown_key() {
    let error = replay_complaint(|plan| plan.replace("\"hold_ms\"", "\"hold\""));
    assert!(error.contains("unknown field `hold`, expected one of"), "{error}");
}

#[test]
fn a_history_that_is_cut_off() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    picklock(folder.path(), &["run", "small.toml"]);
    let run = folder.path().join("target/picklock/run/event/small");
    let history = fs::read_to_string(run.join("redis-token-cad-1.history.jsonl")).unwrap();
    folder.write("whole.jsonl", &history);
    folder.write("half.jsonl", &history[..history.len() / 2]);
    let whole = picklock(folder.path(), &["replay", "whole.jsonl"]);
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    let half = picklock(folder.path(), &["replay", "half.jsonl"]);
    assert_eq!(half.status.code(), Some(2));
    assert!(half.stdout.is_empty());
    assert!(stderr(&half).contains("is truncated: it ends after"), "{}", stderr(&half));
}
