//! Several sorted sets at once (`src/t_zset.c` `zunionInterDiffGenericCommand`). Plain sets may take
//! part; their members have score 1.

use bytes::Bytes;

use super::super::super::value::{SortedSet, Value, WRONG_TYPE};
use super::super::super::{Core, Reply};
use super::super::args::{double_or, integer, is, within};
use super::super::{Call, Outcome, SYNTAX_ERROR, error};
use super::ranges::{members_reply, store};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What becomes of the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Shown,
    Stored(&'static str),
    Counted,
}

/// How the scores of one member add up.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

/// `ZUNION numkeys key... [WEIGHTS w...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]`.
pub(in super::super) fn zunion(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zunion", Operation::Union, Target::Shown)
}

/// `ZINTER`, with the options of ZUNION.
pub(in super::super) fn zinter(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zinter", Operation::Inter, Target::Shown)
}

/// `ZDIFF numkeys key... [WITHSCORES]`.
pub(in super::super) fn zdiff(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zdiff", Operation::Diff, Target::Shown)
}

/// `ZUNIONSTORE destination numkeys key... [WEIGHTS w...] [AGGREGATE SUM|MIN|MAX]`.
pub(in super::super) fn zunionstore(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zunionstore", Operation::Union, Target::Stored("zunionstore"))
}

/// `ZINTERSTORE`, with the options of ZUNIONSTORE.
pub(in super::super) fn zinterstore(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zinterstore", Operation::Inter, Target::Stored("zinterstore"))
}

/// `ZDIFFSTORE destination numkeys key...`.
pub(in super::super) fn zdiffstore(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zdiffstore", Operation::Diff, Target::Stored("zdiffstore"))
}

/// `ZINTERCARD numkeys key... [LIMIT limit]`.
pub(in super::super) fn zintercard(core: &mut Core, call: &Call<'_>) -> Outcome {
    run(core, call, "zintercard", Operation::Inter, Target::Counted)
}

fn run(
    core: &mut Core,
    call: &Call<'_>,
    name: &str,
    operation: Operation,
    target: Target,
) -> Outcome {
    let at = if matches!(target, Target::Stored(_)) { 2 } else { 1 };
    let count = integer(&call.args[at])?;
    if count < 1 {
        let text = format!("ERR at least 1 input key is needed for '{name}' command");
        return Err(error(text));
    }
    let count = usize::try_from(count).ok().filter(|count| *count < call.args.len() - at);
    let end = at + 1 + count.ok_or(SYNTAX_ERROR)?;
    let mut sources = Vec::new();
    for index in at + 1..end {
        sources.push(source(core, call, &call.args[index])?);
    }
    let options = Options::parse(call, end, sources.len(), operation, target)?;
    let result = options.combine(operation, sources);
    Ok(match target {
        Target::Stored(event) => store(core, call, result, event),
        Target::Counted => {
            let length = result.len() as i64;
            let limit = options.limit;
            Reply::Integer(if limit == 0 { length } else { length.min(limit) })
        }
        Target::Shown => {
            let members = result.iter().map(|(member, score)| (member.clone(), score));
            members_reply(members.collect(), options.with_scores)
        }
    })
}

/// The members at `key` with their scores.
fn source(core: &mut Core, call: &Call<'_>, key: &[u8]) -> Result<Vec<(Bytes, f64)>, Reply> {
    match core.keyspace.get(key, call.author.now_ms).map(|record| &record.value) {
        None => Ok(Vec::new()),
        Some(Value::SortedSet(set)) => {
            Ok(set.iter().map(|(member, score)| (member.clone(), score)).collect())
        }
        Some(Value::Set(set)) => Ok(set.members().into_iter().map(|it| (it, 1.0)).collect()),
        Some(_) => Err(WRONG_TYPE),
    }
}

struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: i64,
}

impl Options {
    fn parse(
        call: &Call<'_>,
        mut index: usize,
        keys: usize,
        operation: Operation,
        target: Target,
    ) -> Result<Self, Reply> {
        let mut options = Self {
            weights: vec![1.0; keys],
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        let weighs = operation != Operation::Diff && target != Target::Counted;
        while index < call.args.len() {
            let left = call.args.len() - index;
            if weighs && left > keys && is(call.args, index, "weights") {
                for (place, weight) in options.weights.iter_mut().enumerate() {
                    let wrong = Reply::error("ERR weight value is not a float");
                    *weight = double_or(&call.args[index + 1 + place], wrong)?;
                }
                index += 1 + keys;
            } else if weighs && left >= 2 && is(call.args, index, "aggregate") {
                options.aggregate = Aggregate::named(call, index + 1)?;
                index += 2;
            } else if target == Target::Shown && is(call.args, index, "withscores") {
                options.with_scores = true;
                index += 1;
            } else if target == Target::Counted && left >= 2 && is(call.args, index, "limit") {
                let wrong = Reply::error("ERR LIMIT can't be negative");
                options.limit = within(&call.args[index + 1], 0, i64::MAX, wrong)?;
                index += 2;
            } else {
                return Err(SYNTAX_ERROR);
            }
        }
        Ok(options)
    }

    fn combine(&self, operation: Operation, sources: Vec<Vec<(Bytes, f64)>>) -> SortedSet {
        let mut result = SortedSet::default();
        if operation == Operation::Diff {
            let (first, others) = sources.split_at(1);
            for (member, score) in &first[0] {
                if !others.iter().flatten().any(|(other, _)| other == member) {
                    result.set(member, *score);
                }
            }
            return result;
        }
        let mut weighted: Vec<_> = sources.into_iter().zip(&self.weights).collect();
        // The order in which fractions are added shows in the sum.
        weighted.sort_by_key(|(members, _)| members.len());
        let sources: Vec<SortedSet> = weighted.into_iter().map(scaled).collect();
        let all = operation == Operation::Inter;
        for (index, source) in sources.iter().enumerate().take(if all { 1 } else { usize::MAX }) {
            for (member, score) in source.iter() {
                let others = sources[index + 1..].iter().map(|other| other.score(member));
                if all && others.clone().any(|score| score.is_none()) {
                    continue;
                }
                if result.score(member).is_none() {
                    let total =
                        others.flatten().fold(score, |one, two| self.aggregate.of(one, two));
                    result.set(member, total);
                }
            }
        }
        result
    }
}

fn scaled((members, weight): (Vec<(Bytes, f64)>, &f64)) -> SortedSet {
    let mut set = SortedSet::default();
    for (member, score) in members {
        let score = score * weight;
        set.set(&member, if score.is_nan() { 0.0 } else { score });
    }
    set
}

impl Aggregate {
    fn named(call: &Call<'_>, index: usize) -> Result<Self, Reply> {
        let names = [("sum", Self::Sum), ("min", Self::Min), ("max", Self::Max)];
        let mut names = names.into_iter();
        let found = names.find(|(name, _)| is(call.args, index, name));
        found.map(|(_, aggregate)| aggregate).ok_or(SYNTAX_ERROR)
    }

    /// `zunionInterAggregate`: infinities that cancel out make 0.
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Sum if (one + other).is_nan() => 0.0,
            Self::Sum => one + other,
            Self::Min => one.min(other),
            Self::Max => one.max(other),
        }
    }
}
