//! `picklock verify FILE..`: what was found once is found again.
//!
//! Three questions, a file each: does a plan give the same run in every process (`processes`, with
//! `process` as the other end of it), does it still give the run that is on record (`golden`), do both
//! engines come to the same verdicts (`engines`).

mod engines;
mod golden;
pub(super) mod process;
mod processes;

use std::path::{Path, PathBuf};

pub(crate) use self::process::End;
pub(crate) use self::processes::{Side, Verified};

use super::{CliError, CliResult};
use crate::engine::Engine;
use crate::plan::Plan;
use crate::scenario::{self, Scenario};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Plans (`.plan.json`), scenarios (`.toml`: the first plan of each contender), or folders of
    /// scenarios.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// In how many fresh processes to run each plan, every other time on all cores at once; all runs
    /// must be the same.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
    runs: u32,
    /// The world to run them in (default: the one that recorded the plan, else the event engine).
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Compare every run of the scenarios with the digests that this list has on record.
    #[arg(long, value_name = "LIST", conflicts_with_all = ["runs", "engine", "engines"])]
    golden: Option<PathBuf>,
    /// Write the list anew, because another behaviour is meant.
    #[arg(long, requires = "golden")]
    update: bool,
    /// Compare the verdicts of both engines on all runs of the scenarios.
    #[arg(long, conflicts_with_all = ["runs", "engine"])]
    engines: bool,
    /// Results as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    match &args.golden {
        Some(list) => golden::run(&scenarios(&args.files)?, list, args.update, args.json),
        None if args.engines => engines::run(&scenarios(&args.files)?, args.json),
        None => processes::run(&plans(args)?, args.runs, args.json),
    }
}

fn scenarios(files: &[PathBuf]) -> Result<Vec<Scenario>, CliError> {
    let mut scenarios = Vec::new();
    for path in super::run::scenario_files(files)? {
        scenarios.push(scenario::load(&path)?);
    }
    Ok(scenarios)
}

/// The plans of the files, each with its engine.
fn plans(args: &Args) -> Result<Vec<(Plan, Engine)>, CliError> {
    let mut plans = Vec::new();
    for path in super::run::scenario_files(&args.files)? {
        if is_scenario(&path) {
            let scenario = scenario::load(&path)?;
            let engine = args.engine.unwrap_or_default();
            let seed = scenario.seeds().next().unwrap_or(picklock_sim::seed::Seed(1));
            let first = scenario.contender.iter().map(|spec| scenario.plan(spec.name, seed));
            plans.extend(first.map(|plan| (plan, engine)));
        } else {
            let plan = scenario::load_plan(&path)?;
            let recorded = plan.recorded.as_ref().map(|recorded| recorded.engine);
            plans.push((plan, args.engine.or(recorded).unwrap_or_default()));
        }
    }
    Ok(plans)
}

fn is_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}
