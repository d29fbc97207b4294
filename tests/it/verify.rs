//! What was found once is found again: in other processes, by later builds, on the other engine.

use std::fs;
use std::path::Path;

use picklock::engine::Engine;
use picklock::families::FAMILIES;
use picklock::locks::ALGORITHMS;
use picklock::{pipeline, scenario};
use picklock_sim::seed::Seed;

use crate::support::{Folder, SMALL, picklock, stderr, stdout, top};

/// All locks but those that were made not to repeat.
fn honest() -> impl Iterator<Item = &'static str> {
    let names = ALGORITHMS.iter().map(|lock| lock.name);
    names.filter(|name| *name != "none" && !name.starts_with("planted"))
}

/// A small scenario with every lock there is.
fn all_locks() -> String {
    let contenders = honest().map(|lock| format!("\n[[contender]]\nname = \"{lock}\"\n"));
    let (world, _) = SMALL.split_once("[[contender]]").unwrap();
    world.to_owned() + &contenders.collect::<String>()
}

#[test]
fn every_lock_is_the_same_in_every_process() {
    let folder = Folder::new();
    folder.write("locks.toml", &all_locks());
    let output = picklock(folder.path(), &["verify", "locks.toml", "--runs", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let told = stdout(&output);
    assert_eq!(told.lines().count(), honest().count(), "a line for each: {told}");
    for lock in honest() {
        assert!(told.contains(&format!("same  locks with {lock}, seed 1")), "{told}");
    }
    assert!(is_tidy(folder.path()));
}

/// Whether no trail was left behind.
fn is_tidy(folder: &Path) -> bool {
    fs::read_dir(folder.join("target/picklock/verify")).unwrap().next().is_none()
}

#[test]
fn a_plan_is_verified_as_json() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    picklock(folder.path(), &["run", "small.toml"]);
    let plan = "target/picklock/run/event/small/redis-token-cad-1.plan.json";
    let output = picklock(folder.path(), &["verify", plan, "--runs", "2", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let plan = scenario::load_plan(&folder.path().join(plan)).unwrap();
    let digest = plan.recorded.unwrap().digest.to_string();
    assert!(told[0]["first"]["end"].as_str().unwrap().contains(&digest), "{told}");
    assert_eq!(told[0]["processes"], 2);
    assert!(told[0].get("other").is_none());
}

#[test]
fn a_trail_has_everything_and_changes_nothing() {
    let file = top().join("scenarios/compare/all-locks.toml");
    let scenario = scenario::load(&file).unwrap_or_else(|error| panic!("{error:?}"));
    for family in FAMILIES {
        let lock = "redis-watchdog-fenced".parse().unwrap();
        let plan = scenario.plan_with(lock, Seed(5), Some(family));
        let outcome = pipeline::run(&plan, Engine::Event).unwrap();
        let (digest, trail) = pipeline::trace(&plan, Engine::Event).unwrap();
        assert_eq!(digest, outcome.history.digest, "{}", family.name);
        let mut written = Vec::new();
        trail.write(&mut written).unwrap();
        let written = String::from_utf8(written).unwrap();
        let (_, lines) = written.split_once('\n').unwrap();
        assert_eq!(lines.lines().count() as u64, trail.items());
        assert!(lines.lines().last().unwrap().starts_with(&digest.to_string()), "all of it");
        assert!(trail.items() > outcome.history.events.len() as u64, "packets and timers too");
    }
}

#[test]
fn what_cannot_be_run_is_the_users_mistake_and_not_a_difference() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    picklock(folder.path(), &["run", "small.toml"]);
    let plan = "target/picklock/run/event/small/redis-token-cad-1.plan.json";
    let loss = top().join("scenarios/smoke/fault-loss.toml").display().to_string();
    for (args, text) in [
        (&["verify", "nowhere.toml"][..], "nowhere.toml"),
        (&["verify", plan, "--runs", "1"], "--runs"),
        (&["verify", plan, "--update"], "--golden"),
        (&["verify", "small.toml", "--golden", "no-list.txt"], "no-list.txt"),
        (&["verify", &loss, "--engine", "turmoil", "--runs", "2"], "turmoil"),
    ] {
        let output = picklock(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(text), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_published_runs_have_the_digests_on_record() {
    let args = ["verify", "--golden", "reports/digests.txt", "scenarios/published"];
    let output = picklock(top(), &args);
    let told = stdout(&output);
    assert_eq!(
        output.status.code(),
        Some(0),
        "another behaviour; if it is meant: cargo picklock verify --golden reports/digests.txt \
         --update scenarios/published\n{told}{}",
        stderr(&output)
    );
}

#[test]
fn a_digest_that_is_not_on_record_is_shown_beside_the_old_one() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    let update = ["verify", "--golden", "list.txt", "--update", "small.toml"];
    let check = ["verify", "--golden", "list.txt", "small.toml"];
    assert_eq!(picklock(folder.path(), &update).status.code(), Some(0));
    let output = picklock(folder.path(), &check);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), "all 1 runs have the digests on record\n");

    let list = fs::read_to_string(folder.path().join("list.txt")).unwrap();
    let line = list.lines().last().unwrap();
    let digest = line.split_whitespace().nth(2).unwrap();
    folder.write("list.txt", &list.replace(digest, "0123456789abcdef"));
    let output = picklock(folder.path(), &check);
    assert_eq!(output.status.code(), Some(3));
    let told = stdout(&output);
    assert!(told.contains("0123456789abcdef") && told.contains(digest), "{told}");
    assert!(told.ends_with("1 runs are not as they are on record\n"), "{told}");

    assert_eq!(picklock(folder.path(), &update).status.code(), Some(0));
    assert_eq!(fs::read_to_string(folder.path().join("list.txt")).unwrap(), list);
}

#[cfg(feature = "turmoil")]
mod turmoil {
    use super::*;

    #[test]
    fn the_second_engine_is_the_same_in_every_process() {
        let folder = Folder::new();
        folder.write("small.toml", SMALL);
        let args = ["verify", "small.toml", "--engine", "turmoil", "--runs", "4"];
        let output = picklock(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).contains("turmoil engine"), "{}", stdout(&output));
    }

    #[test]
    fn both_engines_come_to_the_same_verdicts() {
        let folder = Folder::new();
        let file = |name: &str| top().join("scenarios").join(name).display().to_string();
        let files = [file("published/s1-gc-pause.toml"), file("smoke/fault-loss.toml")];
        let args = ["verify", "--engines", &files[0], &files[1]];
        let output = picklock(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        insta::assert_snapshot!(stdout(&output));
    }
}
