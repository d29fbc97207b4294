//! Parts of a hash (`src/t_hash.c`): a page of its fields, or some of them at random.

use bytes::Bytes;

use super::super::super::value::Hash;
use super::super::super::{Core, Reply};
use super::super::args::{bounded, is};
use super::super::scan::{self, Scan};
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::found;

/// `HSCAN key cursor [MATCH pattern] [COUNT count]`.
pub(in super::super) fn hscan(core: &mut Core, call: &Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 2)?;
    let Some(hash) = found(core, call)? else { return Ok(scan::nothing()) };
    let scan = Scan::parse(call, 3, false)?;
    let fields = hash.iter().map(|(field, value)| (field.clone(), value.clone()));
    let page = if hash.is_table() { scan.page(fields, cursor) } else { (fields.collect(), 0) };
    Ok(scan.reply(page, |(field, value), shown| {
        shown.extend([Reply::Bulk(field), Reply::Bulk(value)]);
    }))
}

/// `HRANDFIELD key [count [WITHVALUES]]`.
pub(in super::super) fn hrandfield(core: &mut Core, call: &Call<'_>) -> Outcome {
    let count = match call.args.get(2) {
        None => return one(core, call),
        Some(count) => bounded(count, -i64::MAX, i64::MAX)?,
    };
    let with_values = is(call.args, 3, "withvalues");
    if call.args.len() > 4 || (call.args.len() == 4 && !with_values) {
        return Err(SYNTAX_ERROR);
    }
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Reply::error("ERR value is out of range"));
    }
    let Some(length) = found(core, call)?.map(Hash::len) else {
        return Ok(Reply::Array(Vec::new()));
    };
    let places = core.chance.sample(count, length);
    let hash = found(core, call)?;
    let entries: Vec<(&Bytes, &Bytes)> = hash.into_iter().flat_map(Hash::iter).collect();
    let picked = places.into_iter().map(|place| entries[place]);
    let bulk = |bytes: &Bytes| Reply::Bulk(bytes.clone());
    Ok(match with_values {
        true => Reply::pairs(picked.map(|(field, value)| (bulk(field), bulk(value))).collect()),
        false => Reply::Array(picked.map(|(field, _)| bulk(field)).collect()),
    })
}

fn one(core: &mut Core, call: &Call<'_>) -> Outcome {
    let Some(length) = found(core, call)?.map(Hash::len) else { return Ok(Reply::Null) };
    let place = core.chance.below(length);
    let field = found(core, call)?.and_then(|hash| hash.iter().nth(place));
    Ok(field.map_or(Reply::Null, |(field, _)| Reply::Bulk(field.clone())))
}
