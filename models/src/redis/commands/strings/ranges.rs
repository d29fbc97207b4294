//! Parts of a string: bytes (`src/t_string.c`) and bits (`src/bitops.c`).

use bytes::Bytes;

use super::super::super::keyspace::{Event, Expiry};
use super::super::super::value::Value;
use super::super::super::{Core, Reply};
use super::super::args::{integer, is, within};
use super::super::{Call, Outcome, SYNTAX_ERROR};
use super::TOO_LONG;
use crate::redis::resp::MAX_BULK;

/// What `key` holds, empty without a key.
fn bytes(core: &mut Core, call: &Call<'_>) -> Result<Option<Bytes>, Reply> {
    let record = core.keyspace.get(&call.args[1], call.author.now_ms);
    record.map(|record| record.value.string()).transpose()
}

/// Stores `text`, changed in place; keeps the expiry.
fn put_back(core: &mut Core, call: &Call<'_>, text: Vec<u8>, event: &'static str) {
    let value = Value::Raw(Bytes::from(text));
    core.keyspace.store(&call.args[1], value, Expiry::Keep, call.author);
    core.keyspace.notify(&call.args[1], Event::string(event));
}

/// `SETRANGE key offset value`: the new length; gaps are filled with zero bytes.
pub(in super::super) fn setrange(core: &mut Core, call: &Call<'_>) -> Outcome {
    let offset = integer(&call.args[2])?;
    let offset = usize::try_from(offset).map_err(|_| Reply::error("ERR offset is out of range"))?;
    let (old, part) = (bytes(core, call)?, &call.args[3]);
    let old = old.as_deref().unwrap_or_default();
    if part.is_empty() {
        return Ok(Reply::Integer(old.len() as i64));
    }
    let end = offset.saturating_add(part.len());
    if end > MAX_BULK {
        return Err(TOO_LONG);
    }
    let mut text = old.to_vec();
    text.resize(old.len().max(end), 0);
    text[offset..end].copy_from_slice(part);
    let length = text.len();
    put_back(core, call, text, "setrange");
    Ok(Reply::Integer(length as i64))
}

/// `GETRANGE key start end`, once SUBSTR.
pub(in super::super) fn getrange(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (start, end) = (integer(&call.args[2])?, integer(&call.args[3])?);
    let text = bytes(core, call)?.unwrap_or_default();
    let part = places(start, end, text.len()).map_or(Bytes::new(), |part| text.slice(part));
    Ok(Reply::Bulk(part))
}

/// The places from `start` to `end`, both counted from the end when negative. An end before the
/// first place means the first place, unlike for lists.
fn places(start: i64, end: i64, length: usize) -> Option<std::ops::Range<usize>> {
    if start < 0 && end < 0 && start > end {
        return None;
    }
    let counted = |index: i64| {
        let from_end = if index < 0 { index.saturating_add(length as i64) } else { index };
        usize::try_from(from_end).unwrap_or(0)
    };
    let (start, end) = (counted(start), counted(end).min(length.checked_sub(1)?));
    (start <= end).then_some(start..end + 1)
}

/// A bit's place: not beyond the longest string (`getBitOffsetFromArgument`).
fn bit_offset(arg: &[u8]) -> Result<(usize, u8), Reply> {
    let wrong = Reply::error("ERR bit offset is not an integer or out of range");
    let offset = within(arg, 0, MAX_BULK as i64 * 8 - 1, wrong)? as usize;
    Ok((offset / 8, 0x80 >> (offset % 8)))
}

/// `SETBIT key offset value`: the old bit.
pub(in super::super) fn setbit(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (place, mask) = bit_offset(&call.args[2])?;
    let wrong = Reply::error("ERR bit is not an integer or out of range");
    let bit = within(&call.args[3], 0, 1, wrong)?;
    let mut text = bytes(core, call)?.unwrap_or_default().to_vec();
    text.resize(text.len().max(place + 1), 0);
    let old = text[place] & mask != 0;
    if bit == 1 {
        text[place] |= mask;
    } else {
        text[place] &= !mask;
    }
    put_back(core, call, text, "setbit");
    Ok(Reply::flag(old))
}

/// `GETBIT key offset`.
pub(in super::super) fn getbit(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (place, mask) = bit_offset(&call.args[2])?;
    let text = bytes(core, call)?.unwrap_or_default();
    Ok(Reply::flag(text.get(place).is_some_and(|byte| byte & mask != 0)))
}

/// `BITCOUNT key [start end [BYTE|BIT]]`: the range is looked at only when there is a string.
pub(in super::super) fn bitcount(core: &mut Core, call: &Call<'_>) -> Outcome {
    let Some(text) = bytes(core, call)? else { return Ok(Reply::Integer(0)) };
    let bits = |text: &[u8]| text.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>();
    if call.args.len() == 2 {
        return Ok(Reply::Integer(bits(&text)));
    }
    if call.args.len() == 3 || call.args.len() > 5 {
        return Err(SYNTAX_ERROR);
    }
    let (start, end) = (integer(&call.args[2])?, integer(&call.args[3])?);
    let by_bit = is(call.args, 4, "bit");
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::Integer(0));
    }
    if call.args.len() == 5 && !by_bit && !is(call.args, 4, "byte") {
        return Err(SYNTAX_ERROR);
    }
    let length = if by_bit { text.len() * 8 } else { text.len() };
    let Some(range) = places(start, end, length) else { return Ok(Reply::Integer(0)) };
    Ok(Reply::Integer(match by_bit {
        false => bits(&text[range]),
        true => range.filter(|bit| text[bit / 8] & (0x80 >> (bit % 8)) != 0).count() as i64,
    }))
}
