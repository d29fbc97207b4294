//! What single scenarios know already, against what a sweep found: the test of the search itself.

use picklock_sim::run::WorldError;
use rayon::prelude::*;
use serde::Serialize;

use super::account::Sweep;
use super::trial::traced;
use crate::contender::Contender;
use crate::scenario::Scenario;
use crate::search::Runner;
use crate::search::cause::Cause;

/// A failure that a scenario shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Known {
    /// Whose.
    pub contender: String,
    /// Who finds it.
    pub checker: String,
    /// What it needs.
    pub cause: Cause,
    /// The first scenario that shows it.
    pub scenario: String,
}

/// The distinct failures of these contenders in these scenarios, each once.
///
/// # Errors
/// The first run that could not be carried out.
pub fn known(
    scenarios: &[Scenario],
    contenders: &[Contender],
    run: Runner<'_>,
) -> Result<Vec<Known>, WorldError> {
    let jobs: Vec<_> = scenarios
        .iter()
        .flat_map(|scenario| {
            let judged = contenders
                .iter()
                .filter(|contender| scenario.contender.iter().any(|spec| spec.name == **contender));
            judged.flat_map(move |one| scenario.seeds().map(move |seed| (scenario, *one, seed)))
        })
        .collect();
    let one = |(scenario, contender, seed): &(&Scenario, Contender, _)| {
        let outcome = run(&scenario.plan(*contender, *seed))?;
        let broken: Vec<&str> = outcome.broken().collect();
        let known = traced(&outcome, &broken, run).into_iter().map(|broken| Known {
            contender: contender.to_string(),
            checker: broken.checker,
            cause: broken.cause,
            scenario: scenario.name.clone(),
        });
        Ok(known.collect::<Vec<_>>())
    };
    let found: Result<Vec<_>, WorldError> = jobs.par_iter().with_max_len(1).map(one).collect();
    let mut found: Vec<Known> = found?.into_iter().flatten().collect();
    found.sort();
    found.dedup_by(|one, other| {
        (&one.contender, &one.checker, &one.cause)
            == (&other.contender, &other.checker, &other.cause)
    });
    Ok(found)
}

impl Sweep {
    /// The known failures that this sweep did not find, neither as they are nor by a simpler cause.
    pub fn missed<'a>(&self, known: &'a [Known]) -> Vec<&'a Known> {
        let found = |known: &&Known| {
            let mut accounts =
                self.contenders.iter().filter(|one| one.contender.to_string() == known.contender);
            accounts.any(|account| {
                account.failures.iter().any(|failure| {
                    let by = &failure.cause;
                    let simpler = !by.is_none() && by.is_part_of(&known.cause);
                    failure.checker == known.checker && (*by == known.cause || simpler)
                })
            })
        };
        known.iter().filter(|known| !found(known)).collect()
    }
}
