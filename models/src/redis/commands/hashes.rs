//! Hashes (`src/t_hash.c`): reading and writing fields. Counting in them is in `counters`, walking
//! them in `walks`.

use bytes::Bytes;

use super::super::keyspace::Event;
use super::super::value::Hash;
use super::super::{Core, Reply};
use super::{Call, Outcome, wrong_arity};

mod counters;
mod walks;

pub(super) use counters::{hincrby, hincrbyfloat};
pub(super) use walks::{hrandfield, hscan};

fn found<'a>(core: &'a mut Core, call: &Call<'_>) -> Result<Option<&'a Hash>, Reply> {
    core.keyspace.find::<Hash>(&call.args[1], call.author.now_ms)
}

/// `HSET key field value...`: how many fields are new.
pub(super) fn hset(core: &mut Core, call: &Call<'_>) -> Outcome {
    set_all(core, call, "hset").map(Reply::Integer)
}

/// `HMSET key field value...`: as HSET, but answers OK.
pub(super) fn hmset(core: &mut Core, call: &Call<'_>) -> Outcome {
    set_all(core, call, "hmset").map(|_| Reply::OK)
}

fn set_all(core: &mut Core, call: &Call<'_>, name: &str) -> Result<i64, Reply> {
    if call.args.len() % 2 == 1 {
        return Err(wrong_arity(name));
    }
    let set = |hash: &mut Hash| {
        let mut created = 0;
        for index in (2..call.args.len()).step_by(2) {
            let value = Bytes::copy_from_slice(&call.args[index + 1]);
            created += i64::from(hash.set(&call.args[index], value));
        }
        (true, created)
    };
    core.keyspace.edit_or_create(&call.args[1], call.author, Event::hash("hset"), set)
}

/// `HSETNX key field value`.
pub(super) fn hsetnx(core: &mut Core, call: &Call<'_>) -> Outcome {
    let set = |hash: &mut Hash| {
        let free = hash.get(&call.args[2]).is_none();
        if free {
            hash.set(&call.args[2], Bytes::copy_from_slice(&call.args[3]));
        }
        (free, free)
    };
    let event = Event::hash("hset");
    core.keyspace.edit_or_create(&call.args[1], call.author, event, set).map(Reply::flag)
}

/// `HGET key field`.
pub(super) fn hget(core: &mut Core, call: &Call<'_>) -> Outcome {
    let value = found(core, call)?.and_then(|hash| hash.get(&call.args[2]));
    Ok(value.cloned().map_or(Reply::Null, Reply::Bulk))
}

/// `HMGET key field...`.
pub(super) fn hmget(core: &mut Core, call: &Call<'_>) -> Outcome {
    let hash = found(core, call)?;
    let value = |field: &[u8]| hash.and_then(|hash| hash.get(field)).cloned();
    let fields = call.args.iter().skip(2);
    Ok(Reply::Array(fields.map(|field| value(field).map_or(Reply::Null, Reply::Bulk)).collect()))
}

/// `HGETALL key`: fields and values in turn, in order of arrival.
pub(super) fn hgetall(core: &mut Core, call: &Call<'_>) -> Outcome {
    let entries = found(core, call)?.into_iter().flat_map(Hash::iter);
    let bulk = |bytes: &Bytes| Reply::Bulk(bytes.clone());
    Ok(Reply::map(entries.map(|(field, value)| (bulk(field), bulk(value))).collect()))
}

/// `HKEYS key`.
pub(super) fn hkeys(core: &mut Core, call: &Call<'_>) -> Outcome {
    let entries = found(core, call)?.into_iter().flat_map(Hash::iter);
    Ok(Reply::bulks(entries.map(|(field, _)| field.clone())))
}

/// `HVALS key`.
pub(super) fn hvals(core: &mut Core, call: &Call<'_>) -> Outcome {
    let entries = found(core, call)?.into_iter().flat_map(Hash::iter);
    Ok(Reply::bulks(entries.map(|(_, value)| value.clone())))
}

/// `HDEL key field...`: how many were there. A hash without fields goes.
pub(super) fn hdel(core: &mut Core, call: &Call<'_>) -> Outcome {
    let event = Event::hash("hdel");
    let removed = core.keyspace.edit(&call.args[1], call.author, event, |hash: &mut Hash| {
        let removed = call.args.iter().skip(2).filter(|field| hash.remove(field)).count();
        (removed > 0, removed)
    })?;
    Ok(Reply::Integer(removed.unwrap_or(0) as i64))
}

/// `HEXISTS key field`.
pub(super) fn hexists(core: &mut Core, call: &Call<'_>) -> Outcome {
    let hash = found(core, call)?;
    Ok(Reply::flag(hash.is_some_and(|hash| hash.get(&call.args[2]).is_some())))
}

/// `HLEN key`.
pub(super) fn hlen(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(found(core, call)?.map_or(0, Hash::len) as i64))
}

/// `HSTRLEN key field`.
pub(super) fn hstrlen(core: &mut Core, call: &Call<'_>) -> Outcome {
    let value = found(core, call)?.and_then(|hash| hash.get(&call.args[2]));
    Ok(Reply::Integer(value.map_or(0, Bytes::len) as i64))
}
