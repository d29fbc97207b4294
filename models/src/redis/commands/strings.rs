//! Strings and counters (`src/t_string.c`).

use bytes::Bytes;

use super::super::keyspace::{Expiry, Value};
use super::super::{Core, Reply};
use super::{Call, NOT_AN_INTEGER, Outcome, error, integer};
use crate::redis::resp::MAX_BULK;

mod options;

use options::{Options, Presence, Timing};

fn value(arg: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(arg))
}

fn read(core: &mut Core, key: &[u8], call: &Call<'_>) -> Reply {
    match core.keyspace.get(key, call.author.now_ms) {
        Some(record) => Reply::Bulk(record.value.to_bytes()),
        None => Reply::Null,
    }
}

/// `GET key`.
pub(super) fn get(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(read(core, &call.args[1], call))
}

/// `SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]` (`setGenericCommand`). With GET
/// the old value is the answer, whether or not the new one was stored.
pub(super) fn set(core: &mut Core, call: &Call<'_>) -> Outcome {
    let options = Options::of_set(call.args)?;
    let expiry = options.expiry("set", call.author.now_ms)?;
    let key = &call.args[1];
    let old = if options.get { read(core, key, call) } else { Reply::Null };
    if let Some(presence) = options.presence {
        let found = core.keyspace.get(key, call.author.now_ms).is_some();
        if found == (presence == Presence::Absent) {
            return Ok(old);
        }
    }
    core.keyspace.store(key, value(&call.args[2]), expiry, call.author);
    Ok(if options.get { old } else { Reply::OK })
}

/// `SETNX key value`.
pub(super) fn setnx(core: &mut Core, call: &Call<'_>) -> Outcome {
    let key = &call.args[1];
    let free = core.keyspace.get(key, call.author.now_ms).is_none();
    if free {
        core.keyspace.store(key, value(&call.args[2]), Expiry::Clear, call.author);
    }
    Ok(Reply::flag(free))
}

/// `SETEX key seconds value`.
pub(super) fn setex(core: &mut Core, call: &Call<'_>) -> Outcome {
    set_expiring(core, call, "setex", Timing::InSeconds)
}

/// `PSETEX key milliseconds value`.
pub(super) fn psetex(core: &mut Core, call: &Call<'_>) -> Outcome {
    set_expiring(core, call, "psetex", Timing::InMilliseconds)
}

fn set_expiring(core: &mut Core, call: &Call<'_>, name: &str, timing: Timing) -> Outcome {
    let when = timing.deadline(&call.args[2], name, call.author.now_ms)?;
    core.keyspace.store(&call.args[1], value(&call.args[3]), Expiry::At(when), call.author);
    Ok(Reply::OK)
}

/// `GETSET key value`: the old expiry goes.
pub(super) fn getset(core: &mut Core, call: &Call<'_>) -> Outcome {
    let old = read(core, &call.args[1], call);
    core.keyspace.store(&call.args[1], value(&call.args[2]), Expiry::Clear, call.author);
    Ok(old)
}

/// `GETDEL key`.
pub(super) fn getdel(core: &mut Core, call: &Call<'_>) -> Outcome {
    let old = read(core, &call.args[1], call);
    core.keyspace.remove(&call.args[1], call.author);
    Ok(old)
}

/// `GETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST]`: an instant that has passed deletes the key; of a
/// key that is not there not even the time is looked at (`getexCommand`).
pub(super) fn getex(core: &mut Core, call: &Call<'_>) -> Outcome {
    let options = Options::of_getex(call.args)?;
    let (key, now_ms) = (&call.args[1], call.author.now_ms);
    let Some(record) = core.keyspace.get(key, now_ms) else { return Ok(Reply::Null) };
    let (old, had_expiry) = (record.value.to_bytes(), record.expires_at.is_some());
    match options.expiry("getex", now_ms)? {
        Expiry::At(when) if when <= now_ms => {
            core.keyspace.remove(key, call.author);
        }
        Expiry::At(when) => core.keyspace.retime(key, Some(when), call.author),
        Expiry::Clear if options.persist && had_expiry => {
            core.keyspace.retime(key, None, call.author);
        }
        Expiry::Clear | Expiry::Keep => {}
    }
    Ok(Reply::Bulk(old))
}

/// `MGET key...`.
pub(super) fn mget(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::Array(call.args.iter().skip(1).map(|key| read(core, key, call)).collect()))
}

/// `MSET key value...`.
pub(super) fn mset(core: &mut Core, call: &Call<'_>) -> Outcome {
    let pairs = pairs(call, "mset")?;
    store_all(core, call, pairs);
    Ok(Reply::OK)
}

/// `MSETNX key value...`: all, or none if one of the keys exists.
pub(super) fn msetnx(core: &mut Core, call: &Call<'_>) -> Outcome {
    let pairs = pairs(call, "msetnx")?;
    for pair in 0..pairs {
        if core.keyspace.get(&call.args[1 + 2 * pair], call.author.now_ms).is_some() {
            return Ok(Reply::flag(false));
        }
    }
    store_all(core, call, pairs);
    Ok(Reply::flag(true))
}

/// How many key-value pairs a command has.
fn pairs(call: &Call<'_>, name: &str) -> Result<usize, Reply> {
    match call.args.len() % 2 {
        1 => Ok(call.args.len() / 2),
        _ => Err(error(format!("ERR wrong number of arguments for '{name}' command"))),
    }
}

fn store_all(core: &mut Core, call: &Call<'_>, pairs: usize) {
    for pair in 0..pairs {
        let (key, new) = (&call.args[1 + 2 * pair], &call.args[2 + 2 * pair]);
        core.keyspace.store(key, value(new), Expiry::Clear, call.author);
    }
}

/// `APPEND key value`; keeps the expiry.
pub(super) fn append(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (key, suffix) = (&call.args[1], &call.args[2]);
    let old = core.keyspace.get(key, call.author.now_ms).map(|record| record.value.to_bytes());
    let joined = [old.as_deref().unwrap_or_default(), suffix].concat();
    let length = joined.len();
    if length > MAX_BULK {
        let text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        return Err(Reply::error(text));
    }
    core.keyspace.store(key, Value::Bytes(Bytes::from(joined)), Expiry::Keep, call.author);
    Ok(Reply::Integer(length as i64))
}

/// `STRLEN key`.
pub(super) fn strlen(core: &mut Core, call: &Call<'_>) -> Outcome {
    let length = match core.keyspace.get(&call.args[1], call.author.now_ms) {
        Some(record) => record.value.to_bytes().len(),
        None => 0,
    };
    Ok(Reply::Integer(length as i64))
}

/// `INCR key`.
pub(super) fn incr(core: &mut Core, call: &Call<'_>) -> Outcome {
    add(core, call, 1)
}

/// `DECR key`.
pub(super) fn decr(core: &mut Core, call: &Call<'_>) -> Outcome {
    add(core, call, -1)
}

/// `INCRBY key number`.
pub(super) fn incrby(core: &mut Core, call: &Call<'_>) -> Outcome {
    add(core, call, integer(&call.args[2])?)
}

/// `DECRBY key number`: the one number that has no negative is refused (`decrbyCommand`).
pub(super) fn decrby(core: &mut Core, call: &Call<'_>) -> Outcome {
    match integer(&call.args[2])?.checked_neg() {
        Some(number) => add(core, call, number),
        None => Err(Reply::error("ERR decrement would overflow")),
    }
}

/// `incrDecrCommand`: a missing key counts as 0; the expiry stays.
fn add(core: &mut Core, call: &Call<'_>, number: i64) -> Outcome {
    let key = &call.args[1];
    let old = match core.keyspace.get(key, call.author.now_ms) {
        Some(record) => record.value.to_integer().ok_or(NOT_AN_INTEGER)?,
        None => 0,
    };
    let Some(new) = old.checked_add(number) else {
        return Err(Reply::error("ERR increment or decrement would overflow"));
    };
    core.keyspace.store(key, Value::Integer(new), Expiry::Keep, call.author);
    Ok(Reply::Integer(new))
}
