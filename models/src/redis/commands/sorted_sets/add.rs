//! ZADD and ZINCRBY (`src/t_zset.c` `zaddGenericCommand`, `zsetAdd`).

use super::super::super::keyspace::Event;
use super::super::super::value::SortedSet;
use super::super::super::{Core, Reply};
use super::super::args::{double, is};
use super::super::{Call, Outcome, SYNTAX_ERROR};

/// `ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member...`.
pub(in super::super) fn zadd(core: &mut Core, call: &Call<'_>) -> Outcome {
    add(core, call, Options::default())
}

/// `ZINCRBY key number member`: ZADD with INCR, so that options are looked for here too.
pub(in super::super) fn zincrby(core: &mut Core, call: &Call<'_>) -> Outcome {
    add(core, call, Options { incr: true, ..Options::default() })
}

#[derive(Clone, Copy, Default)]
struct Options {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    ch: bool,
    incr: bool,
}

impl Options {
    /// Reads options until something else comes; hands back where that is.
    fn parse(&mut self, call: &Call<'_>) -> usize {
        let mut index = 2;
        loop {
            let slots = [
                ("nx", &mut self.nx),
                ("xx", &mut self.xx),
                ("gt", &mut self.gt),
                ("lt", &mut self.lt),
                ("ch", &mut self.ch),
                ("incr", &mut self.incr),
            ];
            let mut slots = slots.into_iter();
            let Some((_, slot)) = slots.find(|(name, _)| is(call.args, index, name)) else {
                return index;
            };
            *slot = true;
            index += 1;
        }
    }

    fn check(self, pairs: usize) -> Result<(), Reply> {
        if self.nx && self.xx {
            let text = "ERR XX and NX options at the same time are not compatible";
            return Err(Reply::error(text));
        }
        if [self.nx, self.gt, self.lt].into_iter().filter(|on| *on).count() > 1 {
            let text = "ERR GT, LT, and/or NX options at the same time are not compatible";
            return Err(Reply::error(text));
        }
        if self.incr && pairs > 1 {
            return Err(Reply::error("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }
}

/// What one member's turn did.
enum Step {
    Nothing,
    Kept(f64),
    Added(f64),
    Updated(f64),
}

fn add(core: &mut Core, call: &Call<'_>, mut options: Options) -> Outcome {
    let first = options.parse(call);
    let words = call.args.len() - first;
    if words == 0 || words % 2 == 1 {
        return Err(SYNTAX_ERROR);
    }
    options.check(words / 2)?;
    let members = (first..call.args.len()).step_by(2);
    let scores: Vec<f64> =
        members.clone().map(|index| double(&call.args[index])).collect::<Result<_, _>>()?;
    let pairs = members.map(|index| &call.args[index + 1]).zip(scores);
    let event = Event::sorted_set(if options.incr { "zincr" } else { "zadd" });
    let run = |set: &mut SortedSet| {
        let mut tally = Tally::default();
        for (member, score) in pairs {
            match step(set, member, score, options) {
                Ok(step) => tally.count(step),
                Err(error) => return (tally.changed(), Err(error)),
            }
        }
        (tally.changed(), Ok(tally))
    };
    let key = &call.args[1];
    let tally = if options.xx {
        match core.keyspace.edit(key, call.author, event, run)? {
            Some(tally) => tally?,
            None => Tally::default(),
        }
    } else {
        core.keyspace.edit_or_create(key, call.author, event, run)??
    };
    Ok(tally.reply(options))
}

fn step(set: &mut SortedSet, member: &[u8], score: f64, options: Options) -> Result<Step, Reply> {
    let Some(before) = set.score(member) else {
        if options.xx {
            return Ok(Step::Nothing);
        }
        set.set(member, set.packed(score));
        return Ok(Step::Added(score));
    };
    if options.nx {
        return Ok(Step::Nothing);
    }
    let score = if options.incr { before + score } else { score };
    if score.is_nan() {
        return Err(Reply::error("ERR resulting score is not a number (NaN)"));
    }
    if (options.lt && score >= before) || (options.gt && score <= before) {
        return Ok(Step::Nothing);
    }
    if score == before {
        return Ok(Step::Kept(score));
    }
    set.set(member, set.packed(score));
    Ok(Step::Updated(score))
}

#[derive(Default)]
struct Tally {
    added: i64,
    updated: i64,
    /// Of the last member whose turn was not void.
    score: Option<f64>,
}

impl Tally {
    fn count(&mut self, step: Step) {
        match step {
            Step::Nothing => {}
            Step::Kept(score) => self.score = Some(score),
            Step::Added(score) => {
                self.added += 1;
                self.score = Some(score);
            }
            Step::Updated(score) => {
                self.updated += 1;
                self.score = Some(score);
            }
        }
    }

    fn changed(&self) -> bool {
        self.added + self.updated > 0
    }

    fn reply(&self, options: Options) -> Reply {
        if options.incr {
            return self.score.map_or(Reply::Null, Reply::double);
        }
        Reply::Integer(if options.ch { self.added + self.updated } else { self.added })
    }
}
