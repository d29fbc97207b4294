//! Which violation a timeline is about, and how much of the run around it.

use std::time::Duration;

use picklock_sim::history::Op;
use picklock_sim::time::SimTime;

use super::Window;
use crate::outcome::Outcome;
use crate::verdict::{Judgement, Violation};

/// The violation that explains the run: of those that were claimed never to happen, else of all,
/// the earliest; the checkers' order decides between two at once. What comes later mostly follows
/// from it (a unit sold twice oversells the shop much later).
pub fn focus(outcome: &Outcome) -> Option<(&Judgement, &Violation)> {
    // `min_by_key` gives the first of several minima.
    outcome.violations().min_by_key(|(judgement, violation)| (!judgement.claimed, violation.at))
}

/// From a little before the first cause to a little after the last consequence near by, at most
/// [`LONGEST`] leases before the violation and two after it. Where everything that proves it lies
/// further back (somebody waited for ever), all of it is shown: little happens in such a run.
pub(super) fn around(outcome: &Outcome, violation: Option<&Violation>) -> Window {
    let lease = Duration::from_millis(outcome.plan.lock.ttl_ms.max(1));
    let end = outcome.history.header.end_at;
    let Some(violation) = violation else {
        return Window { from: SimTime::ZERO, until: (SimTime::ZERO + lease * 4).min(end) };
    };
    let usual = violation.at - lease * LONGEST;
    let before = |at: &SimTime| *at < violation.at;
    let earliest = match witnesses(outcome, violation).filter(before).max() {
        Some(last) if last < usual => witnesses(outcome, violation).fold(last, SimTime::min),
        _ => usual,
    };
    let latest = violation.at + lease * 2;
    let inside = |at: &SimTime| earliest <= *at && *at <= latest;
    let causes = witnesses(outcome, violation).chain(faults_near(outcome, violation, lease));
    let from = causes.filter(inside).fold(violation.at, SimTime::min);
    let until = witnesses(outcome, violation)
        .chain(overlap_end(violation))
        .chain(aftermath(outcome, violation, lease))
        .map(|at| at.min(latest))
        .fold(violation.at, SimTime::max);
    // Room to see what it was like before, and that it is over.
    let room = (until.since(from) / 8).clamp(lease / 20, lease / 2);
    Window { from: from - room, until: (until + room).min(end) }
}

/// In leases.
const LONGEST: u32 = 8;

fn witnesses(outcome: &Outcome, violation: &Violation) -> impl Iterator<Item = SimTime> {
    let events = &outcome.history.events;
    violation.witnesses.iter().filter_map(|index| Some(events.get(*index as usize)?.at))
}

fn overlap_end(violation: &Violation) -> Option<SimTime> {
    violation.lasted_ms.map(|ms| violation.at + Duration::from_millis(ms))
}

/// When the last faults before the violation struck: no further back than three leases, or it would
/// not be what mattered.
fn faults_near(
    outcome: &Outcome,
    violation: &Violation,
    lease: Duration,
) -> impl Iterator<Item = SimTime> {
    let near = violation.at - lease * 3..=violation.at;
    let begins = outcome.history.events.iter().filter_map(|event| match event.op {
        Op::FaultBegins { .. } | Op::Paused | Op::Crashed => Some(event.at),
        _ => None,
    });
    begins.filter(move |at| near.contains(at))
}

/// The first breaches of other rules soon after: the damage done by this one.
fn aftermath(
    outcome: &Outcome,
    violation: &Violation,
    lease: Duration,
) -> impl Iterator<Item = SimTime> {
    let soon = violation.at..=violation.at + lease * 3 / 2;
    let others = outcome.violations().map(|(_, other)| other.at);
    others.filter(move |at| soon.contains(at))
}
