//! Sorted sets (`src/t_zset.c`): single members, and both ends. Adding is in `add`, ranges in
//! `ranges` and `bounds`, several sets at once in `algebra`, walks and draws in `walks`.

use super::super::keyspace::Event;
use super::super::value::SortedSet;
use super::super::{Core, Reply};
use super::{Call, Outcome};

mod add;
mod algebra;
mod bounds;
mod ends;
mod ranges;
mod removal;
mod walks;

pub(super) use add::{zadd, zincrby};
pub(super) use algebra::{zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore};
pub(super) use ends::{zmpop, zpopmax, zpopmin};
pub(super) use ranges::{
    zcount, zlexcount, zrange, zrangebylex, zrangebyscore, zrangestore, zrevrange, zrevrangebylex,
    zrevrangebyscore,
};
pub(super) use removal::{zremrangebylex, zremrangebyrank, zremrangebyscore};
pub(super) use walks::{zrandmember, zscan};

fn found<'a>(core: &'a mut Core, call: &Call<'_>) -> Result<Option<&'a SortedSet>, Reply> {
    core.keyspace.find::<SortedSet>(&call.args[1], call.author.now_ms)
}

/// `ZCARD key`.
pub(super) fn zcard(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(found(core, call)?.map_or(0, SortedSet::len) as i64))
}

/// `ZSCORE key member`.
pub(super) fn zscore(core: &mut Core, call: &Call<'_>) -> Outcome {
    let score = found(core, call)?.and_then(|set| set.score(&call.args[2]));
    Ok(score.map_or(Reply::Null, Reply::double))
}

/// `ZMSCORE key member...`.
pub(super) fn zmscore(core: &mut Core, call: &Call<'_>) -> Outcome {
    let set = found(core, call)?;
    let score = |member| set.and_then(|set| set.score(member)).map_or(Reply::Null, Reply::double);
    Ok(Reply::Array(call.args.iter().skip(2).map(score).collect()))
}

/// `ZRANK key member`: counted from the lowest score.
pub(super) fn zrank(core: &mut Core, call: &Call<'_>) -> Outcome {
    let rank = found(core, call)?.and_then(|set| set.rank(&call.args[2]));
    Ok(rank.map_or(Reply::Null, |rank| Reply::Integer(rank as i64)))
}

/// `ZREVRANK key member`: counted from the highest score.
pub(super) fn zrevrank(core: &mut Core, call: &Call<'_>) -> Outcome {
    let Some(set) = found(core, call)? else { return Ok(Reply::Null) };
    let rank = set.rank(&call.args[2]).map(|rank| set.len() - 1 - rank);
    Ok(rank.map_or(Reply::Null, |rank| Reply::Integer(rank as i64)))
}

/// `ZREM key member...`: how many were there.
pub(super) fn zrem(core: &mut Core, call: &Call<'_>) -> Outcome {
    let event = Event::sorted_set("zrem");
    let removed =
        core.keyspace.edit(&call.args[1], call.author, event, |set: &mut SortedSet| {
            let members = call.args.iter().skip(2);
            let removed = members.filter(|member| set.remove(member).is_some()).count();
            (removed > 0, removed)
        })?;
    Ok(Reply::Integer(removed.unwrap_or(0) as i64))
}
