//! The judges: pure functions over a history. A new one is a new file and one line in [`CHECKERS`].
//!
//! Three levels, from early warning to damage: belief (two clients think that they hold the lock),
//! operation (two guarded operations overlap), resource (oversold, lost update, stale token). Around
//! them: whose lock records are removed, and whether anybody gets the lock in the end. Judging
//! follows Jepsen: pass < unknown < fail, and a judge that cannot judge says unknown, never pass.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::terms::{Claim, History};
use crate::verdict::{Judgement, Verdict};

mod belief_overlap;
mod beliefs;
mod evidence;
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
mod recovery;
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
    fn check(&self, history: &History) -> Verdict;
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

fn judge_by(checkers: &[&dyn Checker], history: &History) -> Vec<Judgement> {
    // Found once and before anybody else is asked: the others assume it.
    let flaw = match ask(&well_formed::WellFormed, history) {
        Verdict::Unknown { reason } => Some(reason),
        _ => None,
    };
    let answer = |checker: &&dyn Checker| {
        let claim = checker.claim();
        let verdict = match (&flaw, claim) {
            (Some(reason), _) => Verdict::Unknown { reason: reason.clone() },
            (None, Claim::WellFormed) => Verdict::Pass,
            (None, _) => ask(*checker, history),
        };
        let claimed = claim == Claim::WellFormed || history.header.claims.contains(&claim);
        Judgement { checker: checker.name().to_owned(), claim, claimed, verdict }
    };
    checkers.iter().map(answer).collect()
}

/// One answer; a panic is an unknown with its text. (Checkers keep no state, so nothing can be left
/// half done.)
fn ask(checker: &dyn Checker, history: &History) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| checker.check(history))).unwrap_or_else(|panic| {
        let text = panic_text(panic.as_ref());
        Verdict::Unknown { reason: format!("the checker {} panicked: {text}", checker.name()) }
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
