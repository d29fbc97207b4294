//! Commands that wait for an element (`src/t_list.c`, `src/t_zset.c`).
//!
//! Each is the command without the B, tried at once and again whenever a key it named appears; only
//! what it answers differs.

use bytes::Bytes;

use super::super::{Core, Reply, number};
use super::args::{counted_keys, is};
use super::{Call, Outcome, SYNTAX_ERROR, lists, sorted_sets};
use crate::model::SessionId;
use crate::redis::keyspace::Author;
use crate::redis::request::Request;
use crate::time::HostTime;

/// A blocked command's attempt at one key.
#[derive(Clone, Debug)]
pub(in crate::redis) struct Attempt {
    kind: Kind,
    /// The words after the key of the command that does not wait.
    rest: Vec<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    LeftPop,
    RightPop,
    Move,
    ManyPop,
    LowestPop,
    HighestPop,
    ManyScored,
}

impl Attempt {
    fn new(kind: Kind) -> Self {
        Self { kind, rest: Vec::new() }
    }

    /// What a key must hold for this to be of any use.
    pub(in crate::redis) fn wanted_type(&self) -> &'static str {
        match self.kind {
            Kind::LeftPop | Kind::RightPop | Kind::Move | Kind::ManyPop => "list",
            Kind::LowestPop | Kind::HighestPop | Kind::ManyScored => "zset",
        }
    }

    /// Takes from `key` for `session`; `None` if there is nothing.
    pub(in crate::redis) fn run(
        &self,
        core: &mut Core,
        now: HostTime,
        session: SessionId,
        key: &[u8],
    ) -> Result<Option<Reply>, Reply> {
        let mut args = match self.kind {
            Kind::ManyPop | Kind::ManyScored => Request::new([&b"mpop"[..], b"1", key]),
            _ => Request::new([&b"pop"[..], key]),
        };
        self.rest.iter().for_each(|word| args.push(word));
        let author = Author { session, now_ms: now.wall.unix_ms() };
        let call = Call { args: &args, now, author, may_block: false };
        let reply = match self.kind {
            Kind::LeftPop => lists::lpop(core, &call)?,
            Kind::RightPop => lists::rpop(core, &call)?,
            Kind::Move => lists::lmove(core, &call)?,
            Kind::ManyPop => lists::lmpop(core, &call)?,
            Kind::LowestPop => sorted_sets::zpopmin(core, &call)?,
            Kind::HighestPop => sorted_sets::zpopmax(core, &call)?,
            Kind::ManyScored => sorted_sets::zmpop(core, &call)?,
        };
        let scored = matches!(self.kind, Kind::LowestPop | Kind::HighestPop);
        Ok(match reply {
            Reply::Null | Reply::NullArray => None,
            Reply::Array(pair) if scored && pair.is_empty() => None,
            Reply::Array(mut pair) if scored => {
                pair.insert(0, Reply::copied(key));
                Some(Reply::Array(pair))
            }
            element if matches!(self.kind, Kind::LeftPop | Kind::RightPop) => {
                Some(Reply::Array(vec![Reply::copied(key), element]))
            }
            reply => Some(reply),
        })
    }
}

/// `BLPOP key... timeout`.
pub(super) fn blpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, Kind::LeftPop)
}

/// `BRPOP key... timeout`.
pub(super) fn brpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, Kind::RightPop)
}

/// `BZPOPMIN key... timeout`.
pub(super) fn bzpopmin(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, Kind::LowestPop)
}

/// `BZPOPMAX key... timeout`.
pub(super) fn bzpopmax(core: &mut Core, call: &Call<'_>) -> Outcome {
    pop(core, call, Kind::HighestPop)
}

fn pop(core: &mut Core, call: &Call<'_>, kind: Kind) -> Outcome {
    let last = call.args.len() - 1;
    let until = deadline(call, last)?;
    let keys = (1..last).map(|index| &call.args[index]);
    try_or_wait(core, call, keys, until, Attempt::new(kind), Reply::NullArray)
}

/// `BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout`.
pub(super) fn blmove(core: &mut Core, call: &Call<'_>) -> Outcome {
    for index in [3, 4] {
        if !is(call.args, index, "left") && !is(call.args, index, "right") {
            return Err(SYNTAX_ERROR);
        }
    }
    let until = deadline(call, 5)?;
    let rest = (2..5).map(|index| Bytes::copy_from_slice(&call.args[index])).collect();
    let attempt = Attempt { kind: Kind::Move, rest };
    try_or_wait(core, call, [&call.args[1]], until, attempt, Reply::Null)
}

/// `BRPOPLPUSH source destination timeout`.
pub(super) fn brpoplpush(core: &mut Core, call: &Call<'_>) -> Outcome {
    let until = deadline(call, 3)?;
    let destination = Bytes::copy_from_slice(&call.args[2]);
    let (from, to) = (Bytes::from_static(b"right"), Bytes::from_static(b"left"));
    let attempt = Attempt { kind: Kind::Move, rest: vec![destination, from, to] };
    try_or_wait(core, call, [&call.args[1]], until, attempt, Reply::Null)
}

/// `BLMPOP timeout numkeys key... LEFT|RIGHT [COUNT count]`.
pub(super) fn blmpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    many(core, call, Kind::ManyPop, ["left", "right"])
}

/// `BZMPOP timeout numkeys key... MIN|MAX [COUNT count]`.
pub(super) fn bzmpop(core: &mut Core, call: &Call<'_>) -> Outcome {
    many(core, call, Kind::ManyScored, ["min", "max"])
}

fn many(core: &mut Core, call: &Call<'_>, kind: Kind, places: [&str; 2]) -> Outcome {
    let until = deadline(call, 1)?;
    let (keys, after) = counted_keys(call.args, 2, 1)?;
    if !places.iter().any(|place| is(call.args, after, place)) {
        return Err(SYNTAX_ERROR);
    }
    super::lists::pop_limit(call, after + 1)?;
    let rest = call.args.iter().skip(after).map(Bytes::copy_from_slice).collect();
    let keys = keys.map(|index| &call.args[index]);
    try_or_wait(core, call, keys, until, Attempt { kind, rest }, Reply::NullArray)
}

/// The first key that has something is enough; where nobody may wait (in a transaction or a script)
/// nothing is an answer.
fn try_or_wait<'a>(
    core: &mut Core,
    call: &Call<'_>,
    keys: impl IntoIterator<Item = &'a [u8]>,
    until: Option<i64>,
    attempt: Attempt,
    nothing: Reply,
) -> Outcome {
    let mut waited_for = Vec::new();
    for key in keys {
        if let Some(reply) = attempt.run(core, call.now, call.author.session, key)? {
            return Ok(reply);
        }
        waited_for.push(Bytes::copy_from_slice(key));
    }
    if call.may_block {
        core.block_for_keys(call.author.session, waited_for, until, attempt);
    }
    Ok(nothing)
}

/// `src/timeout.c` `getTimeoutFromObjectOrReply`: seconds, with fractions; 0 is for ever. What does
/// not fit into C's milliseconds comes out negative there.
fn deadline(call: &Call<'_>, index: usize) -> Result<Option<i64>, Reply> {
    let seconds = number::parse_double(&call.args[index]).filter(|seconds| !seconds.is_nan());
    let seconds = seconds.ok_or(Reply::error("ERR timeout is not a float or out of range"))?;
    let ms = (seconds * 1000.0).ceil();
    if ms < 0.0 || ms >= i64::MAX as f64 {
        return Err(Reply::error("ERR timeout is negative"));
    }
    until(call, ms as i64)
}

/// The instant `ms` milliseconds from now; `None` for 0, which is for ever, and for what does not fit: the sum
/// comes out negative, and because the real server sorts time limits as numbers without a sign, its turn
/// never comes (measured).
pub(super) fn until(call: &Call<'_>, ms: i64) -> Result<Option<i64>, Reply> {
    match ms {
        0 => Ok(None),
        ms if ms < 0 => Err(Reply::error("ERR timeout is negative")),
        ms => Ok(call.author.now_ms.checked_add(ms)),
    }
}
