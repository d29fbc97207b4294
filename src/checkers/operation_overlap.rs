//! `operation-overlap`: no two guarded operations overlap (level L1).
//!
//! Weaker than exclusive belief (who only believes harms nobody), stronger than a safe resource (two
//! operations may overlap and happen to do no damage). What certainly did not take effect is no
//! operation. One of which nobody knows may have gone on to the end of the run: where the resource
//! recorded what reached it, its silence proves that the write never arrived; where it did not, an
//! overlap with such a write is possible but not proven, and the answer is unknown. Who shares the lock only
//! reads, which is no guarded operation: what becomes of its reads `readers-writer` judges.

use picklock_sim::history::{Op, OpName, RecordName};

use super::evidence::{in_order, length, millis, sentence};
use super::intervals::{Operation, Outcome, clash};
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct OperationOverlap;

impl Checker for OperationOverlap {
    fn name(&self) -> &'static str {
        "operation-overlap"
    }

    fn claim(&self) -> Claim {
        Claim::ExclusiveOperation
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        // A resource that goes without a lock promises no turns, and its operations are its own.
        if !history.events.iter().any(|event| event.op.name() == OpName::Acquire) {
            return Verdict::Pass;
        }
        let (all, _) = history.operations_and_sales();
        let Some(possible) = clash(all, |_, _| true) else { return Verdict::Pass };
        let mut proven = all.to_vec();
        proven.retain(|operation| operation.outcome != Outcome::Unknown);
        if let Some(clash) = clash(&proven, |_, _| true) {
            let pair = (&proven[clash.earlier], &proven[clash.later]);
            return Verdict::Fail(violation(history, pair.0, pair.1, clash.times));
        }
        if resource_was_watched(history) {
            return Verdict::Pass;
        }
        let (first, second) = (&all[possible.earlier], &all[possible.later]);
        let unknown = if first.outcome == Outcome::Unknown { first } else { second };
        Verdict::Unknown {
            reason: format!(
                "nobody knows whether the write of {} (event {}) took effect; if it did, it may \
                 overlap with another operation",
                unknown.client, unknown.write_event
            ),
        }
    }
}

/// Whether the resource recorded what reached it.
fn resource_was_watched(history: &History) -> bool {
    history.events.iter().any(|event| {
        matches!(event.op, Op::Applied { .. } | Op::Record { record: RecordName::Stock, .. })
    })
}

fn violation(history: &History, first: &Operation, second: &Operation, times: u32) -> Violation {
    let until = first.until.min(second.until);
    let both = until.since(second.from);
    let story = [
        format!(
            "{} began its guarded operation at {}, and {}.",
            first.client,
            first.from,
            ended(first)
        ),
        format!(
            "{} began its own at {}, and {}.",
            sentence(second.client),
            second.from,
            ended(second)
        ),
        format!(
            "The two overlapped for {}: the lock was to let only one client at a time do this.",
            length(both)
        ),
    ];
    let mut witnesses = Vec::new();
    for operation in [first, second] {
        witnesses.extend([operation.span.start, operation.write_event, operation.span.end]);
    }
    Violation {
        at: second.from,
        times,
        lasted_ms: Some(millis(both)),
        witnesses: in_order(history, witnesses),
        story,
    }
}

fn ended(operation: &Operation) -> String {
    let what = match operation.wrote {
        Some(value) => format!("its write of {value}"),
        None => "its sale".to_owned(),
    };
    let how = match operation.outcome {
        Outcome::Acknowledged => "was acknowledged at",
        _ => "reached the resource without its knowing at",
    };
    format!("{what} {how} {}", operation.until)
}

#[cfg(test)]
mod tests;
