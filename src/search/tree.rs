//! One plan and all that is simpler, as proptest sees values that shrink.
//!
//! proptest's own trees shrink what a strategy drew; this one starts from the plan itself. So a plan
//! from a file, from an old report or edited by hand shrinks exactly as a drawn one does, and it
//! keeps its seed: all that is still drawn during the run stays what it was.

use std::collections::VecDeque;

use proptest::strategy::ValueTree;

use super::simpler::{Pass, fewer_faults};
use crate::plan::Plan;

/// A failing plan on its way down. [`ValueTree::simplify`] takes the plan on trial as the new best
/// and tries something simpler; [`ValueTree::complicate`] goes back to the best and tries something
/// else. When either returns false, [`ValueTree::current`] is the simplest that was found.
#[derive(Clone, Debug)]
pub struct PlanTree {
    /// The simplest plan that is known to fail.
    best: Plan,
    /// What is on trial; the best at first and at the end.
    trial: Plan,
    /// Simpler forms of the best that were not tried yet, of the pass at hand.
    untried: VecDeque<Plan>,
    passes: &'static [Pass],
    /// Which pass is at hand.
    pass: usize,
    /// Whether this round over all passes has found anything.
    improved: bool,
}

impl PlanTree {
    /// All ways down from this plan.
    pub fn new(plan: Plan) -> Self {
        Self::with(super::simpler::PASSES, plan)
    }

    /// Only the way to fewer faults.
    pub fn fewer_faults(plan: Plan) -> Self {
        Self::with(&[fewer_faults], plan)
    }

    /// The simplest plan so far that is known to fail.
    pub fn best(&self) -> &Plan {
        &self.best
    }

    fn with(passes: &'static [Pass], plan: Plan) -> Self {
        let best = Plan { recorded: None, ..plan };
        let untried = simpler(passes[0], &best);
        Self { trial: best.clone(), best, untried, passes, pass: 0, improved: false }
    }

    /// Puts the next plan on trial.
    fn next(&mut self) -> bool {
        loop {
            if let Some(plan) = self.untried.pop_front() {
                self.trial = plan;
                return true;
            }
            self.pass += 1;
            if self.pass == self.passes.len() {
                if !self.improved {
                    self.trial = self.best.clone();
                    return false;
                }
                // What one pass changed may let another one, which failed before, succeed.
                (self.pass, self.improved) = (0, false);
            }
            self.untried = simpler(self.passes[self.pass], &self.best);
        }
    }
}

/// The simpler plans that make sense at all.
fn simpler(pass: Pass, best: &Plan) -> VecDeque<Plan> {
    pass(best).into_iter().filter(|plan| plan != best && plan.check().is_ok()).collect()
}

impl ValueTree for PlanTree {
    type Value = Plan;

    fn current(&self) -> Plan {
        self.trial.clone()
    }

    fn simplify(&mut self) -> bool {
        if self.trial != self.best {
            self.improved = true;
            self.best = self.trial.clone();
            self.untried = simpler(self.passes[self.pass], &self.best);
        }
        self.next()
    }

    fn complicate(&mut self) -> bool {
        self.next()
    }
}
