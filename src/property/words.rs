//! What a developer reads when the test of a lock fails.
#![expect(clippy::print_stdout, reason = "the test harness shows or hides what a test prints")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, thread};

use super::trying::REPLAY;
use super::{Failure, Found};
use crate::outcome::Outcome;
use crate::report::sweep::size;
use crate::report::{findings, sweep, terminal};
use crate::search::sweep::Sweep;
use crate::verdict::Verdict;

/// A broken claim: the story first, then how to get it again.
pub(super) fn failure(failure: &Failure) -> String {
    let Failure { checker, cause, found, example, saved: file, page } = failure;
    let lock = &example.plan.contender;
    let word = findings::of(checker).meaning;
    let mut text = format!("{lock} broke a promise: {checker} by {cause}\n  ({word})\n\n");
    let judgement = example.violations().find(|(judgement, _)| judgement.checker == *checker);
    for line in judgement.iter().flat_map(|(_, violation)| &violation.story) {
        let _ = writeln!(text, "  {line}");
    }
    let others: Vec<&str> = example.broken().filter(|other| other != checker).collect();
    if !others.is_empty() {
        let _ = writeln!(text, "  Broken in the same run: {}.", others.join(", "));
    }
    let _ = match found {
        Found::Drawn(seed) => writeln!(text, "\nfound with seed {seed}, shrunk: {}", size(example)),
        Found::Saved(_) => writeln!(text, "\na plan that had failed before: {}", size(example)),
    };
    text.push_str(&saved(file.as_ref()));
    if let Some(page) = page {
        let _ = writeln!(text, "page:   {}", short(page));
    }
    text
}

/// Where the plan is, and the command that shows it in full.
pub(super) fn saved(file: Option<&PathBuf>) -> String {
    let Some(file) = file else { return "its plan was not saved\n".to_owned() };
    let file = short(file);
    // The harness names each test's thread after the test.
    let current = thread::current();
    let test = current.name().filter(|name| *name != "main").unwrap_or_default();
    format!("plan:   {file}\nrepeat: {REPLAY}={file} cargo test {test} -- --nocapture\n")
}

/// A path as it can be typed where cargo runs tests: in the crate's folder.
fn short(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// A claim that nobody could judge.
pub(super) fn unknown(seed: &picklock_sim::seed::Seed, outcome: &Outcome) -> String {
    let mut text = format!("with seed {seed} a promise could not be judged:\n");
    for judgement in outcome.judgements.iter().filter(|judgement| judgement.claimed) {
        if let Verdict::Unknown { reason } = &judgement.verdict {
            let _ = writeln!(text, "  {}: {reason}", judgement.checker);
        }
    }
    text
}

/// What was tried, for whoever looks (`--nocapture`): a pass in which nothing struck is no pass.
pub(super) fn passed(account: &Sweep) {
    println!("{}", sweep::account(account));
}

/// One run in full.
pub(super) fn replayed(outcome: &Outcome) {
    println!("{}", terminal::replayed(outcome, true));
}
