//! ZRANGE and its older forms (`src/t_zset.c` `zrangeGenericCommand`), and counting in a range.

use bytes::Bytes;

use super::super::super::keyspace::{Event, Expiry};
use super::super::super::value::{Aggregate, SortedSet};
use super::super::super::{Core, Reply};
use super::super::args::{integer, is};
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::bounds::{By, Span};
use super::found;

/// What a command's name says; `None` leaves it to the options.
#[derive(Clone, Copy, Default)]
struct Form {
    by: Option<By>,
    reverse: Option<bool>,
    stores: bool,
}

/// A whole command.
struct Query<'a> {
    span: Span<'a>,
    by: By,
    reverse: bool,
    with_scores: bool,
    offset: i64,
    limit: i64,
}

/// `ZRANGE key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`.
pub(in super::super) fn zrange(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, Form::default())
}

/// `ZREVRANGE key start stop [WITHSCORES]`.
pub(in super::super) fn zrevrange(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, Form { by: Some(By::Rank), reverse: Some(true), stores: false })
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`.
pub(in super::super) fn zrangebyscore(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, Form { by: Some(By::Score), reverse: Some(false), stores: false })
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`.
pub(in super::super) fn zrevrangebyscore(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, Form { by: Some(By::Score), reverse: Some(true), stores: false })
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`.
pub(in super::super) fn zrangebylex(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, Form { by: Some(By::Lex), reverse: Some(false), stores: false })
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`.
pub(in super::super) fn zrevrangebylex(core: &mut Core, call: &Call<'_>) -> Outcome {
    show(core, call, Form { by: Some(By::Lex), reverse: Some(true), stores: false })
}

/// `ZRANGESTORE destination source start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count]`.
pub(in super::super) fn zrangestore(core: &mut Core, call: &Call<'_>) -> Outcome {
    let query = Query::parse(call, 3, Form { stores: true, ..Form::default() })?;
    let source = core.keyspace.find::<SortedSet>(&call.args[2], call.author.now_ms)?;
    let mut result = SortedSet::default();
    for (member, score) in source.map_or_else(Vec::new, |set| query.members(set)) {
        result.set(&member, score);
    }
    Ok(store(core, call, result, "zrangestore"))
}

/// Stores a result at the first key; an empty one removes the key.
pub(super) fn store(
    core: &mut Core,
    call: &Call<'_>,
    result: SortedSet,
    event: &'static str,
) -> Reply {
    let (key, length) = (&call.args[1], result.len());
    let mut stored = result.clone();
    for (member, score) in result.iter() {
        stored.set(member, result.packed(score));
    }
    if result.is_empty() {
        core.keyspace.remove(key, call.author);
    } else {
        core.keyspace.store(key, stored.into_value(), Expiry::Clear, call.author);
        core.keyspace.notify(key, Event::sorted_set(event));
    }
    Reply::Integer(length as i64)
}

fn show(core: &mut Core, call: &Call<'_>, form: Form) -> Outcome {
    let query = Query::parse(call, 2, form)?;
    let members = found(core, call)?.map_or_else(Vec::new, |set| query.members(set));
    Ok(members_reply(members, query.with_scores))
}

/// Members, with their scores if they are wanted.
pub(super) fn members_reply(members: Vec<(Bytes, f64)>, with_scores: bool) -> Reply {
    match with_scores {
        true => Reply::pairs(scored(members).collect()),
        false => Reply::bulks(members.into_iter().map(|(member, _)| member)),
    }
}

/// Pairs of a member and its score.
pub(super) fn scored(members: Vec<(Bytes, f64)>) -> impl Iterator<Item = (Reply, Reply)> {
    members.into_iter().map(|(member, score)| (Reply::Bulk(member), Reply::double(score)))
}

impl<'a> Query<'a> {
    /// The range stands at `first`.
    fn parse(call: &Call<'a>, first: usize, form: Form) -> Result<Self, Reply> {
        let (mut by, mut reverse) = (form.by, form.reverse);
        let (mut with_scores, mut offset, mut limit) = (false, 0, -1);
        let mut index = first + 2;
        while index < call.args.len() {
            if !form.stores && is(call.args, index, "withscores") {
                with_scores = true;
            } else if is(call.args, index, "limit") && index + 2 < call.args.len() {
                offset = integer(&call.args[index + 1])?;
                limit = integer(&call.args[index + 2])?;
                index += 2;
            } else if reverse.is_none() && is(call.args, index, "rev") {
                reverse = Some(true);
            } else if by.is_none() && is(call.args, index, "bylex") {
                by = Some(By::Lex);
            } else if by.is_none() && is(call.args, index, "byscore") {
                by = Some(By::Score);
            } else {
                return Err(SYNTAX_ERROR);
            }
            index += 1;
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            let text = "ERR syntax error, LIMIT is only supported in combination with either \
                        BYSCORE or BYLEX";
            return Err(Reply::error(text));
        }
        if with_scores && by == By::Lex {
            let text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
            return Err(Reply::error(text));
        }
        // In reverse the greater limit comes first, but ranks are only counted from the other end.
        let (one, other) = (&call.args[first], &call.args[first + 1]);
        let swapped = reverse && by != By::Rank;
        let span =
            if swapped { Span::parse(by, other, one)? } else { Span::parse(by, one, other)? };
        Ok(Self { span, by, reverse, with_scores, offset, limit })
    }

    fn members(&self, set: &SortedSet) -> Vec<(Bytes, f64)> {
        let ranks = self.span.ranks(set, self.reverse);
        let within = set.iter().skip(ranks.start).take(ranks.len());
        let owned = |(member, score): (&Bytes, f64)| (member.clone(), score);
        let mut members: Vec<(Bytes, f64)> = within.map(owned).collect();
        if self.reverse {
            members.reverse();
        }
        if self.by == By::Rank {
            return members;
        }
        // An offset below zero is counted down for ever, so it skips everything.
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        members.into_iter().skip(offset).take(limit).collect()
    }
}

/// `ZCOUNT key min max`.
pub(in super::super) fn zcount(core: &mut Core, call: &Call<'_>) -> Outcome {
    count(core, call, By::Score)
}

/// `ZLEXCOUNT key min max`.
pub(in super::super) fn zlexcount(core: &mut Core, call: &Call<'_>) -> Outcome {
    count(core, call, By::Lex)
}

fn count(core: &mut Core, call: &Call<'_>, by: By) -> Outcome {
    let span = Span::parse(by, &call.args[2], &call.args[3])?;
    let length = found(core, call)?.map_or(0, |set| span.ranks(set, false).len());
    Ok(Reply::Integer(length as i64))
}
