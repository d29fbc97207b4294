//! Rules of the house that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::top;

/// All Rust files of the project, with their paths from the top.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["src", "sim", "models", "adapters", "examples", "tests", "benches"] {
        collect(&top().join(folder), &mut found);
    }
    assert!(found.len() > 50, "the sources are where they are expected");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.file_name().is_some_and(|name| name == "target") {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            found.push((path.strip_prefix(top()).expect("below the top").to_owned(), text));
        }
    }
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn files_open_with_what_they_are_and_stay_short() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{}: says nothing about itself", path.display());
        let lines = text.lines().count();
        let reason = text.lines().take(20).any(|line| line.contains("Long because"));
        assert!(lines <= 500 || reason, "{}: {lines} lines without a reason", path.display());
    }
}

#[test]
fn the_turmoil_crate_is_named_in_its_engine_and_its_peer_only() {
    let marks =
        ["use turmoil::", "use ::turmoil", "turmoil::net", "turmoil::Builder", "turmoil::Sim"];
    for (path, text) in sources() {
        let engine = path.starts_with("sim/src/turmoil") || path.ends_with("sim/src/turmoil.rs");
        // What speed is compared with is written on turmoil itself.
        if engine || path.starts_with("benches/peers/turmoil") {
            continue;
        }
        for line in code(&text) {
            let named = marks.iter().any(|mark| line.contains(mark));
            let quoted = path.ends_with("tidy.rs");
            assert!(quoted || !named, "{}: names the turmoil crate: {line}", path.display());
        }
    }
}

/// Folder, and what must never be written there.
const ABSENCES: &[(&str, &[&str])] = &[
    ("models/src", &["tokio", "async fn", "std::time::Instant", "std::time::SystemTime", "rand::"]),
    ("src/locks", &["SimTime", "Recorder", "picklock_sim::fault", "picklock_sim::event"]),
    ("src/checkers", &["async fn", "picklock_sim::event", "crate::locks", "std::fs"]),
    ("sim/src", &["Redlock", "watchdog", "Verdict"]),
];

#[test]
fn what_must_be_absent_is_absent() {
    for (path, text) in sources() {
        for (folder, words) in ABSENCES.iter().filter(|(folder, _)| path.starts_with(folder)) {
            for line in code(&text) {
                let found = words.iter().find(|word| line.contains(**word));
                assert!(found.is_none(), "{}: {line:?} is not for {folder}", path.display());
            }
        }
    }
}

/// Cargo turns a feature on for everything that it builds together, so whoever asked for these would
/// put them into the real binary.
#[test]
fn nothing_beside_their_own_tests_turns_the_planted_locks_on() {
    let definition = r#"planted = ["tokio/macros"]"#;
    for file in [
        "Cargo.toml",
        "sim/Cargo.toml",
        "models/Cargo.toml",
        "benches/Cargo.toml",
        "adapters/Cargo.toml",
        "examples/my_lock/Cargo.toml",
        "examples/redis_rs_lock/Cargo.toml",
        ".cargo/config.toml",
    ] {
        let text = fs::read_to_string(top().join(file)).expect("a manifest");
        let lines = text.lines().filter(|line| !line.starts_with('#') && *line != definition);
        let named: Vec<_> = lines.filter(|line| line.contains("planted")).collect();
        assert!(named.is_empty(), "{file}: {named:?}");
    }
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["todo!(", "unimplemented!(", "#[ignore", "FIXME", "XXX"];
    for (path, text) in sources().iter().filter(|(path, _)| !path.ends_with("tidy.rs")) {
        for mark in marks {
            assert!(!text.contains(mark), "{}: {mark}", path.display());
        }
    }
}
