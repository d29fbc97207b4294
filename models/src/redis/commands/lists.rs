//! Lists (`src/t_list.c`): the ends, which queues use. What looks inside is in `inside`, what moves
//! between lists in `moves`. The blocking forms are not here.

use bytes::Bytes;

use super::super::keyspace::Event;
use super::super::value::{End, List};
use super::super::{Core, Reply};
use super::args::{count, integer, window};
use super::{Call, Outcome, wrong_arity};

mod inside;
mod moves;

pub(super) use inside::{lindex, linsert, lpos, lrem, lset, ltrim};
pub(super) use moves::{lmove, lmpop, pop_limit, rpoplpush};

fn pushed(end: End) -> Event {
    Event::list(if end == End::Left { "lpush" } else { "rpush" })
}

fn popped(end: End) -> Event {
    Event::list(if end == End::Left { "lpop" } else { "rpop" })
}

/// `LPUSH key element...`.
pub(super) fn lpush(core: &mut Core, call: &Call<'_>) -> Outcome {
    push(core, call, End::Left, false)
}

/// `RPUSH key element...`.
pub(super) fn rpush(core: &mut Core, call: &Call<'_>) -> Outcome {
    push(core, call, End::Right, false)
}

/// `LPUSHX key element...`: only onto a list that is there.
pub(super) fn lpushx(core: &mut Core, call: &Call<'_>) -> Outcome {
    push(core, call, End::Left, true)
}

/// `RPUSHX key element...`.
pub(super) fn rpushx(core: &mut Core, call: &Call<'_>) -> Outcome {
    push(core, call, End::Right, true)
}

/// `pushGenericCommand`: the new length.
fn push(core: &mut Core, call: &Call<'_>, end: End, only_existing: bool) -> Outcome {
    let add = |list: &mut List| {
        for element in call.args.iter().skip(2) {
            list.push(end, Bytes::copy_from_slice(element));
        }
        (true, list.len())
    };
    let (key, event) = (&call.args[1], pushed(end));
    let length = if only_existing {
        core.keyspace.edit(key, call.author, event, add)?.unwrap_or(0)
    } else {
        core.keyspace.edit_or_create(key, call.author, event, add)?
    };
    Ok(Reply::Integer(length as i64))
}

/// `LPOP key [count]`.
pub(super) fn lpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, End::Left)
}

/// `RPOP key [count]`.
pub(super) fn rpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, End::Right)
}

/// `popGenericCommand`: without a count one element, with one a list of at most that many.
fn pop(core: &mut Core, call: &Call<'_>, end: End) -> Outcome {
    if call.args.len() > 3 {
        return Err(wrong_arity(if end == End::Left { "lpop" } else { "rpop" }));
    }
    let limit = call.args.get(2).map(count).transpose()?;
    let popped = take(core, call, &call.args[1], end, limit.unwrap_or(1))?;
    Ok(match (popped, limit) {
        (None, None) => Reply::Null,
        (None, Some(_)) => Reply::NullArray,
        (Some(mut one), None) => one.pop().map_or(Reply::Null, Reply::Bulk),
        (Some(elements), Some(_)) => Reply::bulks(elements),
    })
}

/// Takes at most `limit` elements off one end; `None` without a list.
fn take(
    core: &mut Core,
    call: &Call<'_>,
    key: &[u8],
    end: End,
    limit: usize,
) -> Result<Option<Vec<Bytes>>, Reply> {
    core.keyspace.edit(key, call.author, popped(end), |list: &mut List| {
        let elements: Vec<Bytes> =
            (0..limit.min(list.len())).map_while(|_| list.pop(end)).collect();
        (!elements.is_empty(), elements)
    })
}

/// `LLEN key`.
pub(super) fn llen(core: &mut Core, call: &Call<'_>) -> Outcome {
    let list = core.keyspace.find::<List>(&call.args[1], call.author.now_ms)?;
    Ok(Reply::Integer(list.map_or(0, List::len) as i64))
}

/// `LRANGE key start stop`.
pub(super) fn lrange(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (start, stop) = (integer(&call.args[2])?, integer(&call.args[3])?);
    let list = core.keyspace.find::<List>(&call.args[1], call.author.now_ms)?;
    let elements = list.map(|list| list.0.range(window(start, stop, list.len())).cloned());
    Ok(Reply::bulks(elements.into_iter().flatten()))
}
