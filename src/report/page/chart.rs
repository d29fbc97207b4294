//! A timeline as inline SVG. Positions only: what is shown was decided by
//! [`timeline`](crate::report::timeline), how it looks by the style sheet.

mod lanes;
mod lower;
mod scale;

use maud::{Markup, html};

use self::scale::{LEFT, Labels, RIGHT, Scale, WIDTH, n};
use crate::report::timeline::{MarkKind, Timeline};

/// Height of the axis with its two rows of labels.
const HEAD: f64 = 54.0;

pub(super) fn draw(timeline: &Timeline) -> Markup {
    let scale = Scale::of(timeline.window);
    let (lanes, lanes_end) = lanes::draw(timeline, &scale, HEAD);
    let (curve, height) = lower::curve(&timeline.curve, &scale, lanes_end + 12.0);
    html! {
        svg.timeline viewBox={ "0 0 " (WIDTH) " " (n(height)) } role="img"
            aria-label="timeline around the violation" {
            (grid(timeline, &scale, height))
            (overlaps(timeline, &scale, lanes_end))
            (lanes)
            (curve)
            (instants(timeline, &scale, height))
        }
    }
}

/// What the signs and colours mean that occur in this timeline, and what it does not show.
pub(super) fn legend(timeline: &Timeline) -> Markup {
    let marks = || timeline.lanes.iter().flat_map(|lane| &lane.marks);
    let used = |kind: MarkKind| marks().any(|mark| mark.kind == kind);
    html! {
        figcaption {
            ul.keys {
                li { i.key.belief {} "believes that it holds the lock" }
                li { i.key.lease {} "the lock record is its own" }
                li { i.key.operation {} "guarded operation" }
                @if !timeline.overlaps.is_empty() { li { i.key.overlap {} "more than one believes" } }
                @if timeline.lanes.iter().any(|lane| !lane.bands.is_empty()) {
                    li { i.key.band {} "fault" }
                }
                @for (kind, meaning) in MarkKind::LEGEND.into_iter().filter(|(kind, _)| used(*kind)) {
                    li {
                        svg viewBox="-7 -7 14 14" width="14" height="14" aria-hidden="true" {
                            use href={ "#" (mark_id(kind)) } {}
                        }
                        (meaning)
                    }
                }
                @if timeline.curve.steps.iter().any(|step| step.odd) {
                    li { i.key.odd {} "write that overwrites another" }
                }
                @if marks().any(|mark| mark.witness) {
                    li { i.key.witness {} "proves the violation" }
                }
            }
            p.hint { (cut(timeline)) }
        }
    }
}

/// What the picture leaves out.
fn cut(timeline: &Timeline) -> String {
    let window = timeline.window;
    let mut text = format!("Shown: {} to {} of {}.", window.from, window.until, timeline.run_end);
    if timeline.marks_cut > 0 {
        text.push_str(&format!(" {} more marks are left out.", timeline.marks_cut));
    }
    if let Some((so_far, in_all)) = timeline.curve.sold {
        let initial = timeline.curve.initial;
        text.push_str(&format!(
            " Sold up to here: {so_far} of {initial}; by the end of the run: {in_all} of {initial}."
        ));
    }
    text
}

/// The name of a mark's sign in `marks.svg`.
fn mark_id(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Read => "m-read",
        MarkKind::Sent => "m-sent",
        MarkKind::Written => "m-written",
        MarkKind::Refused => "m-refused",
        MarkKind::Unknown => "m-unknown",
        MarkKind::Released => "m-released",
        MarkKind::Lost => "m-lost",
        MarkKind::Renewed => "m-renewed",
        MarkKind::Expired => "m-expired",
        MarkKind::Stolen => "m-stolen",
        MarkKind::Back => "m-back",
        MarkKind::Noted => "m-noted",
    }
}

fn grid(timeline: &Timeline, scale: &Scale, height: f64) -> Markup {
    html! {
        g.grid {
            @for (at, text) in scale.ticks() {
                @let x = n(scale.x(at));
                path d={ "M" (x) " 18V" (n(height)) } {}
                text x=(x) y="13" { (text) }
            }
        }
        @if timeline.window.contains(timeline.healed_at) {
            path.healed d={ "M" (n(scale.x(timeline.healed_at))) " 18V" (n(height)) } {}
        }
    }
}

/// The columns in which more than one believed, and how long that was.
fn overlaps(timeline: &Timeline, scale: &Scale, bottom: f64) -> Markup {
    let mut labels = Labels::default();
    html! {
        g.overlaps {
            @for overlap in &timeline.overlaps {
                @let (x, width) = scale.bar(overlap.from, overlap.until);
                @let ms = overlap.until.since(overlap.from).as_millis();
                @let label = format!("{} holders {ms} ms", overlap.clients.len());
                rect x=(n(x)) y=(HEAD - 4.0) width=(n(width)) height=(n(bottom - HEAD + 4.0)) {
                    title { (label) }
                }
                @if let Some((x, anchor)) = labels.place(x + width / 2.0, &label) {
                    text x=(n(x)) y=(HEAD - 8.0) text-anchor=(anchor) { (label) }
                }
            }
        }
    }
}

/// The instants that concern everybody: the violation and the heal.
fn instants(timeline: &Timeline, scale: &Scale, height: f64) -> Markup {
    let mut labels = Labels::default();
    let violation = timeline.violated_at.map(|at| (at, "violation", format!("violation {at}")));
    let healed = Some((timeline.healed_at, "healed", "all healed".to_owned()));
    let shown = [violation, healed].into_iter().flatten();
    html! {
        @for (at, class, label) in shown.filter(|(at, ..)| timeline.window.contains(*at)) {
            @let x = scale.x(at);
            @if class == "violation" {
                path.violation d={ "M" (n(x)) " 34V" (n(height)) } {}
            }
            @if let Some((x, anchor)) = labels.place(x, &label) {
                text class=(class) x=(n(x)) y="30" text-anchor=(anchor) { (label) }
            }
        }
        path.frame d={ "M" (LEFT) " 18H" (n(WIDTH - RIGHT)) } {}
    }
}
