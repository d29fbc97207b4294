//! The updates that the guarded resource accepted: the ground truth of level L2.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use crate::terms::History;

/// One accepted update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) event: u32,
    pub(super) at: SimTime,
    pub(super) by: HostName,
    pub(super) before: i64,
    pub(super) after: i64,
    /// Nobody's update but the store itself (a restart, a set-up) made the value before.
    pub(super) on_server_value: bool,
}

/// What a shop accepted; if there was no shop, what clients stored in the stock record.
pub(super) fn updates(history: &History) -> Vec<Update> {
    let applied = |event: &Event| match event.op {
        Op::Applied { by, before, after, accepted: true, .. } => Some(Update {
            event: event.index,
            at: event.at,
            by,
            before,
            after,
            on_server_value: false,
        }),
        _ => None,
    };
    let found: Vec<_> = history.events.iter().filter_map(applied).collect();
    if found.is_empty() { stored(history) } else { found }
}

fn stored(history: &History) -> Vec<Update> {
    let mut now: Option<(i64, bool)> = None;
    let mut found = Vec::new();
    for event in &history.events {
        let Op::Record { record: RecordName::Stock, change, by, .. } = event.op else { continue };
        let after = match change {
            ChangeKind::Set { number, .. } | ChangeKind::Loaded { number, .. } => number,
            ChangeKind::Edited { .. } | ChangeKind::Retimed { .. } => continue,
            ChangeKind::Deleted | ChangeKind::Expired => None,
        };
        let by = by.filter(|by| by.is_client());
        if let (Some(after), Some((before, on_server_value)), Some(by)) = (after, now, by) {
            let (event, at) = (event.index, event.at);
            found.push(Update { event, at, by, before, after, on_server_value });
        }
        now = after.map(|after| (after, by.is_none()));
    }
    found
}
