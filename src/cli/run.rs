//! `picklock run FILE..`: scenarios against what they expect.

use std::fs;
use std::path::{Path, PathBuf};

use picklock_sim::run::WorldError;
use rayon::prelude::*;
use serde::Serialize;

use super::output::{self, FOLDER};
use super::reports::Reports;
use super::{CliError, CliResult};
use crate::checkers::judge;
use crate::costs::{Ledger, Measured};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::pipeline;
use crate::report::suite::Suite;
use crate::report::terminal;
use crate::scenario::{self, ContenderSpec, InputError, Scenario, Surprise};
use crate::verdict::Judgement;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The world to run them in.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Go on where the engine cannot express a scenario's faults, and list these scenarios.
    #[arg(long)]
    skip_inexpressible: bool,
    /// Results as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reports: Reports,
}

/// What came of one contender of one scenario.
#[derive(Serialize)]
pub(crate) struct ContenderResult {
    pub(crate) scenario: String,
    pub(crate) contender: String,
    /// Where the contender stands: its scenario's file and line.
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) engine: Engine,
    pub(crate) runs: usize,
    /// What did not come out as expected.
    pub(crate) surprises: Vec<Surprise>,
    /// Why it could not be run, if the engine cannot express it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
    /// What it cost, where the scenario expects something of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) costs: Option<Measured>,
    /// The judgements of the run that is shown: the first surprising one, or the first.
    pub(crate) judgements: Vec<Judgement>,
    /// The plan of that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> CliResult {
    args.reports.check()?;
    // All files are read before anything is run or written: bad input leaves nothing behind.
    let mut scenarios = Vec::new();
    for path in scenario_files(&args.files)? {
        scenarios.push(scenario::load(&path)?);
    }
    let jobs: Vec<(&Scenario, &ContenderSpec)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.contender.iter().map(move |spec| (scenario, spec)))
        .collect();
    let bar = output::progress(jobs.iter().map(|(scenario, _)| scenario.run.runs).sum());
    let results: Result<Vec<_>, CliError> = output::on_threads(0, || {
        let run = |(scenario, spec): &(&Scenario, &ContenderSpec)| {
            let result = run_contender(scenario, spec, args);
            bar.inc(scenario.run.runs);
            result
        };
        jobs.par_iter().map(run).collect()
    })?;
    bar.finish_and_clear();
    let results = results?;

    if args.json {
        output::json(&results)?;
    } else {
        output::result(&terminal::scenario_results(&scenarios, &results))?;
    }
    args.reports.write(&Suite::of_run(args.engine, &results))?;
    match results.iter().any(|result| !result.surprises.is_empty()) {
        true => Ok(Exit::Unexpected),
        false => Ok(Exit::AsExpected),
    }
}

fn run_contender(
    scenario: &Scenario,
    spec: &ContenderSpec,
    args: &Args,
) -> Result<ContenderResult, CliError> {
    let mut result = ContenderResult {
        scenario: scenario.name.clone(),
        contender: spec.name.to_string(),
        file: scenario.file.clone(),
        line: spec.line,
        engine: args.engine,
        runs: 0,
        surprises: Vec::new(),
        skipped: None,
        costs: None,
        judgements: Vec::new(),
        plan: None,
    };
    let folder = Path::new(FOLDER).join("run").join(args.engine.name()).join(&scenario.name);
    let mut outcomes = Vec::new();
    let mut ledger = Ledger::default();
    for seed in scenario.seeds() {
        let plan = scenario.plan(spec.name, seed);
        let stem = folder.join(output::slug(&format!("{}-{seed}", spec.name)));
        let history = match pipeline::simulate(&plan, args.engine) {
            Ok(history) => history,
            Err(error @ WorldError::CannotExpress { .. }) if args.skip_inexpressible => {
                result.skipped = Some(error.to_string());
                return Ok(result);
            }
            Err(error) => return Err(about(error, scenario, spec)),
        };
        // Written before any judge sees it: a checker that fails leaves the evidence.
        let history_file = stem.with_extension("history.jsonl");
        output::write_file(&history_file, |out| picklock_sim::history::write(&history, out))?;
        let judgements = judge(&history);
        let outcome = Outcome::new(&plan, args.engine, history, judgements);
        // Once more with a tap, which changes no event: few scenarios ask for it.
        if spec.costs.any()
            && let (_, Some(tap)) = pipeline::run_tapped(&plan, args.engine)?
        {
            ledger.add(&outcome.history, &tap, &outcome.plan.lock_servers());
        }
        output::write_json(&stem.with_extension("plan.json"), &outcome.plan)?;
        outcomes.push((outcome, stem.with_extension("plan.json")));
    }
    let (outcomes, plans): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    result.runs = outcomes.len();
    result.surprises = spec.surprises(&outcomes);
    if spec.costs.any() && args.engine == Engine::Event {
        let measured = ledger.measured();
        result.surprises.extend(spec.dear(&measured));
        result.costs = Some(measured);
    }
    let surprising =
        outcomes.iter().position(|one| !spec.surprises(std::slice::from_ref(one)).is_empty());
    let telling = outcomes.iter().position(|outcome| outcome.violations().next().is_some());
    let shown = match result.surprises.is_empty() {
        true => telling.unwrap_or(0),
        false => surprising.or(telling).unwrap_or(0),
    };
    result.judgements = outcomes[shown].judgements.clone();
    result.plan = Some(plans[shown].clone());
    Ok(result)
}

fn about(error: WorldError, scenario: &Scenario, spec: &ContenderSpec) -> CliError {
    let text = format!("{} with {}: {error}", scenario.name, spec.name);
    match CliError::from(error) {
        CliError::Input(_) => CliError::Input(miette::miette!("{text}")),
        _ => CliError::Internal(miette::miette!("{text}")),
    }
}

/// The files named, and those in the folders named, in order of their paths.
pub(super) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        collect(path, &mut files)
            .map_err(|error| InputError::about_file(path, format!("cannot be read: {error}")))?;
        files[before..].sort();
        if files.len() == before {
            return Err(InputError::about_file(path, "holds no scenario (no `.toml` file)"));
        }
    }
    Ok(files)
}

/// All scenarios below a folder.
pub(super) fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
