//! Sets (`src/t_set.c`): one set at a time. Several at once are in `algebra`, walks and draws in
//! `walks`.

use super::super::keyspace::Event;
use super::super::value::Set;
use super::super::{Core, Reply};
use super::{Call, Outcome};

mod algebra;
mod walks;

pub(super) use algebra::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
pub(super) use walks::{spop, srandmember, sscan};

fn found<'a>(core: &'a mut Core, call: &Call<'_>) -> Result<Option<&'a Set>, Reply> {
    core.keyspace.find::<Set>(&call.args[1], call.author.now_ms)
}

/// `SADD key member...`: how many are new.
pub(super) fn sadd(core: &mut Core, call: &Call<'_>) -> Outcome {
    let add = |set: &mut Set| {
        let added = call.args.iter().skip(2).filter(|member| set.add(member)).count();
        (added > 0, added)
    };
    let event = Event::set("sadd");
    let added = core.keyspace.edit_or_create(&call.args[1], call.author, event, add)?;
    Ok(Reply::Integer(added as i64))
}

/// `SREM key member...`: how many were there.
pub(super) fn srem(core: &mut Core, call: &Call<'_>) -> Outcome {
    let event = Event::set("srem");
    let removed = core.keyspace.edit(&call.args[1], call.author, event, |set: &mut Set| {
        let removed = call.args.iter().skip(2).filter(|member| set.remove(member)).count();
        (removed > 0, removed)
    })?;
    Ok(Reply::Integer(removed.unwrap_or(0) as i64))
}

/// `SMOVE source destination member`.
pub(super) fn smove(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (source, destination, member) = (&call.args[1], &call.args[2], &call.args[3]);
    let Some(set) = found(core, call)? else { return Ok(Reply::flag(false)) };
    let there = set.contains(member);
    core.keyspace.find::<Set>(destination, call.author.now_ms)?;
    if !there || source == destination {
        return Ok(Reply::flag(there));
    }
    core.keyspace
        .edit(source, call.author, Event::set("srem"), |set: &mut Set| (set.remove(member), ()))?;
    let event = Event::set("sadd");
    core.keyspace
        .edit_or_create(destination, call.author, event, |set: &mut Set| (set.add(member), ()))?;
    Ok(Reply::flag(true))
}

/// `SISMEMBER key member`.
pub(super) fn sismember(core: &mut Core, call: &Call<'_>) -> Outcome {
    let set = found(core, call)?;
    Ok(Reply::flag(set.is_some_and(|set| set.contains(&call.args[2]))))
}

/// `SMISMEMBER key member...`.
pub(super) fn smismember(core: &mut Core, call: &Call<'_>) -> Outcome {
    let set = found(core, call)?;
    let there = |member| Reply::flag(set.is_some_and(|set| set.contains(member)));
    Ok(Reply::Array(call.args.iter().skip(2).map(there).collect()))
}

/// `SCARD key`.
pub(super) fn scard(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(found(core, call)?.map_or(0, Set::len) as i64))
}

/// `SMEMBERS key`.
pub(super) fn smembers(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::set(found(core, call)?.map_or_else(Vec::new, Set::members)))
}
