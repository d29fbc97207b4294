//! Many plans, many contenders, one account of what was found.
//!
//! A seed is one unit of work: its plan is run with every contender, and each promise that breaks is
//! traced to the faults that it needs. That depends on the seed alone, so seeds can be spread over
//! threads or machines; the account is then put together in the order of the seeds, and the same
//! seeds give the same account everywhere.

mod account;
mod known;
mod recheck;
mod trial;
mod work;

use std::ops::Range;

use picklock_sim::seed::Seed;
use rayon::prelude::*;

pub use account::{ContenderAccount, Failure, FamilyCount, Sweep, Times};
pub use known::{Known, known};
pub use recheck::{Obstacle, Share};
pub use work::Work;

use super::Runner;
use super::space::Space;
use crate::contender::Contender;
use account::Tally;
use trial::{Trial, attempt};

/// How many seeds are worked on between two looks at the clock: enough to keep all cores busy, few
/// enough that a time limit is kept to a second or so.
const BATCH: u64 = 128;

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

/// Carries out a sweep. Before each batch of seeds `go_on` is told how many are done; false ends the
/// sweep there.
///
/// # Errors
/// The first run (in the order of the seeds) that could not be carried out or did not repeat.
pub fn sweep(
    question: &Question,
    run: Runner<'_>,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<Sweep, Box<SweepError>> {
    let Range { start, end } = question.seeds;
    let mut tally = Tally::new(question);
    let mut next = start;
    'batches: while next < end && go_on(next - start) {
        let batch: Vec<u64> = (next..next.saturating_add(BATCH).min(end)).collect();
        next += batch.len() as u64;
        let tried: Vec<Result<Vec<Trial>, Box<SweepError>>> = batch
            .into_par_iter()
            .with_max_len(1)
            .map(|seed| attempt(question, Seed(seed), run))
            .collect();
        for trials in tried {
            if tally.add(trials?) && question.stop_at_first {
                break 'batches;
            }
        }
    }
    Ok(tally.finish(run))
}

#[cfg(test)]
mod tests;
