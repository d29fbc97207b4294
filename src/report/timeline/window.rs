//! Which violation a timeline is about, and how much of the run around it.

use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Op};
use picklock_sim::time::SimTime;

use super::Window;
use crate::exhibit::Shown;
use crate::verdict::{Judgement, Violation};

/// The violation that explains the run: of those that were claimed never to happen, else of all,
/// the earliest; the checkers' order decides between two at once. What comes later mostly follows
/// from it (a unit sold twice oversells the shop much later).
pub fn focus(shown: &Shown) -> Option<(&Judgement, &Violation)> {
    // `min_by_key` gives the first of several minima.
    shown.violations().min_by_key(|(judgement, violation)| (!judgement.claimed, violation.at))
}

/// From a little before the first cause to a little after the last consequence near by, at most
/// [`LONGEST`] leases before the violation and two after it. Where everything that proves it lies
/// further back (somebody waited for ever), all of it is shown: little happens in such a run.
pub(super) fn around(shown: &Shown, violation: Option<&Violation>) -> Window {
    let lease = lease_of(shown);
    let end = shown.history.header.end_at;
    let Some(violation) = violation else {
        return Window { from: SimTime::ZERO, until: (SimTime::ZERO + lease * 4).min(end) };
    };
    let usual = violation.at - lease * LONGEST;
    let before = |at: &SimTime| *at < violation.at;
    let earliest = match witnesses(shown, violation).filter(before).max() {
        Some(last) if last < usual => witnesses(shown, violation).fold(last, SimTime::min),
        _ => usual,
    };
    let latest = violation.at + lease * 2;
    let inside = |at: &SimTime| earliest <= *at && *at <= latest;
    let causes = witnesses(shown, violation).chain(faults_near(shown, violation, lease));
    let from = causes.filter(inside).fold(violation.at, SimTime::min);
    let until = witnesses(shown, violation)
        .chain(overlap_end(violation))
        .chain(aftermath(shown, violation, lease))
        .map(|at| at.min(latest))
        .fold(violation.at, SimTime::max);
    // Room to see what it was like before, and that it is over.
    let room = (until.since(from) / 8).clamp(lease / 20, lease / 2);
    Window { from: from - room, until: (until + room).min(end) }
}

/// How long a lease is; by the first that was granted if there is no plan to say so.
fn lease_of(shown: &Shown) -> Duration {
    let granted = |event: &Event| match event.op {
        Op::Record { change: ChangeKind::Set { ttl_ms: Some(ttl_ms), .. }, .. } => {
            u64::try_from(ttl_ms).ok()
        }
        _ => None,
    };
    let ttl_ms = match &shown.plan {
        Some(plan) => plan.lease_ms(),
        None => shown.history.events.iter().find_map(granted).unwrap_or(1000),
    };
    Duration::from_millis(ttl_ms.max(1))
}

/// In leases.
const LONGEST: u32 = 8;

fn witnesses(shown: &Shown, violation: &Violation) -> impl Iterator<Item = SimTime> {
    let events = &shown.history.events;
    violation.witnesses.iter().filter_map(|index| Some(events.get(*index as usize)?.at))
}

fn overlap_end(violation: &Violation) -> Option<SimTime> {
    violation.lasted_ms.map(|ms| violation.at + Duration::from_millis(ms))
}

/// When the last faults before the violation struck: no further back than three leases, or it would
/// not be what mattered.
fn faults_near(
    shown: &Shown,
    violation: &Violation,
    lease: Duration,
) -> impl Iterator<Item = SimTime> {
    let near = violation.at - lease * 3..=violation.at;
    let begins = shown.history.events.iter().filter_map(|event| match event.op {
        Op::FaultBegins { .. } | Op::Paused | Op::Crashed => Some(event.at),
        _ => None,
    });
    begins.filter(move |at| near.contains(at))
}

/// The first breaches of other rules soon after: the damage done by this one.
fn aftermath(
    shown: &Shown,
    violation: &Violation,
    lease: Duration,
) -> impl Iterator<Item = SimTime> {
    let soon = violation.at..=violation.at + lease * 3 / 2;
    let others = shown.violations().map(|(_, other)| other.at);
    others.filter(move |at| soon.contains(at))
}
