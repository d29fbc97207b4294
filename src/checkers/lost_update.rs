//! `lost-update`: no accepted update is overwritten unseen (level L2).
//!
//! Each guarded write says by its value what its client had read: the value less one step. If
//! another value stood there when the write arrived, whoever had put it there is overwritten by
//! somebody who never saw it. (Jepsen's lock tests find the same by adding elements to a set and
//! counting those that are missing in the end; with steps of one the resource can tell at once.)

use picklock_sim::history::{Kind, Op};

use super::Checker;
use super::evidence::{in_order, sentence};
use super::updates::{Update, updates};
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

    fn check(&self, history: &History) -> Verdict {
        let updates = updates(history);
        if updates.is_empty() {
            return without_witness(history);
        }
        let step = history.header.workload.step();
        let mut first = None;
        let mut times = 0;
        for (place, update) in updates.iter().enumerate() {
            let previous = place.checked_sub(1).map(|place| &updates[place]);
            if overwrites(update, previous, step) {
                times += 1;
                first = first.or(Some((update, previous)));
            }
        }
        match first {
            None => Verdict::Pass,
            Some((update, previous)) => {
                Verdict::Fail(violation(history, update, previous, times, step))
            }
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

fn overwrites(update: &Update, previous: Option<&Update>, step: i64) -> bool {
    // A request sent twice writes the same value again, over its own first.
    let again =
        previous.is_some_and(|previous| previous.by == update.by && previous.after == update.after);
    // What the store itself had put there (a restart from an old disk) is nobody's update.
    let meets_update = !update.on_server_value;
    meets_update && !again && Some(update.before) != update.after.checked_sub(step)
}

fn violation(
    history: &History,
    update: &Update,
    previous: Option<&Update>,
    times: u32,
    step: i64,
) -> Violation {
    let seen = update.after.saturating_sub(step);
    let met = match previous {
        Some(previous) => format!(
            "{} had changed it to {} at {}",
            sentence(previous.by),
            previous.after,
            previous.at
        ),
        None => format!("It stood at {}", update.before),
    };
    let whose = match previous {
        Some(previous) if previous.by == update.by => "its own earlier update".to_owned(),
        Some(previous) => format!("{}'s update", previous.by),
        None => "what stood there".to_owned(),
    };
    let mut witnesses = vec![update.event];
    witnesses.extend(previous.map(|previous| previous.event));
    Violation {
        at: update.at,
        times,
        lasted_ms: None,
        witnesses: in_order(history, witnesses),
        story: [
            format!("{} wrote {}, so it had read {seen}.", update.by, update.after),
            format!("{met}, which {} never saw.", update.by),
            format!(
                "At {} the resource accepted {}'s write over it ({} -> {}): {whose} is lost.",
                update.at, update.by, update.before, update.after
            ),
        ],
    }
}

#[cfg(test)]
mod tests;
