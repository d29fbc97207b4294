//! From time to pixels, and room for labels.
//!
//! The page's script does the same in `page/js/scale.js`, for whatever stretch a reader zooms to.

use picklock_sim::time::SimTime;

use crate::report::timeline::{Band, Window};

/// Width of the whole picture.
pub(super) const WIDTH: f64 = 1160.0;
/// Where time begins; the names of the lanes and their rows stand left of it.
pub(super) const LEFT: f64 = 136.0;
/// What stays free at the right.
pub(super) const RIGHT: f64 = 40.0;

/// The steps of the axis, in milliseconds.
const STEPS: [u64; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/// Not more ticks than this.
const MOST_TICKS: u64 = 12;
/// Of the style sheet's label font at 11 px, rather too wide than too narrow.
const CHARACTER: f64 = 6.3;

/// Where an instant is.
pub(super) struct Scale {
    window: Window,
    per_ms: f64,
}

impl Scale {
    pub(super) fn of(window: Window) -> Self {
        let ms = (window.until.as_millis_f64() - window.from.as_millis_f64()).max(0.001);
        Self { window, per_ms: (WIDTH - LEFT - RIGHT) / ms }
    }

    pub(super) fn x(&self, at: SimTime) -> f64 {
        LEFT + (at.as_millis_f64() - self.window.from.as_millis_f64()) * self.per_ms
    }

    /// Where a bar begins and how wide it is, wide enough to be seen; `None` outside the window.
    pub(super) fn bar(&self, from: SimTime, until: SimTime) -> Option<(f64, f64)> {
        let (from, until) = self.window.clip(from, until)?;
        let x = self.x(from);
        Some((x, (self.x(until) - x).max(1.5)))
    }

    /// Round instants with their labels.
    pub(super) fn ticks(&self) -> Vec<(SimTime, String)> {
        let ms = |at: SimTime| at.as_nanos() / 1_000_000;
        let (from, until) = (ms(self.window.from), ms(self.window.until));
        let step = STEPS.into_iter().find(|step| (until - from) / step <= MOST_TICKS);
        let step = step.unwrap_or(60_000);
        let digits = match step {
            1000.. => 0,
            100..=999 => 1,
            10..=99 => 2,
            _ => 3,
        };
        let first = SimTime::from_millis(from) < self.window.from;
        let ticks = (from + u64::from(first)).div_ceil(step)..=until / step;
        let label = |ms: u64| format!("{:.digits$} s", ms as f64 / 1e3);
        ticks.map(|tick| (SimTime::from_millis(tick * step), label(tick * step))).collect()
    }
}

/// How wide a label is.
pub(super) fn width_of(label: &str) -> f64 {
    label.chars().count() as f64 * CHARACTER
}

/// A row of labels that do not run into each other.
#[derive(Default)]
pub(super) struct Labels {
    taken: Vec<(f64, f64)>,
}

impl Labels {
    /// Where to write a label with its middle at `x`; `None` if there is no room.
    pub(super) fn place(&mut self, x: f64, label: &str) -> Option<f64> {
        self.place_from(x - width_of(label) / 2.0, label)
    }

    /// Where to write a label from `x` on, moved to the left if it would leave the picture.
    pub(super) fn place_from(&mut self, x: f64, label: &str) -> Option<f64> {
        let width = width_of(label);
        let left = x.min(WIDTH - RIGHT - width).max(LEFT);
        self.take(left, width).then_some(left)
    }

    fn take(&mut self, left: f64, width: f64) -> bool {
        let right = left + width + CHARACTER;
        let free = self.taken.iter().all(|(from, until)| right <= *from || left >= *until);
        if free {
            self.taken.push((left, right));
        }
        free
    }
}

/// In which row below each other the label of each band has room, while this window is shown.
pub(crate) fn labels_in_rows(bands: &[Band], window: Window) -> Vec<u32> {
    let scale = Scale::of(window);
    let mut rows: Vec<Labels> = Vec::new();
    let place = |band: &Band| {
        // What is not shown first takes no room; it gets the first row when a reader comes there.
        if window.clip(band.from, band.until).is_none() {
            return 0;
        }
        let x = scale.x(band.from.max(window.from)) + 3.0;
        let free = rows.iter_mut().position(|row| row.place_from(x, &band.label).is_some());
        free.unwrap_or_else(|| {
            let mut row = Labels::default();
            row.place_from(x, &band.label);
            rows.push(row);
            rows.len() - 1
        }) as u32
    };
    bands.iter().map(place).collect()
}

/// A coordinate in as few characters as needed.
pub(super) fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
