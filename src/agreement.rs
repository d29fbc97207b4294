//! Whether two engines come to the same verdicts: a verdict is about one lock and one checker, over
//! all runs of a scenario; the worst of them counts.
//!
//! The engines draw other latencies from the same seed, so they need not break the same runs. What a
//! scenario expects says what may be luck: `always` must be all runs on both, `sometimes` some run on
//! both, and what it does not name no run on either. Only of what `may` break one engine may see
//! nothing; and even that is no luck any more if the other one sees it in every run of several.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::checkers;
use crate::scenario::ContenderSpec;
use crate::verdict::{Judgement, Verdict};

/// Both engines over many scenarios.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Engines {
    /// What both can judge, in the scenarios' order.
    pub agreements: Vec<Agreement>,
    /// What only one engine can judge.
    pub inexpressible: Vec<Inexpressible>,
    /// The files of the scenarios in which they differ.
    pub differing: Vec<PathBuf>,
}

/// A contender's runs that turmoil has no means for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inexpressible {
    /// Of which scenario.
    pub scenario: String,
    /// What turmoil lacks for which fault.
    pub why: String,
}

/// One contender of one scenario, before both engines.
#[derive(Clone, Debug, Serialize)]
pub struct Agreement {
    /// The scenario.
    pub scenario: String,
    /// Lock and resource.
    pub contender: String,
    /// How many runs each engine made.
    pub runs: usize,
    /// What each checker said of them.
    pub verdicts: Vec<Both>,
}

/// What one checker said on both engines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Both {
    /// The checker.
    pub checker: &'static str,
    /// On the event engine.
    pub event: Count,
    /// On turmoil.
    pub turmoil: Count,
    /// Whether that is the same.
    pub accord: Accord,
}

/// In how many runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// A violation was found.
    pub broken: usize,
    /// A promise could not be judged.
    pub unknown: usize,
}

/// Whether two engines agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accord {
    /// They do.
    Same,
    /// One saw what the scenario says may or may not be seen.
    Luck,
    /// They do not.
    Differs,
}

/// The judgements of each run.
pub type Runs = [Vec<Judgement>];

impl Agreement {
    /// Compares what the judges said of the same seeds on both engines.
    pub fn of(scenario: &str, spec: &ContenderSpec, event: &Runs, turmoil: &Runs) -> Self {
        let runs = event.len();
        let verdict = |checker| {
            let (event, turmoil) = (Count::of(checker, event), Count::of(checker, turmoil));
            let accord = accord(spec, checker, runs, event, turmoil);
            Both { checker, event, turmoil, accord }
        };
        let verdicts = checkers::names().into_iter().map(verdict).collect();
        let (scenario, contender) = (scenario.to_owned(), spec.name.to_string());
        Self { scenario, contender, runs, verdicts }
    }
}

impl Count {
    fn of(checker: &str, runs: &Runs) -> Self {
        let mut count = Count::default();
        for judgement in runs.iter().flatten().filter(|one| one.checker == checker) {
            match judgement.verdict {
                Verdict::Fail(_) => count.broken += 1,
                Verdict::Unknown { .. } if judgement.claimed => count.unknown += 1,
                Verdict::Unknown { .. } | Verdict::Pass => {}
            }
        }
        count
    }

    /// The worst that was said.
    pub fn worst(self) -> &'static str {
        match self {
            Count { broken: 1.., .. } => "fail",
            Count { unknown: 1.., .. } => "unknown",
            Count { .. } => "pass",
        }
    }
}

fn accord(spec: &ContenderSpec, checker: &str, runs: usize, one: Count, other: Count) -> Accord {
    let named = |set: &BTreeSet<String>| set.contains(checker);
    let in_all = |count: Count| count.broken == runs;
    let same = one.worst() == other.worst()
        && (!named(&spec.always) || in_all(one) == in_all(other))
        && (one.unknown > 0) == (other.unknown > 0);
    let unknown = one.unknown > 0 || other.unknown > 0;
    let never_and_always =
        runs > 1 && [(one, other), (other, one)].iter().any(|(a, b)| in_all(*a) && b.broken == 0);
    match same {
        true => Accord::Same,
        false if named(&spec.may) && !unknown && !never_and_always => Accord::Luck,
        false => Accord::Differs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ContenderSpec {
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        ContenderSpec {
            name: "redis-token-cad".parse().unwrap(),
            always: set("oversold"),
            sometimes: set("ledger"),
            may: set("starvation"),
            why: None,
            costs: Default::default(),
            line: 1,
        }
    }

    fn of(checker: &str, one: (usize, usize), other: (usize, usize)) -> Accord {
        let count = |(broken, unknown)| Count { broken, unknown };
        let accord = |one, other| accord(&spec(), checker, 5, count(one), count(other));
        assert_eq!(accord(one, other), accord(other, one), "neither engine is the right one");
        accord(one, other)
    }

    #[test]
    fn what_is_the_same_and_what_is_luck() {
        use Accord::{Differs, Luck, Same};
        for (checker, one, other, expected) in [
            ("oversold", 5, 5, Same),
            ("oversold", 5, 4, Differs),
            ("ledger", 1, 4, Same),
            ("ledger", 1, 0, Differs),
            ("starvation", 0, 0, Same),
            ("starvation", 1, 5, Same),
            ("starvation", 0, 4, Luck),
            ("starvation", 0, 5, Differs),
            ("lost-update", 0, 0, Same),
            ("lost-update", 0, 1, Differs),
        ] {
            let accord = of(checker, (one, 0), (other, 0));
            assert_eq!(accord, expected, "{checker}: {one} and {other} of 5");
        }
    }

    #[test]
    fn what_could_not_be_judged_is_never_luck() {
        assert_eq!(of("starvation", (0, 1), (0, 0)), Accord::Differs);
        assert_eq!(of("starvation", (1, 1), (1, 0)), Accord::Differs);
        assert_eq!(of("starvation", (0, 1), (0, 2)), Accord::Same);
    }
}
