//! Removing a range of a sorted set (`src/t_zset.c` `zremrangeGenericCommand`).

use bytes::Bytes;

use super::super::super::keyspace::Event;
use super::super::super::value::SortedSet;
use super::super::super::{Core, Reply};
use super::super::{Call, Outcome};
use super::bounds::{By, Span};

/// `ZREMRANGEBYRANK key start stop`.
pub(in super::super) fn zremrangebyrank(core: &mut Core, call: &Call<'_>) -> Outcome {
    remove(core, call, By::Rank, "zremrangebyrank")
}

/// `ZREMRANGEBYSCORE key min max`.
pub(in super::super) fn zremrangebyscore(core: &mut Core, call: &Call<'_>) -> Outcome {
    remove(core, call, By::Score, "zremrangebyscore")
}

/// `ZREMRANGEBYLEX key min max`.
pub(in super::super) fn zremrangebylex(core: &mut Core, call: &Call<'_>) -> Outcome {
    remove(core, call, By::Lex, "zremrangebylex")
}

fn remove(core: &mut Core, call: &Call<'_>, by: By, event: &'static str) -> Outcome {
    let span = Span::parse(by, &call.args[2], &call.args[3])?;
    let event = Event::sorted_set(event);
    let removed =
        core.keyspace.edit(&call.args[1], call.author, event, |set: &mut SortedSet| {
            let ranks = span.ranks(set, false);
            let within = set.iter().skip(ranks.start).take(ranks.len());
            let members: Vec<Bytes> = within.map(|(member, _)| member.clone()).collect();
            for member in &members {
                set.remove(member);
            }
            (!members.is_empty(), members.len())
        })?;
    Ok(Reply::Integer(removed.unwrap_or(0) as i64))
}
