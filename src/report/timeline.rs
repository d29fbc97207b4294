//! What a timeline shows of a run, as plain data: who believed, whose the lock record was, what was
//! broken, what was done to the stock.
//!
//! Apart from any drawing, so that what is shown can be tested, and drawn by others than the page.
//! It shows a window around one violation and not the run: a run has thousands of events, and the
//! one question is how this could happen.

mod bands;
mod bars;
mod curve;
mod leases;
mod marks;
mod tally;
mod window;

use std::collections::BTreeSet;
use std::time::Duration;

use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

pub use curve::{Curve, Step};
pub use marks::{Mark, MarkKind};
pub use tally::Tally;
pub use window::focus;

use crate::exhibit::Shown;

/// A stretch of a run, as it can be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The stretch that explains the violation: what a reader sees first.
    pub window: Window,
    /// The stretch of which everything is here: where a reader can go from there.
    pub bounds: Window,
    /// When the violation became true, if there is one.
    pub violated_at: Option<SimTime>,
    /// From here on nothing was broken.
    pub healed_at: SimTime,
    /// The end of the run.
    pub run_end: SimTime,
    /// On how many servers the lock is kept.
    pub servers: usize,
    /// One per client, then one per server.
    pub lanes: Vec<Lane>,
    /// Stretches in which more than one client believed.
    pub overlaps: Vec<Overlap>,
    /// The guarded number.
    pub curve: Curve,
    /// What the clients did to it, counted: the other side of the ledger.
    pub tally: Tally,
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
    /// When it asked for the lock and was not answered yet.
    pub waits: Vec<Bar>,
    /// When it believed that it held the lock.
    pub beliefs: Vec<Bar>,
    /// The parts of its beliefs for which it had no lease.
    pub stale: Vec<Bar>,
    /// When the lock record at a server was its own.
    pub leases: Vec<Lease>,
    /// When it had a valid lease: of a lock on several servers, at a majority of them.
    pub valid: Vec<Bar>,
    /// Its guarded operations, from the first touch of the resource to the completed write.
    pub operations: Vec<Bar>,
    /// What it did, or what happened at it.
    pub marks: Vec<Mark>,
    /// What was broken at it.
    pub bands: Vec<Band>,
}

/// Something that lasted; clipped to the bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Since when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// What to say about it; with the true times.
    pub note: String,
}

/// A lock record that was some client's; clipped to the bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// At which server.
    pub server: HostName,
    /// Since when.
    pub from: SimTime,
    /// Until when the record was there.
    pub until: SimTime,
    /// Until when the lease that it stands for was valid by true time: to the end of its time to
    /// live, wherever the record was by then, or to the moment its owner gave it back.
    pub valid_until: SimTime,
    /// What to say about it.
    pub note: String,
}

/// A fault where it hit; clipped to the bounds. One that takes no time begins when it ends.
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

/// How much of a run is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The window around the violation, and this stretch on both sides of it.
    Around(Duration),
    /// All of it.
    Whole,
}

/// The window around the violation that [`focus`] names, or the beginning of the run if there is
/// none; and so much of the run as `extent` says.
pub fn extract(shown: &Shown, extent: Extent) -> Timeline {
    let violation = focus(shown).map(|(_, violation)| violation);
    extract_at(shown, window::around(shown, violation), extent)
}

/// As [`extract`], with the window of another run: so that two can be compared.
pub fn extract_at(shown: &Shown, window: Window, extent: Extent) -> Timeline {
    let violation = focus(shown).map(|(_, violation)| violation);
    let history = &shown.history;
    let whole = Window { from: SimTime::ZERO, until: history.header.end_at };
    let bounds = match extent {
        Extent::Whole => whole,
        Extent::Around(room) => {
            let wider = Window { from: window.from - room, until: window.until + room };
            Window { until: wider.until.min(whole.until), ..wider }
        }
    };
    let mut waits = bars::waits_of(history, bounds);
    let mut beliefs = bars::beliefs_of(history, bounds);
    let mut leases = leases::of(history, bounds);
    let mut operations = bars::operations_of(history, bounds);
    let mut bands = bands::of(shown, bounds);
    let mut marks = marks::of(history, bounds, violation);
    let hosts = hosts(shown);
    // Several that know nothing of each other are numbered; an only one may hold the stock besides.
    let independent = hosts.iter().filter(|host| host.is_store() && host.number > 0).count();
    let servers = independent.max(1);
    let lanes = hosts.into_iter().map(|host| {
        let beliefs = beliefs.remove(&host).unwrap_or_default();
        let leases = leases.remove(&host).unwrap_or_default();
        let valid = leases::valid(&leases, servers);
        Lane {
            host,
            waits: waits.remove(&host).unwrap_or_default(),
            stale: leases::uncovered(&beliefs, &valid),
            beliefs,
            valid,
            leases,
            operations: operations.remove(&host).unwrap_or_default(),
            marks: marks.remove(&host).unwrap_or_default(),
            bands: bands.remove(&host).unwrap_or_default(),
        }
    });
    Timeline {
        window,
        bounds,
        violated_at: violation.map(|violation| violation.at),
        healed_at: history.header.heal_at,
        run_end: history.header.end_at,
        servers,
        lanes: lanes.collect(),
        overlaps: bars::overlaps(history, bounds),
        curve: curve::of(history, bounds),
        tally: tally::of(history, bounds),
    }
}

/// The clients, then the servers. Without a plan, those of whom the history knows.
fn hosts(shown: &Shown) -> Vec<HostName> {
    let known: Vec<HostName> = match &shown.plan {
        Some(plan) => plan.world.hosts.iter().map(|host| host.name).collect(),
        None => {
            let clients = (1..=shown.history.header.clients).map(HostName::client);
            let spoke = shown.history.events.iter().map(|event| event.process);
            let all: BTreeSet<_> = clients.chain(spoke).collect();
            all.into_iter().filter(|host| *host != HostName::NEMESIS).collect()
        }
    };
    let (clients, servers): (Vec<_>, Vec<_>) = known.into_iter().partition(|host| host.is_client());
    clients.into_iter().chain(servers).collect()
}

#[cfg(test)]
pub(crate) mod tests;
