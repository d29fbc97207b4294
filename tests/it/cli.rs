//! The command line as a user meets it: whole outputs.

use std::fs;
use std::process::Command;

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
             picture: cargo picklock report target/picklock/run/event/small/redis-token-cad-1.plan.json

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

/// S1 run in a folder, and the plan that it left.
fn gc_pause_in(folder: &Folder) -> String {
    let s1 = top().join("scenarios/published/s1-gc-pause.toml");
    picklock(folder.path(), &["run", s1.to_str().unwrap()]);
    "target/picklock/run/event/s1-gc-pause/redis-token-cad-1.plan.json".to_owned()
}

#[test]
fn report_makes_the_page_of_one_run() {
    let folder = Folder::new();
    let plan = gc_pause_in(&folder);
    let history = plan.replace("plan.json", "history.jsonl");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let output = picklock(folder.path(), &["report", &plan]);
    let page = "target/picklock/run/event/s1-gc-pause/redis-token-cad-1.html";
    assert_eq!(stdout(&output), format!("{page}\n"), "{}", stderr(&output));
    let from_plan = read(page);
    picklock(folder.path(), &["report", &history, "-o", "from-history.html"]);
    // With its plan beside it, a history gives the same page.
    assert_eq!(read("from-history.html").replace(&history, &plan), from_plan);
    assert!(from_plan.contains("with fencing tokens (redis-token-fenced)"));
}

#[test]
fn a_history_alone_gives_a_page_that_says_what_is_missing() {
    let folder = Folder::new();
    let history = gc_pause_in(&folder).replace("plan.json", "history.jsonl");
    fs::copy(folder.path().join(history), folder.path().join("old.history.jsonl")).unwrap();
    let output = picklock(folder.path(), &["report", "old.history.jsonl", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("There is no old.plan.json"), "{}", stderr(&output));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["severity"], &told["written"]), (&"broken".into(), &"old.html".into()));
    assert!(fs::read_to_string(folder.path().join("old.html")).unwrap().contains("Only the plan"));
}

#[test]
fn report_draws_a_picture_for_a_paper() {
    let folder = Folder::new();
    let plan = gc_pause_in(&folder);
    let report =
        |args: &[&str]| picklock(folder.path(), &[&["report", plan.as_str()], args].concat());
    let output = report(&["--svg", "s1.svg", "--from", "1000", "--to", "1200"]);
    assert_eq!(stdout(&output), "s1.svg\n", "{}", stderr(&output));
    let picture = fs::read_to_string(folder.path().join("s1.svg")).unwrap();
    assert!(picture.contains("2 holders for 59 ms") && picture.contains("1.10 s"));
    let output = report(&["--svg", "no.svg", "--from", "2000", "--to", "1200"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`--from` must be before"), "{}", stderr(&output));
    assert!(!folder.path().join("no.svg").exists());
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

#[test]
fn a_real_run_is_shown_as_one() {
    let folder = Folder::new();
    let history = gc_pause_in(&folder).replace("plan.json", "history.jsonl");
    let simulated = fs::read_to_string(folder.path().join(history)).unwrap();
    let real = simulated.replacen("\"engine\":\"event\"", "\"engine\":\"real\"", 1);
    assert_ne!(simulated, real, "the header names the engine");
    folder.write("real.history.jsonl", &real);
    let output = picklock(folder.path(), &["report", "real.history.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = fs::read_to_string(folder.path().join("real.html")).unwrap();
    assert!(page.contains("on real servers and processes"));
    assert!(page.contains("only as exact as"), "the caveat");
}

/// Beside a lone binary there is no suite, and the user hears how to get it.
#[test]
fn verbs_of_the_suite_say_what_is_missing() {
    let folder = Folder::new();
    let alone = folder.path().join("picklock");
    fs::copy(env!("CARGO_BIN_EXE_picklock"), &alone).unwrap();
    for verb in ["confirm", "conformance"] {
        let output = Command::new(&alone).args([verb, "--help"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        // Long lines are broken, with a bar before what goes on.
        let said = stderr(&output).replace(['\n', '│', '|'], " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("adapters is not built"), "{said}");
        assert!(said.contains("`cargo adapters servers`"), "{said}");
    }
}
