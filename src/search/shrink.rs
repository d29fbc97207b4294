//! From a plan that fails to the smallest one that fails in the same way.

use picklock_sim::run::WorldError;
use proptest::strategy::ValueTree;

use super::Runner;
use super::cause::Cause;
use super::tree::PlanTree;
use crate::outcome::Outcome;
use crate::plan::Plan;

/// Trials after which shrinking stops, however far it is. A plan of five faults and five clients
/// takes some 300; this is for plans that people wrote.
const MOST_TRIALS: u32 = 5000;

/// The smallest failure that was found.
#[derive(Debug)]
pub struct Shrunk {
    /// The run of the smallest plan.
    pub outcome: Outcome,
    /// What the failure needs.
    pub cause: Cause,
    /// How many simpler plans were tried.
    pub trials: u32,
}

/// Makes a failing plan as small as it gets while it still fails, and needs the same for it. What it
/// needs is found first, because one kind of fault can often stand in for another. A simpler plan
/// that cannot be run is passed over.
///
/// # Errors
/// The plan that is left cannot be run: it could not be run in the first place.
pub fn shrink(
    plan: &Plan,
    run: Runner<'_>,
    fails: impl Fn(&Outcome) -> bool,
) -> Result<Shrunk, WorldError> {
    let still_fails = |plan: &Plan| run(plan).is_ok_and(|outcome| fails(&outcome));
    let needed = fewest_faults(plan, still_fails);
    let cause = Cause::of(&needed);
    let same = |plan: &Plan| Cause::of(plan) == cause && still_fails(plan);
    let (smallest, trials) = descend(PlanTree::new(needed), same);
    Ok(Shrunk { outcome: run(&smallest)?, cause, trials })
}

/// Takes away the faults that the failure does not need.
pub fn fewest_faults(plan: &Plan, still_fails: impl FnMut(&Plan) -> bool) -> Plan {
    descend(PlanTree::fewer_faults(plan.clone()), still_fails).0
}

/// proptest's way down a tree: the smallest plan that still fails, and the number of trials.
fn descend(mut tree: PlanTree, mut still_fails: impl FnMut(&Plan) -> bool) -> (Plan, u32) {
    let mut trials = 0;
    let mut more = tree.simplify();
    while more {
        trials += 1;
        let fails = still_fails(&tree.current());
        more = if fails { tree.simplify() } else { tree.complicate() };
        if trials >= MOST_TRIALS {
            return (tree.best().clone(), trials);
        }
    }
    (tree.current(), trials)
}

#[cfg(test)]
mod tests;
