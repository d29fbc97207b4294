//! Commands over several lists (`src/t_list.c`): elements that move, and a pop of the first list
//! that has any.

use super::super::super::value::{End, List};
use super::super::super::{Core, Reply};
use super::super::args::{counted_keys, is, within};
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::{popped, pushed, take};

fn end(call: &Call<'_>, index: usize) -> Result<End, Reply> {
    if is(call.args, index, "left") {
        Ok(End::Left)
    } else if is(call.args, index, "right") {
        Ok(End::Right)
    } else {
        Err(SYNTAX_ERROR)
    }
}

/// `LMOVE source destination LEFT|RIGHT LEFT|RIGHT`.
pub(in super::super) fn lmove(core: &mut Core, call: &Call<'_>) -> Outcome {
    shift(core, call, end(call, 3)?, end(call, 4)?)
}

/// `RPOPLPUSH source destination`.
pub(in super::super) fn rpoplpush(core: &mut Core, call: &Call<'_>) -> Outcome {
    shift(core, call, End::Right, End::Left)
}

/// `lmoveGenericCommand`. The element is pushed before it is popped, as the events are told; within
/// one list that comes to the same, unless it is the same end.
fn shift(core: &mut Core, call: &Call<'_>, from: End, to: End) -> Outcome {
    let (source, destination) = (&call.args[1], &call.args[2]);
    let list = core.keyspace.find::<List>(source, call.author.now_ms)?;
    let Some(element) = list.and_then(|list| list.peek(from)).cloned() else {
        return Ok(Reply::Null);
    };
    if source == destination && from == to {
        let same = |_: &mut List| (true, ());
        core.keyspace.edit(source, call.author, pushed(to), same)?;
        core.keyspace.edit(source, call.author, popped(from), same)?;
        return Ok(Reply::Bulk(element));
    }
    core.keyspace.edit_or_create(destination, call.author, pushed(to), |list: &mut List| {
        list.push(to, element.clone());
        (true, ())
    })?;
    take(core, call, source, from, 1)?;
    Ok(Reply::Bulk(element))
}

/// `LMPOP numkeys key... LEFT|RIGHT [COUNT count]`.
pub(in super::super) fn lmpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (keys, after) = counted_keys(call.args, 1, 1)?;
    let from = end(call, after)?;
    let limit = pop_limit(call, after + 1)?;
    for key in keys.map(|index| &call.args[index]) {
        if let Some(elements) = take(core, call, key, from, limit)? {
            let key = Reply::Bulk(bytes::Bytes::copy_from_slice(key));
            return Ok(Reply::Array(vec![key, Reply::bulks(elements)]));
        }
    }
    Ok(Reply::NullArray)
}

/// The option `[COUNT count]` of LMPOP and ZMPOP at `index`; 1 without it.
pub(in super::super) fn pop_limit(call: &Call<'_>, index: usize) -> Result<usize, Reply> {
    let (mut index, mut limit) = (index, None);
    while index < call.args.len() {
        let given = call.args.get(index + 1).filter(|_| is(call.args, index, "count"));
        let given = given.filter(|_| limit.is_none()).ok_or(SYNTAX_ERROR)?;
        let wrong = Reply::error("ERR count should be greater than 0");
        limit = Some(within(given, 1, i64::MAX, wrong)? as usize);
        index += 2;
    }
    Ok(limit.unwrap_or(1))
}
