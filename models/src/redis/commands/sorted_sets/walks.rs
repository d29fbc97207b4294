//! Parts of a sorted set (`src/t_zset.c`): a page of its members, or some of them at random.

use bytes::Bytes;

use super::super::super::value::SortedSet;
use super::super::super::{Core, Reply, number};
use super::super::args::{bounded, is};
use super::super::scan::{self, Scan};
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::found;
use super::ranges::members_reply;

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`.
pub(in super::super) fn zscan(core: &mut Core, call: &Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 2)?;
    let Some(set) = found(core, call)? else { return Ok(scan::nothing()) };
    let scan = Scan::parse(call, 3, false)?;
    let members = set.iter().map(|(member, score)| (member.clone(), score));
    let page = if set.is_large() { scan.page(members, cursor) } else { (members.collect(), 0) };
    let packed = !set.is_large();
    Ok(scan.reply(page, |(member, score), shown| {
        shown.extend([Reply::Bulk(member), Reply::Bulk(text(score, packed))]);
    }))
}

/// A score as ZSCAN shows it, text in both protocols: a packed one is an integer if it is whole
/// (`src/util.c` `double2ll`).
fn text(score: f64, packed: bool) -> Bytes {
    const LARGEST: f64 = (i64::MAX / 2) as f64;
    match packed && score.fract() == 0.0 && score.abs() <= LARGEST {
        true => number::format(score as i64),
        false => number::print(score).into(),
    }
}

/// `ZRANDMEMBER key [count [WITHSCORES]]`.
pub(in super::super) fn zrandmember(core: &mut Core, call: &Call<'_>) -> Outcome {
    let count = match call.args.get(2) {
        None => return one(core, call),
        Some(count) => bounded(count, -i64::MAX, i64::MAX)?,
    };
    let with_scores = is(call.args, 3, "withscores");
    if call.args.len() > 4 || (call.args.len() == 4 && !with_scores) {
        return Err(SYNTAX_ERROR);
    }
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Reply::error("ERR value is out of range"));
    }
    let Some(length) = found(core, call)?.map(SortedSet::len) else {
        return Ok(Reply::Array(Vec::new()));
    };
    let mut places = core.chance.sample(count, length);
    if places.len() == length && count > 0 {
        // All of them are told from the highest score on (`zuiInitIterator`).
        places.reverse();
    }
    let set = found(core, call)?;
    let members: Vec<(Bytes, f64)> =
        set.into_iter().flat_map(SortedSet::iter).map(|(it, score)| (it.clone(), score)).collect();
    let picked = places.into_iter().map(|place| members[place].clone()).collect();
    Ok(members_reply(picked, with_scores))
}

fn one(core: &mut Core, call: &Call<'_>) -> Outcome {
    let Some(length) = found(core, call)?.map(SortedSet::len) else { return Ok(Reply::Null) };
    let place = core.chance.below(length);
    let member = found(core, call)?.and_then(|set| set.iter().nth(place));
    Ok(member.map_or(Reply::Null, |(member, _)| Reply::Bulk(member.clone())))
}
