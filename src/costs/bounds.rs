//! What a scenario expects a lock to cost: figures that a claim stands or falls with.

use serde::Deserialize;

use super::Measured;

/// From least to most, for each figure that is expected; a figure that was never seen is outside of every
/// bound.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostBounds {
    /// Bounds of [`Measured::messages`].
    pub messages: Option<(f64, f64)>,
    /// Bounds of [`Measured::hand_over_ms`].
    pub hand_over_ms: Option<(f64, f64)>,
    /// Bounds of [`Measured::woken`].
    pub woken: Option<(f64, f64)>,
    /// Bounds of [`Measured::free_after_crash_ms`].
    pub free_after_crash_ms: Option<(f64, f64)>,
}

impl CostBounds {
    /// Whether anything is expected at all.
    pub fn any(&self) -> bool {
        self.figures(&Measured::default()).next().is_some()
    }

    /// What is not as expected, a line each.
    pub fn surprises(&self, measured: &Measured) -> Vec<String> {
        let outside = self.figures(measured).filter(|(_, (low, high), value)| {
            !value.is_some_and(|value| (*low..=*high).contains(&value))
        });
        let line = |(name, (low, high), value): (_, _, Option<f64>)| match value {
            Some(value) => format!("`{name}` is {value:.1}, not {low} to {high}"),
            None => format!("`{name}` was never seen, not {low} to {high}"),
        };
        outside.map(line).collect()
    }

    fn figures(
        &self,
        measured: &Measured,
    ) -> impl Iterator<Item = (&'static str, (f64, f64), Option<f64>)> {
        let all = [
            ("messages", self.messages, measured.messages),
            ("hand_over_ms", self.hand_over_ms, measured.hand_over_ms),
            ("woken", self.woken, measured.woken),
            ("free_after_crash_ms", self.free_after_crash_ms, measured.free_after_crash_ms),
        ];
        all.into_iter().filter_map(|(name, bounds, value)| Some((name, bounds?, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_or_was_never_seen_is_a_surprise() {
        let bounds = CostBounds {
            hand_over_ms: Some((10.0, 20.0)),
            woken: Some((1.0, 1.0)),
            ..CostBounds::default()
        };
        assert!(bounds.any() && !CostBounds::default().any());
        let right = Measured { hand_over_ms: Some(10.0), woken: Some(1.0), ..Measured::default() };
        assert!(bounds.surprises(&right).is_empty());
        let wrong = Measured { hand_over_ms: Some(20.5), ..Measured::default() };
        assert_eq!(
            bounds.surprises(&wrong),
            ["`hand_over_ms` is 20.5, not 10 to 20", "`woken` was never seen, not 1 to 1"]
        );
    }
}
