//! The digests on record: for each run of some scenarios the digest that it is known to have, as a
//! text file that diffs well.
//!
//! A run of another digest is another run: either a change of behaviour was meant, and then the
//! record is written anew and the diff says what changed, or something crept in.

use std::collections::BTreeMap;
use std::fmt;

use picklock_sim::digest::Digest;
use serde::Serialize;

/// One run of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RunName {
    /// The scenario.
    pub scenario: String,
    /// Lock and resource.
    pub contender: String,
    /// The seed.
    pub seed: u64,
}

/// Digests by run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Golden(BTreeMap<RunName, Digest>);

/// A run that is not as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which run.
    #[serde(flatten)]
    pub run: RunName,
    /// On record; `None` if it is new.
    pub old: Option<Digest>,
    /// As it is now; `None` if there is no such run any more.
    pub new: Option<Digest>,
}

/// How every record begins.
const HEAD: &str = "\
# The digest of every run of these scenarios on the event engine: scenario, seed, digest, contender.
# A run of another digest is another run. If that is meant, write this file anew:
#     cargo picklock verify --golden reports/digests.txt --update scenarios/published
";

impl Golden {
    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What changed from this record to those runs.
    pub fn changes(&self, now: &Golden) -> Vec<Change> {
        let mut runs: Vec<&RunName> = self.0.keys().chain(now.0.keys()).collect();
        runs.sort();
        runs.dedup();
        let change = |run: &RunName| Change {
            run: run.clone(),
            old: self.0.get(run).copied(),
            new: now.0.get(run).copied(),
        };
        runs.into_iter().map(change).filter(|change| change.old != change.new).collect()
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The first line that says something else, by its number, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut runs = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let (run, digest) = parse_line(line)
                .ok_or_else(|| format!("line {}: is no run with its digest", number + 1))?;
            if runs.insert(run, digest).is_some() {
                return Err(format!("line {}: this run stands there already", number + 1));
            }
        }
        Ok(Self(runs))
    }
}

/// `s1-gc-pause  1  0123456789abcdef  redis-token-cad + shop-checked`
fn parse_line(line: &str) -> Option<(RunName, Digest)> {
    let (scenario, rest) = line.split_once("  ")?;
    let (seed, rest) = rest.trim_start().split_once("  ")?;
    let (digest, contender) = rest.trim_start().split_once("  ")?;
    let digest = serde_json::from_value(digest.into()).ok()?;
    let (scenario, contender) = (scenario.to_owned(), contender.trim().to_owned());
    Some((RunName { scenario, contender, seed: seed.parse().ok()? }, digest))
}

impl FromIterator<(RunName, Digest)> for Golden {
    fn from_iter<T: IntoIterator<Item = (RunName, Digest)>>(runs: T) -> Self {
        Self(runs.into_iter().collect())
    }
}

/// The file.
impl fmt::Display for Golden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        let width = self.0.keys().map(|run| run.scenario.len()).max().unwrap_or(0);
        let mut last = "";
        for (RunName { scenario, contender, seed }, digest) in &self.0 {
            if last != scenario {
                f.write_str("\n")?;
            }
            last = scenario;
            writeln!(f, "{scenario:<width$}  {seed:>4}  {digest}  {contender}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(scenario: &str, contender: &str, seed: u64, digest: u64) -> (RunName, Digest) {
        let mut mixed = Digest::default();
        mixed.number(digest);
        let (scenario, contender) = (scenario.to_owned(), contender.to_owned());
        (RunName { scenario, contender, seed }, mixed)
    }

    #[test]
    fn a_record_survives_the_round_trip() {
        let record: Golden = [
            run("s10-flash-sale", "redis-token-cad + shop-checked", 12, 1),
            run("s1", "redis-token-cad", 2, 2),
            run("s1", "redis-token-cad", 1, 3),
        ]
        .into_iter()
        .collect();
        assert_eq!(Golden::parse(&record.to_string()), Ok(record));
        assert_eq!(Golden::parse(&Golden::default().to_string()), Ok(Golden::default()));
    }

    #[test]
    fn changes_are_told_apart() {
        let old: Golden =
            [run("a", "x", 1, 1), run("a", "x", 2, 2), run("b", "x", 1, 3)].into_iter().collect();
        let new: Golden =
            [run("a", "x", 1, 1), run("a", "x", 2, 9), run("c", "x", 1, 4)].into_iter().collect();
        assert!(old.changes(&old).is_empty());
        let changes = old.changes(&new);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (&*change.run.scenario, change.old.is_some(), change.new.is_some()))
            .collect();
        assert_eq!(told, [("a", true, true), ("b", true, false), ("c", false, true)]);
    }

    #[test]
    fn mistakes_are_named_by_their_line() {
        for (text, line) in [
            ("# fine\n\nnonsense\n", "line 3"),
            ("s1  1  0123  x\n", "line 1"),
            ("s1  1  0123456789abcdef  x\ns1     1  fedcba9876543210  x\n", "line 2"),
        ] {
            assert!(Golden::parse(text).unwrap_err().starts_with(line), "{text}");
        }
    }
}
