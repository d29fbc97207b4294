//! A run as it is put on show: with its messages, and with what would have happened otherwise.
//!
//! Gathered for the few runs that a page shows, by running their plans again: the thousands of other
//! runs need neither. Reports draw what is gathered here and run nothing themselves.

use picklock_sim::run::WorldError;
use picklock_sim::tap::Tap;

use crate::counterfactual::{What, variants};
use crate::engine::Engine;
use crate::outcome::{Outcome, Severity, severity};
use crate::pipeline;
use crate::plan::Plan;
use crate::terms::History;
use crate::verdict::{Judgement, Violation};

/// A run with its counterfactuals.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// What happened.
    pub fact: Shown,
    /// What would have happened.
    pub variants: Vec<(What, Shown)>,
    /// What a reader must know about what is missing.
    pub notes: Vec<String>,
}

/// A run, and all that is known of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What happened.
    pub history: History,
    /// What each checker said.
    pub judgements: Vec<Judgement>,
    /// Its plan; an old history may have lost it.
    pub plan: Option<Plan>,
    /// Its messages and clocks, if somebody looked.
    pub tap: Option<Tap>,
}

impl Shown {
    /// A run of which only the outcome is known.
    pub fn new(outcome: Outcome, tap: Option<Tap>) -> Self {
        let Outcome { plan, history, judgements, .. } = outcome;
        Self { history, judgements, plan: Some(plan), tap }
    }

    /// Everything that was found, claimed or not, in the checkers' order.
    pub fn violations(&self) -> impl Iterator<Item = (&Judgement, &Violation)> {
        let judgements = self.judgements.iter();
        judgements.filter_map(|judgement| Some((judgement, judgement.verdict.violation()?)))
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        severity(&self.judgements)
    }
}

/// Runs the plan of an outcome once more, with a tap on every wire, and each of its variants.
///
/// # Errors
/// As [`pipeline::run`]; a variant that cannot be run is left out with a note.
pub fn gather(outcome: &Outcome) -> Result<Exhibit, WorldError> {
    gather_by(outcome, pipeline::run_tapped)
}

/// As [`gather`], for plans of a lock that only the caller can run.
///
/// # Errors
/// As [`gather`].
pub fn gather_by(
    outcome: &Outcome,
    run: impl Fn(&Plan, Engine) -> Result<(Outcome, Option<Tap>), WorldError>,
) -> Result<Exhibit, WorldError> {
    let engine = outcome.plan.recorded.as_ref().map(|recorded| recorded.engine).unwrap_or_default();
    let (again, tap) = run(&outcome.plan, engine)?;
    let mut notes = Vec::new();
    if again.history.digest != outcome.history.digest {
        notes.push(
            "This build makes another run of the plan than the one shown: there are no messages, \
             and the counterfactuals are runs of this build."
                .to_owned(),
        );
    } else if tap.is_none() {
        notes.push(format!("The {engine} engine does not record messages and clocks."));
    }
    let tap = tap.filter(|_| again.history.digest == outcome.history.digest);
    let mut shown = Vec::new();
    for variant in variants(&outcome.plan) {
        match run(&variant.plan, engine) {
            Ok((outcome, tap)) => shown.push((variant.what, Shown::new(outcome, tap))),
            Err(error) => notes.push(format!("What if, {}: {error}.", variant.what)),
        }
    }
    Ok(Exhibit { fact: Shown::new(outcome.clone(), tap), variants: shown, notes })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario;

    fn gc_pause() -> Exhibit {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/published/s1-gc-pause.toml");
        let scenario = scenario::load(&file).unwrap();
        let seed = scenario.seeds().next().unwrap();
        let plan = scenario.plan(scenario.contender[0].name, seed);
        gather(&pipeline::run(&plan, Engine::Event).unwrap()).unwrap()
    }

    #[test]
    fn without_its_cause_the_damage_does_not_happen() {
        let exhibit = gc_pause();
        assert_eq!(exhibit.fact.severity(), Severity::Broken);
        assert_eq!(exhibit.notes, Vec::<String>::new());
        let [(_, no_pause), (_, fenced)] = &exhibit.variants[..] else { panic!("two variants") };
        assert_eq!(no_pause.severity(), Severity::Clean);
        // The holders still overlap, and that was never promised; the stock is unharmed.
        assert_eq!(fenced.severity(), Severity::Unclaimed);
        let found: Vec<_> = fenced.violations().map(|(judge, _)| judge.checker.as_str()).collect();
        assert_eq!(found, ["belief-overlap"]);
    }

    #[test]
    fn the_messages_belong_to_the_run_that_is_shown() {
        let Exhibit { fact, .. } = gc_pause();
        let tap = fact.tap.unwrap();
        assert_eq!(tap.clocks.len(), fact.history.events.len());
        let set = tap.messages.iter().any(|message| message.bytes.windows(3).any(|w| w == b"SET"));
        assert!(set, "somebody asked for the lock");
    }
}
