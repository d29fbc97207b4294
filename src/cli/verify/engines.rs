//! The verdicts of both engines, side by side.

use picklock_sim::run::WorldError;
use rayon::prelude::*;

use crate::agreement::{Accord, Agreement, Engines, Inexpressible};
use crate::cli::{CliError, CliResult, output};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::pipeline;
use crate::report::verify as report;
use crate::scenario::{ContenderSpec, Scenario};
use crate::verdict::Judgement;

pub(super) fn run(scenarios: &[Scenario], as_json: bool) -> CliResult {
    let jobs: Vec<(&Scenario, &ContenderSpec)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.contender.iter().map(move |spec| (scenario, spec)))
        .collect();
    let bar = output::progress(jobs.iter().map(|(scenario, _)| scenario.run.runs).sum());
    let compared: Result<Vec<_>, CliError> = output::on_threads(0, || {
        let one = |(scenario, spec): &(&Scenario, &ContenderSpec)| {
            let compared = compare(scenario, spec);
            bar.inc(scenario.run.runs);
            compared
        };
        jobs.par_iter().with_max_len(1).map(one).collect()
    })?;
    bar.finish_and_clear();

    let mut engines = Engines::default();
    for ((scenario, _), compared) in jobs.iter().zip(compared?) {
        match compared {
            Ok(agreement) => {
                let mut verdicts = agreement.verdicts.iter();
                if verdicts.any(|both| both.accord == Accord::Differs) {
                    engines.differing.push(scenario.file.clone());
                }
                engines.agreements.push(agreement);
            }
            Err(why) => {
                engines.inexpressible.push(Inexpressible { scenario: scenario.name.clone(), why });
            }
        }
    }
    engines.differing.dedup();
    match as_json {
        true => output::json(&engines)?,
        false => output::result(&report::engines(&engines))?,
    }
    match engines.differing.is_empty() {
        true => Ok(Exit::AsExpected),
        false => Ok(Exit::Unexpected),
    }
}

/// Both engines on all runs of one contender; or why there is only one.
fn compare(
    scenario: &Scenario,
    spec: &ContenderSpec,
) -> Result<Result<Agreement, String>, CliError> {
    let judged = |engine| -> Result<Vec<Vec<Judgement>>, WorldError> {
        let seeds: Vec<_> = scenario.seeds().collect();
        let run = |seed| Ok(pipeline::run(&scenario.plan(spec.name, seed), engine)?.judgements);
        seeds.into_par_iter().map(run).collect()
    };
    let both = judged(Engine::Turmoil).and_then(|turmoil| Ok((judged(Engine::Event)?, turmoil)));
    match both {
        Ok((event, turmoil)) => Ok(Ok(Agreement::of(&scenario.name, spec, &event, &turmoil))),
        Err(WorldError::CannotExpress { fault, why, .. }) => Ok(Err(format!("{fault}: {why}"))),
        Err(error) => Err(error.into()),
    }
}
