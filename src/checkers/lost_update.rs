//! `lost-update`: no accepted update is overwritten unseen (level L2).
//!
//! Each guarded write says by its value what its client had read: the value less one step. If
//! another value stood there when the write arrived, whoever had put it there is overwritten by
//! somebody who never saw it. (Jepsen's lock tests find the same by adding elements to a set and
//! counting those that are missing in the end; with steps of one the resource can tell at once.)

use picklock_sim::history::{Kind, Op};

use super::evidence::{counted, in_order, sentence};
use super::updates::{Update, updates};
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct LostUpdate;

impl Checker for LostUpdate {
    fn name(&self) -> &'static str {
        "lost-update"
    }

    fn claim(&self) -> Claim {
        Claim::NoLostUpdate
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let updates = updates(history);
        if updates.is_empty() {
            return without_witness(history);
        }
        let step = history.header.workload.step();
        let mut first = None;
        let mut times = 0;
        for place in 0..updates.len() {
            if overwrites(&updates, place, step) {
                times += 1;
                first = first.or(Some(place));
            }
        }
        match first {
            None => Verdict::Pass,
            Some(place) => Verdict::Fail(violation(history, &updates[..=place], times, step)),
        }
    }
}

/// A single decrement at the store cannot overwrite; acknowledged writes of which nobody recorded
/// what they met cannot be judged.
fn without_witness(history: &History) -> Verdict {
    let has = |wanted: fn(&Op) -> bool| {
        history.events.iter().any(|event| event.kind == Kind::Ok && wanted(&event.op))
    };
    if has(|op| matches!(op, Op::Write { .. })) && !has(|op| matches!(op, Op::Sell { .. })) {
        let reason = "writes were acknowledged, but no resource recorded what they overwrote";
        return Verdict::Unknown { reason: reason.to_owned() };
    }
    Verdict::Pass
}

fn overwrites(updates: &[Update], place: usize, step: i64) -> bool {
    let update = &updates[place];
    // A request sent twice writes the same value again, over its own first.
    let again = |previous: &Update| previous.by == update.by && previous.after == update.after;
    // What the store itself had put there (a restart from an old disk) is nobody's update.
    let meets_update = !update.on_server_value;
    meets_update
        && Some(update.before) != update.after.checked_sub(step)
        && !updates[..place].last().is_some_and(again)
}

/// `updates` end with the one that overwrites.
fn violation(history: &History, updates: &[Update], times: u32, step: i64) -> Violation {
    let (update, earlier) = updates.split_last().expect("one of them overwrites");
    let seen = update.after.saturating_sub(step);
    // Lost is what came after its client had read: since the value last was what it had read.
    let read = earlier.iter().rposition(|earlier| earlier.before == seen);
    let lost = &earlier[read.unwrap_or(earlier.len().saturating_sub(1))..];
    let others = lost.iter().find(|lost| lost.by != update.by).or(lost.first());
    let met = match others {
        Some(Update { by, after, at, .. }) => {
            format!("{} had changed it to {after} at {at}", sentence(by))
        }
        None => format!("It stood at {}", update.before),
    };
    let what = match (others, lost.len()) {
        (None, _) => "what stood there is lost".to_owned(),
        (Some(Update { by, .. }), 1) => format!("{by}'s update is lost"),
        (Some(Update { by, .. }), n) => {
            format!("{by}'s update and {} are lost", counted(n as u64 - 1, "other"))
        }
    };
    let Update { by, at, before, after, event, .. } = update;
    Violation {
        at: *at,
        times,
        lasted_ms: None,
        witnesses: in_order(
            history,
            others.map(|lost| lost.event).into_iter().chain([*event]).collect(),
        ),
        story: [
            format!("{by} wrote {after}, so it had read {seen}."),
            format!("{met}, which {by} never saw."),
            format!(
                "At {at} the resource accepted {by}'s write over it ({before} -> {after}): {what}."
            ),
        ],
    }
}

#[cfg(test)]
mod tests;
