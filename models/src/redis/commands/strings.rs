//! Strings and counters (`src/t_string.c`).

use bytes::Bytes;

use super::super::extended::Extended;
use super::super::keyspace::{Event, Expiry};
use super::super::value::Value;
use super::super::{Core, Reply};
use super::args::{NOT_FINITE, float, integer};
use super::{Call, NOT_AN_INTEGER, Outcome, error};
use crate::redis::resp::MAX_BULK;

mod options;
mod ranges;

use options::{Options, Presence, Timing};
pub(super) use ranges::{bitcount, getbit, getrange, setbit, setrange};

fn value(arg: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(arg))
}

fn read(core: &mut Core, key: &[u8], call: &Call<'_>) -> Outcome {
    match core.keyspace.get(key, call.author.now_ms) {
        Some(record) => Ok(Reply::Bulk(record.value.string()?)),
        None => Ok(Reply::Null),
    }
}

/// Stores a string as SET does, with its events (`src/t_string.c` `setGenericCommand`).
fn put(core: &mut Core, call: &Call<'_>, key: &[u8], new: &[u8], expiry: Expiry) {
    core.keyspace.store(key, value(new), expiry, call.author);
    core.keyspace.notify(key, Event::string("set"));
    if let Expiry::At(_) = expiry {
        core.keyspace.notify(key, Event::EXPIRE);
    }
}

/// `GET key`.
pub(super) fn get(core: &mut Core, call: &Call<'_>) -> Outcome {
    read(core, &call.args[1], call)
}

/// `SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]` (`setGenericCommand`). With GET
/// the old value is the answer, whether or not the new one was stored.
pub(super) fn set(core: &mut Core, call: &Call<'_>) -> Outcome {
    let options = Options::of_set(call.args)?;
    let expiry = options.expiry("set", call.author.now_ms)?;
    let key = &call.args[1];
    let old = if options.get { read(core, key, call)? } else { Reply::Null };
    if let Some(presence) = options.presence {
        let found = core.keyspace.get(key, call.author.now_ms).is_some();
        if found == (presence == Presence::Absent) {
            return Ok(old);
        }
    }
    put(core, call, key, &call.args[2], expiry);
    Ok(if options.get { old } else { Reply::OK })
}

/// `SETNX key value`.
pub(super) fn setnx(core: &mut Core, call: &Call<'_>) -> Outcome {
    let key = &call.args[1];
    let free = core.keyspace.get(key, call.author.now_ms).is_none();
    if free {
        put(core, call, key, &call.args[2], Expiry::Clear);
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
    put(core, call, &call.args[1], &call.args[3], Expiry::At(when));
    Ok(Reply::OK)
}

/// `GETSET key value`: the old expiry goes.
pub(super) fn getset(core: &mut Core, call: &Call<'_>) -> Outcome {
    let old = read(core, &call.args[1], call)?;
    put(core, call, &call.args[1], &call.args[2], Expiry::Clear);
    Ok(old)
}

/// `GETDEL key`.
pub(super) fn getdel(core: &mut Core, call: &Call<'_>) -> Outcome {
    let old = read(core, &call.args[1], call)?;
    core.keyspace.remove(&call.args[1], call.author);
    Ok(old)
}

/// `GETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST]`: an instant that has passed deletes the key; of a
/// key that is not there not even the time is looked at (`getexCommand`).
pub(super) fn getex(core: &mut Core, call: &Call<'_>) -> Outcome {
    let options = Options::of_getex(call.args)?;
    let (key, now_ms) = (&call.args[1], call.author.now_ms);
    let Some(record) = core.keyspace.get(key, now_ms) else { return Ok(Reply::Null) };
    let (old, had_expiry) = (record.value.string()?, record.expires_at.is_some());
    match options.expiry("getex", now_ms)? {
        Expiry::At(when) if when <= now_ms => {
            core.keyspace.remove(key, call.author);
        }
        Expiry::At(when) => {
            core.keyspace.retime(key, Some(when), call.author);
            core.keyspace.notify(key, Event::EXPIRE);
        }
        Expiry::Clear if options.persist && had_expiry => {
            core.keyspace.retime(key, None, call.author);
            core.keyspace.notify(key, Event::generic("persist"));
        }
        Expiry::Clear | Expiry::Keep => {}
    }
    Ok(Reply::Bulk(old))
}

/// `MGET key...`: null for what is no string.
pub(super) fn mget(core: &mut Core, call: &Call<'_>) -> Outcome {
    let keys = call.args.iter().skip(1);
    Ok(Reply::Array(keys.map(|key| read(core, key, call).unwrap_or(Reply::Null)).collect()))
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
        put(core, call, key, new, Expiry::Clear);
    }
}

/// `APPEND key value`; keeps the expiry.
pub(super) fn append(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (key, suffix) = (&call.args[1], &call.args[2]);
    let (new, length) = match core.keyspace.get(key, call.author.now_ms) {
        None => (value(suffix), suffix.len()),
        Some(record) => {
            let joined = [&record.value.string()?[..], suffix].concat();
            let length = joined.len();
            (Value::Raw(Bytes::from(joined)), length)
        }
    };
    if length > MAX_BULK {
        return Err(TOO_LONG);
    }
    core.keyspace.store(key, new, Expiry::Keep, call.author);
    core.keyspace.notify(key, Event::string("append"));
    Ok(Reply::Integer(length as i64))
}

const TOO_LONG: Reply =
    Reply::error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

/// `STRLEN key`.
pub(super) fn strlen(core: &mut Core, call: &Call<'_>) -> Outcome {
    let length = match core.keyspace.get(&call.args[1], call.author.now_ms) {
        Some(record) => record.value.string()?.len(),
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
        Some(record) => match record.value.to_integer() {
            Some(number) => number,
            None => return Err(record.value.string().err().unwrap_or(NOT_AN_INTEGER)),
        },
        None => 0,
    };
    let Some(new) = old.checked_add(number) else {
        return Err(Reply::error("ERR increment or decrement would overflow"));
    };
    core.keyspace.store(key, Value::Integer(new), Expiry::Keep, call.author);
    core.keyspace.notify(key, Event::string("incrby"));
    Ok(Reply::Integer(new))
}

/// `INCRBYFLOAT key number`: adds in C's `long double`; keeps the expiry.
pub(super) fn incrbyfloat(core: &mut Core, call: &Call<'_>) -> Outcome {
    let key = &call.args[1];
    let old = match core.keyspace.get(key, call.author.now_ms) {
        Some(record) => float(&record.value.string()?)?,
        None => Extended::ZERO,
    };
    let sum = old.add(float(&call.args[2])?).ok_or(NOT_FINITE)?.print();
    core.keyspace.store(key, Value::Fraction(sum.clone()), Expiry::Keep, call.author);
    core.keyspace.notify(key, Event::string("incrbyfloat"));
    Ok(Reply::Bulk(sum))
}
