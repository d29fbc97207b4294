//! Ranges of a sorted set: by rank, by score, by member (`src/t_zset.c` `zslParseRange`,
//! `zslParseLexRange`).

use std::ops::Range;

use super::super::super::number;
use super::super::super::value::SortedSet;
use super::super::Reply;
use super::super::args::{integer, window};

/// What a command ranges over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Lex,
}

/// A range as a client wrote it.
pub(super) enum Span<'a> {
    Rank { start: i64, stop: i64 },
    Score { min: Bound<f64>, max: Bound<f64> },
    Lex { min: Lex<'a>, max: Lex<'a> },
}

/// A limit that belongs to the range or, after `(`, does not.
pub(super) struct Bound<T> {
    value: T,
    exclusive: bool,
}

/// `-`, `+`, or a member.
pub(super) enum Lex<'a> {
    Lowest,
    Highest,
    Member(Bound<&'a [u8]>),
}

impl<'a> Span<'a> {
    pub(super) fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Self, Reply> {
        Ok(match by {
            By::Rank => Span::Rank { start: integer(min)?, stop: integer(max)? },
            By::Score => {
                let wrong = Reply::error("ERR min or max is not a float");
                let bounds = score(min).and_then(|min| Some((min, score(max)?)));
                let (min, max) = bounds.ok_or(wrong)?;
                Span::Score { min, max }
            }
            By::Lex => {
                let wrong = Reply::error("ERR min or max not valid string range item");
                let bounds = lex(min).and_then(|min| Some((min, lex(max)?)));
                let (min, max) = bounds.ok_or(wrong)?;
                Span::Lex { min, max }
            }
        })
    }

    /// The ranks that the range covers. A range by member means something only where all scores are
    /// the same; what it covers otherwise depends on the end it is looked for from, as it does in
    /// the real server's small sets (`zzlFirstInLexRange`, `zzlLastInLexRange`).
    pub(super) fn ranks(&self, set: &SortedSet, from_the_end: bool) -> Range<usize> {
        let length = set.len();
        match self {
            Span::Rank { start, stop } => {
                let ranks = window(*start, *stop, length);
                if from_the_end { length - ranks.end..length - ranks.start } else { ranks }
            }
            Span::Score { min, max } => {
                let start = set.iter().take_while(|(_, score)| !min.reached_by(*score)).count();
                let rest = set.iter().skip(start);
                start..start + rest.take_while(|(_, score)| max.holds(*score)).count()
            }
            Span::Lex { min, max } => lex_ranks(set, min, max, from_the_end),
        }
    }
}

fn lex_ranks(set: &SortedSet, min: &Lex<'_>, max: &Lex<'_>, from_the_end: bool) -> Range<usize> {
    let ends = (set.iter().next(), set.iter().next_back());
    let (Some((first, _)), Some((last, _))) = ends else { return 0..0 };
    if !min.reached_by(last) || !max.holds(first) {
        return 0..0;
    }
    if from_the_end {
        let beyond = set.iter().rev().take_while(|(member, _)| !max.holds(member)).count();
        let rest = set.iter().rev().skip(beyond);
        let end = set.len() - beyond;
        return end - rest.take_while(|(member, _)| min.reached_by(member)).count()..end;
    }
    let start = set.iter().take_while(|(member, _)| !min.reached_by(member)).count();
    let rest = set.iter().skip(start);
    start..start + rest.take_while(|(member, _)| max.holds(member)).count()
}

impl Bound<f64> {
    /// As a lower limit.
    fn reached_by(&self, score: f64) -> bool {
        if self.exclusive { score > self.value } else { score >= self.value }
    }

    /// As an upper limit.
    fn holds(&self, score: f64) -> bool {
        if self.exclusive { score < self.value } else { score <= self.value }
    }
}

impl Lex<'_> {
    fn reached_by(&self, member: &[u8]) -> bool {
        match self {
            Lex::Lowest => true,
            Lex::Highest => false,
            Lex::Member(bound) => {
                if bound.exclusive {
                    member > bound.value
                } else {
                    member >= bound.value
                }
            }
        }
    }

    fn holds(&self, member: &[u8]) -> bool {
        match self {
            Lex::Lowest => false,
            Lex::Highest => true,
            Lex::Member(bound) => {
                if bound.exclusive {
                    member < bound.value
                } else {
                    member <= bound.value
                }
            }
        }
    }
}

fn score(text: &[u8]) -> Option<Bound<f64>> {
    let (exclusive, text) = match text {
        [b'(', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // C's strtod makes nothing of nothing, and skips spaces.
    let value = if text.is_empty() { 0.0 } else { number::parse_double(text.trim_ascii_start())? };
    (!value.is_nan()).then_some(Bound { value, exclusive })
}

fn lex(text: &[u8]) -> Option<Lex<'_>> {
    match text {
        b"-" => Some(Lex::Lowest),
        b"+" => Some(Lex::Highest),
        [b'(', value @ ..] => Some(Lex::Member(Bound { value, exclusive: true })),
        [b'[', value @ ..] => Some(Lex::Member(Bound { value, exclusive: false })),
        _ => None,
    }
}
