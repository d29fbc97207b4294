//! One stretch of a timeline as an SVG file that stands alone: for a paper, a slide, a wiki.
//!
//! Nothing outside of the file is needed, and nothing that only browsers understand: colours are
//! written out, for a light page, because few other programs know CSS variables.

mod scale;

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

pub(crate) use self::scale::labels_in_rows;
use self::scale::{LEFT, Labels, RIGHT, Scale, WIDTH, n, width_of};
use crate::report::scene::{Mark, Panel, Place, Scene, Style, sign};
use crate::report::timeline::{MarkKind, Window};

/// The colours; the first block is the light one.
pub(crate) const PALETTE: &str = include_str!("svg/palette.css");
/// How each thing of a timeline looks.
pub(crate) const STYLE: &str = include_str!("svg/timeline.css");
/// Signs and hatchings, by name.
pub(crate) const SIGNS: &str = include_str!("svg/signs.svg");

/// What stands above and below the picture.
pub struct Caption<'a> {
    /// What it shows, in a few words.
    pub title: &'a str,
    /// How it came to that, line by line.
    pub story: &'a [String],
}

/// Height of a line of the caption.
const LINE: u32 = 17;

/// The picture of `window`.
pub fn render(scene: &Scene, window: Window, caption: &Caption<'_>) -> String {
    let top = 30 + LINE * caption.story.len() as u32;
    let used: Vec<MarkKind> = used(scene, window);
    let bottom = top + scene.height + 16;
    let keys = keys(&used, bottom);
    let height = bottom + keys.1;
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" class="timeline" width=(WIDTH) height=(height)
            viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-labelledby="title desc" {
            title id="title" { (caption.title) }
            desc id="desc" { (caption.story.join(" ")) }
            style { (PreEscaped(plain(STYLE))) }
            (PreEscaped(SIGNS))
            rect.paper width="100%" height="100%" {}
            text.title x="6" y="18" { (caption.title) }
            @for (line, text) in caption.story.iter().enumerate() {
                text.story x="6" y=(36 + LINE * line as u32) { (text) }
            }
            g transform={ "translate(0 " (top) ")" } { (paint(scene, window)) }
            (keys.0)
        }
    };
    markup.into_string() + "\n"
}

/// The style sheet with every colour written out.
fn plain(style: &str) -> String {
    let light = PALETTE.split('}').next().unwrap_or_default();
    let mut colours: Vec<(&str, &str)> = light
        .split(['{', ';'])
        .filter_map(|entry| entry.trim().strip_prefix("--")?.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    colours.sort_unstable();
    let mut text = style.to_owned();
    for (name, value) in colours {
        text = text.replace(&format!("var(--{name})"), value);
    }
    text
}

fn paint(scene: &Scene, window: Window) -> Markup {
    let scale = Scale::of(window);
    html! {
        (grid(scene, &scale))
        @for bar in &scene.bars {
            @if let Some((x, width)) = scale.bar(bar.from, bar.until) {
                rect class=(bar.style.class()) x=(n(x)) y=(bar.y) width=(n(width)) height=(bar.height) {
                    title { (bar.note) }
                }
            }
        }
        @for lane in &scene.lanes {
            path.frame d={ "M6 " (lane.bottom) "H" (n(WIDTH - RIGHT)) } {}
        }
        @for tag in &scene.tags {
            @match tag.style {
                Style::Row => text.row x=(n(LEFT - 8.0)) y=(tag.y) { (tag.text) },
                _ => text.name x="6" y=(tag.y) { (tag.text) },
            }
        }
        (labels(scene, &scale))
        @for (style, at) in scene.instants.iter().filter(|(_, at)| window.contains(*at)) {
            path class=(style.class()) d={ "M" (n(scale.x(*at))) " 50V" (scene.height) } {}
        }
        @for panel in &scene.panels { (curve(panel, window, &scale)) }
        @for mark in shown(&scene.marks, window, &scale) {
            @let x = n(scale.x(mark.at));
            @if mark.witness { circle.witness cx=(x) cy=(mark.y) r="7.5" {} }
            use href={ "#" (sign(mark.kind)) } x=(x) y=(mark.y) { title { (mark.note) } }
        }
        path.frame d={ "M" (LEFT) " 18H" (n(WIDTH - RIGHT)) } {}
    }
}

fn grid(scene: &Scene, scale: &Scale) -> Markup {
    html! {
        g.grid {
            @for (at, text) in scale.ticks() {
                @let x = n(scale.x(at));
                path d={ "M" (x) " 18V" (scene.height) } {}
                text x=(x) y="13" { (text) }
            }
        }
    }
}

/// The labels that have room, the earlier ones first.
fn labels(scene: &Scene, scale: &Scale) -> Markup {
    let mut rows: std::collections::BTreeMap<u32, Labels> = Default::default();
    let placed = scene.labels.iter().filter_map(|label| {
        let (x, width) = scale.bar(label.from, label.until)?;
        let row = rows.entry(label.y).or_default();
        let x = match label.place {
            Place::Beginning => row.place_from(x + 3.0, &label.text)?,
            Place::Middle => row.place(x + width / 2.0, &label.text)?,
            Place::Inside if width_of(&label.text) + 8.0 > width => return None,
            Place::Inside => row.place(x + width / 2.0, &label.text)?,
        };
        Some((label, x))
    });
    let placed: Vec<_> = placed.collect();
    html! {
        @for (label, x) in placed {
            text class={ "label " (label.style.class()) } x=(n(x)) y=(label.y) { (label.text) }
        }
    }
}

/// The marks of a window that do not cover each other: first those that prove something, then those
/// that tell much.
fn shown<'a>(marks: &'a [Mark], window: Window, scale: &Scale) -> Vec<&'a Mark> {
    let mut inside: Vec<_> = marks.iter().filter(|mark| window.contains(mark.at)).collect();
    inside.sort_by_key(|mark| (!mark.witness, mark.kind.rank(), mark.event));
    let mut shown: Vec<&Mark> = Vec::new();
    for mark in inside {
        let near = |other: &&Mark| {
            other.y == mark.y && (scale.x(other.at) - scale.x(mark.at)).abs() < NEAREST
        };
        if mark.witness || !shown.iter().any(near) {
            shown.push(mark);
        }
    }
    shown.sort_by_key(|mark| mark.event);
    shown
}

/// Marks of one row are at least this far apart, in pixels.
const NEAREST: f64 = 7.0;

fn curve(panel: &Panel, window: Window, scale: &Scale) -> Markup {
    let inside = panel.steps.iter().filter(|(at, _)| window.contains(*at));
    let first = panel.value_at(window.from);
    let values = inside.clone().map(|(_, value)| *value).chain([first]);
    let (low, high) = (values.clone().min().unwrap_or(0), values.max().unwrap_or(0));
    // The limit is shown where the number comes near it.
    let limit = panel.limit.filter(|limit| *limit <= high + 1);
    let high = limit.map_or(high, |limit| high.max(limit));
    // At least two units high, or a single step would look like a cliff.
    let span = (high - low).max(2) as f64;
    let (top, room) = (f64::from(panel.top) + 10.0, f64::from(panel.height) - 20.0);
    let y = |value: i64| n(top + (high - value) as f64 / span * room);
    let end = n(WIDTH - RIGHT);
    let mut path = format!("M{} {}", n(LEFT), y(first));
    let mut last = first;
    for (at, value) in inside {
        // Writing to a string cannot fail.
        let _ = write!(path, "H{}V{}", n(scale.x(*at)), y(*value));
        last = *value;
    }
    html! {
        text.value x=(n(LEFT - 8.0)) y=(y(first)) dy="4" { (first) }
        @if let Some(limit) = limit {
            path.limit d={ "M" (n(LEFT)) " " (y(limit)) "H" (end) } {}
        }
        path.steps d={ (path) "H" (end) } {}
        @for (at, value, note) in panel.odd.iter().filter(|(at, ..)| window.contains(*at)) {
            circle.odd cx=(n(scale.x(*at))) cy=(y(*value)) r="4" { title { (note) } }
        }
        text.after x=(n(WIDTH - RIGHT + 6.0)) y=(y(last)) dy="4" { (last) }
    }
}

/// The kinds of marks that are drawn.
fn used(scene: &Scene, window: Window) -> Vec<MarkKind> {
    let scale = Scale::of(window);
    let mut used: Vec<_> =
        shown(&scene.marks, window, &scale).iter().map(|mark| mark.kind).collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// What the signs mean, from `top` on, and how high that is.
fn keys(used: &[MarkKind], top: u32) -> (Markup, u32) {
    let (mut x, mut y) = (14.0, top + 8);
    let mut keys = Vec::new();
    for (kind, meaning) in MarkKind::LEGEND.into_iter().filter(|(kind, _)| used.contains(kind)) {
        // Nobody can point at paper.
        let meaning = meaning.split(':').next().unwrap_or(meaning);
        let width = width_of(meaning) + 34.0;
        if x + width > WIDTH {
            (x, y) = (14.0, y + LINE);
        }
        keys.push((kind, meaning, x, y));
        x += width;
    }
    let markup = html! {
        @for (kind, meaning, x, y) in &keys {
            use href={ "#" (sign(*kind)) } x=(n(*x)) y=(y) {}
            text.row-key x=(n(x + 11.0)) y=(y + 4) { (meaning) }
        }
    };
    (markup, y - top + 16)
}

#[cfg(test)]
mod tests;
