//! Each planted source of nondeterminism is caught within 20 runs, and shown where it first shows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

fn picklock(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picklock-planted"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").output().expect("it was just built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a scenario for this lock; it goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn with(lock: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("picklock-{lock}-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        let scenario = format!(
            "about = \"planted\"\n[run]\nheal_at_ms = 1000\nend_at_ms = 2000\n[workload]\n\
             clients = 2\n[[contender]]\nname = \"{lock}\"\n"
        );
        fs::write(path.join("planted.toml"), scenario).expect("a file in a temporary folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What `verify` says of a lock that does not repeat.
fn caught(lock: &str) -> String {
    let folder = Folder::with(lock);
    let output = picklock(&folder.0, &["verify", "planted.toml", "--runs", "20"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{told}{}", text(&output.stderr));
    assert!(told.contains(&format!("NOT REPEATED  planted with {lock}, seed 1")), "{told}");
    // The first difference from both sides, after what they have in common.
    let (_, shown) = told.split_once("the first difference is item ").expect("it was found");
    let side = |letter: char| shown.lines().find(|line| line.contains(&format!("{letter} >")));
    assert!(side('A').is_some() && side('B').is_some(), "{told}");
    let first = |side: Option<&str>| side.and_then(|line| line.split_once('>')).map(|it| it.1.to_owned());
    assert_ne!(first(side('A')), first(side('B')), "{told}");
    let left = fs::read_dir(folder.0.join("target/picklock/verify")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no trail is left behind");
    told
}

#[test]
fn the_order_of_a_hash_map_is_caught() {
    let told = caught("planted-hash-order");
    assert!(told.contains("GET"), "{told}");
}

#[test]
fn a_look_at_the_real_clock_is_caught() {
    let told = caught("planted-wall-clock");
    assert!(told.contains("timer of client"), "{told}");
}

#[test]
fn an_unbiased_select_is_caught() {
    let told = caught("planted-select");
    assert!(told.contains("PING"), "{told}");
}

#[test]
fn a_sweep_that_does_not_repeat_stops_with_its_plan() {
    let folder = Folder::with("planted-wall-clock");
    let args = ["sweep", "planted.toml", "--seeds", "0..200", "--recheck", "100"];
    let output = picklock(&folder.0, &args);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("NOT REPEATED: seed "), "{told}");
    assert!(output.stdout.is_empty(), "no result of it can be trusted");
    let (_, plan) = told.split_once("cargo picklock verify ").expect("a command");
    assert!(folder.0.join(plan.trim()).exists(), "{plan}");
}

#[test]
fn an_honest_lock_passes_beside_them() {
    let folder = Folder::with("redis-token-cad");
    let output = picklock(&folder.0, &["verify", "planted.toml", "--runs", "4"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}
