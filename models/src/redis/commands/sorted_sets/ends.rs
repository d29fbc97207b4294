//! Popping off the ends of a sorted set (`src/t_zset.c` `genericZpopCommand`).

use bytes::Bytes;

use super::super::super::keyspace::Event;
use super::super::super::value::SortedSet;
use super::super::super::{Core, Reply};
use super::super::args::{self, counted_keys, is};
use super::super::lists::pop_limit;
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::ranges::scored;

/// `ZPOPMIN key [count]`.
pub(in super::super) fn zpopmin(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, false)
}

/// `ZPOPMAX key [count]`.
pub(in super::super) fn zpopmax(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, true)
}

fn pop(core: &mut Core, call: &Call<'_>, highest: bool) -> Outcome {
    if call.args.len() > 3 {
        return Err(SYNTAX_ERROR);
    }
    let limit = call.args.get(2).map(args::count).transpose()?;
    let popped = take(core, call, &call.args[1], highest, limit.unwrap_or(1))?;
    let pairs = scored(popped.unwrap_or_default());
    Ok(match limit {
        Some(_) => Reply::pairs(pairs.collect()),
        // One pair is flat in both protocols.
        None => Reply::Array(pairs.flat_map(|(member, score)| [member, score]).collect()),
    })
}

/// Takes at most `limit` members off one end; `None` without a sorted set.
fn take(
    core: &mut Core,
    call: &Call<'_>,
    key: &[u8],
    highest: bool,
    limit: usize,
) -> Result<Option<Vec<(Bytes, f64)>>, Reply> {
    let event = Event::sorted_set(if highest { "zpopmax" } else { "zpopmin" });
    core.keyspace.edit(key, call.author, event, |set: &mut SortedSet| {
        let owned = |(member, score): (&Bytes, f64)| (member.clone(), score);
        let popped: Vec<(Bytes, f64)> = match highest {
            true => set.iter().rev().take(limit).map(owned).collect(),
            false => set.iter().take(limit).map(owned).collect(),
        };
        for (member, _) in &popped {
            set.remove(member);
        }
        (!popped.is_empty(), popped)
    })
}

/// `ZMPOP numkeys key... MIN|MAX [COUNT count]`.
pub(in super::super) fn zmpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (keys, after) = counted_keys(call.args, 1, 1)?;
    let highest = match (is(call.args, after, "min"), is(call.args, after, "max")) {
        (true, _) => false,
        (_, true) => true,
        _ => return Err(SYNTAX_ERROR),
    };
    let limit = pop_limit(call, after + 1)?;
    for key in keys.map(|index| &call.args[index]) {
        if let Some(popped) = take(core, call, key, highest, limit)? {
            let pairs = scored(popped).map(|(member, score)| Reply::Array(vec![member, score]));
            let key = Reply::Bulk(Bytes::copy_from_slice(key));
            return Ok(Reply::Array(vec![key, Reply::Array(pairs.collect())]));
        }
    }
    Ok(Reply::NullArray)
}
