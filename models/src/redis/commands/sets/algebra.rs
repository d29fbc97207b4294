//! Several sets at once (`src/t_set.c` `sinterGenericCommand`, `sunionDiffGenericCommand`).
//!
//! The order of a result is that of the smallest set for SINTER, and that of arrival for the others.

use std::ops::Range;

use super::super::super::keyspace::{Event, Expiry};
use super::super::super::value::{Aggregate, Set};
use super::super::super::{Core, Reply};
use super::super::args::{is, within};
use super::super::{Call, Outcome, SYNTAX_ERROR};

type Operation = fn(&[Option<Set>]) -> Set;

fn inter(sets: &[Option<Set>]) -> Set {
    let mut result = Set::default();
    let Some(sets) = sets.iter().map(Option::as_ref).collect::<Option<Vec<&Set>>>() else {
        return result;
    };
    let Some(smallest) = sets.iter().min_by_key(|set| set.len()) else { return result };
    for member in smallest.members() {
        if sets.iter().all(|set| set.contains(&member)) {
            result.add(&member);
        }
    }
    result
}

fn union(sets: &[Option<Set>]) -> Set {
    let mut result = Set::default();
    for member in sets.iter().flatten().flat_map(Set::members) {
        result.add(&member);
    }
    result
}

fn diff(sets: &[Option<Set>]) -> Set {
    let mut result = Set::default();
    let (first, others) = sets.split_at(1);
    for member in first.iter().flatten().flat_map(Set::members) {
        if !others.iter().flatten().any(|set| set.contains(&member)) {
            result.add(&member);
        }
    }
    result
}

/// `SINTER key...`.
pub(in super::super) fn sinter(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, inter)
}

/// `SUNION key...`.
pub(in super::super) fn sunion(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, union)
}

/// `SDIFF key...`: what the first set has and no other.
pub(in super::super) fn sdiff(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, diff)
}

/// `SINTERSTORE destination key...`.
pub(in super::super) fn sinterstore(core: &mut Core, call: &Call<'_>) -> Outcome {
    store(core, call, inter, "sinterstore")
}

/// `SUNIONSTORE destination key...`.
pub(in super::super) fn sunionstore(core: &mut Core, call: &Call<'_>) -> Outcome {
    store(core, call, union, "sunionstore")
}

/// `SDIFFSTORE destination key...`.
pub(in super::super) fn sdiffstore(core: &mut Core, call: &Call<'_>) -> Outcome {
    store(core, call, diff, "sdiffstore")
}

fn sets(core: &mut Core, call: &Call<'_>, keys: Range<usize>) -> Result<Vec<Option<Set>>, Reply> {
    let now_ms = call.author.now_ms;
    keys.map(|index| Ok(core.keyspace.find::<Set>(&call.args[index], now_ms)?.cloned())).collect()
}

fn show(core: &mut Core, call: &Call<'_>, operation: Operation) -> Outcome {
    let sets = sets(core, call, 1..call.args.len())?;
    Ok(Reply::set(operation(&sets).members()))
}

/// An empty result removes the destination.
fn store(core: &mut Core, call: &Call<'_>, operation: Operation, event: &'static str) -> Outcome {
    let result = operation(&sets(core, call, 2..call.args.len())?);
    let (key, length) = (&call.args[1], result.len());
    if result.is_empty() {
        core.keyspace.remove(key, call.author);
    } else {
        core.keyspace.store(key, result.into_value(), Expiry::Clear, call.author);
        core.keyspace.notify(key, Event::set(event));
    }
    Ok(Reply::Integer(length as i64))
}

/// `SINTERCARD numkeys key... [LIMIT limit]`: 0 is no limit.
pub(in super::super) fn sintercard(core: &mut Core, call: &Call<'_>) -> Outcome {
    let wrong = Reply::error("ERR numkeys should be greater than 0");
    let count = within(&call.args[1], 1, i64::MAX, wrong)?;
    if count > call.args.len() as i64 - 2 {
        return Err(Reply::error("ERR Number of keys can't be greater than number of args"));
    }
    let end = 2 + count as usize;
    let (mut limit, mut index) = (0, end);
    while index < call.args.len() {
        let given = call.args.get(index + 1).filter(|_| is(call.args, index, "limit"));
        let wrong = Reply::error("ERR LIMIT can't be negative");
        limit = within(given.ok_or(SYNTAX_ERROR)?, 0, i64::MAX, wrong)?;
        index += 2;
    }
    let length = inter(&sets(core, call, 2..end)?).len() as i64;
    Ok(Reply::Integer(if limit == 0 { length } else { length.min(limit) }))
}
