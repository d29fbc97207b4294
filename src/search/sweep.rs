//! Many plans, many contenders, one account of what was found.
//!
//! A seed is one unit of work: its plan is run with every contender, and each promise that breaks is
//! traced to the faults that it needs. That depends on the seed alone, so seeds can be spread over
//! threads or machines; the account is then put together in the order of the seeds, and the same
//! seeds give the same account everywhere. A part of it can be written to a file: one machine's share,
//! or all until now, so that a sweep that was killed goes on there.

mod account;
mod in_order;
mod known;
mod merge;
mod partial;
mod recheck;
mod shard;
mod trial;
mod work;

use std::ops::Range;

use picklock_sim::seed::Seed;

pub use account::{ContenderAccount, Failure, FamilyCount, Sweep, Times};
pub use known::{Known, known};
pub use merge::{MergeError, merge};
pub use partial::{Partial, Subject};
pub use recheck::{Obstacle, Share};
pub use shard::Shard;
pub use work::Work;

use super::Runner;
use super::space::Space;
use crate::contender::Contender;
use account::Tally;
use in_order::in_order;
use trial::{Trial, attempt};

/// A sweep to be carried out.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who is asked, each with its plans.
    pub spaces: Vec<(Contender, Space)>,
    /// The seeds to be tried.
    pub seeds: Range<u64>,
    /// Whether the first seed that breaks a promise is the last.
    pub stop_at_first: bool,
    /// How many of the seeds are run twice, to see that they repeat.
    pub recheck: Share,
}

/// A run that could not be carried out, or not be repeated.
#[derive(Debug, thiserror::Error)]
#[error("seed {seed} with {contender}: {error}")]
pub struct SweepError {
    /// Whose plan it was.
    pub seed: Seed,
    /// With whom.
    pub contender: Contender,
    /// The plan.
    pub plan: Box<crate::plan::Plan>,
    /// What happened.
    pub error: Obstacle,
}

/// Carries out a sweep. After each seed `go_on` is told how many are done; false ends the sweep there.
///
/// # Errors
/// The first run (in the order of the seeds) that could not be carried out or did not repeat.
pub fn sweep(
    question: &Question,
    run: Runner<'_>,
    mut go_on: impl FnMut(u64) -> bool + Send,
) -> Result<Sweep, Box<SweepError>> {
    let mut tally = Tally::new(question, question.seeds.start);
    try_all(question, question.seeds.clone(), run, |trials| {
        let broken = tally.add(trials);
        !(broken && question.stop_at_first) && go_on(tally.sweep.plans)
    })?;
    Ok(tally.finish(run))
}

/// Tries seeds and hands out what came of them, in their order, until `take` returns false.
fn try_all(
    question: &Question,
    seeds: Range<u64>,
    run: Runner<'_>,
    mut take: impl FnMut(Vec<Trial>) -> bool + Send,
) -> Result<(), Box<SweepError>> {
    let mut result = Ok(());
    let work = |seed| attempt(question, Seed(seed), run);
    in_order(seeds, work, |tried| match tried {
        Ok(trials) => take(trials),
        Err(error) => {
            result = Err(error);
            false
        }
    });
    result
}

#[cfg(test)]
mod tests;
