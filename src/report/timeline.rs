//! What a timeline shows of a run, as plain data: who believed, whose the lock record was, what was
//! broken, what was done to the stock.
//!
//! Apart from any drawing, so that what is shown can be tested, and drawn by others than the page.
//! It shows a window around one violation and not the run: a run has thousands of events, and the
//! one question is how this could happen.

mod bands;
mod bars;
mod curve;
mod marks;
mod window;

use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

pub use curve::{Curve, Step};
pub use marks::{Mark, MarkKind};
pub use window::focus;

use crate::outcome::Outcome;

/// More marks than this are not drawn: those far from the violation are left out first.
pub const MOST_MARKS: usize = 80;

/// A window of a run, as it can be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The stretch that is shown.
    pub window: Window,
    /// When the violation became true, if there is one.
    pub violated_at: Option<SimTime>,
    /// From here on nothing was broken.
    pub healed_at: SimTime,
    /// The end of the run.
    pub run_end: SimTime,
    /// One per client, then one per server.
    pub lanes: Vec<Lane>,
    /// Stretches in which more than one client believed.
    pub overlaps: Vec<Overlap>,
    /// The guarded number.
    pub curve: Curve,
    /// How many marks of the window were left out for the sake of the reader.
    pub marks_cut: usize,
}

/// A stretch of true time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub until: SimTime,
}

/// What is known of one host.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Whose lane it is.
    pub host: HostName,
    /// When it believed that it held the lock.
    pub beliefs: Vec<Bar>,
    /// When the lock record at the server was its own.
    pub leases: Vec<Lease>,
    /// Its guarded operations, from the first touch of the resource to the completed write.
    pub operations: Vec<Bar>,
    /// What it did, or what happened at it.
    pub marks: Vec<Mark>,
    /// What was broken at it.
    pub bands: Vec<Band>,
}

/// Something that lasted; clipped to the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Since when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// What to say about it; with the true times.
    pub note: String,
}

/// A lock record that was some client's; clipped to the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Since when.
    pub from: SimTime,
    /// Until when the record was there.
    pub until: SimTime,
    /// When its time to live was over, if that is before `until`.
    pub valid_until: Option<SimTime>,
    /// What to say about it.
    pub note: String,
}

/// A fault where it hit; clipped to the window. One that takes no time begins when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Since when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// Which fault, in words.
    pub label: String,
}

/// More than one client believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Since when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// Who, in order.
    pub clients: Vec<HostName>,
}

impl Window {
    /// The part of this stretch that lies in the window.
    pub fn clip(&self, from: SimTime, until: SimTime) -> Option<(SimTime, SimTime)> {
        let (from, until) = (from.max(self.from), until.min(self.until));
        (from <= until).then_some((from, until))
    }

    /// Whether this instant is shown.
    pub fn contains(&self, at: SimTime) -> bool {
        self.from <= at && at <= self.until
    }
}

/// The window around the violation that [`focus`] names; the beginning of the run if there is none.
pub fn extract(outcome: &Outcome) -> Timeline {
    let violation = focus(outcome).map(|(_, violation)| violation);
    let window = window::around(outcome, violation);
    let history = &outcome.history;
    let hosts = || {
        let hosts = outcome.plan.world.hosts.iter().map(|host| host.name);
        let (clients, servers): (Vec<_>, Vec<_>) = hosts.partition(|host| host.is_client());
        clients.into_iter().chain(servers)
    };
    let mut beliefs = bars::beliefs_of(history, window);
    let mut leases = bars::leases_of(history, window);
    let mut operations = bars::operations_of(history, window);
    let mut bands = bands::of(outcome, window);
    let (mut marks, marks_cut) = marks::of(history, window, violation);
    let lanes = hosts().map(|host| Lane {
        host,
        beliefs: beliefs.remove(&host).unwrap_or_default(),
        leases: leases.remove(&host).unwrap_or_default(),
        operations: operations.remove(&host).unwrap_or_default(),
        marks: marks.remove(&host).unwrap_or_default(),
        bands: bands.remove(&host).unwrap_or_default(),
    });
    Timeline {
        window,
        violated_at: violation.map(|violation| violation.at),
        healed_at: history.header.heal_at,
        run_end: history.header.end_at,
        lanes: lanes.collect(),
        overlaps: bars::overlaps(history, window),
        curve: curve::of(history, window),
        marks_cut,
    }
}

#[cfg(test)]
pub(crate) mod tests;
