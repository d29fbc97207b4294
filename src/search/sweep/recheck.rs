//! Running a sample of a sweep's runs twice: that a plan determines its run is an invariant, and what
//! nobody looks at does not stay true.
//!
//! Which seeds are looked at is drawn from the seed itself, so it depends neither on threads nor on
//! which other seeds there are.

use std::fmt;
use std::str::FromStr;

use picklock_sim::digest::Digest;
use picklock_sim::run::WorldError;
use picklock_sim::seed::Seed;
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::search::Runner;

/// A share of all seeds, written in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    parts_per_million: u32,
}

impl Default for Share {
    /// 2 %.
    fn default() -> Self {
        Self { parts_per_million: 20_000 }
    }
}

impl Share {
    /// Whether this seed belongs to it. A larger share has all seeds of a smaller one.
    pub fn takes(self, seed: Seed) -> bool {
        seed.stream("recheck").below(1_000_000) < u64::from(self.parts_per_million)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().trim_end_matches('%').trim_end().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => {
                Ok(Self { parts_per_million: (percent * 10_000.0).round() as u32 })
            }
            _ => Err(format!("`{text}` is no percentage from 0 to 100")),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.parts_per_million) / 10_000.0)
    }
}

/// Why a sweep cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// A run could not be carried out.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A run was carried out twice and differed: no result of this sweep can be trusted.
    #[error("the same plan was run twice, with digests {first} and {second}")]
    NotRepeated {
        /// Of the run that was judged.
        first: Digest,
        /// Of its repetition.
        second: Digest,
    },
}

/// Runs a plan once more.
///
/// # Errors
/// It comes out differently, or not at all.
pub(super) fn run_again(plan: &Plan, first: &Outcome, run: Runner<'_>) -> Result<(), Obstacle> {
    let (first, second) = (first.history.digest, run(plan)?.history.digest);
    match first == second {
        true => Ok(()),
        false => Err(Obstacle::NotRepeated { first, second }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_taken_from_the_seeds_themselves() {
        let taken = |text: &str| -> Vec<u64> {
            (0..10_000).filter(|seed| share(text).takes(Seed(*seed))).collect()
        };
        assert!(taken("0").is_empty());
        assert_eq!(taken("100").len(), 10_000);
        let (few, more) = (taken("0.5"), taken("2"));
        assert!((30..80).contains(&few.len()), "{}", few.len());
        assert!((150..260).contains(&more.len()), "{}", more.len());
        assert!(few.iter().all(|seed| more.contains(seed)));
    }

    #[test]
    fn percentages() {
        assert_eq!(share("2"), Share::default());
        assert_eq!(share("2 %"), Share::default());
        assert_eq!(share("0.25").to_string(), "0.25");
        assert_eq!(Share::default().to_string(), "2");
        for nonsense in ["", "-1", "101", "two", "NaN", "inf"] {
            assert!(nonsense.parse::<Share>().is_err(), "{nonsense}");
        }
    }
}
