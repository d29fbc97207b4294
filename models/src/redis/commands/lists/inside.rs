//! Commands that look into a list or change it away from its ends (`src/t_list.c`).

use bytes::Bytes;

use super::super::super::keyspace::Event;
use super::super::super::value::{End, List};
use super::super::super::{Core, Reply};
use super::super::args::{integer, is, window, within};
use super::super::{Call, Outcome, SYNTAX_ERROR};

/// `LINDEX key index`: the index is looked at only when there is a list.
pub(in super::super) fn lindex(core: &mut Core, call: &Call<'_>) -> Outcome {
    let list = core.keyspace.find::<List>(&call.args[1], call.author.now_ms)?;
    let Some(list) = list else { return Ok(Reply::Null) };
    let place = list.place(integer(&call.args[2])?);
    Ok(place.map_or(Reply::Null, |place| Reply::Bulk(list.0[place].clone())))
}

/// `LSET key index element`.
pub(in super::super) fn lset(core: &mut Core, call: &Call<'_>) -> Outcome {
    let event = Event::list("lset");
    let set = core.keyspace.edit(&call.args[1], call.author, event, |list: &mut List| {
        let place = integer(&call.args[2])
            .and_then(|index| list.place(index).ok_or(Reply::error("ERR index out of range")));
        match place {
            Err(error) => (false, Err(error)),
            Ok(place) => {
                list.0[place] = Bytes::copy_from_slice(&call.args[3]);
                (true, Ok(Reply::OK))
            }
        }
    })?;
    set.ok_or(Reply::error("ERR no such key"))?
}

/// `LINSERT key BEFORE|AFTER pivot element`: the new length, or -1 without the pivot.
pub(in super::super) fn linsert(core: &mut Core, call: &Call<'_>) -> Outcome {
    let behind = match (is(call.args, 2, "before"), is(call.args, 2, "after")) {
        (true, _) => 0,
        (_, true) => 1,
        _ => return Err(SYNTAX_ERROR),
    };
    let event = Event::list("linsert");
    let length = core.keyspace.edit(&call.args[1], call.author, event, |list: &mut List| {
        let Some(pivot) = list.0.iter().position(|element| *element == call.args[3]) else {
            return (false, -1);
        };
        list.0.insert(pivot + behind, Bytes::copy_from_slice(&call.args[4]));
        (true, list.len() as i64)
    })?;
    Ok(Reply::Integer(length.unwrap_or(0)))
}

/// `LREM key count element`: from the right when the count is negative, all when it is 0.
pub(in super::super) fn lrem(core: &mut Core, call: &Call<'_>) -> Outcome {
    let count = integer(&call.args[2])?;
    let (end, limit) = match count {
        0 => (End::Left, u64::MAX),
        1.. => (End::Left, count as u64),
        _ => (End::Right, count.unsigned_abs()),
    };
    let event = Event::list("lrem");
    let removed = core.keyspace.edit(&call.args[1], call.author, event, |list: &mut List| {
        let mut removed = 0;
        let mut keep = |element: &Bytes| {
            let goes = removed < limit && *element == call.args[3];
            removed += u64::from(goes);
            !goes
        };
        match end {
            End::Left => list.0.retain(keep),
            End::Right => {
                let rest: Vec<Bytes> = list.0.drain(..).rev().filter(|it| keep(it)).collect();
                list.0.extend(rest.into_iter().rev());
            }
        }
        (removed > 0, removed)
    })?;
    Ok(Reply::Integer(removed.unwrap_or(0) as i64))
}

/// `LTRIM key start stop`.
pub(in super::super) fn ltrim(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (start, stop) = (integer(&call.args[2])?, integer(&call.args[3])?);
    let event = Event::list("ltrim");
    core.keyspace.edit(&call.args[1], call.author, event, |list: &mut List| {
        let kept = window(start, stop, list.len());
        list.0.truncate(kept.end);
        list.0.drain(..kept.start);
        (true, ())
    })?;
    Ok(Reply::OK)
}

/// `LPOS key element [RANK rank] [COUNT matches] [MAXLEN length]`.
pub(in super::super) fn lpos(core: &mut Core, call: &Call<'_>) -> Outcome {
    let options = Search::parse(call)?;
    let list = core.keyspace.find::<List>(&call.args[1], call.author.now_ms)?;
    let found = list.map_or_else(Vec::new, |list| options.positions(list, &call.args[2]));
    let mut found = found.into_iter().map(|place| Reply::Integer(place as i64));
    Ok(match options.count {
        Some(_) => Reply::Array(found.collect()),
        None => found.next().unwrap_or(Reply::Null),
    })
}

/// What LPOS looks for.
struct Search {
    /// The first match to report, from the right when negative.
    rank: i64,
    /// How many matches to report; 0 for all.
    count: Option<i64>,
    /// How many elements to look at; 0 for all.
    most: i64,
}

impl Search {
    fn parse(call: &Call<'_>) -> Result<Self, Reply> {
        let mut search = Self { rank: 1, count: None, most: 0 };
        let mut index = 3;
        while index < call.args.len() {
            let given = call.args.get(index + 1).ok_or(SYNTAX_ERROR)?;
            if is(call.args, index, "rank") {
                search.rank = integer(given)?;
                if search.rank == 0 {
                    let text = "ERR RANK can't be zero: use 1 to start from the first match, 2 from \
                                the second ... or use negative to start from the end of the list";
                    return Err(Reply::error(text));
                }
            } else if is(call.args, index, "count") {
                let wrong = Reply::error("ERR COUNT can't be negative");
                search.count = Some(within(given, 0, i64::MAX, wrong)?);
            } else if is(call.args, index, "maxlen") {
                let wrong = Reply::error("ERR MAXLEN can't be negative");
                search.most = within(given, 0, i64::MAX, wrong)?;
            } else {
                return Err(SYNTAX_ERROR);
            }
            index += 2;
        }
        Ok(search)
    }

    fn positions(&self, list: &List, wanted: &[u8]) -> Vec<usize> {
        let unlimited = |limit: i64| if limit == 0 { usize::MAX } else { limit as usize };
        let last = list.len();
        let places: Box<dyn Iterator<Item = usize>> =
            if self.rank > 0 { Box::new(0..last) } else { Box::new((0..last).rev()) };
        places
            .take(unlimited(self.most))
            .filter(|place| list.0[*place] == *wanted)
            // The one number without an absolute value counts as the first, by C's overflow.
            .skip(self.rank.checked_abs().map_or(0, |rank| rank as usize - 1))
            .take(unlimited(self.count.unwrap_or(1)))
            .collect()
    }
}
