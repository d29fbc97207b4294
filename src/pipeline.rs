//! The spine: Plan -> History -> Judgements -> Outcome.
//!
//! Each step sees only the value before it. Scenarios make plans ([`crate::scenario`]), reports
//! show outcomes ([`crate::report`]); everything in between is here.

use picklock_sim::digest::Digest;
use picklock_sim::plan::LONGEST_MS;
use picklock_sim::run::{Run, WorldError};
use picklock_sim::tap::Tap;
use picklock_sim::trail::Trail;

use crate::cast::PlanCast;
use crate::checkers::judge;
use crate::engine::Engine;
use crate::lock::Algorithm;
use crate::locks::{self, Visitor};
use crate::outcome::{Outcome, Severity};
use crate::plan::Plan;
use crate::terms::History;

/// Runs a plan and judges what happened.
///
/// # Errors
/// A plan that makes no sense or that the engine cannot express; a program that panics.
pub fn run(plan: &Plan, engine: Engine) -> Result<Outcome, WorldError> {
    struct Whole<'a>(&'a Plan, Engine);
    impl Visitor for Whole<'_> {
        type Output = Result<Outcome, WorldError>;
        fn visit<A: Algorithm>(self) -> Self::Output {
            run_lock::<A>(self.0, self.1)
        }
    }
    locks::visit(plan.contender.lock, Whole(plan, engine))
        .expect("a contender's lock is in the list")
}

/// As [`run`], but a run that ends too soon for one of its lock's promises to be judged goes on until it can be: the
/// same run, for longer. That takes the lock's own bound from the heal on, or twice as long, where somebody who held
/// the lock at the heal let go of it late.
///
/// # Errors
/// As [`run`].
pub fn run_until_judged(plan: &Plan, engine: Engine) -> Result<Outcome, WorldError> {
    let mut outcome = run(plan, engine)?;
    let bound_ms = outcome.history.header.recovery_bound_ms.unwrap_or_default();
    for bounds in [1, 2] {
        if outcome.severity() != Severity::Unknown {
            break;
        }
        let after_ms = bound_ms.saturating_mul(bounds).saturating_add(plan.to_recover_ms());
        let mut longer = plan.clone();
        longer.world.end_at_ms = plan.world.heal_at_ms.saturating_add(after_ms).min(LONGEST_MS);
        if longer.world.end_at_ms > outcome.plan.world.end_at_ms {
            outcome = run(&longer, engine)?;
        }
    }
    Ok(outcome)
}

/// As [`run`], and what else was to be seen, if the engine lets anybody look.
///
/// # Errors
/// As [`run`].
pub fn run_tapped(plan: &Plan, engine: Engine) -> Result<(Outcome, Option<Tap>), WorldError> {
    struct Tapped<'a>(&'a Plan, Engine);
    impl Visitor for Tapped<'_> {
        type Output = Result<(Outcome, Option<Tap>), WorldError>;
        fn visit<A: Algorithm>(self) -> Self::Output {
            run_lock_tapped::<A>(self.0, self.1)
        }
    }
    locks::visit(plan.contender.lock, Tapped(plan, engine))
        .expect("a contender's lock is in the list")
}

/// As [`run_tapped`], with this lock, whatever name the plan gives.
///
/// # Errors
/// As [`run`].
pub fn run_lock_tapped<A: Algorithm>(
    plan: &Plan,
    engine: Engine,
) -> Result<(Outcome, Option<Tap>), WorldError> {
    plan.check()?;
    let (run, tap) = engine.run_tapped(&plan.world, PlanCast::<A>::new(plan))?;
    Ok((judged::<A>(plan, engine, run), tap))
}

/// As [`run`], with this lock, whatever name the plan gives.
///
/// # Errors
/// As [`run`].
pub fn run_lock<A: Algorithm>(plan: &Plan, engine: Engine) -> Result<Outcome, WorldError> {
    plan.check()?;
    let run = engine.run(&plan.world, PlanCast::<A>::new(plan))?;
    Ok(judged::<A>(plan, engine, run))
}

/// Runs a plan whose lock is known by name.
///
/// # Errors
/// As [`run`].
pub fn simulate(plan: &Plan, engine: Engine) -> Result<History, WorldError> {
    struct Simulate<'a>(&'a Plan, Engine);
    impl Visitor for Simulate<'_> {
        type Output = Result<History, WorldError>;
        fn visit<A: Algorithm>(self) -> Self::Output {
            simulate_lock::<A>(self.0, self.1)
        }
    }
    locks::visit(plan.contender.lock, Simulate(plan, engine))
        .expect("a contender's lock is in the list")
}

/// Runs a plan for nothing but what its digest was fed with.
///
/// # Errors
/// As [`run`].
pub fn trace(plan: &Plan, engine: Engine) -> Result<(Digest, Trail), WorldError> {
    struct Trace<'a>(&'a Plan, Engine);
    impl Visitor for Trace<'_> {
        type Output = Result<(Digest, Trail), WorldError>;
        fn visit<A: Algorithm>(self) -> Self::Output {
            let Trace(plan, engine) = self;
            plan.check()?;
            let run = engine.run_with_trail(&plan.world, PlanCast::<A>::new(plan))?;
            Ok((run.digest, run.trail.map(|trail| *trail).unwrap_or_default()))
        }
    }
    locks::visit(plan.contender.lock, Trace(plan, engine))
        .expect("a contender's lock is in the list")
}

/// Runs a plan with this lock, whatever name the plan gives.
///
/// # Errors
/// As [`run`].
pub fn simulate_lock<A: Algorithm>(plan: &Plan, engine: Engine) -> Result<History, WorldError> {
    plan.check()?;
    let run = engine.run(&plan.world, PlanCast::<A>::new(plan))?;
    Ok(history::<A>(plan, engine, run))
}

fn judged<A: Algorithm>(plan: &Plan, engine: Engine, run: Run) -> Outcome {
    let messages = run.messages;
    let history = history::<A>(plan, engine, run);
    let judgements = judge(&history);
    Outcome { messages, ..Outcome::new(plan, engine, history, judgements) }
}

fn history<A: Algorithm>(plan: &Plan, engine: Engine, run: Run) -> History {
    let bound =
        A::recovery_bound(&plan.lock).map(|bound| bound.as_millis() as u64 + plan.working_ms());
    History { header: plan.terms(engine, bound), events: run.events, digest: run.digest }
}
