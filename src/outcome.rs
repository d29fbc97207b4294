//! What one run amounts to.

use std::collections::BTreeSet;

use picklock_sim::history::Op;
use serde::Serialize;

use crate::engine::Engine;
use crate::plan::{Plan, Recorded};
use crate::terms::History;
use crate::verdict::{Judgement, Verdict, Violation};

/// A plan, what happened, and what the judges said.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The plan, with what came out of it.
    pub plan: Plan,
    /// What happened.
    pub history: History,
    /// What each checker said.
    pub judgements: Vec<Judgement>,
    /// Messages that programs sent over the network; 0 where only the history is known, as it does
    /// not keep them.
    pub messages: u64,
}

/// How bad an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing wrong was found.
    Clean,
    /// Something was seen that the contender never promised to prevent.
    Unclaimed,
    /// A claim could not be judged.
    Unknown,
    /// A claim was broken.
    Broken,
}

impl Outcome {
    /// The outcome of a plan; the plan keeps what came out, so that a replay can be compared.
    pub fn new(plan: &Plan, engine: Engine, history: History, judgements: Vec<Judgement>) -> Self {
        let violations = violations(&judgements).map(|(judgement, _)| judgement.checker.clone());
        let recorded =
            Recorded { engine, digest: history.digest, violations: violations.collect() };
        let plan = Plan { recorded: Some(recorded), ..plan.clone() };
        Self { plan, history, judgements, messages: 0 }
    }

    /// Everything that was found, claimed or not, in the checkers' order.
    pub fn violations(&self) -> impl Iterator<Item = (&Judgement, &Violation)> {
        violations(&self.judgements)
    }

    /// The checkers whose promises were broken, in their order.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        let broken = self.violations().filter(|(judgement, _)| judgement.claimed);
        broken.map(|(judgement, _)| judgement.checker.as_str())
    }

    /// How many faults of the plan have struck.
    pub fn faults_struck(&self) -> usize {
        self.struck().len()
    }

    /// The faults that have struck, by their places in the plan's list.
    pub fn struck(&self) -> BTreeSet<usize> {
        let struck = self.history.events.iter().filter_map(|event| match event.op {
            Op::FaultBegins { fault, .. } => Some(usize::from(fault)),
            _ => None,
        });
        struck.collect()
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        severity(&self.judgements)
    }
}

fn violations(judgements: &[Judgement]) -> impl Iterator<Item = (&Judgement, &Violation)> {
    judgements.iter().filter_map(|judgement| Some((judgement, judgement.verdict.violation()?)))
}

/// How bad these judgements are together: the worst of them; unknown if nobody judged.
pub fn severity(judgements: &[Judgement]) -> Severity {
    let one = |judgement: &Judgement| match (&judgement.verdict, judgement.claimed) {
        (Verdict::Pass, _) | (Verdict::Unknown { .. }, false) => Severity::Clean,
        (Verdict::Fail(_), false) => Severity::Unclaimed,
        (Verdict::Unknown { .. }, true) => Severity::Unknown,
        (Verdict::Fail(_), true) => Severity::Broken,
    };
    judgements.iter().map(one).max().unwrap_or(Severity::Unknown)
}
