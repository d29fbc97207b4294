//! Parts of a set (`src/t_set.c`): a page of its members, or some of them at random.

use super::super::super::keyspace::Event;
use super::super::super::value::Set;
use super::super::super::{Core, Reply};
use super::super::args::{bounded, count};
use super::super::scan::{self, Scan};
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::found;

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`.
pub(in super::super) fn sscan(core: &mut Core, call: &Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 2)?;
    let Some(set) = found(core, call)? else { return Ok(scan::nothing()) };
    let scan = Scan::parse(call, 3, false)?;
    let members = set.members().into_iter().map(|member| (member, ()));
    let page = if set.is_table() { scan.page(members, cursor) } else { (members.collect(), 0) };
    Ok(scan.reply(page, |(member, ()), shown| shown.push(Reply::Bulk(member))))
}

/// `SPOP key [count]`.
pub(in super::super) fn spop(core: &mut Core, call: &Call<'_>) -> Outcome {
    if call.args.len() > 3 {
        return Err(SYNTAX_ERROR);
    }
    let limit = call.args.get(2).map(count).transpose()?;
    let Some(set) = found(core, call)? else {
        return Ok(limit.map_or(Reply::Null, |_| Reply::set([])));
    };
    let members = set.members();
    let places = match limit {
        None => vec![core.chance.below(members.len())],
        Some(limit) => core.chance.places(limit, members.len()),
    };
    let event = Event::set("spop");
    core.keyspace.edit(&call.args[1], call.author, event, |set: &mut Set| {
        let removed = places.iter().filter(|place| set.remove(&members[**place])).count();
        (removed > 0, ())
    })?;
    let mut popped = places.into_iter().map(|place| members[place].clone());
    Ok(match limit {
        None => popped.next().map_or(Reply::Null, Reply::Bulk),
        Some(_) => Reply::set(popped),
    })
}

/// `SRANDMEMBER key [count]`: members may repeat when the count is negative.
pub(in super::super) fn srandmember(core: &mut Core, call: &Call<'_>) -> Outcome {
    if call.args.len() > 3 {
        return Err(SYNTAX_ERROR);
    }
    let count = call.args.get(2).map(|count| bounded(count, -i64::MAX, i64::MAX)).transpose()?;
    let Some(set) = found(core, call)? else {
        return Ok(count.map_or(Reply::Null, |_| Reply::Array(Vec::new())));
    };
    let members = set.members();
    Ok(match count {
        None => Reply::Bulk(members[core.chance.below(members.len())].clone()),
        Some(count) => {
            let places = core.chance.sample(count, members.len());
            Reply::bulks(places.into_iter().map(|place| members[place].clone()))
        }
    })
}
