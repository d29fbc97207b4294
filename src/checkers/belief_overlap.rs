//! `belief-overlap`: no two clients believe at once that they hold the lock (level L0).
//!
//! The strictest of the three levels and the earliest warning. No lock can keep it under pauses
//! without perfect clocks (Kleppmann 2016); so a breach comes with its length and, as far as the
//! history shows it, its cause, and only a lock that claims it is blamed.
//!
//! Judged are those who hold the lock alone. Who shares it excludes nobody who shares it too, and whether
//! somebody had it alone meanwhile is for `readers-writer` to say, so that it is not said twice.

use picklock_sim::history::{Kind, Op};

use super::beliefs::Belief;
use super::evidence::{end_of_belief, end_of_record, in_order, length, millis, sentence, trouble};
use super::intervals::clash;
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct BeliefOverlap;

impl Checker for BeliefOverlap {
    fn name(&self) -> &'static str {
        "belief-overlap"
    }

    fn claim(&self) -> Claim {
        Claim::ExclusiveBelief
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let beliefs = history.beliefs();
        match clash(beliefs, alone) {
            None => Verdict::Pass,
            Some(clash) => Verdict::Fail(violation(
                history,
                &beliefs[clash.earlier],
                &beliefs[clash.later],
                clash.times,
            )),
        }
    }
}

fn alone(first: &Belief, second: &Belief) -> bool {
    !first.shared && !second.shared
}

/// How two beliefs overlapped that should not.
pub(super) fn violation(
    history: &History,
    first: &Belief,
    second: &Belief,
    times: u32,
) -> Violation {
    // What went wrong may have begun while the first one was still asking (a pause while its grant
    // was under way), and may have ended together with the overlap.
    let asked = asked_at(history, first);
    let ends = if first.span.end <= second.span.end { first } else { second };
    let both = ends.until.since(second.from);
    let cause = trouble(history, first.client, asked..second.span.start);
    let record = end_of_record(history, first.client, asked..second.span.start);

    let granted = granted(second);
    let story = [
        format!("{}; {}.", self::granted(first), cause.text),
        match &record {
            Some(record) => format!("{} and {granted}.", record.text),
            None => format!("{}.", sentence(&granted)),
        },
        format!(
            "Both believed that they held it for {}, until {}.",
            length(both),
            end_of_belief(ends)
        ),
    ];
    let mut witnesses = vec![first.grant_event, second.grant_event, ends.span.end];
    witnesses.extend(cause.witnesses);
    witnesses.extend(record.into_iter().flat_map(|record| record.witnesses));
    Violation {
        at: second.from,
        times,
        lasted_ms: Some(millis(both)),
        witnesses: in_order(history, witnesses),
        story,
    }
}

fn granted(belief: &Belief) -> String {
    let mode = if belief.shared { " in shared mode" } else { "" };
    format!("{} was granted the lock{mode} at {}", belief.client, belief.from)
}

/// Index of the event with which a client began to ask for what it then believed.
fn asked_at(history: &History, belief: &Belief) -> u32 {
    let before = history.events[..belief.grant_event as usize].iter().rev();
    let mut asks = before.filter(|event| {
        event.process == belief.client
            && event.kind == Kind::Invoke
            && matches!(event.op, Op::Acquire { .. })
    });
    asks.next().map_or(belief.span.start, |event| event.index)
}

#[cfg(test)]
mod tests;
