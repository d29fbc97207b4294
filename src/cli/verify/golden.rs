//! Every run of the scenarios against the digests on record.

use std::path::Path;
use std::{fs, io};

use rayon::prelude::*;

use crate::cli::{CliError, CliResult, output};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::golden::{Golden, RunName};
use crate::pipeline;
use crate::report::verify as report;
use crate::scenario::{InputError, Scenario};

pub(super) fn run(scenarios: &[Scenario], list: &Path, update: bool, as_json: bool) -> CliResult {
    let old = read(list, update)?;
    let new = digests(scenarios)?;
    let changes = old.changes(&new);
    match as_json {
        true => output::json(&changes)?,
        false => output::result(&report::changes(&changes, new.len()))?,
    }
    if update {
        output::write_file(list, |out| write!(out, "{new}"))?;
        output::talk(format_args!("{}: {} runs on record", list.display(), new.len()));
        return Ok(Exit::AsExpected);
    }
    match changes.is_empty() {
        true => Ok(Exit::AsExpected),
        false => Ok(Exit::NotRepeated),
    }
}

/// The record; one that is to be written need not be there.
fn read(list: &Path, update: bool) -> Result<Golden, CliError> {
    let text = match fs::read_to_string(list) {
        Ok(text) => text,
        Err(error) if update && error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            return Err(InputError::about_file(list, message).into());
        }
    };
    Golden::parse(&text).map_err(|problem| InputError::about_file(list, problem).into())
}

fn digests(scenarios: &[Scenario]) -> Result<Golden, CliError> {
    let plans: Vec<_> = scenarios
        .iter()
        .flat_map(|scenario| scenario.contender.iter().map(move |spec| (scenario, spec)))
        .flat_map(|(scenario, spec)| scenario.seeds().map(|seed| scenario.plan(spec.name, seed)))
        .collect();
    let bar = output::progress(plans.len() as u64);
    let digests: Result<Vec<_>, _> = output::on_threads(0, || {
        let run = |plan| {
            let history = pipeline::simulate(plan, Engine::Event)?;
            bar.inc(1);
            let run = RunName {
                scenario: plan.scenario.clone(),
                contender: plan.contender.to_string(),
                seed: plan.world.seed.0,
            };
            Ok::<_, CliError>((run, history.digest))
        };
        plans.par_iter().map(run).collect()
    })?;
    bar.finish_and_clear();
    Ok(digests?.into_iter().collect())
}
