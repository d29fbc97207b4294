//! A timeline laid out: what is drawn, from top to bottom, and when it was; not yet where from left
//! to right.
//!
//! Two painters share it: the page's script, which zooms, and [`svg`](crate::report::svg), which
//! draws one stretch for a paper. So that both draw the same picture, everything that is a decision
//! stands here, and a painter only turns time into pixels.

mod lanes;

use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use crate::report::timeline::{Curve, MarkKind, Tally, Timeline, Window};

/// A picture without a horizontal scale; heights in pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// What is shown first.
    pub window: Option<Window>,
    /// How far it goes.
    pub bounds: Option<Window>,
    /// How high it is.
    pub height: u32,
    /// The lanes.
    pub lanes: Vec<LaneBox>,
    /// Texts in the margin at the left.
    pub tags: Vec<Tag>,
    /// Whatever lasts.
    pub bars: Vec<Bar>,
    /// Whatever happens at an instant.
    pub marks: Vec<Mark>,
    /// Texts that belong to a stretch of time.
    pub labels: Vec<Label>,
    /// Instants that concern everybody, as lines over the whole height.
    pub instants: Vec<(Style, SimTime)>,
    /// Curves of numbers, below the lanes.
    pub panels: Vec<Panel>,
}

/// How something looks; the style sheet knows each by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what it stands for")]
pub enum Style {
    Overlap,
    Band,
    Waiting,
    Belief,
    Stale,
    Clash,
    Granted,
    Valid,
    Operation,
    Excess,
    Violation,
    Healed,
    Name,
    Row,
}

/// One host's part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneBox {
    /// Whose.
    pub host: HostName,
    /// Its upper edge.
    pub top: u32,
    /// Its lower edge.
    pub bottom: u32,
    /// Where messages begin and end.
    pub wire: u32,
}

/// A text in the margin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// [`Style::Name`] or [`Style::Row`].
    pub style: Style,
    /// Its base line.
    pub y: u32,
    /// The text.
    pub text: String,
}

/// A rectangle over a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// How it looks.
    pub style: Style,
    /// Since when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// Its upper edge.
    pub y: u32,
    /// Its height.
    pub height: u32,
    /// What to say about it.
    pub note: String,
}

/// A sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which.
    pub kind: MarkKind,
    /// When.
    pub at: SimTime,
    /// Its centre.
    pub y: u32,
    /// Index of its event.
    pub event: u32,
    /// Whether the violation is proved by it.
    pub witness: bool,
    /// What to say about it.
    pub note: String,
}

/// Where a text stands in its stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At its beginning, and past its end if it is longer.
    Beginning,
    /// In its middle, and past its ends if it is longer.
    Middle,
    /// In its middle and inside, or not at all.
    Inside,
}

/// A text that belongs to a stretch of time. Those with the same `y` give way to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// How it looks.
    pub style: Style,
    /// Since when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// Its base line.
    pub y: u32,
    /// Where it stands.
    pub place: Place,
    /// The text.
    pub text: String,
}

/// A number over time, as steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// What it is.
    pub name: &'static str,
    /// Its upper edge.
    pub top: u32,
    /// Its height.
    pub height: u32,
    /// The number at the beginning of the bounds.
    pub before: i64,
    /// The number from each instant on.
    pub steps: Vec<(SimTime, i64)>,
    /// What it should never exceed.
    pub limit: Option<i64>,
    /// Steps that no single guarded write can make, with what to say about them.
    pub odd: Vec<(SimTime, i64, String)>,
}

/// The axis with its two rows of labels.
const HEAD: u32 = 54;
/// A curve of a number.
const PANEL: u32 = 58;

/// Lays out a timeline.
pub fn lay_out(timeline: &Timeline) -> Scene {
    let mut scene = Scene {
        window: Some(timeline.window),
        bounds: Some(timeline.bounds),
        height: HEAD,
        ..Scene::default()
    };
    for lane in &timeline.lanes {
        lanes::lay_out(lane, timeline, &mut scene);
    }
    overlaps(timeline, &mut scene);
    instants(timeline, &mut scene);
    scene.height += 10;
    let curve = curve(&timeline.curve);
    panel(curve, &mut scene);
    panel(tally(&timeline.tally, timeline.bounds, &mut scene), &mut scene);
    scene
}

/// The columns in which more than one believed, and how long that was.
fn overlaps(timeline: &Timeline, scene: &mut Scene) {
    let columns = timeline.overlaps.iter().map(|overlap| {
        let ms = overlap.until.since(overlap.from).as_millis();
        let text = format!("{} holders for {ms} ms", overlap.clients.len());
        (overlap, text)
    });
    let height = scene.height - HEAD + 4;
    let mut bars = Vec::new();
    for (overlap, text) in columns {
        let (from, until) = (overlap.from, overlap.until);
        let note = format!("{text}, {from} to {until}");
        bars.push(Bar { style: Style::Overlap, from, until, y: HEAD - 4, height, note });
        let place = Place::Middle;
        scene.labels.push(Label { style: Style::Overlap, from, until, y: HEAD - 9, place, text });
    }
    // Behind everything else.
    bars.append(&mut scene.bars);
    scene.bars = bars;
}

/// The instants that concern everybody: the violation and the heal.
fn instants(timeline: &Timeline, scene: &mut Scene) {
    let violation =
        timeline.violated_at.map(|at| (Style::Violation, at, format!("violation {at}")));
    let healed = (Style::Healed, timeline.healed_at, "all healed".to_owned());
    for (style, at, text) in violation.into_iter().chain([healed]) {
        if timeline.bounds.contains(at) {
            scene.instants.push((style, at));
            let place = Place::Middle;
            scene.labels.push(Label { style, from: at, until: at, y: 31, place, text });
        }
    }
}

fn curve(curve: &Curve) -> Panel {
    let mut value = curve.before;
    let mut steps = Vec::new();
    for step in &curve.steps {
        if step.value != value {
            value = step.value;
            steps.push((step.at, value));
        }
    }
    let odd = curve.steps.iter().filter(|step| step.odd).map(|step| {
        let by = step.by.map_or("the server".to_owned(), |by| by.to_string());
        (step.at, step.value, format!("{}: overwritten with {} by {by}", step.at, step.value))
    });
    let (name, before, odd) = (curve.name, curve.before, odd.collect());
    Panel { name, top: 0, height: PANEL, before, steps, limit: None, odd }
}

fn tally(tally: &Tally, bounds: Window, scene: &mut Scene) -> Panel {
    let steps = tally.steps.clone();
    let exceeded = tally.limit.and_then(|limit| {
        let first = steps.iter().find(|(_, count)| *count > limit)?;
        let from = if tally.before > limit { bounds.from } else { first.0 };
        Some((from, limit))
    });
    if let Some((from, limit)) = exceeded {
        let note = format!("beyond the {limit} for sale");
        let (y, height, until) = (scene.height + 4, PANEL - 4, bounds.until);
        scene.bars.push(Bar { style: Style::Excess, from, until, y, height, note: note.clone() });
        let (style, place, y) = (Style::Excess, Place::Beginning, scene.height + PANEL - 4);
        scene.labels.push(Label { style, from, until, y, place, text: note });
    }
    let Tally { name, before, limit, .. } = *tally;
    Panel { name, top: 0, height: PANEL, before, steps, limit, odd: Vec::new() }
}

fn panel(panel: Panel, scene: &mut Scene) {
    let top = scene.height;
    let text = panel.name.to_owned();
    scene.tags.push(Tag { style: Style::Name, y: top + 20, text });
    scene.height += panel.height;
    scene.panels.push(Panel { top, ..panel });
}

impl Style {
    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Style::Overlap => "overlap",
            Style::Band => "band",
            Style::Waiting => "waiting",
            Style::Belief => "belief",
            Style::Stale => "stale",
            Style::Clash => "clash",
            Style::Granted => "granted",
            Style::Valid => "valid",
            Style::Operation => "operation",
            Style::Excess => "excess",
            Style::Violation => "violation",
            Style::Healed => "healed",
            Style::Name => "name",
            Style::Row => "row",
        }
    }
}

impl Panel {
    /// The number just before an instant.
    pub fn value_at(&self, at: SimTime) -> i64 {
        let past = self.steps.partition_point(|(step, _)| *step <= at);
        past.checked_sub(1).map_or(self.before, |last| self.steps[last].1)
    }
}

/// The name of a mark's sign in `signs.svg`.
pub fn sign(kind: MarkKind) -> &'static str {
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
