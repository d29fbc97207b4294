//! The same plan in many fresh processes.
//!
//! Each has addresses of its own (the operating system sees to that) and other surroundings: whatever
//! a program could look at besides its plan is different, and must not matter. Every run leaves its
//! trail, so that two that differ are compared as they were: a third run might differ elsewhere.

use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::{env, fs, io};

use indicatif::ProgressBar;
use picklock_sim::trail::{Difference, Reader, first_difference};
use rayon::prelude::*;
use serde::Serialize;

use super::process::{End, Told};
use crate::cli::output::{self, FOLDER};
use crate::cli::{CliError, CliResult};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::plan::Plan;
use crate::report::verify as report;

/// What came of one plan.
#[derive(Debug, Serialize)]
pub(crate) struct Verified {
    pub(crate) scenario: String,
    pub(crate) contender: String,
    pub(crate) seed: u64,
    pub(crate) engine: Engine,
    /// How many processes ran it, and how often in all.
    pub(crate) processes: u32,
    pub(crate) runs: usize,
    /// Of the first process's run.
    pub(crate) first: Side,
    /// The first that was not like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) other: Option<Side>,
    /// Where the two part, if both ran to their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) difference: Option<Difference>,
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    /// In which process, from 1.
    pub(crate) process: usize,
    /// How many threads ran the plan there at the same time.
    pub(crate) threads: usize,
    /// `digest 0123456789abcdef after 812 items`, or why it failed.
    pub(crate) end: String,
}

pub(super) fn run(plans: &[(Plan, Engine)], runs: u32, as_json: bool) -> CliResult {
    let bar = output::progress(u64::from(runs) * plans.len() as u64);
    let mut all = Vec::new();
    for (plan, engine) in plans {
        all.push(verify(plan, *engine, runs, &bar)?);
    }
    bar.finish_and_clear();
    match as_json {
        true => output::json(&all)?,
        false => output::result(&report::processes(&all))?,
    }
    match all.iter().any(|verified| verified.other.is_some()) {
        true => Ok(Exit::NotRepeated),
        false => Ok(Exit::AsExpected),
    }
}

fn verify(
    plan: &Plan,
    engine: Engine,
    processes: u32,
    bar: &ProgressBar,
) -> Result<Verified, CliError> {
    let scratch = Scratch::new().map_err(|error| internal("a temporary folder", &error))?;
    output::write_json(&scratch.0.join("plan.json"), plan)?;
    let told: Result<Vec<Told>, CliError> = output::on_threads(0, || {
        let start = |number| {
            let told = start(number, engine, &scratch.0);
            bar.inc(1);
            told.map_err(|error| internal("another process of picklock", &error))
        };
        (0..processes).into_par_iter().with_max_len(1).map(start).collect()
    })?;
    let told = told?;

    let ends = told.iter().enumerate();
    let mut ends = ends.flat_map(|(process, told)| told.ends.iter().map(move |end| (process, end)));
    let (_, first) = ends.next().expect("at least two processes have told something");
    let other = ends.find(|(_, end)| !end.is_like(first));
    if let (None, End::Failed { error, is_input }) = (other, first) {
        let report = miette::miette!("{} with {}: {error}", plan.scenario, plan.contender);
        return Err(if *is_input { CliError::Input(report) } else { CliError::Internal(report) });
    }
    let difference = match (first, other) {
        (End::Whole { trail: one, .. }, Some((_, End::Whole { trail: other, .. }))) => {
            compare(one, other).map_err(|error| internal("two trails", &error))?
        }
        _ => None,
    };
    let side = |process: usize, end| Side {
        process: process + 1,
        threads: told[process].runs,
        end: report::end(end),
    };
    Ok(Verified {
        scenario: plan.scenario.clone(),
        contender: plan.contender.to_string(),
        seed: plan.world.seed.0,
        engine,
        processes,
        runs: told.iter().map(|told| told.runs).sum(),
        first: side(0, first),
        other: other.map(|(process, end)| side(process, end)),
        difference,
    })
}

/// Runs the plan in a fresh process.
fn start(number: u32, engine: Engine, folder: &Path) -> io::Result<Told> {
    let mut command = Command::new(env::current_exe()?);
    // Every other process runs it on all cores at once.
    let threads = if number.is_multiple_of(2) { "1" } else { "0" };
    command.arg("verify-process").arg(folder.join("plan.json"));
    command.args(["--engine", engine.name(), "--threads", threads, "--trail"]);
    command.arg(folder.join(format!("process-{number}")));
    surround(&mut command, number, folder)?;
    let output = command.stdin(Stdio::null()).output()?;
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        let error = format!("the process ended with {}: {}", output.status, said.trim());
        Told { runs: 1, ends: vec![End::Failed { error, is_input: false }] }
    }))
}

const TIME_ZONES: [&str; 4] = ["UTC", "Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu"];
const LANGUAGES: [&str; 3] = ["C", "tr_TR.UTF-8", "ar_EG.UTF-8"];

/// Other surroundings for each process but the first. Variables of another number and size also
/// move the stack.
fn surround(command: &mut Command, number: u32, folder: &Path) -> io::Result<()> {
    if number == 0 {
        return Ok(());
    }
    let number = number as usize;
    let home = folder.join(format!("home-{number}"));
    fs::create_dir_all(&home)?;
    command.current_dir(&home).env("HOME", &home);
    command.env("TZ", TIME_ZONES[number % TIME_ZONES.len()]);
    let language = LANGUAGES[number % LANGUAGES.len()];
    command.env("LANG", language).env("LC_ALL", language);
    for padding in 0..number * 7 % 23 {
        let size = (number * 131 + padding * 17) % 1021;
        command.env(format!("PICKLOCK_PADDING_{padding}"), "x".repeat(size));
    }
    Ok(())
}

fn compare(one: &Path, other: &Path) -> io::Result<Option<Difference>> {
    let mut one = Reader::open(fs::File::open(one)?)?;
    first_difference(&mut one, &mut Reader::open(fs::File::open(other)?)?)
}

fn internal(what: &str, error: &io::Error) -> CliError {
    CliError::Internal(miette::miette!("{what}: {error}"))
}

/// A folder that goes away with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let folder = Path::new(FOLDER).join("verify").join(process::id().to_string());
        fs::create_dir_all(&folder)?;
        // The processes work in other folders.
        Ok(Self(fs::canonicalize(folder)?))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed only takes up space.
        let _ = fs::remove_dir_all(&self.0);
    }
}
