//! One seed: its plan with every contender, and what each broken promise needed.

use picklock_sim::fault::TimedFault;
use picklock_sim::run::WorldError;
use picklock_sim::seed::Seed;

use super::recheck::{Obstacle, run_again};
use super::work::Work;
use super::{Question, SweepError};
use crate::contender::Contender;
use crate::facts::facts;
use crate::outcome::{Outcome, Severity};
use crate::plan::Plan;
use crate::search::Runner;
use crate::search::cause::Cause;
use crate::search::shrink::fewest_faults;
use crate::search::space::{Drawn, Space};

/// What came of one plan with one contender.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) seed: Seed,
    /// The families that were on, and whether any of their faults has struck.
    pub(super) families: Vec<(&'static str, bool)>,
    /// Whether it was run twice.
    pub(super) rechecked: bool,
    /// What came of it; `None` if the engine cannot express it.
    pub(super) result: Option<Judged>,
}

/// What the judges said, as far as a sweep keeps it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) severity: Severity,
    /// Which facts happened, in their order.
    pub(super) facts: Vec<bool>,
    /// What the run amounts to.
    pub(super) work: Work,
    /// Each promise that was broken.
    pub(super) broken: Vec<Broken>,
}

/// A broken promise and what it needs.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) checker: String,
    pub(super) cause: Cause,
    /// The plan with the fewest faults that still breaks it.
    pub(super) plan: Plan,
}

/// The plan of a seed with every contender.
pub(super) fn attempt(
    question: &Question,
    seed: Seed,
    run: Runner<'_>,
) -> Result<Vec<Trial>, Box<SweepError>> {
    let one = |(contender, space): &(Contender, Space)| {
        let Drawn { plan, families } = space.draw(seed);
        let error = |error: Obstacle| {
            let plan = Box::new(plan.clone());
            Box::new(SweepError { seed, contender: *contender, plan, error })
        };
        let outcome = match run(&plan) {
            Ok(outcome) => outcome,
            Err(WorldError::CannotExpress { .. }) => {
                let families = families.iter().map(|(name, _)| (*name, false)).collect();
                return Ok(Trial { seed, families, rechecked: false, result: None });
            }
            Err(cannot) => return Err(error(cannot.into())),
        };
        let rechecked = question.recheck.takes(seed);
        if rechecked {
            run_again(&plan, &outcome, run).map_err(error)?;
        }
        let struck = outcome.struck();
        let families = families.into_iter().map(|(name, mut faults)| {
            let any = faults.any(|fault| struck.contains(&fault));
            (name, any)
        });
        let families = families.collect();
        Ok(Trial { seed, families, rechecked, result: Some(judged(&outcome, run)) })
    };
    question.spaces.iter().map(one).collect()
}

fn judged(outcome: &Outcome, run: Runner<'_>) -> Judged {
    let broken: Vec<&str> = outcome.broken().collect();
    Judged {
        severity: outcome.severity(),
        facts: facts(&outcome.history),
        work: Work::of(outcome),
        broken: if broken.is_empty() { Vec::new() } else { traced(outcome, &broken, run) },
    }
}

/// Each broken promise with the faults that it needs. Several promises mostly break together, so
/// what was tried for one is remembered for the others.
pub(super) fn traced(outcome: &Outcome, broken: &[&str], run: Runner<'_>) -> Vec<Broken> {
    let mut tried: Vec<(Vec<TimedFault>, Vec<String>)> = Vec::new();
    let mut breaks = |plan: &Plan, checker: &str| {
        let faults = &plan.world.faults;
        let known = tried.iter().position(|(tried, _)| tried == faults).unwrap_or_else(|| {
            let outcome = run(plan);
            let broken = outcome.iter().flat_map(Outcome::broken).map(str::to_owned).collect();
            tried.push((faults.clone(), broken));
            tried.len() - 1
        });
        tried[known].1.iter().any(|found| found == checker)
    };
    let struck = outcome.struck();
    let mut plan = Plan { recorded: None, ..outcome.plan.clone() };
    let mut index = 0..;
    // What never struck is not needed, which a trial confirms.
    plan.world.faults.retain(|_| struck.contains(&index.next().expect("endless")));
    let trace = |checker: &&str| {
        let whole = Plan { recorded: None, ..outcome.plan.clone() };
        let start = if breaks(&plan, checker) { &plan } else { &whole };
        let plan = fewest_faults(start, |plan| breaks(plan, checker));
        Broken { checker: (*checker).to_owned(), cause: Cause::of(&plan), plan }
    };
    broken.iter().map(trace).collect()
}
