//! Counters in the fields of a hash (`src/t_hash.c`): the holds of a reentrant lock.

use super::super::super::extended::Extended;
use super::super::super::keyspace::Event;
use super::super::super::value::Hash;
use super::super::super::{Core, Reply, number};
use super::super::args::{NOT_FINITE, float, integer};
use super::super::{Call, Outcome};

/// `HINCRBY key field number`: a missing field counts as 0.
pub(in super::super) fn hincrby(core: &mut Core, call: &Call<'_>) -> Outcome {
    let by = integer(&call.args[3])?;
    let event = Event::hash("hincrby");
    core.keyspace.edit_or_create(&call.args[1], call.author, event, |hash: &mut Hash| {
        let old = hash.get(&call.args[2]).map_or(Some(0), |value| number::parse(value));
        let new = match old {
            None => Err(Reply::error("ERR hash value is not an integer")),
            Some(old) => {
                let overflow = Reply::error("ERR increment or decrement would overflow");
                old.checked_add(by).ok_or(overflow)
            }
        };
        if let Ok(new) = new {
            hash.set(&call.args[2], number::format(new));
        }
        (new.is_ok(), new.map(Reply::Integer))
    })?
}

/// `HINCRBYFLOAT key field number`.
pub(in super::super) fn hincrbyfloat(core: &mut Core, call: &Call<'_>) -> Outcome {
    let by = float(&call.args[3])?;
    if by.is_infinite() {
        return Err(Reply::error("ERR value is NaN or Infinity"));
    }
    let event = Event::hash("hincrbyfloat");
    core.keyspace.edit_or_create(&call.args[1], call.author, event, |hash: &mut Hash| {
        let old = match hash.get(&call.args[2]) {
            None => Ok(Extended::ZERO),
            Some(value) => {
                Extended::parse(value).ok_or(Reply::error("ERR hash value is not a float"))
            }
        };
        let sum = old.and_then(|old| old.add(by).ok_or(NOT_FINITE));
        let shown = sum.map(|sum| sum.print());
        if let Ok(shown) = &shown {
            hash.set(&call.args[2], shown.clone());
        }
        (shown.is_ok(), shown.map(Reply::Bulk))
    })?
}
