//! Keys and their expiry (`src/db.c`, `src/expire.c`).

use super::super::keyspace::Event;
use super::super::{Core, Reply};
use super::args::integer;
use super::{Call, Outcome, error};

/// `DEL key...` and `UNLINK key...`: how many were there; an expired key was not.
pub(super) fn del(core: &mut Core, call: &Call<'_>) -> Outcome {
    let keys = call.args.iter().skip(1);
    let removed = keys.filter(|key| core.keyspace.remove(key, call.author)).count();
    Ok(Reply::Integer(removed as i64))
}

/// `EXISTS key...`: a key named twice counts twice.
pub(super) fn exists(core: &mut Core, call: &Call<'_>) -> Outcome {
    let keys = call.args.iter().skip(1);
    let there = keys.filter(|key| core.keyspace.peek(key, call.author.now_ms).is_some()).count();
    Ok(Reply::Integer(there as i64))
}

/// `TYPE key`.
pub(super) fn type_of(core: &mut Core, call: &Call<'_>) -> Outcome {
    let record = core.keyspace.peek(&call.args[1], call.author.now_ms);
    Ok(Reply::Simple(record.map_or("none", |record| record.value.type_name()).into()))
}

/// `EXPIRE key seconds [NX|XX|GT|LT]`.
pub(super) fn expire(core: &mut Core, call: &Call<'_>) -> Outcome {
    retime(core, call, "expire", 1000, call.author.now_ms)
}

/// `PEXPIRE key milliseconds [NX|XX|GT|LT]`.
pub(super) fn pexpire(core: &mut Core, call: &Call<'_>) -> Outcome {
    retime(core, call, "pexpire", 1, call.author.now_ms)
}

/// `EXPIREAT key unix-seconds [NX|XX|GT|LT]`.
pub(super) fn expireat(core: &mut Core, call: &Call<'_>) -> Outcome {
    retime(core, call, "expireat", 1000, 0)
}

/// `PEXPIREAT key unix-milliseconds [NX|XX|GT|LT]`.
pub(super) fn pexpireat(core: &mut Core, call: &Call<'_>) -> Outcome {
    retime(core, call, "pexpireat", 1, 0)
}

/// `src/expire.c` `expireGenericCommand`: negative times are allowed, and a time that is not in the
/// future deletes the key and still answers 1 (`checkAlreadyExpired`).
fn retime(core: &mut Core, call: &Call<'_>, name: &str, scale: i64, start: i64) -> Outcome {
    let condition = Condition::parse(call)?;
    let given = integer(&call.args[2])?;
    let when = given.checked_mul(scale).and_then(|scaled| scaled.checked_add(start));
    let Some(when) = when else {
        return Err(error(format!("ERR invalid expire time in '{name}' command")));
    };
    let key = &call.args[1];
    let Some(record) = core.keyspace.get(key, call.author.now_ms) else {
        return Ok(Reply::flag(false));
    };
    if !condition.allows(record.expires_at, when) {
        return Ok(Reply::flag(false));
    }
    if when <= call.author.now_ms {
        core.keyspace.remove(key, call.author);
    } else {
        core.keyspace.retime(key, Some(when), call.author);
        core.keyspace.notify(key, Event::EXPIRE);
    }
    Ok(Reply::flag(true))
}

/// NX, XX, GT and LT of the EXPIRE family.
#[derive(Default)]
struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    /// `src/expire.c` `parseExtendedExpireArgumentsOrReply`.
    fn parse(call: &Call<'_>) -> Result<Self, Reply> {
        let mut condition = Self::default();
        for option in call.args.iter().skip(3) {
            let slot = match option.to_ascii_uppercase().as_slice() {
                b"NX" => &mut condition.nx,
                b"XX" => &mut condition.xx,
                b"GT" => &mut condition.gt,
                b"LT" => &mut condition.lt,
                _ => {
                    let option = super::quotable(option, usize::MAX);
                    return Err(error(format!("ERR Unsupported option {option}")));
                }
            };
            *slot = true;
        }
        if condition.nx && (condition.xx || condition.gt || condition.lt) {
            let text = "ERR NX and XX, GT or LT options at the same time are not compatible";
            return Err(Reply::error(text));
        }
        if condition.gt && condition.lt {
            let text = "ERR GT and LT options at the same time are not compatible";
            return Err(Reply::error(text));
        }
        Ok(condition)
    }

    /// No expiry counts as an infinite one: GT never exceeds it, LT always undercuts it.
    fn allows(&self, current: Option<i64>, when: i64) -> bool {
        let refused = match current {
            Some(current) => {
                self.nx || (self.gt && when <= current) || (self.lt && when >= current)
            }
            None => self.xx || self.gt,
        };
        !refused
    }
}

/// `PERSIST key`.
pub(super) fn persist(core: &mut Core, call: &Call<'_>) -> Outcome {
    let key = &call.args[1];
    let record = core.keyspace.get(key, call.author.now_ms);
    let had_expiry = record.is_some_and(|record| record.expires_at.is_some());
    if had_expiry {
        core.keyspace.retime(key, None, call.author);
        core.keyspace.notify(key, Event::generic("persist"));
    }
    Ok(Reply::flag(had_expiry))
}

/// `TTL key`, rounded half up: 0 can mean 499 ms.
pub(super) fn ttl(core: &mut Core, call: &Call<'_>) -> Outcome {
    expiry(core, call, |left_ms, _| seconds(left_ms))
}

/// Milliseconds that are not negative in seconds, rounded half up; the last ones do not overflow.
fn seconds(ms: i64) -> i64 {
    ((ms as u64 + 500) / 1000) as i64
}

/// `PTTL key`.
pub(super) fn pttl(core: &mut Core, call: &Call<'_>) -> Outcome {
    expiry(core, call, |left_ms, _| left_ms)
}

/// `EXPIRETIME key`.
pub(super) fn expiretime(core: &mut Core, call: &Call<'_>) -> Outcome {
    expiry(core, call, |_, when| seconds(when))
}

/// `PEXPIRETIME key`.
pub(super) fn pexpiretime(core: &mut Core, call: &Call<'_>) -> Outcome {
    expiry(core, call, |_, when| when)
}

/// `src/expire.c` `ttlGenericCommand`: -2 without a key, -1 without an expiry.
fn expiry(core: &mut Core, call: &Call<'_>, shown: fn(i64, i64) -> i64) -> Outcome {
    let now_ms = call.author.now_ms;
    let answer = match core.keyspace.peek(&call.args[1], now_ms) {
        None => -2,
        Some(record) => match record.expires_at {
            None => -1,
            Some(when) => shown(when.saturating_sub(now_ms).max(0), when),
        },
    };
    Ok(Reply::Integer(answer))
}
