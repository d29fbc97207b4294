//! Where a log line comes from: host and simulated time of the task that runs now.
//!
//! Log lines carry these instead of wall time, so that the logs of two runs can be compared line by
//! line. A subscriber's formatter asks [`context`]; nobody else needs it.

use std::cell::Cell;

use crate::host::HostName;
use crate::time::SimTime;

thread_local! {
    static CONTEXT: Cell<Option<(SimTime, HostName)>> = const { Cell::new(None) };
}

/// Time and host of the task that this thread runs; `None` between tasks.
pub fn context() -> Option<(SimTime, HostName)> {
    CONTEXT.get()
}

pub(crate) fn enter(now: SimTime, host: HostName) {
    CONTEXT.set(Some((now, host)));
}

pub(crate) fn leave() {
    CONTEXT.set(None);
}
