//! The parts of a sweep put together: what one process would have found, to the byte.

use std::ops::Range;
use std::path::PathBuf;

use super::account::{ContenderAccount, FamilyCount, Found, Sweep, Tally, Times};
use super::partial::Partial;
use super::shard::Shard;

/// Why parts are no whole.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// They do not belong together.
    #[error("{} and {} are no parts of one sweep: {difference}", .files.0.display(), .files.1.display())]
    Strangers {
        /// The first, and one that does not fit to it.
        files: (PathBuf, PathBuf),
        /// In what.
        difference: String,
    },
    /// One part is there twice.
    #[error("shard {shard} is there twice: {} and {}", .files.0.display(), .files.1.display())]
    Twice {
        /// Which.
        shard: Shard,
        /// Where.
        files: (PathBuf, PathBuf),
    },
    /// A sweep that has not come to its end.
    #[error("{}: shard {shard} has not come to its end: it lacks the seeds {}..{}", .file.display(), .left.start, .left.end)]
    Unfinished {
        /// Which.
        shard: Shard,
        /// Where.
        file: PathBuf,
        /// What it lacks.
        left: Range<u64>,
    },
    /// Parts that are not there.
    #[error("there {} missing: {}", if .shards.len() == 1 { "is a shard" } else { "are shards" }, list(.shards, .seeds))]
    Missing {
        /// Which.
        shards: Vec<Shard>,
        /// The seeds of the whole.
        seeds: Range<u64>,
    },
}

fn list(shards: &[Shard], seeds: &Range<u64>) -> String {
    let one = |shard: &Shard| {
        let Range { start, end } = shard.share(seeds);
        format!("{shard} (seeds {start}..{end})")
    };
    shards.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Puts the parts of a sweep together, each with the file it comes from; `None` if there are none.
///
/// # Errors
/// Parts that do not belong together, overlap, have not come to their end, or are not all there.
pub fn merge(mut parts: Vec<(PathBuf, Partial)>) -> Result<Option<Partial>, MergeError> {
    parts.sort_by(|(one, a), (other, b)| (a.shard, one).cmp(&(b.shard, other)));
    for pair in parts.windows(2) {
        let [(one, a), (other, b)] = pair else { continue };
        let files = (one.clone(), other.clone());
        let shards = || format!("one is of {} shards, the other of {}", a.shard.of(), b.shard.of());
        let of = (a.shard.of() != b.shard.of()).then(shards);
        if let Some(difference) = a.subject.difference(&b.subject).or(of) {
            return Err(MergeError::Strangers { files, difference });
        }
        if a.shard == b.shard {
            return Err(MergeError::Twice { shard: a.shard, files });
        }
    }
    if let Some((file, part)) = parts.iter().find(|(_, part)| !part.is_complete()) {
        let (shard, file, left) = (part.shard, file.clone(), part.left());
        return Err(MergeError::Unfinished { shard, file, left });
    }
    let Some((_, first)) = parts.first() else { return Ok(None) };
    let there = |shard: &Shard| parts.iter().any(|(_, part)| part.shard == *shard);
    let missing: Vec<Shard> = first.shard.all().filter(|shard| !there(shard)).collect();
    if !missing.is_empty() {
        let seeds = first.subject.seeds.clone();
        return Err(MergeError::Missing { shards: missing, seeds });
    }
    let whole = parts.into_iter().map(|(_, part)| part).reduce(|mut whole, next| {
        whole.append(next);
        whole
    });
    Ok(whole.map(|mut whole| {
        whole.shard = Shard::WHOLE;
        whole
    }))
}

impl Tally {
    /// Adds the account of the seeds that follow, of the same question. Every field is named, so that
    /// a new one cannot be forgotten.
    pub(super) fn append(&mut self, next: Tally) {
        let Sweep { first_seed: _, plans, rechecked, contenders, families, facts, work } =
            next.sweep;
        self.sweep.plans += plans;
        self.sweep.rechecked += rechecked;
        for (account, next) in self.sweep.contenders.iter_mut().zip(contenders) {
            account.append(next);
        }
        for (family, next) in self.sweep.families.iter_mut().zip(families) {
            let FamilyCount { name: _, drawn, struck } = next;
            family.drawn += drawn;
            family.struck += struck;
        }
        for (fact, next) in self.sweep.facts.iter_mut().zip(facts) {
            let Times { name: _, runs } = next;
            fact.runs += runs;
        }
        self.sweep.work += work;
        for (failures, next) in self.failures.iter_mut().zip(next.failures) {
            for (key, Found { runs, first_seed, plan }) in next {
                // Whoever saw it first keeps its example.
                failures.entry(key).or_insert(Found { runs: 0, first_seed, plan }).runs += runs;
            }
        }
    }
}

impl ContenderAccount {
    fn append(&mut self, next: ContenderAccount) {
        let ContenderAccount {
            contender: _,
            runs,
            broken,
            unclaimed,
            unknown,
            first_unknown,
            inexpressible,
            // Both come into being when the account is closed.
            interval: _,
            failures: _,
        } = next;
        self.runs += runs;
        self.broken += broken;
        self.unclaimed += unclaimed;
        self.unknown += unknown;
        self.first_unknown = self.first_unknown.or(first_unknown);
        self.inexpressible += inexpressible;
    }
}

#[cfg(test)]
mod tests;
