//! Recorded sessions with real servers, replayed: the models answer what the servers answered.
//!
//! What a server says with a `~` depends on when exactly it was asked, and is not compared.
//!
//! All files below `models/tests/transcripts/` name the server that answered in their first line, but
//! `redis/model.txt`: it says for each row why it could not be recorded, or differs.

use std::fs;
use std::path::{Path, PathBuf};

use picklock_models::transcript::{self, Faithful, TranscriptError, exchanges, without_times};

type Replay = fn(&str) -> Result<String, TranscriptError>;

/// All transcripts of a store, sorted by name.
fn transcripts(store: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(store);
    let entries = fs::read_dir(&folder).expect("a folder of transcripts");
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files
}

/// What differs in one file, in the words of both.
fn differences(file: &Path, replay: Replay) -> Vec<String> {
    let name = file.file_name().expect("a file").to_string_lossy();
    let recorded = fs::read_to_string(file).expect("a readable transcript");
    let replayed = replay(&recorded).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (recorded, replayed) = (exchanges(&recorded), exchanges(&replayed));
    assert_eq!(recorded.len(), replayed.len(), "{name}: all steps are replayed");
    let mut differences = Vec::new();
    for (server, model) in recorded.iter().zip(&replayed) {
        let words = |lines: &[transcript::Line<'_>]| {
            // Nobody promises an order across connections, or across calls of one connection.
            let mut lines = lines.to_vec();
            lines.sort_by_key(|line| (line.connection, call(line.text)));
            lines.iter().map(|line| format!("  {}\n", line.whole)).collect::<String>()
        };
        let (theirs, ours) = (words(&server.answers), words(&model.answers));
        if without_times(&theirs) != without_times(&ours) {
            let (line, step) = (server.step.number, server.step.whole);
            differences.push(format!("{name}:{line}: {step}\n{theirs}{ours}"));
        }
    }
    differences
}

/// The call that a line of etcd's is about.
fn call(text: &str) -> Option<u32> {
    text.split_once(' ')?.0.parse().ok()
}

fn check(store: &str, at_least: usize, replay: Replay) {
    let files = transcripts(store);
    assert!(files.len() >= at_least, "{} transcripts of {store}", files.len());
    let wrong: Vec<String> = files.iter().flat_map(|file| differences(file, replay)).collect();
    assert!(
        wrong.is_empty(),
        "{} differ: what was sent, real server's answer, model's answer:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn redis_answers_what_was_recorded() {
    check("redis", 22, |text| transcript::redis::replay(text, &mut Faithful));
}

#[test]
fn etcd_answers_what_was_recorded() {
    check("etcd", 12, |text| transcript::etcd::replay(text, &mut Faithful));
}

#[test]
fn zookeeper_answers_what_was_recorded() {
    check("zookeeper", 12, |text| transcript::zookeeper::replay(text, &mut Faithful));
}

#[test]
fn what_was_recorded_says_from_which_server() {
    for file in ["redis", "etcd", "zookeeper"].into_iter().flat_map(transcripts) {
        let text = fs::read_to_string(&file).expect("a readable transcript");
        let by_hand = file.ends_with("model.txt");
        let named = text.lines().next().and_then(transcript::recorded);
        assert_eq!(named.is_none(), by_hand, "{}", file.display());
    }
}
