//! The guarded number below the lanes, as a curve of steps.

use std::fmt::Write;

use maud::{Markup, html};

use super::scale::{LEFT, RIGHT, Scale, WIDTH, n};
use crate::report::timeline::{Curve, Step};

const HEIGHT: f64 = 84.0;

/// The curve from `top` on, and where the picture ends.
pub(super) fn curve(curve: &Curve, scale: &Scale, top: f64) -> (Markup, f64) {
    let values = || curve.steps.iter().map(|step| step.value).chain([curve.before]);
    let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    // At least two units high, or a single step would look like a cliff.
    let span = (high - low).max(2) as f64;
    let y = |value: i64| top + 8.0 + (high - value) as f64 / span * (HEIGHT - 20.0);
    let end = WIDTH - RIGHT;
    let drawn = html! {
        g.curve {
            text.name x="6" y=(n(top + 14.0)) { (curve.name) }
            text.value x=(n(LEFT - 6.0)) y=(n(y(curve.before) + 4.0)) { (curve.before) }
            path.steps d=(path(curve, scale, &y, end)) {}
            @for step in curve.steps.iter().filter(|step| step.odd || !step.accepted) {
                (special(step, scale, y(step.value)))
            }
            @if let Some(last) = curve.steps.last() {
                text.after x=(n(end + 5.0)) y=(n(y(last.value) + 4.0)) { (last.value) }
            }
        }
    };
    (drawn, top + HEIGHT + 4.0)
}

fn path(curve: &Curve, scale: &Scale, y: &dyn Fn(i64) -> f64, end: f64) -> String {
    let mut path = format!("M{} {}", n(LEFT), n(y(curve.before)));
    let mut value = curve.before;
    for step in &curve.steps {
        if step.value != value {
            value = step.value;
            // Writing to a string cannot fail.
            let _ = write!(path, "H{}V{}", n(scale.x(step.at)), n(y(value)));
        }
    }
    path + &format!("H{}", n(end))
}

/// A write that was refused, or that moved the number as no single guarded write may.
fn special(step: &Step, scale: &Scale, y: f64) -> Markup {
    let x = n(scale.x(step.at));
    let by = step.by.map_or("the server".to_owned(), |by| by.to_string());
    html! {
        @if step.accepted {
            circle.odd cx=(x) cy=(n(y)) r="4" {
                title { (step.at) ": overwritten with " (step.value) " by " (by) }
            }
        } @else {
            use href="#m-refused" x=(x) y=(n(y)) { title { (step.at) ": write of " (by) " refused" } }
        }
    }
}
