//! The account of a sweep: what each contender broke and why, which faults really struck, which
//! interesting places were reached.

use std::collections::BTreeMap;

use picklock_sim::seed::Seed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Question;
use super::known::Known;
use super::trial::{Judged, Trial};
use super::work::Work;
use crate::checkers;
use crate::compare::wilson;
use crate::contender::Contender;
use crate::facts::FACTS;
use crate::outcome::{Outcome, Severity};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::search::Runner;
use crate::search::cause::Cause;
use crate::search::shrink::shrink;

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// The first seed.
    pub first_seed: Seed,
    /// How many seeds were tried: one plan each, with every contender.
    pub plans: u64,
    /// How many runs were run twice; each repeated, or there would be no account.
    pub rechecked: u64,
    /// What each contender did.
    pub contenders: Vec<ContenderAccount>,
    /// How often each fault family was on, and how often it struck: one that never struck has
    /// tested nothing.
    pub families: Vec<FamilyCount>,
    /// In how many runs each interesting place was reached.
    pub facts: Vec<Times>,
    /// What all runs that were judged amount to.
    pub work: Work,
}

/// What one contender did under all plans.
#[derive(Debug, Serialize, Deserialize)]
pub struct ContenderAccount {
    /// Who.
    pub contender: Contender,
    /// Runs that were judged.
    pub runs: u64,
    /// Runs in which a promise was broken.
    pub broken: u64,
    /// Runs in which nothing promised was broken, but something else was seen.
    pub unclaimed: u64,
    /// Runs in which a promise could not be judged.
    pub unknown: u64,
    /// The first seed of those.
    pub first_unknown: Option<Seed>,
    /// Plans that the engine cannot express.
    pub inexpressible: u64,
    /// 95 % Wilson interval of the rate of broken runs.
    pub interval: (f64, f64),
    /// The distinct failures, in the order of the checkers, the simplest cause first.
    #[serde(skip_deserializing)]
    pub failures: Vec<Failure>,
}

impl Sweep {
    /// Whether anything was found that nobody foresaw, or could not be judged.
    pub fn surprises(&self, scenario: &Scenario, known: &[Known]) -> bool {
        self.contenders.iter().any(|account| {
            let unforeseen = |failure: &Failure| !account.foresees(failure, scenario, known);
            account.unknown > 0 || account.failures.iter().any(unforeseen)
        })
    }
}

impl ContenderAccount {
    /// Whether the scenario expects such a failure, by whatever cause, or it is known.
    pub fn foresees(&self, failure: &Failure, scenario: &Scenario, known: &[Known]) -> bool {
        let mut specs = scenario.contender.iter().filter(|spec| spec.name == self.contender);
        let name = self.contender.to_string();
        let is_known = known.iter().any(|known| {
            (&known.contender, &known.checker, &known.cause)
                == (&name, &failure.checker, &failure.cause)
        });
        is_known || specs.any(|spec| spec.foresees(&failure.checker))
    }
}

/// One distinct failure: a promise and what it takes to break it.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// Who found it.
    pub checker: String,
    /// What it needs.
    pub cause: Cause,
    /// In how many runs.
    pub runs: u64,
    /// The first seed that showed it.
    pub first_seed: Seed,
    /// The run of its smallest plan.
    #[serde(skip)]
    pub example: Box<Outcome>,
}

/// How often a family of faults was there.
#[derive(Debug, Serialize, Deserialize)]
pub struct FamilyCount {
    /// Its name.
    pub name: String,
    /// Runs in which it was on.
    pub drawn: u64,
    /// Runs in which at least one of its faults struck.
    pub struck: u64,
}

/// How often something happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Times {
    /// What.
    pub name: String,
    /// In how many runs.
    pub runs: u64,
}

/// An account in the making. Its size depends on what was found and not on how many seeds it took.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) sweep: Sweep,
    /// One per contender.
    #[serde(with = "super::partial::as_lists")]
    pub(super) failures: Vec<Failures>,
}

/// Checker (by its place) and cause, with what is known of the failure.
pub(super) type Failures = BTreeMap<(usize, Cause), Found>;

/// A failure that is not shrunk yet.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) runs: u64,
    pub(super) first_seed: Seed,
    pub(super) plan: Plan,
}

impl Tally {
    /// Nothing yet; the first seed to be added will be this one.
    pub(super) fn new(question: &Question, first_seed: u64) -> Self {
        let contender = |(contender, _): &(Contender, _)| ContenderAccount {
            contender: *contender,
            runs: 0,
            broken: 0,
            unclaimed: 0,
            unknown: 0,
            first_unknown: None,
            inexpressible: 0,
            interval: (0.0, 1.0),
            failures: Vec::new(),
        };
        let families = question.spaces.first().map(|(_, space)| space.families());
        let family = |name: &str| FamilyCount { name: name.to_owned(), drawn: 0, struck: 0 };
        let sweep = Sweep {
            first_seed: Seed(first_seed),
            plans: 0,
            rechecked: 0,
            contenders: question.spaces.iter().map(contender).collect(),
            families: families.unwrap_or_default().into_iter().map(family).collect(),
            facts: FACTS.iter().map(|fact| Times { name: fact.name.to_owned(), runs: 0 }).collect(),
            work: Work::default(),
        };
        let failures = question.spaces.iter().map(|_| BTreeMap::new()).collect();
        Self { sweep, failures }
    }

    /// Adds what came of one seed; whether a promise was broken.
    pub(super) fn add(&mut self, trials: Vec<Trial>) -> bool {
        self.sweep.plans += 1;
        let mut broken = false;
        for (index, trial) in trials.into_iter().enumerate() {
            self.sweep.rechecked += u64::from(trial.rechecked);
            let account = &mut self.sweep.contenders[index];
            let Some(judged) = trial.result else {
                account.inexpressible += 1;
                continue;
            };
            for (name, struck) in trial.families {
                let family = self.sweep.families.iter_mut().find(|family| family.name == name);
                let family = family.expect("all families of the space are counted");
                family.drawn += 1;
                family.struck += u64::from(struck);
            }
            for (times, happened) in self.sweep.facts.iter_mut().zip(&judged.facts) {
                times.runs += u64::from(*happened);
            }
            self.sweep.work += judged.work;
            account.add(trial.seed, &judged);
            broken |= !judged.broken.is_empty();
            for one in judged.broken {
                let place = checkers::names().iter().position(|name| *name == one.checker);
                let key = (place.expect("a checker of the list"), one.cause);
                let new = Found { runs: 0, first_seed: trial.seed, plan: one.plan };
                self.failures[index].entry(key).or_insert(new).runs += 1;
            }
        }
        broken
    }

    /// Shrinks an example of each failure and closes the account.
    pub(super) fn finish(self, run: Runner<'_>) -> Sweep {
        let mut sweep = self.sweep;
        let simplest = self.failures.into_iter().map(simplest_causes).enumerate();
        let found: Vec<_> = simplest
            .flat_map(|(index, found)| found.into_iter().map(move |one| (index, one)))
            .collect();
        // Each by itself: how long one takes cannot be foreseen.
        let shrunk =
            found.into_par_iter().with_max_len(1).map(|(index, ((place, cause), found))| {
                let checker = checkers::names()[place];
                let breaks = |outcome: &Outcome| outcome.broken().any(|broken| broken == checker);
                let shrunk = shrink(&found.plan, run, breaks).expect("it was run before");
                let Found { runs, first_seed, .. } = found;
                let example = Box::new(shrunk.outcome);
                (index, Failure { checker: checker.to_owned(), cause, runs, first_seed, example })
            });
        let shrunk: Vec<(usize, Failure)> = shrunk.collect();
        for (index, failure) in shrunk {
            sweep.contenders[index].failures.push(failure);
        }
        for account in &mut sweep.contenders {
            account.interval = wilson(account.broken as u32, account.runs as u32);
        }
        sweep
    }
}

impl ContenderAccount {
    fn add(&mut self, seed: Seed, judged: &Judged) {
        self.runs += 1;
        match judged.severity {
            Severity::Broken => self.broken += 1,
            Severity::Unclaimed => self.unclaimed += 1,
            Severity::Unknown => {
                self.unknown += 1;
                self.first_unknown.get_or_insert(seed);
            }
            Severity::Clean => {}
        }
    }
}

/// A cause that contains another one of the same checker is no finding of its own: two faults that
/// met are reported with the one that is enough. (What needs no fault at all explains nothing that
/// needs one, so it swallows nobody.)
fn simplest_causes(mut found: Failures) -> Failures {
    let keys: Vec<(usize, Cause)> = found.keys().cloned().collect();
    for (checker, cause) in &keys {
        let simpler = keys.iter().find(|(other, part)| {
            other == checker
                && !part.is_none()
                && part.is_part_of(cause)
                && found.contains_key(&(*other, part.clone()))
        });
        if let Some(simpler) = simpler {
            let merged = found.remove(&(*checker, cause.clone())).expect("it was listed");
            found.get_mut(simpler).expect("it was looked up").runs += merged.runs;
        }
    }
    found
}
