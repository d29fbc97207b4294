//! The judges: pure functions over a history. A new one is a new file and one line in [`CHECKERS`].
//!
//! Three levels, from early warning to damage: belief (two clients think that they hold the lock),
//! operation (two guarded operations overlap), resource (oversold, lost update, stale token). Around
//! them: whose lock records are removed, whether anybody gets the lock in the end, and what only some
//! locks promise: re-entry, turns, a shared mode. Judging
//! follows Jepsen: pass < unknown < fail, and a judge that cannot judge says unknown, never pass.

use std::any::Any;
use std::cell::OnceCell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::intervals::{Belief, Operation, Sale};
use crate::terms::{Claim, History};
use crate::verdict::{Judgement, Verdict};

mod belief_overlap;
mod beliefs;
mod evidence;
mod fair_queue;
mod fence_order;
#[cfg(test)]
pub(crate) mod fixture;
pub mod intervals;
mod ledger;
mod lost_update;
mod operation_overlap;
mod operations;
mod oversold;
mod per_host;
mod readers_writer;
mod recovery;
mod reentrant;
mod release_safety;
mod starvation;
#[cfg(test)]
mod tests;
mod updates;
mod well_formed;

/// Judges one claim.
pub trait Checker: Sync {
    /// Its name, as scenario files and reports write it: the name of the violation it finds.
    fn name(&self) -> &'static str;

    /// What it judges.
    fn claim(&self) -> Claim;

    /// Its answer. It sees the history and nothing else; it may assume that the history is
    /// well-formed, because [`judge`] asks the others only then.
    fn check(&self, history: &Case<'_>) -> Verdict;
}

/// A history before its judges, with what several of them ask of it: worked out once, when it is first
/// asked for. Everything else it is by itself.
pub struct Case<'a> {
    history: &'a History,
    beliefs: OnceCell<Vec<Belief>>,
    guarded: OnceCell<(Vec<Operation>, Vec<Sale>)>,
}

impl<'a> Case<'a> {
    fn new(history: &'a History) -> Self {
        Self { history, beliefs: OnceCell::new(), guarded: OnceCell::new() }
    }

    /// [`intervals::beliefs`].
    fn beliefs(&self) -> &[Belief] {
        self.beliefs.get_or_init(|| beliefs::beliefs(self.history))
    }

    /// [`intervals::operations`] and [`intervals::sales`].
    fn operations_and_sales(&self) -> (&[Operation], &[Sale]) {
        let found = || operations::operations_and_sales(self.history);
        let (operations, sales) = self.guarded.get_or_init(found);
        (operations, sales)
    }
}

impl Deref for Case<'_> {
    type Target = History;
    fn deref(&self) -> &History {
        self.history
    }
}

/// All checkers, in the order in which reports show them.
pub const CHECKERS: &[&dyn Checker] = &[
    &well_formed::WellFormed,
    &belief_overlap::BeliefOverlap,
    &operation_overlap::OperationOverlap,
    &oversold::Oversold,
    &ledger::Ledger,
    &lost_update::LostUpdate,
    &fence_order::FenceOrder,
    &release_safety::ReleaseSafety,
    &recovery::Recovery,
    &starvation::Starvation,
    &reentrant::Reentrant,
    &fair_queue::FairQueue,
    &readers_writer::ReadersWriter,
];

/// All judgements of a history, one per checker. A history that is not well-formed, and a checker
/// that panics, give unknown.
pub fn judge(history: &History) -> Vec<Judgement> {
    judge_by(CHECKERS, history)
}

/// The names of all checkers, in the order of [`CHECKERS`].
pub fn names() -> Vec<&'static str> {
    CHECKERS.iter().map(|checker| checker.name()).collect()
}

/// The promise that a checker watches over.
pub fn claim_of(name: &str) -> Option<Claim> {
    CHECKERS.iter().find(|checker| checker.name() == name).map(|checker| checker.claim())
}

fn judge_by(checkers: &[&dyn Checker], history: &History) -> Vec<Judgement> {
    let case = Case::new(history);
    // Found once and before anybody else is asked: the others assume it.
    let flaw = match ask(&well_formed::WellFormed, &case) {
        Verdict::Unknown { reason } => Some(reason),
        _ => None,
    };
    let answer = |checker: &&dyn Checker| {
        let claim = checker.claim();
        let verdict = match (&flaw, claim) {
            (Some(reason), _) => Verdict::Unknown { reason: reason.clone() },
            (None, Claim::WellFormed) => Verdict::Pass,
            (None, _) => ask(*checker, &case),
        };
        let claimed = claim == Claim::WellFormed || history.header.claims.contains(&claim);
        Judgement { checker: checker.name().to_owned(), claim, claimed, verdict }
    };
    checkers.iter().map(answer).collect()
}

/// One answer; a panic is an unknown with its text. (Checkers keep no state, and what a case keeps is
/// whole or not there, so nothing can be left half done.)
fn ask(checker: &dyn Checker, case: &Case<'_>) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| checker.check(case))).unwrap_or_else(|panic| {
        let text = panic_text(panic.as_ref());
        Verdict::Unknown { reason: format!("the checker {} panicked: {text}", checker.name()) }
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
