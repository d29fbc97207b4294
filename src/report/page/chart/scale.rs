//! From time to pixels, and room for labels.

use picklock_sim::time::SimTime;

use crate::report::timeline::Window;

/// Width of the whole picture.
pub(super) const WIDTH: f64 = 1160.0;
/// Where time begins; the names of the lanes stand left of it.
pub(super) const LEFT: f64 = 76.0;
/// What stays free at the right.
pub(super) const RIGHT: f64 = 34.0;

/// The steps of the axis, in milliseconds.
const STEPS: [u64; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/// Not more ticks than this.
const MOST_TICKS: u64 = 14;
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

    /// Where a bar begins and how wide it is: wide enough to be seen.
    pub(super) fn bar(&self, from: SimTime, until: SimTime) -> (f64, f64) {
        let x = self.x(from);
        (x, (self.x(until) - x).max(1.5))
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

/// A row of labels that do not run into each other.
#[derive(Default)]
pub(super) struct Labels {
    taken: Vec<(f64, f64)>,
}

impl Labels {
    /// Where to write a label around `x`, and its anchor; `None` if there is no room.
    pub(super) fn place(&mut self, x: f64, label: &str) -> Option<(f64, &'static str)> {
        let width = label.chars().count() as f64 * CHARACTER;
        let left = (x - width / 2.0).clamp(LEFT, (WIDTH - RIGHT - width).max(LEFT));
        self.take(left, width).then_some((left, "start"))
    }

    /// Where to write a label from `x` on, moved to the left if it would leave the picture.
    pub(super) fn place_from(&mut self, x: f64, label: &str) -> Option<f64> {
        let width = label.chars().count() as f64 * CHARACTER;
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

/// A coordinate in as few characters as needed.
pub(super) fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
