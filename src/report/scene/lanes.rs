//! The lanes: one per client and server.
//!
//! A client's has three bars below each other, one per kind of witness: what the client believes,
//! what the server has on record, how long the lease is good by true time.

use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::{Bar, Label, LaneBox, Mark, Place, Scene, Style, Tag};
use crate::report::svg::labels_in_rows;
use crate::report::timeline::{self, Lane, MarkKind, Timeline};

/// A row of fault labels.
const LABEL: u32 = 14;
/// A client's lane below its labels.
const CLIENT: u32 = 56;
/// The lane of a client that only waits, and of a server: marks only.
const SLIM: u32 = 24;

/// The rows of a client's lane: their upper edges, heights, and what they are.
const BELIEVES: (u32, u32, &str) = (3, 13, "believes");
const RECORD: (u32, u32, &str) = (19, 8, "lock record");
const LEASE: (u32, u32, &str) = (32, 4, "valid lease");
const WORKS: (u32, u32, &str) = (44, 5, "at work");

pub(super) fn lay_out(lane: &Lane, timeline: &Timeline, scene: &mut Scene) {
    if is_empty(lane) {
        return;
    }
    let rows = labels_in_rows(&lane.bands, timeline.window);
    let labels = LABEL * rows.iter().max().map_or(0, |row| row + 1);
    let busy = [&lane.waits, &lane.beliefs, &lane.operations].iter().any(|bars| !bars.is_empty())
        || !lane.leases.is_empty();
    let body = if lane.host.is_client() && busy { CLIENT } else { SLIM };
    let (top, base) = (scene.height, scene.height + labels);
    let bottom = base + body;
    bands(lane, &rows, (top, bottom), scene);
    scene.tags.push(Tag { style: Style::Name, y: base + 14, text: lane.host.to_string() });
    if body == CLIENT {
        client(lane, timeline, base, scene);
    }
    for mark in &lane.marks {
        let timeline::Mark { at, kind, event, witness, .. } = *mark;
        let y = base + if body == CLIENT { row_of(kind) } else { SLIM / 2 };
        scene.marks.push(Mark { kind, at, y, event, witness, note: mark.note.clone() });
    }
    let wire = base + if body == CLIENT { WORKS.0 + 2 } else { SLIM / 2 };
    scene.lanes.push(LaneBox { host: lane.host, top, bottom, wire });
    scene.height = bottom;
}

/// Clients are always shown; a server only if something happens there.
fn is_empty(lane: &Lane) -> bool {
    !lane.host.is_client()
        && lane.bands.is_empty()
        && lane.marks.is_empty()
        && lane.leases.is_empty()
        && !lane.host.is_store()
}

fn bands(lane: &Lane, rows: &[u32], (top, bottom): (u32, u32), scene: &mut Scene) {
    for (band, row) in lane.bands.iter().zip(rows) {
        let (from, until) = (band.from, band.until);
        let note = format!("{}, {from} to {until}", band.label);
        let (y, height) = (top + 1, bottom - top - 2);
        scene.bars.push(Bar { style: Style::Band, from, until, y, height, note });
        let (y, place, text) = (top + 11 + LABEL * row, Place::Beginning, band.label.clone());
        scene.labels.push(Label { style: Style::Band, from, until, y, place, text });
    }
}

fn client(lane: &Lane, timeline: &Timeline, base: u32, scene: &mut Scene) {
    for (y, height, text) in [BELIEVES, RECORD, LEASE, WORKS] {
        let y = base + y + height / 2 + 4;
        scene.tags.push(Tag { style: Style::Row, y, text: text.to_owned() });
    }
    let mut bar = |style, row: (u32, u32, &str), bar: &timeline::Bar| {
        let (from, until, note) = (bar.from, bar.until, bar.note.clone());
        scene.bars.push(Bar { style, from, until, y: base + row.0, height: row.1, note });
    };
    let (y, height, name) = BELIEVES;
    for wait in &lane.waits {
        bar(Style::Waiting, (y + height / 2 - 1, 2, name), wait);
    }
    for belief in &lane.beliefs {
        bar(Style::Belief, BELIEVES, belief);
    }
    for stale in &lane.stale {
        bar(Style::Stale, BELIEVES, stale);
    }
    for overlap in timeline.overlaps.iter().filter(|one| one.clients.contains(&lane.host)) {
        let (from, until) = (overlap.from, overlap.until);
        let note = format!("so did others, {from} to {until}");
        bar(Style::Clash, BELIEVES, &timeline::Bar { from, until, note });
    }
    for lease in &lane.leases {
        let (from, until, note) = (lease.from, lease.until, lease.note.clone());
        let row = stripe(lease.server, timeline.servers);
        bar(Style::Granted, row, &timeline::Bar { from, until, note });
    }
    for valid in &lane.valid {
        bar(Style::Valid, LEASE, valid);
    }
    for operation in &lane.operations {
        bar(Style::Operation, WORKS, operation);
    }
    inside(lane, timeline, base, scene);
}

/// The part of the records' row that is one server's: of up to five there is room for stripes, with a little air
/// between them and above the leases.
fn stripe(server: HostName, servers: usize) -> (u32, u32, &'static str) {
    let (top, height, name) = RECORD;
    match servers {
        0 | 1 => RECORD,
        several => {
            let place = u32::from(server.number.saturating_sub(1)).min(several as u32 - 1);
            let room = LEASE.0 - top - 1;
            let step = (room / several as u32).max(1);
            (top + (place * step).min(height + 3), step.saturating_sub(1).max(1), name)
        }
    }
}

/// What a bar says of itself, where it is wide enough.
fn inside(lane: &Lane, timeline: &Timeline, base: u32, scene: &mut Scene) {
    let y = base + BELIEVES.0 + 10;
    let mut label = |style, bar: &timeline::Bar, text: &str| {
        let (from, until, text) = (bar.from, bar.until, text.to_owned());
        scene.labels.push(Label { style, from, until, y, place: Place::Inside, text });
    };
    for stale in &lane.stale {
        label(Style::Stale, stale, "believes, but the lease is over");
    }
    let shared = timeline.overlaps.iter().filter(|one| one.clients.contains(&lane.host));
    let shared = shared.map(|one| (one.from, one.until));
    let dark: Vec<_> =
        lane.stale.iter().map(|stale| (stale.from, stale.until)).chain(shared).collect();
    for belief in &lane.beliefs {
        let (from, until) = longest_clear(belief, &dark);
        let clear = timeline::Bar { from, until, note: String::new() };
        label(Style::Belief, &clear, "believes that it holds the lock");
    }
}

/// The longest part of a bar that none of these stretches covers.
fn longest_clear(bar: &timeline::Bar, covers: &[(SimTime, SimTime)]) -> (SimTime, SimTime) {
    let mut covers = covers.to_vec();
    covers.sort_unstable();
    let (mut from, mut best) = (bar.from, (bar.from, bar.from));
    for (start, end) in covers.into_iter().chain([(bar.until, bar.until)]) {
        let until = start.min(bar.until);
        if until.since(from) > best.1.since(best.0) {
            best = (from, until);
        }
        from = from.max(end);
    }
    best
}

/// The middle of the row that a mark belongs to.
fn row_of(kind: MarkKind) -> u32 {
    let middle = |row: (u32, u32, &str)| row.0 + row.1 / 2;
    match kind {
        MarkKind::Released | MarkKind::Lost | MarkKind::Back | MarkKind::Noted => middle(BELIEVES),
        MarkKind::Renewed => middle(RECORD),
        _ => middle(WORKS),
    }
}
