//! What the clients did to the guarded number, counted: sold so many, added so many.
//!
//! The other side of the ledger. Where it does not fit the number itself, there is the damage.

use picklock_sim::time::SimTime;

use super::Window;
use crate::checkers::intervals::{Outcome, operations, sales};
use crate::terms::{History, WorkloadKind};

/// A count that only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What is counted: `sold` or `added`.
    pub name: &'static str,
    /// What it may not exceed: the units that there were to sell.
    pub limit: Option<i64>,
    /// At the beginning of the bounds.
    pub before: i64,
    /// Each count in the bounds, with its time.
    pub steps: Vec<(SimTime, i64)>,
    /// In the whole run.
    pub total: i64,
}

pub(super) fn of(history: &History, bounds: Window) -> Tally {
    let (name, limit, times) = match history.header.workload {
        WorkloadKind::Sale => {
            let times: Vec<_> = sales(history).iter().map(|sale| sale.at).collect();
            ("sold", Some(history.header.initial), times)
        }
        WorkloadKind::Counter => {
            let operations = operations(history);
            let done = operations
                .iter()
                .filter(|done| matches!(done.outcome, Outcome::Acknowledged | Outcome::Applied));
            let mut times: Vec<_> = done.map(|done| done.until).collect();
            times.sort_unstable();
            ("added", None, times)
        }
    };
    let counted = times.iter().zip(1..).map(|(at, count)| (*at, count));
    let before = times.partition_point(|at| *at < bounds.from) as i64;
    let steps = counted.filter(|(at, _)| bounds.contains(*at)).collect();
    Tally { name, limit, before, steps, total: times.len() as i64 }
}
