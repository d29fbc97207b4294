//! The account of a part of a sweep, as it goes to a file: one shard's share, or all until now.
//!
//! Both are the same value: an account in the making and what it belongs to. Nothing is shrunk yet and
//! nothing is judged, so that parts which are added up in the order of their seeds come to what one
//! process would have found, to the byte.

use std::ops::Range;

use picklock_sim::digest::Digest;
use picklock_sim::seed::Seed;
use serde::{Deserialize, Serialize};

use super::account::{Found, Sweep, Tally};
use super::recheck::Share;
use super::shard::Shard;
use super::{Question, SweepError, try_all};
use crate::checkers;
use crate::contender::Contender;
use crate::engine::Engine;
use crate::plan::Plan;
use crate::search::Runner;
use crate::search::cause::Cause;

/// What an account belongs to: two are of the same sweep if and only if these are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The scenario's name.
    pub scenario: String,
    /// The digest of all that plans are drawn from.
    pub space: Digest,
    /// Who is asked.
    pub contenders: Vec<Contender>,
    /// The families that can be on.
    pub families: Vec<String>,
    /// The world.
    pub engine: Engine,
    /// All seeds, of all shards.
    pub seeds: Range<u64>,
    /// Whether the first seed that breaks a promise is the last.
    pub stop_at_first: bool,
    /// Which seeds are run twice.
    pub recheck: Share,
}

impl Subject {
    /// What the account of this question belongs to.
    pub fn of(question: &Question, scenario: &str, engine: Engine) -> Self {
        let mut space = Digest::default();
        space.bytes(format!("{:?}", question.spaces).as_bytes());
        let families = question.spaces.first().map(|(_, space)| space.families());
        Self {
            scenario: scenario.to_owned(),
            space,
            contenders: question.spaces.iter().map(|(contender, _)| *contender).collect(),
            families: families.unwrap_or_default().into_iter().map(str::to_owned).collect(),
            engine,
            seeds: question.seeds.clone(),
            stop_at_first: question.stop_at_first,
            recheck: question.recheck,
        }
    }

    /// The first thing in which another one differs, in words; `None` if both are the same sweep.
    pub fn difference(&self, other: &Subject) -> Option<String> {
        let told = |one: &Subject| {
            let contenders: Vec<_> = one.contenders.iter().map(Contender::to_string).collect();
            [
                ("scenario", one.scenario.clone()),
                ("contenders", contenders.join(", ")),
                ("fault families", one.families.join(", ")),
                ("engine", one.engine.to_string()),
                ("seeds", format!("{}..{}", one.seeds.start, one.seeds.end)),
                ("`--first`", one.stop_at_first.to_string()),
                ("`--recheck`", one.recheck.to_string()),
                ("plans (which follow from the scenario's text)", one.space.to_string()),
            ]
        };
        let mut pairs = told(self).into_iter().zip(told(other));
        let ((what, mine), (_, theirs)) = pairs.find(|(mine, theirs)| mine != theirs)?;
        Some(format!("{what} {theirs} there, {mine} here"))
    }
}

/// The account of a part of a sweep.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    /// What it belongs to.
    pub subject: Subject,
    /// Which part it is, or will be when it is complete.
    pub shard: Shard,
    tally: Tally,
}

impl Partial {
    /// The account of a shard that has not begun.
    pub fn new(question: &Question, subject: Subject, shard: Shard) -> Self {
        let first_seed = shard.share(&question.seeds).start;
        Self { subject, shard, tally: Tally::new(question, first_seed) }
    }

    /// Goes on with the seeds that are left. After each seed `go_on` sees the account; false ends it
    /// there.
    ///
    /// # Errors
    /// The first run (in the order of the seeds) that could not be carried out.
    pub fn go_on(
        &mut self,
        question: &Question,
        run: Runner<'_>,
        mut go_on: impl FnMut(&Partial) -> bool + Send,
    ) -> Result<(), Box<SweepError>> {
        try_all(question, self.left(), run, |trials| {
            self.tally.add(trials);
            !self.is_complete() && go_on(self)
        })
    }

    /// How many seeds were tried.
    pub fn plans(&self) -> u64 {
        self.tally.sweep.plans
    }

    /// The seeds that fall to it and were not tried yet.
    pub fn left(&self) -> Range<u64> {
        let share = self.shard.share(&self.subject.seeds);
        let found = self.subject.stop_at_first && self.broken() > 0;
        if found { share.end..share.end } else { share.start + self.plans()..share.end }
    }

    /// Whether there is nothing left to be tried.
    pub fn is_complete(&self) -> bool {
        self.left().is_empty()
    }

    /// In how many runs a promise was broken.
    pub fn broken(&self) -> u64 {
        self.tally.sweep.contenders.iter().map(|account| account.broken).sum()
    }

    /// How many distinct failures there are, before those that a simpler one explains are merged.
    pub fn failures(&self) -> usize {
        self.tally.failures.iter().map(|found| found.len()).sum()
    }

    /// Shrinks an example of each failure and closes the account.
    pub fn finish(self, run: Runner<'_>) -> Sweep {
        self.tally.finish(run)
    }

    /// Adds the account of the seeds that follow.
    pub(super) fn append(&mut self, next: Partial) {
        self.tally.append(next.tally);
    }
}

/// Failures as lists: a checker by its name, and no cause, because that follows from the plan.
pub(super) mod as_lists {
    use serde::{Deserializer, Serializer, de};

    use super::super::account::Failures;
    use super::*;

    #[derive(Serialize)]
    struct Out<'a> {
        checker: &'a str,
        runs: u64,
        first_seed: Seed,
        plan: &'a Plan,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct In {
        checker: String,
        runs: u64,
        first_seed: Seed,
        plan: Plan,
    }

    pub(in super::super) fn serialize<S: Serializer>(
        failures: &[Failures],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let names = checkers::names();
        serializer.collect_seq(failures.iter().map(|found| {
            let out = found.iter().map(|((place, _), Found { runs, first_seed, plan })| Out {
                checker: names[*place],
                runs: *runs,
                first_seed: *first_seed,
                plan,
            });
            out.collect::<Vec<_>>()
        }))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Failures>, D::Error> {
        let names = checkers::names();
        let one = |In { checker, runs, first_seed, plan }| {
            let place = names.iter().position(|name| *name == checker);
            let place = place.ok_or_else(|| format!("there is no checker `{checker}`"))?;
            Ok(((place, Cause::of(&plan)), Found { runs, first_seed, plan }))
        };
        let lists: Vec<Vec<In>> = Deserialize::deserialize(deserializer)?;
        let maps = lists.into_iter().map(|list| list.into_iter().map(one).collect());
        maps.collect::<Result<_, String>>().map_err(de::Error::custom)
    }
}
