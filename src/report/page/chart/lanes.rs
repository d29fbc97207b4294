//! The lanes: one per client and server.

use maud::{Markup, html};
use picklock_sim::host::HostName;

use super::mark_id;
use super::scale::{Labels, RIGHT, Scale, WIDTH, n};
use crate::report::timeline::{Band, Lane, Mark, MarkKind, Timeline};

/// A row of fault labels.
const LABEL: f64 = 14.0;
/// A client's lane below its labels: beliefs, lock record, operations.
const CLIENT: f64 = 46.0;
/// A server's lane below its labels: marks only.
const SERVER: f64 = 24.0;

/// All lanes from `top` on, and where they end.
pub(super) fn draw(timeline: &Timeline, scale: &Scale, top: f64) -> (Markup, f64) {
    let mut y = top;
    let mut drawn = Vec::new();
    for lane in timeline.lanes.iter().filter(|lane| !is_empty(lane)) {
        let (labels, rows) = band_labels(&lane.bands, scale);
        let body = if lane.host.is_client() { CLIENT } else { SERVER };
        let height = LABEL * rows as f64 + body;
        drawn.push(html! {
            g.lane transform={ "translate(0 " (n(y)) ")" } {
                text.name x="6" y=(n(height - body + 15.0)) { (lane.host) }
                (bands(lane, scale, height, &labels))
                g transform={ "translate(0 " (n(height - body)) ")" } {
                    (bars(lane, timeline, scale))
                    @for mark in &lane.marks { (sign(lane.host, mark, scale)) }
                }
                path.frame d={ "M6 " (n(height)) "H" (n(WIDTH - RIGHT)) } {}
            }
        });
        y += height;
    }
    (html! { @for lane in drawn { (lane) } }, y)
}

/// Clients are always shown; a server only if something happens there.
fn is_empty(lane: &Lane) -> bool {
    !lane.host.is_client()
        && lane.bands.is_empty()
        && lane.marks.is_empty()
        && lane.leases.is_empty()
}

/// Where the label of each band stands (its row and x), and how many rows they need.
fn band_labels(bands: &[Band], scale: &Scale) -> (Vec<(usize, f64)>, usize) {
    let mut rows: Vec<Labels> = Vec::new();
    let place = |band: &Band| {
        let x = scale.x(band.from) + 3.0;
        let free = rows
            .iter_mut()
            .enumerate()
            .find_map(|(row, labels)| Some((row, labels.place_from(x, &band.label)?)));
        free.unwrap_or_else(|| {
            let mut labels = Labels::default();
            let x = labels.place_from(x, &band.label).unwrap_or(x);
            rows.push(labels);
            (rows.len() - 1, x)
        })
    };
    let places: Vec<_> = bands.iter().map(place).collect();
    (places, rows.len())
}

fn bands(lane: &Lane, scale: &Scale, height: f64, labels: &[(usize, f64)]) -> Markup {
    html! {
        @for (band, (row, label_x)) in lane.bands.iter().zip(labels) {
            @let (x, width) = scale.bar(band.from, band.until);
            rect.band x=(n(x)) y="1" width=(n(width)) height=(n(height - 2.0)) {
                title { (band.label) ", " (band.from) " to " (band.until) }
            }
            text.band x=(n(*label_x)) y=(n(11.0 + LABEL * *row as f64)) { (band.label) }
        }
    }
}

fn bars(lane: &Lane, timeline: &Timeline, scale: &Scale) -> Markup {
    let shared = timeline.overlaps.iter().filter(|overlap| overlap.clients.contains(&lane.host));
    html! {
        @for bar in &lane.beliefs {
            @let (x, width) = scale.bar(bar.from, bar.until);
            rect.belief x=(n(x)) y="4" width=(n(width)) height="11" { title { (bar.note) } }
        }
        @for overlap in shared {
            @let (x, width) = scale.bar(overlap.from, overlap.until);
            rect.clash x=(n(x)) y="4" width=(n(width)) height="11" {}
        }
        @for lease in &lane.leases {
            @let (x, width) = scale.bar(lease.from, lease.until);
            rect.lease x=(n(x)) y="18" width=(n(width)) height="6" { title { (lease.note) } }
            @if let Some(valid_until) = lease.valid_until {
                @let (x, width) = scale.bar(valid_until, lease.until);
                rect.overdue x=(n(x)) y="18" width=(n(width)) height="6" {
                    title { "its time was over, but the record was still there" }
                }
            }
        }
        @for bar in &lane.operations {
            @let (x, width) = scale.bar(bar.from, bar.until);
            rect.operation x=(n(x)) y="33" width=(n(width)) height="4" { title { (bar.note) } }
        }
    }
}

/// A mark on the row it belongs to.
fn sign(host: HostName, mark: &Mark, scale: &Scale) -> Markup {
    let y = match (host.is_client(), mark.kind) {
        (false, _) => 12.0,
        (true, MarkKind::Released | MarkKind::Lost | MarkKind::Back | MarkKind::Noted) => 9.5,
        (true, MarkKind::Renewed) => 21.0,
        (true, _) => 35.0,
    };
    let x = n(scale.x(mark.at));
    html! {
        @if mark.witness { circle.witness cx=(x) cy=(n(y)) r="7.5" {} }
        use href={ "#" (mark_id(mark.kind)) } x=(x) y=(n(y)) { title { (mark.note) } }
    }
}
