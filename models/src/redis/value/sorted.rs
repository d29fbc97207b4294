//! A sorted set (`src/t_zset.c`): members by score, those with the same score by their bytes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

/// `zset-max-listpack-entries` and `zset-max-listpack-value`.
const SMALL: usize = 128;
const SHORT: usize = 64;

/// A score: a number that is never NaN, so that it has a total order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score(pub(crate) f64);

impl Ord for Score {
    /// Minus zero and zero are the same score.
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

/// Members with their scores.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortedSet {
    scores: BTreeMap<Bytes, Score>,
    ranked: BTreeSet<(Score, Bytes)>,
    /// Once a skip list, always a skip list.
    large: bool,
}

impl SortedSet {
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(|score| score.0)
    }

    /// Gives a member its score; hands back the one it had.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let member = Bytes::copy_from_slice(member);
        self.large |= member.len() > SHORT;
        let before = self.scores.insert(member.clone(), Score(score));
        if let Some(before) = before {
            self.ranked.remove(&(before, member.clone()));
        }
        self.ranked.insert((Score(score), member));
        self.large |= self.len() > SMALL;
        before.map(|before| before.0)
    }

    /// What becomes of a score that is stored: a small set is packed (`src/t_zset.c`
    /// `zzlInsertAt`), whole numbers as integers, and zero has no sign there.
    pub(crate) fn packed(&self, score: f64) -> f64 {
        if self.large { score } else { score + 0.0 }
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let (member, score) = self.scores.remove_entry(member)?;
        self.ranked.remove(&(score, member));
        Some(score.0)
    }

    /// Members with their scores, the lowest score first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Bytes, f64)> {
        self.ranked.iter().map(|(score, member)| (member, score.0))
    }

    /// How many members come before `member`.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        let (member, score) = self.scores.get_key_value(member)?;
        Some(self.ranked.range(..(*score, member.clone())).count())
    }

    pub(crate) fn is_large(&self) -> bool {
        self.large
    }

    pub(crate) fn encoding(&self) -> &'static str {
        if self.large { "skiplist" } else { "listpack" }
    }
}
