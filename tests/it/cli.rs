//! The command line as a user meets it: whole outputs.

use std::fs;

use crate::support::{Folder, SMALL, picklock, stderr, stdout, top};

#[test]
fn run_says_what_was_found_and_how_to_repeat_it() {
    let folder = Folder::new();
    let s1 = top().join("scenarios/published/s1-gc-pause.toml");
    let output = picklock(folder.path(), &["run", s1.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn an_unexpected_verdict_exits_with_1() {
    let folder = Folder::new();
    let text = SMALL.to_owned() + "always = [\"oversold\"]\n";
    folder.write("small.toml", &text);
    let output = picklock(folder.path(), &["run", "small.toml"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stdout(&output), @"
    small: small
      FAIL redis-token-cad: clean (1 runs)
             NOT EXPECTED: `oversold` in only 0 of 1 runs, not in all
             repeat: cargo picklock replay target/picklock/run/event/small/redis-token-cad-1.plan.json

    0 as expected, 1 not as expected
    ");
}

#[test]
fn run_gives_json() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    let output = picklock(folder.path(), &["run", "--json", "small.toml"]);
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results[0]["contender"], "redis-token-cad");
    assert_eq!(results[0]["surprises"].as_array().unwrap().len(), 0);
}

#[test]
fn replay_shows_the_events_that_matter() {
    let folder = Folder::new();
    let s1 = top().join("scenarios/published/s1-gc-pause.toml");
    picklock(folder.path(), &["run", s1.to_str().unwrap()]);
    let plan = "target/picklock/run/event/s1-gc-pause/redis-token-cad-1.plan.json";
    let output = picklock(folder.path(), &["replay", plan]);
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn compare_writes_matrix_page_and_plans() {
    let folder = Folder::new();
    let file = top().join("scenarios/compare/all-locks.toml");
    let locks = "redis-token-cad,redis-watchdog-fenced,redis-lua-decr";
    let families = "none,process-pause,late-write";
    let args =
        ["compare", file.to_str().unwrap(), "--plans", "2", "--lock", locks, "--family", families];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output));
    let out = folder.path().join("target/picklock/compare");
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("redis-watchdog-fenced") && page.contains("<svg"));
    assert!(!page.contains("src=\"http"), "the page needs no network");
    let mut replayed = 0;
    for plan in fs::read_dir(out.join("plans")).unwrap() {
        let plan = plan.unwrap().path();
        if plan.to_string_lossy().ends_with(".plan.json") {
            let output = picklock(folder.path(), &["replay", plan.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            replayed += 1;
        }
    }
    assert!(replayed >= 2, "the pause and the late write have examples");
}

#[test]
fn list_names_everything() {
    let folder = Folder::new();
    let output = picklock(folder.path(), &["list"]);
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn logs_carry_simulated_time_and_repeat() {
    let folder = Folder::new();
    // Two contenders: their lines must not mix.
    let second = "\n[[contender]]\nname = \"redis-watchdog\"\n";
    folder.write("small.toml", &(SMALL.to_owned() + second));
    let log = || {
        let args = ["--log", "picklock::history=debug", "run", "small.toml"];
        stderr(&picklock(folder.path(), &args))
    };
    let first = log();
    assert!(first.contains("client 1"), "{first}");
    assert_eq!(first, log());
}
