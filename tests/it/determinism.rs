//! The same plan gives the same history, byte for byte: in one process, in two, on any number of
//! threads.

use std::fs;

use picklock::engine::Engine;
use picklock::families::FAMILIES;
use picklock::pipeline;
use picklock::scenario;
use picklock_sim::history;
use picklock_sim::seed::Seed;
use rayon::prelude::*;

use crate::support::{Folder, SMALL, picklock, stderr, stdout, top};

#[test]
fn every_family_repeats_on_every_thread() {
    let file = top().join("scenarios/compare/all-locks.toml");
    let scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
    let plan = |lock: &str, family| scenario.plan_with(lock.parse().unwrap(), Seed(3), family);
    let plans: Vec<_> = FAMILIES
        .iter()
        .flat_map(|family| {
            ["redis-watchdog-fenced", "redis-token-deadline"].map(|lock| plan(lock, Some(family)))
        })
        .collect();
    let digests = |threads| -> Vec<String> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = |plan| pipeline::run(plan, Engine::Event).unwrap().history.digest.to_string();
        pool.install(|| plans.par_iter().map(run).collect())
    };
    let alone = digests(1);
    assert_eq!(alone, digests(2));
    assert_eq!(alone, digests(5));
    let mut different = alone.clone();
    different.sort();
    different.dedup();
    // `restart-empty` and `restart-kill` may draw alike; nearly all others must differ.
    assert!(different.len() > alone.len() / 2, "other plans have other digests");
}

#[test]
fn another_process_writes_the_same_bytes() {
    let bytes = || {
        let folder = Folder::new();
        let s1 = top().join("scenarios/published/s1-gc-pause.toml");
        let output = picklock(folder.path(), &["run", s1.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let run = folder.path().join("target/picklock/run/event/s1-gc-pause");
        let read = |name: &str| fs::read(run.join(name)).unwrap();
        (read("redis-token-cad-1.history.jsonl"), read("redis-token-cad-1.plan.json"))
    };
    assert!(bytes() == bytes());
}

#[test]
fn a_written_history_is_read_back_and_judged_the_same() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let scenario = scenario::load(&file).unwrap();
    let plan = scenario.plan(scenario.contender[0].name, Seed(1));
    let outcome = pipeline::run(&plan, Engine::Event).unwrap();
    let mut bytes = Vec::new();
    history::write(&outcome.history, &mut bytes).unwrap();
    let read = history::read(bytes.as_slice()).unwrap();
    assert_eq!(read, outcome.history);
    assert_eq!(picklock::checkers::judge(&read), outcome.judgements);
}

#[test]
fn replay_repeats_and_notices_when_it_does_not() {
    let folder = Folder::new();
    let s1 = top().join("scenarios/published/s1-gc-pause.toml");
    picklock(folder.path(), &["run", s1.to_str().unwrap()]);
    let plan = "target/picklock/run/event/s1-gc-pause/redis-token-cad-1.plan.json";
    for threads in ["1", "2", "3"] {
        let args = ["replay", plan, "--times", "4", "--threads", threads];
        let output = picklock(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains("repeated 4 times"), "{}", stderr(&output));
        assert!(stdout(&output).contains("oversold"));
    }

    let path = folder.path().join(plan);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"lasting_ms\": 1500", "\"lasting_ms\": 1400")).unwrap();
    let output = picklock(folder.path(), &["replay", plan]);
    assert_eq!(output.status.code(), Some(3), "an edited plan is another run");
    assert!(stderr(&output).contains("NOT REPEATED"), "{}", stderr(&output));
}

#[cfg(feature = "turmoil")]
#[test]
fn the_second_engine_repeats_too() {
    let folder = Folder::new();
    let s1 = top().join("scenarios/published/s1-gc-pause.toml");
    let args = ["run", "--engine", "turmoil", s1.to_str().unwrap()];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plan = "target/picklock/run/turmoil/s1-gc-pause/redis-token-cad-1.plan.json";
    for threads in ["1", "3"] {
        // The plan says which engine recorded it.
        let args = ["replay", plan, "--times", "3", "--threads", threads];
        let output = picklock(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains("turmoil engine"), "{}", stdout(&output));
    }
}

#[cfg(feature = "turmoil")]
#[test]
fn what_the_second_engine_cannot_do_it_refuses_by_name() {
    let folder = Folder::new();
    let loss = top().join("scenarios/smoke/fault-loss.toml");
    let output = picklock(folder.path(), &["run", "--engine", "turmoil", loss.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    // Errors are wrapped to the width of the terminal.
    let error = stderr(&output);
    let words: Vec<_> = error.split_whitespace().filter(|word| *word != "│").collect();
    let error = words.join(" ");
    assert!(error.contains("turmoil engine cannot express fault 1 (33 % loss"), "{error}");
    assert!(output.stdout.is_empty());
}
