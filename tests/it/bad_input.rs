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
    insta::assert_snapshot!(complaint(&spoiled("heal_at_ms", "heal_at")), @"");
}

#[test]
fn unknown_lock() {
    insta::assert_snapshot!(complaint(&spoiled("redis-token-cad", "redis-tokn-cad")), @"");
}

#[test]
fn unknown_checker() {
    let text = SMALL.to_owned() + "always = [\"oversell\"]\n";
    insta::assert_snapshot!(complaint(&text), @"");
}

#[test]
fn a_host_that_is_not_there() {
    let text = SMALL.to_owned() + &FAULT.replace("client 1", "client 9");
    insta::assert_snapshot!(complaint(&text), @"");
}

#[test]
fn a_target_that_is_no_target() {
    let text = SMALL.to_owned() + &FAULT.replace("client 1", "the boss");
    insta::assert_snapshot!(complaint(&text), @"");
}

#[test]
fn negative_duration() {
    let text = SMALL.to_owned() + &FAULT.replace("= 200", "= -200");
    insta::assert_snapshot!(complaint(&text), @"");
}

#[test]
fn heal_after_the_end() {
    insta::assert_snapshot!(complaint(&spoiled("heal_at_ms = 1000", "heal_at_ms = 3000")), @"");
}

#[test]
fn unknown_family() {
    let text = spoiled("[run]", "family = \"gremlins\"\n[run]");
    insta::assert_snapshot!(complaint(&text), @"");
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
    insta::assert_snapshot!(error, @"");
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
