//! The guarded number as it truly was: a step per write that reached it.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::Window;
use crate::terms::{History, WorkloadKind};

/// The guarded number within the bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    /// What the number is: `stock` or `counter`.
    pub name: &'static str,
    /// At the beginning of the run.
    pub initial: i64,
    /// At the beginning of the bounds.
    pub before: i64,
    /// The writes in the bounds.
    pub steps: Vec<Step>,
}

/// A write that reached the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// Whose; `None`: the server's own, or unknown.
    pub by: Option<HostName>,
    /// The number afterwards.
    pub value: i64,
    /// Whether it took effect.
    pub accepted: bool,
    /// Whether it moved the number otherwise than by one guarded write: it overwrote something.
    pub odd: bool,
}

pub(super) fn of(history: &History, window: Window) -> Curve {
    let header = &history.header;
    let (mut value, mut before) = (header.initial, header.initial);
    let mut steps = Vec::new();
    for event in &history.events {
        let (by, after, accepted) = match event.op {
            Op::Applied { by, after, accepted, .. } => (Some(by), after, accepted),
            Op::Record {
                record: RecordName::Stock,
                change:
                    ChangeKind::Set { number: Some(after), .. }
                    | ChangeKind::Loaded { number: Some(after), .. },
                by,
                ..
            } => (by, after, true),
            _ => continue,
        };
        // What the server does by itself (setting up, loading) is no guarded write.
        let odd = accepted && by.is_some() && after != value + header.workload.step();
        value = after;
        if event.at < window.from {
            before = after;
        } else if window.contains(event.at) {
            steps.push(Step { at: event.at, by, value: after, accepted, odd });
        }
    }
    let name = match header.workload {
        WorkloadKind::Sale => "stock",
        WorkloadKind::Counter => "counter",
    };
    Curve { name, initial: header.initial, before, steps }
}
